/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.PullException;
import dev.imagegc.api.PullOutcome;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests for one reference at the same time share a transfer, and nothing else. */
@Timeout(120)
class PullSharingTest {
  private static final String APP = "docker.io/library/app:latest";

  private final PullNode node = new PullNode();

  @Test
  void requestsForOneReference_shareATransfer_eachWithAResultAndALeaseOfItsOwn() throws Exception {
    PullNode.Held held = node.engine.hold(APP);
    try (ImagePullManager pulls = node.pulls().parallel(2).build()) {
      ImagePull one = pulls.start("app", PullPolicy.ALWAYS);
      held.awaitBegun();
      ImagePull two = pulls.start("docker.io/app:latest", PullPolicy.IF_NOT_PRESENT);
      PullNode.awaitJoined(two);
      held.goOn();
      PullResult first = PullNode.result(one);
      PullResult second = PullNode.result(two);
      assertThat(node.engine.pulled()).containsExactly(APP);
      assertThat(first.outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(second.outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(second.requested()).isEqualTo("docker.io/app:latest");
      assertThat(second.transfers()).isEqualTo(1);
      assertThat(node.leases.held()).containsExactly(APP, APP, "image-1", "image-1");
      first.close();
      assertThat(second.lease().orElseThrow().isActive()).isTrue();
      assertThat(node.leases.held()).containsExactly(APP, "image-1");
    }
  }

  @Test
  void cancellingOneRequest_doesNotEndTheTransferThatAnotherWants() throws Exception {
    PullNode.Held held = node.engine.hold(APP);
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull one = pulls.start("app", PullPolicy.ALWAYS);
      held.awaitBegun();
      ImagePull two = pulls.start("app", PullPolicy.ALWAYS);
      PullNode.awaitJoined(two);
      assertThat(one.cancel()).isTrue();
      assertThat(PullNode.result(one).outcome()).isEqualTo(PullOutcome.CANCELLED);
      assertThat(PullNode.result(one).lease()).isEmpty();
      assertThat(node.leases.held()).containsExactly(APP);
      held.goOn();
      assertThat(PullNode.result(two).outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(held.wasInterrupted()).isFalse();
      assertThat(one.cancel()).isTrue();
      assertThat(two.cancel()).isFalse();
      assertThat(PullNode.result(two).lease().orElseThrow().isActive()).isTrue();
    }
  }

  @Test
  void cancellingTheLastRequest_interruptsTheTransfer_andTheNextBeginsAnewWithoutBackOff()
      throws Exception {
    PullNode.Held held = node.engine.hold(APP);
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull one = pulls.start("app", PullPolicy.ALWAYS);
      held.awaitBegun();
      one.cancel();
      assertThat(PullNode.result(one).outcome()).isEqualTo(PullOutcome.CANCELLED);
      assertThat(PullNode.result(one).backOffUntil()).isEmpty();
      held.awaitInterrupted();
      assertThat(node.leases.held()).isEmpty();
      assertThat(pulls.pull("app", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(node.engine.pulled()).containsExactly(APP, APP);
    }
  }

  @Test
  void cancellingARequestThatQueues_takesItOutOfTheQueue() throws Exception {
    PullNode.Held held = node.engine.hold(APP);
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull app = pulls.start("app", PullPolicy.ALWAYS);
      held.awaitBegun();
      node.clock.awaitWaiters(2);
      ImagePull other = pulls.start("other", PullPolicy.ALWAYS);
      node.clock.awaitWaiters(4);
      other.cancel();
      assertThat(PullNode.result(other).outcome()).isEqualTo(PullOutcome.CANCELLED);
      held.goOn();
      PullNode.result(app);
      assertThat(pulls.pull("third", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(node.engine.pulled()).doesNotContain("docker.io/library/other:latest");
    }
  }

  @Test
  void sharedTransferThatFails_failsAll_andCountsOnce() throws Exception {
    PullNode.Held held = new PullNode.Held(false);
    node.engine.script(APP, (credentials, progress) -> {
      held.run(credentials, progress);
      throw new PullException("no");
    });
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull one = pulls.start("app", PullPolicy.ALWAYS);
      held.awaitBegun();
      ImagePull two = pulls.start("app", PullPolicy.ALWAYS);
      PullNode.awaitJoined(two);
      held.goOn();
      for (ImagePull pull : List.of(one, two)) {
        assertThat(PullNode.result(pull).outcome()).isEqualTo(PullOutcome.FAILED);
        assertThat(PullNode.result(pull).backOffUntil())
            .contains(node.clock.instant().plusSeconds(10));
      }
      assertThat(node.leases.held()).isEmpty();
    }
  }

  @Test
  void joiningLate_countsOwnWaitsOnly() {
    Stages stages = new Stages(100);
    stages.enter(Stages.Stage.RATE, 150);
    stages.enter(Stages.Stage.TRANSFER, 170);
    stages.enter(Stages.Stage.DONE, 200);
    assertThat(stages.spent(Stages.Stage.SLOT, 100, 900)).isEqualTo(Duration.ofNanos(50));
    assertThat(stages.spent(Stages.Stage.SLOT, 120, 900)).isEqualTo(Duration.ofNanos(30));
    assertThat(stages.spent(Stages.Stage.RATE, 120, 900)).isEqualTo(Duration.ofNanos(20));
    assertThat(stages.spent(Stages.Stage.SLOT, 160, 900)).isZero();
    assertThat(stages.spent(Stages.Stage.RATE, 160, 900)).isEqualTo(Duration.ofNanos(10));
    assertThat(stages.spent(Stages.Stage.TRANSFER, 900)).isEqualTo(Duration.ofNanos(30));
  }

  @Test
  void stageThatLasts_countsUpToNow_andOneThatWasNotReachedCountsNothing() {
    Stages stages = new Stages(Long.MAX_VALUE);
    assertThat(stages.spent(Stages.Stage.SLOT, Long.MIN_VALUE + 9)).isEqualTo(Duration.ofNanos(10));
    stages.enter(Stages.Stage.DONE, Long.MIN_VALUE + 19);
    assertThat(stages.spent(Stages.Stage.SLOT, Long.MIN_VALUE + 99))
        .isEqualTo(Duration.ofNanos(20));
    assertThat(stages.spent(Stages.Stage.TRANSFER, 900)).isZero();
    assertThat(stages.reached(Stages.Stage.TRANSFER)).isFalse();
  }
}
