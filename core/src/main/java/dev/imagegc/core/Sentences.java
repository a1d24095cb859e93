/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ImmutableMap;
import com.google.common.math.LongMath;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.HeldBytes;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Reason;
import dev.imagegc.core.internal.Disk;
import dev.imagegc.core.internal.Sizes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/** What reports and events say in words. */
final class Sentences {
  private static final Map<Reason, String> REASONS = ImmutableMap.<Reason, String>builder()
      .put(Reason.IN_USE, "in use")
      .put(Reason.PINNED, "pinned")
      .put(Reason.LEASED, "leased")
      .put(Reason.PROTECTED, "protected")
      .put(Reason.NOT_OWNED, "not this collector's to collect")
      .put(Reason.KEPT_NEWEST, "kept as newest of a repository")
      .put(Reason.POLICY_FAILED, "on which the policy failed")
      .put(Reason.TOO_YOUNG, "too young yet")
      .put(Reason.RECENTLY_USED, "used a short time ago")
      .put(Reason.REMOVAL_FAILED, "that could not be removed")
      .put(Reason.OUTCOME_UNKNOWN, "whose removal had no clear answer")
      .put(Reason.BACKING_OFF, "left alone after a failed removal")
      .put(Reason.NOT_REACHED, "whose turn did not come")
      .put(Reason.LIMIT, "that may go, but not within the limits of the round")
      .put(Reason.IN_VAIN, "that may go")
      .put(Reason.ENOUGH_FREED, "that may go")
      .put(Reason.NO_GAIN, "whose removal would free next to nothing")
      .put(Reason.HAS_CHILDREN, "on which others are built")
      .buildOrThrow();
  /** What no time and no round changes by itself. */
  private static final Set<Reason> FOR_GOOD =
      Set.of(Reason.IN_USE, Reason.PINNED, Reason.PROTECTED, Reason.NOT_OWNED, Reason.KEPT_NEWEST);

  private Sentences() {}

  /** One line on a round that acted: filesystem, usage before and after, need, freed. */
  static String summary(GcReport report) {
    return report.operation() + " " + report.outcome() + " on " + path(report)
        + ": usage " + percent(report.usagePercentBefore()) + " -> "
        + percent(report.usagePercentAfter())
        + ", needed " + bytes(report.neededBytes()) + ", freed " + Sizes.text(report.freedBytes())
        + ", removed " + report.removed().size() + " of " + report.decisions().size() + " images"
        + report.cause().map(cause -> ": " + cause.getMessage()).orElse("");
  }

  /**
   * Why the need was not met: what holds the rest, and what a setting has to do with it.
   *
   * @param report what it is about, with {@link GcReport#held()} and {@link GcReport#otherDataBytes()}
   * @param exact whether these are exact, and not bounds
   */
  static String notEnoughFreed(GcReport report, boolean exact, GcThresholds thresholds) {
    List<HeldBytes> held = report.held();
    StringBuilder text =
        new StringBuilder(isMissing(report) ? missing(report) : unfinished(report));
    text.append("; held: ").append(String.join(", ", holders(report, exact)));
    report
        .stoppedBy()
        .ifPresent(limit -> text.append("; the round ended at its limit of ")
            .append(limit.code().toLowerCase(Locale.ROOT)));
    if (held.stream().anyMatch(sum -> sum.reason().equals(Reason.IN_VAIN))) {
      text.append("; what may go would not be enough, so the policy keeps it");
    }
    long predicted = report.predictedBytes().orElse(0);
    if (predicted > 0 && predicted < report.neededBytes().orElse(0)) {
      text.append("; all that may go was predicted to free ").append(Sizes.text(predicted));
    }
    if (report.operation().equals(Operation.COLLECT)) {
      text.append(highCannotBeKept(report, exact, thresholds));
    }
    return text.toString();
  }

  private static boolean isMissing(GcReport report) {
    return report.missingBytes().orElse(0) > 0 || report.missingInodes().orElse(0) > 0;
  }

