/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.imagegc.api.BootTime;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.HeldBytes;
import dev.imagegc.api.Operation;
import dev.imagegc.api.PressureShortfall;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.Reason;
import dev.imagegc.testkit.TestClock;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Values that say from where to where their numbers go refuse what is beyond, and name the field and the number. */
class ValueRangesTest {
  private static final Instant NOW = Instant.EPOCH;
  private static final FsStats STATS = FsStats.of("/images", NOW, 1000, 500);

  private static GcReport.Builder report() {
    return GcReport.builder(Operation.COLLECT, NOW);
  }

  private static GcPlan.Builder plan() {
    return GcPlan.builder(Operation.COLLECT, STATS, 50);
  }

  private static PressureShortfall.Builder shortfall() {
    return PressureShortfall.builder(DiskSignal.IMAGEFS_AVAILABLE, true, NOW);
  }

  private static SingleWriter writer() {
    return SingleWriter.create(new TestClock());
  }

  private static Arguments bad(String message, ThrowingCallable call) {
    return Arguments.of(message, call);
  }

  static Stream<Arguments> beyond() {
    return Stream.of(
        bad("neededBytes must be at least 0, but is -1", () -> report().neededBytes(-1)),
        bad("missingBytes must be at least 0, but is -2", () -> report().missingBytes(-2)),
        bad("neededInodes must be at least 0, but is -3", () -> report().neededInodes(-3)),
        bad("missingInodes must be at least 0, but is -4", () -> report().missingInodes(-4)),
        bad("predictedBytes must be at least 0, but is -5", () -> report().predictedBytes(-5)),
        bad("freedBytes must be at least 0, but is -6", () -> report().freedBytes(-6)),
        bad("otherDataBytes must be at least 0, but is -7", () -> report().otherDataBytes(-7)),
        bad("usagePercent must be from 0 to 100, but is -1", () -> report().before(STATS, -1)),
        bad("usagePercent must be from 0 to 100, but is 101", () -> report().after(STATS, 101)),
        bad("neededBytes must be at least 0, but is -1", () -> plan().neededBytes(-1)),
        bad("neededInodes must be at least 0, but is -2", () -> plan().neededInodes(-2)),
        bad("predictedBytes must be at least 0, but is -3", () -> plan().predictedBytes(-3)),
        bad(
            "usagePercent must be from 0 to 100, but is 101",
            () -> GcPlan.builder(Operation.COLLECT, STATS, 101)),
        bad(
            "images must be at least 1, but is 0",
            () -> HeldBytes.of(Reason.IN_USE, 0, OptionalLong.empty())),
        bad(
            "bytes must be at least 0, but is -1",
            () -> HeldBytes.of(Reason.IN_USE, 1, OptionalLong.of(-1))),
        bad(
            "uptime must be zero or more, but is PT-0.000000001S",
            () -> BootTime.of("boot", Duration.ofNanos(-1))),
        bad(
            "wanted must be at least the threshold 5, but is 4",
            () -> shortfall().amounts(5, 4, 3)),
        bad(
            "available must be below what is wanted, 6, but is 6",
            () -> shortfall().amounts(5, 6, 6)),
        bad(
            "transferredBytes must be at least 0, but is -1",
            () -> PullProgress.of(-1, OptionalLong.empty(), "")),
        bad(
            "totalBytes must be at least 0, but is -1",
            () -> PullProgress.of(0, OptionalLong.of(-1), "")),
        bad(
            "highPercent must be from 0 to 100, but is 101",
            () -> GcThresholds.builder().highPercent(101)),
        bad("items must be zero or more, but is -1", () -> Deadlines.defaults().list(-1)),
        bad(
            "maxWait must be zero or more, but is PT-1S",
            () -> writer()
                .run(SingleWriter.Kind.of("work", String.class), Duration.ofSeconds(-1), () -> "")),
        bad(
            "atMost must be zero or more, but is PT-1S",
            () -> writer().awaitIdle(Duration.ofSeconds(-1))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("beyond")
  void numberBeyondItsRange_isRefusedByName(String message, ThrowingCallable call) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
  }

  static Stream<ThrowingCallable> bounds() {
    return Stream.of(
        () -> report().before(STATS, 0).after(STATS, 100),
        () -> report().neededBytes(0).missingBytes(0).neededInodes(0).missingInodes(0),
        () -> report().predictedBytes(0).freedBytes(0).otherDataBytes(0),
        () -> GcPlan.builder(Operation.COLLECT, STATS, 0).neededBytes(0),
        () -> GcPlan.builder(Operation.COLLECT, STATS, 100).neededInodes(0).predictedBytes(0),
        () -> HeldBytes.of(Reason.IN_USE, 1, OptionalLong.of(0)),
        () -> BootTime.of("boot", Duration.ZERO),
        () -> shortfall().amounts(5, 5, 4),
        () -> PullProgress.of(0, OptionalLong.of(0), ""),
        () -> Deadlines.defaults().list(0),
        () -> writer().awaitIdle(Duration.ZERO));
  }

  @ParameterizedTest
  @MethodSource("bounds")
  void bounds_areInTheirRange(ThrowingCallable call) {
    assertThatCode(call).doesNotThrowAnyException();
  }

  @Test
  void unknownBytes_areNotZero() {
    assertThat(HeldBytes.of(Reason.IN_USE, 1, OptionalLong.empty()).bytes()).isEmpty();
    assertThat(PullProgress.of(0, OptionalLong.empty(), "").totalBytes()).isEmpty();
    assertThat(report().build().neededBytes()).isEmpty();
    assertThat(plan().build().neededBytes()).isEmpty();
  }
}
