/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.HeldBytes;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.RoundLimit;
import dev.imagegc.core.RoundLimits;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What {@code --json} prints, schema 2: the components are the fields, in this order. Later schemas only add fields. Null is
 * "unknown", unless said otherwise. Times are ISO 8601 in UTC.
 *
 * @param schema 2
 * @param kind {@code plan}, {@code collect} or {@code purge}
 * @param outcome a code of {@link Outcome}
 * @param error what ended the round; null if nothing did
 * @param startedAt when the round began or, for a plan, the filesystem was measured
 * @param filesystem the image filesystem, before and after
 * @param usagePercentBefore used percent of its bytes, rounded up
 * @param usagePercentAfter the same after; null for a plan
 * @param neededBytes bytes to free; null also for a call without a byte goal
 * @param predictedBytes what the victims are predicted to free: in a plan the sum of their credited bytes, in a report that of
 *     the round's first plan
 * @param freedBytes what came back, as measured
 * @param missingBytes bytes that are still missing, in a plan by prediction
 * @param neededInodes inodes to free
 * @param missingInodes inodes that are still missing; null for a plan
 * @param accounting what the prediction is made from, a code of {@link dev.imagegc.api.Accounting}
 * @param limits the limits of a round that the user gave
 * @param stoppedBy the limit that ended the round before its goal, a code of {@link RoundLimit}; null if none did
 * @param explanation why the goal was not reached, for people; empty unless the outcome is {@code SHORT}
 * @param held what holds the images that stay, largest first; empty unless the outcome is {@code SHORT}
 * @param otherDataBytes used bytes that are no image's; null unless the outcome is {@code SHORT}
 * @param problems trouble that did not end the round, for people
 * @param images every image of the node, in the order of the plan
 */
