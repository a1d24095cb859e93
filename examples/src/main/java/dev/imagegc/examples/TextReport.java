/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.Accounting;
import dev.imagegc.api.Decision;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.core.RoundLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * Plans and reports as people read them.
 *
 * @param thresholds what the rounds go by
 * @param limits where they end
 */
record TextReport(GcThresholds thresholds, RoundLimits limits) {
  static final RoundLimits NO_LIMITS = RoundLimits.defaults();

  String of(GcPlan plan) {
    FsStats disk = plan.filesystem();
    Facts facts = new Facts()
        .add("Image filesystem", disk.path())
        .add("Capacity", capacity(disk))
        .add("Usage", plan.usagePercent() + "%" + rule());
    if (knowsInodes(disk)) {
      facts.add("Inodes", disk.inodes().orElse(0) + ", " + free(disk) + " free" + inodesRule());
    }
    addLimits(facts, "; this plan is made without them");
    addNeed(facts, plan.neededBytes(), plan.neededInodes());
    return facts + plannedImages(plan.decisions()) + "\n" + conclusion(plan);
  }

  /** Returns nothing for a round that could not begin. */
  String of(GcReport report) {
    if (report.filesystemBefore().isEmpty()) {
      return "";
    }
    FsStats before = report.filesystemBefore().get();
    Facts facts = new Facts()
        .add("Image filesystem", before.path())
        .add("Capacity", capacity(before))
        .add("Usage before", Human.percent(report.usagePercentBefore()) + rule())
        .add("Usage after", Human.percent(report.usagePercentAfter()));
    if (knowsInodes(before)) {
      facts.add(
          "Inodes",
          before.inodes().orElse(0) + ", " + free(before) + " free before"
              + report
                  .filesystemAfter()
                  .map(after -> ", " + free(after) + " after")
                  .orElse("")
              + inodesRule());
    }
    addLimits(facts, "");
    addNeed(facts, report.neededBytes(), report.neededInodes());
    if (!report.decisions().isEmpty()) {
      facts.add("Predicted", prediction(report.predictedBytes(), report.accounting()));
      facts.add("Freed", Human.bytes(report.freedBytes()) + ", measured" + difference(report));
    }
    report
        .stoppedBy()
        .ifPresent(limit ->
            facts.add("Stopped by", "the limit of " + limit.code().toLowerCase(Locale.ROOT)));
    return facts + triedImages(report.decisions()) + "\n" + conclusion(report);
  }

  /** One line on a round that has ended, and why it fell short if it did. */
  static String line(GcEvent event, GcReport report) {
    String line = event.at() + " " + event.message();
    if (!report.decisions().isEmpty()) {
      line += "; predicted " + prediction(report.predictedBytes(), report.accounting());
    }
    return Human.clean(line) + explanation(report, "  ");
  }

  /** Every image: those that would go first, then those that may go next, then those that stay. */
  private static String plannedImages(List<ImageDecision> images) {
    Table table = new Table(
        ">#",
        "DECISION",
        ">SIZE",
        ">EXCLUSIVE",
        ">RECLAIMABLE",
        ">PREDICTED",
        ">AGE",
        "USED",
        "IMAGE",
        "REASON");
    int turn = 0;
    for (ImageDecision image : images) {
      table.row(
          hasTurn(image) ? String.valueOf(++turn) : "",
          image.decision().code(),
          Human.bytes(image.image().sizeBytes()),
          Human.bytes(image.exclusiveBytes()),
          Human.bytes(image.reclaimableBytes()),
          predicted(image),
          age(image),
          used(image),
          name(image.image()),
          reason(image));
    }
    return images.isEmpty() ? "" : "\n" + table;
  }

  /** Every image: those that went or were tried first, then those that may go next, then those that stay. */
  private static String triedImages(List<ImageDecision> images) {
    Table table = new Table(
        ">#", "DECISION", ">SIZE", ">PREDICTED", ">FREED", ">AGE", "USED", "IMAGE", "REASON");
    int turn = 0;
    for (ImageDecision image : images) {
      table.row(
          hasTurn(image) ? String.valueOf(++turn) : "",
          image.decision().code(),
          Human.bytes(image.image().sizeBytes()),
          predicted(image),
          image.measuredBytes().isPresent() ? Human.bytes(image.measuredBytes()) : "",
          age(image),
          used(image),
          name(image.image()),
          reason(image));
    }
    return images.isEmpty() ? "" : "\n" + table;
  }

  /** Whether an image has a place in the order of removal. */
  private static boolean hasTurn(ImageDecision image) {
    return !image.decision().equals(Decision.KEPT) || image.reason().equals(Reason.ENOUGH_FREED);
  }

  /** The part of the prediction that an image is credited with; nothing for one that stays. */
  private static String predicted(ImageDecision image) {
    return image.decision().equals(Decision.KEPT) ? "" : Human.bytes(image.creditedBytes());
  }

  private static String age(ImageDecision image) {
    return image.age().map(Human::coarse).orElse("unknown");
  }

  private static String used(ImageDecision image) {
    return image.unusedFor().map(Human::ago).orElse("never");
  }