  private static String missing(GcReport report) {
    StringBuilder text = new StringBuilder("not enough space could be freed on image filesystem ")
        .append(path(report))
        .append(" (")
        .append(percent(report.usagePercentBefore()))
        .append(" of ")
        .append(bytes(capacity(report)))
        .append(" used): freed ")
        .append(Sizes.text(report.freedBytes()));
    if (report.neededBytes().orElse(0) > 0) {
      text.append(", needed ")
          .append(bytes(report.neededBytes()))
          .append(", missing ")
          .append(bytes(report.missingBytes()));
    }
    if (report.neededInodes().orElse(0) > 0) {
      text.append(", needed ")
          .append(report.neededInodes().getAsLong())
          .append(" inodes, missing ")
          .append(report.missingInodes().orElse(0));
    }
    return text.toString();
  }

  /** Of a round that had no need in bytes or inodes, and ended at a limit. */
  private static String unfinished(GcReport report) {
    String what = report.operation().equals(Operation.PURGE) ? "unused" : "due by age";
    return "not all images that are " + what + " were removed from image filesystem " + path(report)
        + ": freed " + Sizes.text(report.freedBytes());
  }

  private static List<String> holders(GcReport report, boolean exact) {
    List<String> holders = new ArrayList<>();
    for (HeldBytes sum : report.held()) {
      if (sum.bytes().orElse(1) > 0) {
        holders.add(bytes(sum.bytes()) + " by " + sum.imageCount()
            + (sum.imageCount() == 1 ? " image " : " images ")
            + REASONS.getOrDefault(sum.reason(), "kept because of " + sum.reason()));
      }
    }
    report
        .otherDataBytes()
        .ifPresent(other -> holders.add(
            (exact ? "" : "at least ") + Sizes.text(other) + " by data that is not images"));
    return holders;
  }

  /** Names a high threshold that usage is above whatever is collected. */
  private static String highCannotBeKept(GcReport report, boolean exact, GcThresholds thresholds) {
    if (report.otherDataBytes().isEmpty() || report.filesystemAfter().isEmpty()) {
      return "";
    }
    Disk disk = Disk.of(report.filesystemAfter().get());
    String rule = "% used: highPercent " + thresholds.highPercent()
        + " can never be kept there; raise it, or give images a filesystem of their own";
    long other = report.otherDataBytes().getAsLong();
    int withoutImages = usageWith(disk, other);
    if (withoutImages >= thresholds.highPercent()) {
      return "; without any image the filesystem is " + withoutImages + rule;
    }
    if (!exact) {
      return ""; // sizes count shared layers more than once: they prove nothing
    }
    long staying = report.held().stream()
        .filter(sum -> FOR_GOOD.contains(sum.reason()))
        .mapToLong(sum -> sum.bytes().orElse(0))
        .reduce(other, LongMath::saturatedAdd);
    int withoutCandidates = usageWith(disk, staying);
    return withoutCandidates >= thresholds.highPercent()
        ? "; with nothing but the images in use, pinned or " + keptByPolicy(report)
            + " the filesystem is " + withoutCandidates + rule
        : "";
  }

  private static String keptByPolicy(GcReport report) {
    boolean protectedOnly = report.held().stream()
        .map(HeldBytes::reason)
        .noneMatch(reason -> reason.equals(Reason.NOT_OWNED) || reason.equals(Reason.KEPT_NEWEST));
    return protectedOnly ? "protected" : "kept by the policy's rules";
  }

  private static int usageWith(Disk disk, long used) {
    return disk.withAvailable(disk.capacity() - used).usagePercent();
  }

  private static OptionalLong capacity(GcReport report) {
    return report.filesystemBefore().map(FsStats::capacityBytes).orElse(OptionalLong.empty());
  }

  private static String path(GcReport report) {
    return report
        .filesystemBefore()
        .map(FsStats::path)
        .orElse("a filesystem that could not be measured");
  }

  private static String percent(OptionalInt percent) {
    return percent.isPresent() ? percent.getAsInt() + "%" : "unknown";
  }

  private static String bytes(OptionalLong bytes) {
    return bytes.isPresent() ? Sizes.text(bytes.getAsLong()) : "an unknown number of bytes";
  }
}