record RoundJson(
    int schema,
    String kind,
    String outcome,
    @Nullable String error,
    @Nullable String startedAt,
    Filesystem filesystem,
    @Nullable Integer usagePercentBefore,
    @Nullable Integer usagePercentAfter,
    @Nullable Long neededBytes,
    @Nullable Long predictedBytes,
    long freedBytes,
    @Nullable Long missingBytes,
    @Nullable Long neededInodes,
    @Nullable Long missingInodes,
    String accounting,
    LimitsJson limits,
    @Nullable String stoppedBy,
    String explanation,
    List<HeldJson> held,
    @Nullable Long otherDataBytes,
    List<String> problems,
    List<ImageJson> images) {
  private static final int SCHEMA = 2;

  /** A filesystem at the start of a round and at its end, which a plan does not have. */
  record Filesystem(
      @Nullable String path,
      @Nullable Long capacityBytes,
      @Nullable Long availableBytesBefore,
      @Nullable Long availableBytesAfter,
      @Nullable Long inodes,
      @Nullable Long inodesFreeBefore,
      @Nullable Long inodesFreeAfter) {
    static final Filesystem UNKNOWN = of(Optional.empty(), Optional.empty());

    static Filesystem of(Optional<FsStats> before, Optional<FsStats> after) {
      return new Filesystem(
          before.map(FsStats::path).orElse(null),
          before.map(stats -> Json.orNull(stats.capacityBytes())).orElse(null),
          before.map(stats -> Json.orNull(stats.availableBytes())).orElse(null),
          after.map(stats -> Json.orNull(stats.availableBytes())).orElse(null),
          before.map(stats -> Json.orNull(stats.inodes())).orElse(null),
          before.map(stats -> Json.orNull(stats.inodesFree())).orElse(null),
          after.map(stats -> Json.orNull(stats.inodesFree())).orElse(null));
    }
  }

  /** Null is no limit. */
  record LimitsJson(
      @Nullable Integer removals,
      @Nullable Long bytes,
      @Nullable Long seconds) {
    static LimitsJson of(RoundLimits limits) {
      RoundLimits none = TextReport.NO_LIMITS;
      return new LimitsJson(
          limits.removals() == none.removals() ? null : (Integer) limits.removals(),
          limits.bytes() == none.bytes() ? null : (Long) limits.bytes(),
          limits.time().equals(none.time()) ? null : (Long) limits.time().toSeconds());
    }
  }

  /** The images that stay for a reason, and their bytes; a layer counts once. */
  record HeldJson(String reason, int images, @Nullable Long bytes) {
    static HeldJson of(HeldBytes held) {
      return new HeldJson(held.reason().code(), held.imageCount(), Json.orNull(held.bytes()));
    }
  }

  /**
   * An image of the node.
   *
   * @param id the engine's id
   * @param references its names
   * @param sizeBytes the size that the engine lists
   * @param exclusiveBytes what only this image holds
   * @param reclaimableBytes the bytes of its layers whose every holder may go; 0 for an image that must stay
   * @param creditedBytes its share of the prediction, in removal order; 0 for an image that stays
   * @param measuredBytes what came back over its removal; null also if none was tried
   * @param firstSeenAt when the collector first saw it, on the collector's time line
   * @param ageSeconds how long ago that was
   * @param lastUsedAt when it was last seen in use, on the collector's time line; null if never
   * @param unusedSeconds how long ago that was; null if never
   * @param decision a code of {@link dev.imagegc.api.Decision}
   * @param reason a code of {@link dev.imagegc.api.Reason}
   * @param detail the reason in words, possibly empty
   */
  record ImageJson(
      String id,
      List<String> references,
      @Nullable Long sizeBytes,
      @Nullable Long exclusiveBytes,
      @Nullable Long reclaimableBytes,
      @Nullable Long creditedBytes,
      @Nullable Long measuredBytes,
      String firstSeenAt,
      @Nullable Long ageSeconds,
      @Nullable String lastUsedAt,
      @Nullable Long unusedSeconds,
      String decision,
      String reason,
      String detail) {
    static ImageJson of(ImageDecision decision) {
      return new ImageJson(
          decision.image().id().text(),
          decision.image().references(),
          Json.orNull(decision.image().sizeBytes()),
          Json.orNull(decision.exclusiveBytes()),
          Json.orNull(decision.reclaimableBytes()),
          Json.orNull(decision.creditedBytes()),
          Json.orNull(decision.measuredBytes()),
          decision.record().firstDetected().toString(),
          decision.age().map(Duration::toSeconds).orElse(null),
          decision.record().lastUsed().map(Instant::toString).orElse(null),
          decision.unusedFor().map(Duration::toSeconds).orElse(null),
          decision.decision().code(),
          decision.reason().code(),
          decision.detail());
    }
  }

  /** A plan frees nothing and is not measured after. */
  static RoundJson of(GcPlan plan, RoundLimits limits) {
    return new RoundJson(
        SCHEMA,
        "plan",
        plan.outcome().code(),
        null,
        plan.filesystem().measuredAt().toString(),
        Filesystem.of(Optional.of(plan.filesystem()), Optional.empty()),
        plan.usagePercent(),
        null,
        Json.orNull(plan.neededBytes()),
        Json.orNull(plan.predictedBytes()),
        0,
        Json.orNull(plan.shortfallBytes()),
        Json.orNull(plan.neededInodes()),
        null,
        plan.accounting().code(),
        LimitsJson.of(limits),
        null,
        "",
        List.of(),
        null,
        List.of(),
        plan.decisions().stream().map(ImageJson::of).toList());
  }

  static RoundJson of(GcReport report, RoundLimits limits) {
    return new RoundJson(
        SCHEMA,
        kind(report.operation()),
        report.outcome().code(),
        report.cause().map(GcException::getMessage).orElse(null),
        report.startedAt().toString(),
        Filesystem.of(report.filesystemBefore(), report.filesystemAfter()),
        Json.orNull(report.usagePercentBefore()),
        Json.orNull(report.usagePercentAfter()),
        Json.orNull(report.neededBytes()),
        Json.orNull(report.predictedBytes()),
        report.freedBytes(),
        Json.orNull(report.missingBytes()),
        Json.orNull(report.neededInodes()),
        Json.orNull(report.missingInodes()),
        report.accounting().code(),
        LimitsJson.of(limits),
        report.stoppedBy().map(RoundLimit::code).orElse(null),
        report.explanation(),
        report.held().stream().map(HeldJson::of).toList(),
        Json.orNull(report.otherDataBytes()),
        report.problems(),
        report.decisions().stream().map(ImageJson::of).toList());
  }

  /** A call that ended before there was a plan or a report. */
  static RoundJson of(String kind, GcException trouble, RoundLimits limits) {
    return new RoundJson(
        SCHEMA,
        kind,
        (trouble instanceof BusyException ? Outcome.BUSY : Outcome.FAILED).code(),
        trouble.getMessage(),
        null,
        Filesystem.UNKNOWN,
        null,
        null,
        null,
        null,
        0,
        null,
        null,
        null,
        "UNKNOWN",
        LimitsJson.of(limits),
        null,
        "",
        List.of(),
        null,
        List.of(),
        List.of());
  }

  /** Returns one line without its end. */
  @Override
  public String toString() {
    return Json.line(this);
  }

  private static String kind(Operation operation) {
    return operation.code().toLowerCase(Locale.ROOT);
  }
}
