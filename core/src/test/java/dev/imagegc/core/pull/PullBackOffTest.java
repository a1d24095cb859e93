/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A reference whose transfer failed is left alone for a while. */
@Timeout(60)
class PullBackOffTest {
  private static final String APP = "docker.io/library/app:latest";
  private final PullException no = new PullException("no");

  private final PullNode node = new PullNode();

  @Test
  void backOff_doublesFrom10sTo300s_andAnswersAtOnce() {
    try (ImagePullManager pulls = node.pulls().build()) {
      for (int seconds : List.of(10, 20, 40, 80, 160, 300, 300)) {
        node.engine.fail(APP, no);
        PullResult failed = pulls.pull("app", PullPolicy.ALWAYS);
        Instant until = node.clock.instant().plusSeconds(seconds);
        assertThat(failed.outcome()).isEqualTo(PullOutcome.FAILED);
        assertThat(failed.backOffUntil()).contains(until);
        int asked = node.engine.pulled().size();
        node.clock.advance(Duration.ofSeconds(seconds).minusNanos(1));
        for (PullPolicy policy : List.of(PullPolicy.ALWAYS, PullPolicy.IF_NOT_PRESENT)) {
          PullResult backingOff = pulls.pull("app", policy);
          assertThat(backingOff.outcome()).isEqualTo(PullOutcome.BACKING_OFF);
          assertThat(backingOff.backOffUntil()).contains(until);
          assertThat(backingOff.cause()).containsSame(no);
          assertThat(backingOff.transfers()).isZero();
        }
        assertThat(node.engine.pulled()).hasSize(asked);
        assertThat(node.leases.held()).isEmpty();
        node.clock.advance(Duration.ofNanos(1));
      }
    }
  }

  @Test
  void success_endsTheBackOff() {
    try (ImagePullManager pulls = node.pulls().build()) {
      node.engine.fail(APP, no);
      pulls.pull("app", PullPolicy.ALWAYS);
      node.clock.advance(Duration.ofSeconds(10));
      PullResult pulled = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(pulled.outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(pulled.backOffUntil()).isEmpty();
      node.engine.fail(APP, no);
      assertThat(pulls.pull("app", PullPolicy.ALWAYS).backOffUntil())
          .contains(node.clock.instant().plusSeconds(10));
    }
  }

  @Test
  void imageThatIsThere_isFoundWhileItsReferenceBacksOff() {
    try (ImagePullManager pulls = node.pulls().build()) {
      node.engine.add(APP, "old");
      node.engine.fail(APP, no);
      pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(pulls.pull("app", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.BACKING_OFF);
      assertThat(pulls.pull("app", PullPolicy.IF_NOT_PRESENT).outcome())
          .isEqualTo(PullOutcome.PRESENT);
      assertThat(pulls.pull("app", PullPolicy.NEVER).outcome()).isEqualTo(PullOutcome.PRESENT);
    }
  }

  @Test
  void otherReferences_doNotBackOff() {
    try (ImagePullManager pulls = node.pulls().build()) {
      node.engine.fail(APP, no);
      pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(pulls.pull("app:2", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.PULLED);
    }
  }

  @Test
  void settingTheWallClock_changesNoBackOff() {
    try (ImagePullManager pulls = node.pulls().build()) {
      node.engine.fail(APP, no);
      pulls.pull("app", PullPolicy.ALWAYS);
      node.clock.jumpWall(Duration.ofDays(1));
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(result.outcome()).isEqualTo(PullOutcome.BACKING_OFF);
      assertThat(result.backOffUntil()).contains(node.clock.instant().plusSeconds(10));
    }
  }

  @Test
  void cancelledPull_isNoReasonToBackOff() {
    node.engine.fail(APP, new CancelledException("the engine's adapter is closed"));
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(result.outcome()).isEqualTo(PullOutcome.CANCELLED);
      assertThat(result.backOffUntil()).isEmpty();
      assertThat(pulls.pull("app", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.PULLED);
    }
  }

  @Test
  void backOff_asTheHostWantsIt() {
    try (ImagePullManager pulls =
        node.pulls().backOff(Duration.ofSeconds(1), Duration.ofSeconds(3)).build()) {
      for (int seconds : List.of(1, 2, 3, 3)) {
        node.engine.fail(APP, no);
        assertThat(pulls.pull("app", PullPolicy.ALWAYS).backOffUntil())
            .contains(node.clock.instant().plusSeconds(seconds));
        node.clock.advance(Duration.ofSeconds(seconds));
      }
    }
  }

  @Test
  void whatHasLongBeenOver_isForgotten_andBeginsAnew() {
    PullBackOff backOff = new PullBackOff(Duration.ofSeconds(10), Duration.ofSeconds(300));
    long start = Long.MAX_VALUE; // elapsed time may wrap
    long s = Duration.ofSeconds(1).toNanos();
    assertThat(backOff.failed("a", no, start).times()).isEqualTo(1);
    assertThat(backOff.failed("a", no, start + 309 * s).times()).isEqualTo(2);
    assertThat(backOff.failed("a", no, start + (309 + 20 + 300) * s).times()).isEqualTo(1);
    backOff.failed("b", no, start + 2000 * s);
    assertThat(backOff.size()).isEqualTo(1);
  }

  @Test
  void noMoreThanAThousandReferences_areRemembered_theLatestStay() {
    PullBackOff backOff = new PullBackOff(Duration.ofSeconds(10), Duration.ofSeconds(300));
    backOff.failed("0", no, 0);
    backOff.failed("1", no, 0);
    backOff.failed("0", no, 0);
    for (int i = 2; i <= PullBackOff.MOST; i++) {
      backOff.failed("" + i, no, 0);
    }
    assertThat(backOff.size()).isEqualTo(PullBackOff.MOST);
    assertThat(backOff.active("1", 0)).isNull();
    assertThat(backOff.active("0", 0)).isNotNull();
  }
}
