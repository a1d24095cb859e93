/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ImageGoingException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Lease;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullOutcome;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An image that a request has seen is there until the caller lets it go. */
@Timeout(60)
class PullLeasesTest {
  private static final String APP = "docker.io/library/app:latest";

  private final PullNode node = new PullNode();

  @Test
  void presentImage_cannotBeTakenBetweenLookUpAndUse() {
    node.engine.add(APP, "old");
    node.engine.afterLookUp(node::collect);
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.IF_NOT_PRESENT);
      node.collect();
      assertThat(result.outcome()).isEqualTo(PullOutcome.PRESENT);
      assertThat(node.engine.has(result.imageId().orElseThrow())).isTrue();
    }
  }

  @Test
  void pulledImage_cannotBeTakenBetweenTransferAndUse() {
    node.engine.afterPull(node::collect);
    node.engine.beforeLookUp(node::collect);
    node.engine.afterLookUp(node::collect);
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      node.collect();
      assertThat(result.transfers()).isEqualTo(1);
      assertThat(node.engine.has(result.imageId().orElseThrow())).isTrue();
    }
  }

  @Test
  void imageWhoseNameMovesOn_staysForTheCaller() {
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      node.engine.add(APP, "newer");
      node.collect();
      assertThat(node.engine.has(result.imageId().orElseThrow())).isTrue();
      assertThat(node.engine.has(ImageId.of("newer"))).isTrue();
      result.close();
      node.collect();
      assertThat(node.engine.has(ImageId.of("image-1"))).isFalse();
    }
  }

  /** The name moves after it was looked up and before the image is leased, and a collector comes by. */
  @Test
  void imageThatGoesBeforeItIsLeased_isNotHandedOut() {
    node.engine.add(APP, "old");
    node.leases.beforeLease(() -> {
      if (node.leases.isHeld(APP) && !node.engine.has(ImageId.of("newer"))) {
        node.engine.add(APP, "newer");
        node.collect();
      }
    });
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.IF_NOT_PRESENT);
      assertThat(result.outcome()).isEqualTo(PullOutcome.PRESENT);
      assertThat(result.imageId()).contains(ImageId.of("newer"));
      assertThat(node.engine.has(ImageId.of("old"))).isFalse();
      assertThat(node.leases.held()).containsExactly(APP, "newer");
    }
  }

  @Test
  void lease_coversReferenceAndImage_untilClosed() {
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(node.leases.held()).containsExactly(APP, "image-1");
      Lease lease = result.lease().orElseThrow();
      assertThat(lease.subject()).isEqualTo(APP);
      assertThat(lease.isActive()).isTrue();
      assertThat(lease.renew(Duration.ofHours(1))).isTrue();
      assertThat(lease.remaining()).isEqualTo(Duration.ofHours(1));
      result.close();
      result.close();
      assertThat(lease.isActive()).isFalse();
      assertThat(lease.renew(Duration.ofHours(1))).isFalse();
      assertThat(node.leases.held()).isEmpty();
    }
  }

  @Test
  void lease_holdsOnlyWhileBothOfItsHalvesDo() {
    Lease name = node.leases.lease(APP, Duration.ofMinutes(1));
    Lease image = node.leases.lease(ImageId.of("image"), Duration.ofMinutes(2));
    Lease both = new ImageLease(name, image);
    assertThat(both.remaining()).isEqualTo(Duration.ofMinutes(1));
    name.renew(Duration.ofMinutes(3));
    assertThat(both.remaining()).isEqualTo(Duration.ofMinutes(2));
    assertThat(both.isActive()).isTrue();
    node.clock.advance(Duration.ofMinutes(2));
    assertThat(name.isActive()).isTrue();
    assertThat(both.isActive()).isFalse();
    assertThat(both.renew(Duration.ofMinutes(1))).isFalse();
    both.close();
    assertThat(node.leases.held()).isEmpty();
  }

  @Test
  void lease_endsWithTheGrace_ifTheCallerForgetsIt() {
    try (ImagePullManager pulls = node.pulls().grace(Duration.ofMinutes(2)).build()) {
      Lease lease = pulls.pull("app", PullPolicy.ALWAYS).lease().orElseThrow();
      assertThat(lease.remaining()).isEqualTo(Duration.ofMinutes(2));
      node.clock.advance(Duration.ofMinutes(2));
      assertThat(lease.isActive()).isFalse();
      assertThat(node.leases.held()).isEmpty();
    }
  }

  @Test
  void lease_isRenewedWhileThePullIsUnderWay_andLastsTheWholeGraceAfterIt() throws Exception {
    PullNode.Held held = node.engine.hold(APP);
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull pull = pulls.start("app", PullPolicy.ALWAYS);
      held.awaitBegun();
      for (int i = 0; i < 10; i++) {
        int before = node.leases.renewals();
        node.clock.awaitWaiters(2);
        node.clock.advance(Duration.ofSeconds(100));
        node.leases.awaitRenewals(before + 1);
        assertThat(node.leases.held()).containsExactly(APP);
      }
      assertThat(node.leases.granted(APP)).isEqualTo(1);
      held.goOn();
      Lease lease = PullNode.result(pull).lease().orElseThrow();
      assertThat(lease.remaining()).isEqualTo(Duration.ofMinutes(5));
    }
  }

  @Test
  void leaseThatHasLapsed_isTakenAnewWhileThePullIsUnderWay() throws Exception {
    PullNode.Held held = node.engine.hold(APP);
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull pull = pulls.start("app", PullPolicy.ALWAYS);
      held.awaitBegun();
      node.clock.awaitWaiters(2);
      node.leases.lapse();
      node.clock.advance(Duration.ofSeconds(100));
      while (node.leases.held().isEmpty()) {
        Thread.onSpinWait();
      }
      assertThat(node.leases.held()).containsExactly(APP);
      held.goOn();
      assertThat(PullNode.result(pull).lease().orElseThrow().isActive()).isTrue();
    }
  }

  /** After the last look at the image its lease lapses, and the image goes: it is not handed out as if it were there. */
  @Test
  void leaseThatLapsesUnseen_beginsAllAgain() {
    node.engine.add(APP, "old");
    int[] lookUps = {0};
    node.engine.afterLookUp(() -> {
      if (++lookUps[0] == 2) {
        node.leases.lapse();
        node.collect();
      }
    });
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.IF_NOT_PRESENT);
      assertThat(result.outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(node.engine.has(result.imageId().orElseThrow())).isTrue();
      assertThat(result.lease().orElseThrow().isActive()).isTrue();
    }
  }

  @Test
  void failedPull_leavesNoLeaseBehind() {
    node.engine.fail(APP, new PullException("no"));
    try (ImagePullManager pulls = node.pulls().build()) {
      pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(node.leases.granted(APP)).isEqualTo(1);
      assertThat(node.leases.held()).isEmpty();
    }
  }

  @Test
  void imageThatIsJustBeingRemoved_isWaitedForAndPulled_theWaitIsReported() {
    CompletableFuture<Boolean> removal = node.leases.going(APP);
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull pull = pulls.start("app", PullPolicy.IF_NOT_PRESENT);
      node.clock.awaitWaiters(2);
      node.clock.advance(Duration.ofSeconds(20));
      removal.complete(true);
      PullResult result = PullNode.result(pull);
      assertThat(result.outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(result.waitedForRemoval()).isEqualTo(Duration.ofSeconds(20));
      assertThat(result.waitedForSlot()).isZero();
      assertThat(result.transferTime()).isZero();
    }
  }

  @Test
  void imageThatIsBeingRemovedForTooLong_isBusy() {
    CompletableFuture<Boolean> removal = node.leases.going(APP);
    try (ImagePullManager pulls =
        node.pulls().maxRemovalWait(Duration.ofSeconds(30)).build()) {
      ImagePull pull = pulls.start("app", PullPolicy.ALWAYS);
      node.clock.awaitWaiters(2);
      node.clock.advance(Duration.ofSeconds(30));
      PullResult result = PullNode.result(pull);
      assertThat(result.outcome()).isEqualTo(PullOutcome.BUSY);
      assertThat(result.cause().orElseThrow()).isInstanceOf(ImageGoingException.class);
      assertThat(result.waitedForRemoval()).isEqualTo(Duration.ofSeconds(30));
      assertThat(result.backOffUntil()).isEmpty();
      assertThat(node.engine.pulled()).isEmpty();
      assertThat(removal).isNotDone();
    }
  }

  @Test
  void leaseThatIsGrantedAfterTheCallerGaveUp_isClosed() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    node.leases.beforeLease(() -> {
      asked.countDown();
      boolean done = false;
      while (!done) {
        try {
          answer.await();
          done = true;
        } catch (InterruptedException e) {
          // leases that do not mind being interrupted
        }
      }
    });
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull pull = pulls.start("app", PullPolicy.ALWAYS);
      asked.await();
      assertThat(pull.cancel()).isTrue();
      assertThat(PullNode.result(pull).outcome()).isEqualTo(PullOutcome.CANCELLED);
      answer.countDown();
      while (node.leases.granted(APP) == 0) {
        Thread.onSpinWait();
      }
      node.leases.awaitNoneHeld();
    }
  }
}
