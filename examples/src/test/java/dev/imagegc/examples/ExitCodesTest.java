/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.BusyException;
import dev.imagegc.api.Decision;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PolicyException;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.Reason;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ExitCodesTest {
  private static final FsStats DISK = FsStats.of("/images", Instant.EPOCH, 1000, 100);

  static Stream<Arguments> reports() {
    return Stream.of(
        Arguments.of("not needed", report(Outcome.NOT_NEEDED), 0),
        Arguments.of("done", report(Outcome.DONE), 0),
        Arguments.of("short", report(Outcome.SHORT), 3),
        Arguments.of("short, with a failed removal", report(Outcome.SHORT, Decision.FAILED), 3),
        Arguments.of("done, with a failed removal", report(Outcome.DONE, Decision.FAILED), 5),
        Arguments.of(
            "done, with one gone and one kept",
            report(Outcome.DONE, Decision.GONE, Decision.KEPT),
            0));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("reports")
  void of_report_followsItsOutcome(String what, GcReport report, int exitCode) {
    assertThat(ExitCodes.of(report)).isEqualTo(exitCode);
  }

  static Stream<Arguments> troubles() {
    return Stream.of(
        Arguments.of(new UnreachableException("x"), 4),
        Arguments.of(new TimedOutException("x"), 4),
        Arguments.of(new AccessDeniedException("x"), 4),
        Arguments.of(new ProtocolException("x"), 4),
        Arguments.of(new InvalidCapacityException("x"), 4),
        Arguments.of(new BusyException("x"), 6),
        Arguments.of(new PolicyException("x"), 1));
  }

  @ParameterizedTest
  @MethodSource("troubles")
  void of_failedRound_followsItsCause(GcException trouble, int exitCode) {
    GcReport failed = GcReport.builder(Operation.COLLECT, Instant.EPOCH)
        .outcome(Outcome.FAILED, trouble)
        .build();

    assertThat(ExitCodes.of(failed)).isEqualTo(exitCode);
    assertThat(ExitCodes.of(trouble)).isEqualTo(exitCode);
  }

  @Test
  void of_plan_isThreeWhenTheNeedCannotBeMet() {
    GcPlan.Builder plan = GcPlan.builder(Operation.COLLECT, DISK, 90).neededBytes(100);

    assertThat(ExitCodes.of(plan.predictedBytes(100).build())).isEqualTo(0);
    assertThat(ExitCodes.of(plan.predictedBytes(99).build())).isEqualTo(3);
  }

  @Test
  void of_planThatNeedsInodes_isThreeWhenNothingCanGo() {
    GcPlan.Builder plan = GcPlan.builder(Operation.COLLECT, DISK, 50).neededInodes(100);
    ImageDecision victim = ImageDecision.builder(
            ImageRecord.of(Image.builder(ImageId.of("a")).build(), Instant.EPOCH),
            Decision.PLANNED,
            Reason.SPACE)
        .build();

    assertThat(ExitCodes.of(plan.build())).isEqualTo(3);
    assertThat(ExitCodes.of(plan.decisions(List.of(victim)).build())).isEqualTo(0);
  }

  @Test
  void of_planWithUnknownPrediction_isFine() {
    assertThat(ExitCodes.of(
            GcPlan.builder(Operation.COLLECT, DISK, 90).neededBytes(100).build()))
        .isEqualTo(0);
  }

  private static GcReport report(Outcome outcome, Decision... decisions) {
    List<ImageDecision> images = Stream.of(decisions)
        .map(decision -> ImageDecision.builder(
                ImageRecord.of(Image.builder(ImageId.of("a")).build(), Instant.EPOCH),
                decision,
                Reason.SPACE)
            .build())
        .toList();
    return GcReport.builder(Operation.COLLECT, Instant.EPOCH)
        .outcome(outcome)
        .decisions(images)
        .build();
  }
}
