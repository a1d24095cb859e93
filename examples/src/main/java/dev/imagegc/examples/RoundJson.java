/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import dev.imagegc.api.BusyException;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Outcome;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What {@code --json} prints, schema 1: the components are the fields, in this order. Null is "unknown". Later schemas only
 * add fields.
 */
record RoundJson(
    int schema,
    String kind,
    String outcome,
    @Nullable String error,
    Filesystem filesystem,
    @Nullable Integer usagePercentBefore,
    @Nullable Integer usagePercentAfter,
    @Nullable Long neededBytes,
    @Nullable Long predictedBytes,
    long freedBytes,
    String accounting,
    List<ImageJson> images) {
  private static final int SCHEMA = 1;
  private static final Gson GSON =
      new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

  record Filesystem(
      @Nullable String path,
      @Nullable Long capacityBytes,
      @Nullable Long availableBytesBefore,
      @Nullable Long availableBytesAfter) {}

  record ImageJson(
      String id,
      List<String> references,
      @Nullable Long sizeBytes,
      @Nullable Long exclusiveBytes,
      @Nullable Long creditedBytes,
      @Nullable Long measuredBytes,
      String decision,
      String reason,
      String detail) {
    static ImageJson of(ImageDecision decision) {
      return new ImageJson(
          decision.image().id().text(),
          decision.image().references(),
          orNull(decision.image().sizeBytes()),
          orNull(decision.exclusiveBytes()),
          orNull(decision.creditedBytes()),
          orNull(decision.measuredBytes()),
          decision.decision().code(),
          decision.reason().code(),
          decision.detail());
    }
  }

  /** A plan frees nothing and is not measured after. */
  static RoundJson of(GcPlan plan) {
    return new RoundJson(
        SCHEMA,
        "plan",
        plan.outcome().code(),
        null,
        filesystem(Optional.of(plan.filesystem()), Optional.empty()),
        plan.usagePercent(),
        null,
        orNull(plan.neededBytes()),
        orNull(plan.predictedBytes()),
        0,
        plan.accounting().code(),
        plan.decisions().stream().map(ImageJson::of).toList());
  }

  static RoundJson of(GcReport report) {
    return new RoundJson(
        SCHEMA,
        kind(report.operation()),
        report.outcome().code(),
        report.cause().map(GcException::getMessage).orElse(null),
        filesystem(report.filesystemBefore(), report.filesystemAfter()),
        orNull(report.usagePercentBefore()),
        orNull(report.usagePercentAfter()),
        orNull(report.neededBytes()),
        orNull(report.predictedBytes()),
        report.freedBytes(),
        report.accounting().code(),
        report.decisions().stream().map(ImageJson::of).toList());
  }

  /** A call that ended before there was a plan or a report. */
  static RoundJson of(String kind, GcException trouble) {
    return new RoundJson(
        SCHEMA,
        kind,
        (trouble instanceof BusyException ? Outcome.BUSY : Outcome.FAILED).code(),
        trouble.getMessage(),
        filesystem(Optional.empty(), Optional.empty()),
        null,
        null,
        null,
        null,
        0,
        "UNKNOWN",
        List.of());
  }

  /** Returns one line without its end. */
  @Override
  public String toString() {
    return GSON.toJson(this);
  }

  private static String kind(Operation operation) {
    return operation.code().toLowerCase(Locale.ROOT);
  }

  private static Filesystem filesystem(Optional<FsStats> before, Optional<FsStats> after) {
    return new Filesystem(
        before.map(FsStats::path).orElse(null),
        before.map(stats -> orNull(stats.capacityBytes())).orElse(null),
        before.map(stats -> orNull(stats.availableBytes())).orElse(null),
        after.map(stats -> orNull(stats.availableBytes())).orElse(null));
  }

  private static @Nullable Long orNull(OptionalLong value) {
    return value.isPresent() ? (Long) value.getAsLong() : null;
  }

  private static @Nullable Integer orNull(OptionalInt value) {
    return value.isPresent() ? (Integer) value.getAsInt() : null;
  }
}
