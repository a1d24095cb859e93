/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.ImageId;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullOutcome;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is pulled, by policy, and what a result says. */
@Timeout(60)
class PullPolicyTest {
  private static final String APP = "docker.io/library/app:latest";

  private final PullNode node = new PullNode();

  @Test
  void always_pulls_althoughTheImageIsThere() {
    node.engine.add(APP, "old");
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(result.outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(result.imageId()).contains(ImageId.of("image-1"));
      assertThat(result.transfers()).isEqualTo(1);
    }
  }

  @Test
  void ifNotPresent_pullsNothing_ifTheImageIsThere() {
    node.engine.add(APP, "old");
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.IF_NOT_PRESENT);
      assertThat(result.outcome()).isEqualTo(PullOutcome.PRESENT);
      assertThat(result.imageId()).contains(ImageId.of("old"));
      assertThat(result.transfers()).isZero();
      assertThat(result.transferredBytes()).isEmpty();
      assertThat(result.cause()).isEmpty();
      assertThat(node.engine.pulled()).isEmpty();
    }
  }

  @Test
  void ifNotPresent_pulls_ifTheImageIsNotThere() {
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.IF_NOT_PRESENT);
      assertThat(result.outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(result.imageId()).contains(ImageId.of("image-1"));
    }
  }

  @Test
  void never_findsAnImageThatIsThere_andPullsNone() {
    node.engine.add(APP, "old");
    try (ImagePullManager pulls = node.pulls().build()) {
      assertThat(pulls.pull("app", PullPolicy.NEVER).outcome()).isEqualTo(PullOutcome.PRESENT);
      PullResult absent = pulls.pull("other", PullPolicy.NEVER);
      assertThat(absent.outcome()).isEqualTo(PullOutcome.NOT_PRESENT);
      assertThat(absent.imageId()).isEmpty();
      assertThat(absent.lease()).isEmpty();
      assertThat(absent.cause()).isEmpty();
      assertThat(node.engine.pulled()).isEmpty();
      assertThat(node.leases.held()).containsExactly(APP, "old");
    }
  }

  @Test
  void engine_isAskedForTheNameInFull_theResultKnowsBoth() {
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(node.engine.pulled()).containsExactly(APP);
      assertThat(result.requested()).isEqualTo("app");
      assertThat(result.reference()).isEqualTo(APP);
    }
  }

  @Test
  void whatIsNoReference_isRefusedAtOnce() {
    try (ImagePullManager pulls = node.pulls().build()) {
      assertThatThrownBy(() -> pulls.start("no name", PullPolicy.ALWAYS))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'no name'");
    }
  }

  @Test
  void progressAndBytes_areThoseOfTheTransfer() throws Exception {
    PullNode.Held held = node.engine.hold(APP);
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull pull = pulls.start("app", PullPolicy.ALWAYS);
      held.awaitBegun();
      assertThat(pull.progress().map(PullProgress::totalBytes)).contains(OptionalLong.of(100));
      assertThat(pull.result()).isEmpty();
      node.clock.awaitWaiters(2);
      node.clock.advance(Duration.ofSeconds(7));
      held.goOn();
      PullResult result = PullNode.result(pull);
      assertThat(result.transferredBytes()).hasValue(10);
      assertThat(result.transferTime()).isEqualTo(Duration.ofSeconds(7));
      assertThat(result.waitedForSlot()).isZero();
      assertThat(result.waitedForRate()).isZero();
      assertThat(pull.completion().toCompletableFuture().join()).isSameAs(result);
    }
  }

  @Test
  void await_givesUpWaitingAndNotThePull() throws Exception {
    PullNode.Held held = node.engine.hold(APP);
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull pull = pulls.start("app", PullPolicy.ALWAYS);
      assertThat(pull.await(Duration.ZERO)).isEmpty();
      held.awaitBegun();
      held.goOn();
      assertThat(PullNode.result(pull).outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(held.wasInterrupted()).isFalse();
    }
  }

  @Test
  void troubleWithTheRegistry_isInTheResult() {
    PullException trouble = new PullException("no such image");
    node.engine.fail(APP, trouble);
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(result.outcome()).isEqualTo(PullOutcome.FAILED);
      assertThat(result.cause()).containsSame(trouble);
      assertThat(result.imageId()).isEmpty();
      assertThat(result.lease()).isEmpty();
    }
  }

  @Test
  void pullerThatBreaksItsContract_failsThePull() {
    node.engine.fail(APP, new IllegalStateException("broken"));
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(result.outcome()).isEqualTo(PullOutcome.FAILED);
      assertThat(result.cause().orElseThrow())
          .hasMessage("asked the engine to pull " + APP
              + ", which broke its contract: java.lang.IllegalStateException: broken");
    }
  }

  @Test
  void troubleWithALookUp_isInTheResult_andNoBackOff() {
    UnreachableException trouble = new UnreachableException("not there");
    node.engine.beforeLookUp(() -> {
      throw trouble;
    });
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.IF_NOT_PRESENT);
      assertThat(result.outcome()).isEqualTo(PullOutcome.FAILED);
      assertThat(result.cause()).containsSame(trouble);
      assertThat(result.backOffUntil()).isEmpty();
      assertThat(node.leases.held()).isEmpty();
    }
  }

  @Test
  void lookUpThatHangs_costsItsDeadline() {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    node.engine.beforeLookUp(() -> {
      asked.countDown();
      awaitStubbornly(never);
    });
    try (ImagePullManager pulls = node.pulls().maxRequests(1).build()) {
      ImagePull pull = pulls.start("app", PullPolicy.IF_NOT_PRESENT);
      awaitStubbornly(asked);
      node.clock.awaitWaiters(1);
      node.clock.advance(Duration.ofMinutes(1));
      PullResult result = PullNode.result(pull);
      assertThat(result.outcome()).isEqualTo(PullOutcome.FAILED);
      assertThat(result.cause().orElseThrow())
          .isInstanceOf(TimedOutException.class)
          .hasMessage("asked the engine to look up " + APP + ", no answer within 1m");
      assertThat(node.leases.held()).isEmpty();
      assertThat(pulls.pull("app", PullPolicy.IF_NOT_PRESENT).cause().orElseThrow())
          .as("threads do not pile up behind an engine that hangs")
          .isInstanceOf(UnreachableException.class);
    } finally {
      never.countDown();
    }
  }

  @Test
  void imageThatIsRemovedRightAfterItsTransfer_isPulledAgain() {
    int[] times = {2};
    node.engine.afterPull(() -> {
      if (times[0]-- > 0) {
        node.engine.remove(ImageId.of("image-" + node.engine.pulled().size()));
      }
    });
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(result.outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(result.imageId()).contains(ImageId.of("image-3"));
      assertThat(result.transfers()).isEqualTo(3);
    }
  }

  @Test
  void imageThatIsRemovedAfterEveryTransfer_failsAfterThree() {
    node.engine.afterPull(
        () -> node.engine.remove(ImageId.of("image-" + node.engine.pulled().size())));
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.IF_NOT_PRESENT);
      assertThat(result.outcome()).isEqualTo(PullOutcome.FAILED);
      assertThat(result.transfers()).isEqualTo(3);
      assertThat(result.cause().orElseThrow())
          .isInstanceOf(PullException.class)
          .hasMessageContaining("pulled 3 times");
      assertThat(result.backOffUntil()).isEmpty();
      assertThat(node.leases.held()).isEmpty();
    }
  }

  private static void awaitStubbornly(CountDownLatch latch) {
    boolean done = false;
    while (!done) {
      try {
        latch.await();
        done = true;
      } catch (InterruptedException e) {
        // goes on
      }
    }
  }
}