  /** The reason with its words, except those on the usage, which stand above the table. */
  private static String reason(ImageDecision image) {
    return image.detail().isEmpty() || image.reason().equals(Reason.SPACE)
        ? image.reason().code()
        : image.reason() + ": " + image.detail();
  }

  static String name(Image image) {
    List<String> references = image.references();
    if (references.isEmpty()) {
      return "<none> " + image.id().shortText();
    }
    return references.size() == 1
        ? references.get(0)
        : references.get(0) + " (+" + (references.size() - 1) + ")";
  }

  private static String conclusion(GcPlan plan) {
    String all = Human.count(plan.decisions().size(), "image");
    if (plan.outcome().equals(Outcome.NOT_NEEDED)) {
      return "NOT_NEEDED: none of " + all + " would be removed.";
    }
    String victims =
        plan.victims().isEmpty() ? "none" : String.valueOf(plan.victims().size());
    String total = "PLANNED: " + victims + " of " + all + " would be removed. Needed: "
        + need(plan.neededBytes(), plan.neededInodes()) + "; predicted: "
        + prediction(plan.predictedBytes(), plan.accounting()) + ".";
    return Human.wrapped(total, "")
        + (plan.shortfallBytes().orElse(0) > 0
            ? "\nThat is not enough: " + Human.bytes(plan.shortfallBytes())
                + " would still be missing."
            : "");
  }

  private static String conclusion(GcReport report) {
    String removed = report.decisions().isEmpty()
        ? "no image was touched."
        : "removed " + report.removed().size() + " of "
            + Human.count(report.decisions().size(), "image") + ".";
    return report.outcome() + ": " + removed + explanation(report, "");
  }

  private static String explanation(GcReport report, String indent) {
    return report.explanation().isEmpty()
        ? ""
        : "\n" + indent + Human.wrapped(Human.clean(report.explanation()), indent) + ".";
  }

  private static String capacity(FsStats disk) {
    return Human.bytes(disk.capacityBytes()) + ", " + Human.bytes(disk.availableBytes())
        + " available";
  }

  private String rule() {
    return thresholds.highPercent() == 100
        ? " (usage starts no round)"
        : " (a round starts at " + thresholds.highPercent() + "% and frees down to "
            + thresholds.lowPercent() + "%)";
  }

  private static boolean knowsInodes(FsStats disk) {
    return disk.inodes().orElse(0) > 0;
  }

  private static String free(FsStats disk) {
    return disk.inodesFree().isPresent()
        ? String.valueOf(disk.inodesFree().getAsLong())
        : "unknown";
  }

  private String inodesRule() {
    return thresholds.inodesHighPercent() == 100
        ? ""
        : " (a round starts at " + thresholds.inodesHighPercent() + "% used and goes down to "
            + thresholds.inodesLowPercent() + "%)";
  }

  private void addLimits(Facts facts, String remark) {
    String text = text(limits);
    if (!text.isEmpty()) {
      facts.add("Limits", text + remark);
    }
  }

  /** For instance {@code 3 removals, 2.0 GiB}; empty without limits. */
  static String text(RoundLimits limits) {
    List<String> words = new ArrayList<>();
    if (limits.removals() != NO_LIMITS.removals()) {
      words.add(Human.count(limits.removals(), "removal"));
    }
    if (limits.bytes() != NO_LIMITS.bytes()) {
      words.add(Human.bytes(limits.bytes()));
    }
    if (!limits.time().equals(NO_LIMITS.time())) {
      words.add(Human.duration(limits.time()));
    }
    return String.join(", ", words);
  }

  private static void addNeed(Facts facts, OptionalLong bytes, OptionalLong inodes) {
    if (bytes.isPresent()) {
      facts.add("Need", need(bytes, inodes));
    }
  }

  private static String need(OptionalLong bytes, OptionalLong inodes) {
    String words = bytes.orElse(0) == 0 ? "nothing" : Human.bytes(bytes);
    if (inodes.orElse(0) == 0) {
      return words;
    }
    String count = inodes.getAsLong() + " inodes";
    return bytes.orElse(0) == 0 ? count : words + " and " + count;
  }

  private static String prediction(OptionalLong bytes, Accounting accounting) {
    if (bytes.isEmpty()) {
      return "unknown";
    }
    if (accounting.equals(Accounting.LAYERS)) {
      return Human.bytes(bytes) + ", exact by layers";
    }
    if (accounting.equals(Accounting.MIXED)) {
      return "at most " + Human.bytes(bytes)
          + ", partly by layers, partly by listed sizes (shared layers count in every image)";
    }
    return "at most " + Human.bytes(bytes)
        + ", by listed sizes (shared layers count in every image)";
  }

  private static String difference(GcReport report) {
    OptionalLong difference = report.filesystemDifferenceBytes();
    return difference.isPresent()
        ? "; the filesystem's own difference is " + Human.bytes(difference.getAsLong())
        : "";
  }

  /** Names and values in two columns. */
  private static final class Facts {
    private final StringBuilder lines = new StringBuilder();

    Facts add(String name, String value) {
      lines.append(String.format("%-18s%s%n", name, Human.clean(value)));
      return this;
    }

    @Override
    public String toString() {
      return lines.toString();
    }
  }
}
