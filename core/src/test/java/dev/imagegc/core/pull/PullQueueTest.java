/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.PullOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How many transfers at a time, and how fast. */
@Timeout(60)
class PullQueueTest {
  private static final String A = "docker.io/library/a:latest";
  private static final String B = "docker.io/library/b:latest";
  private static final String C = "docker.io/library/c:latest";

  private final PullNode node = new PullNode();

  @Test
  void transfers_runOneAtATime_inTheOrderOfTheRequests_andTheWaitIsReported() throws Exception {
    PullNode.Held held = node.engine.hold(A);
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull a = pulls.start("a", PullPolicy.ALWAYS);
      held.awaitBegun();
      node.clock.awaitWaiters(2);
      ImagePull c = pulls.start("c", PullPolicy.ALWAYS);
      node.clock.awaitWaiters(4);
      node.clock.advance(Duration.ofSeconds(3));
      ImagePull b = pulls.start("b", PullPolicy.ALWAYS);
      node.clock.awaitWaiters(6);
      node.clock.advance(Duration.ofSeconds(4));
      assertThat(node.engine.pulled()).containsExactly(A);
      held.goOn();
      assertThat(PullNode.result(a).waitedForSlot()).isZero();
      assertThat(PullNode.result(a).transferTime()).isEqualTo(Duration.ofSeconds(7));
      assertThat(PullNode.result(c).waitedForSlot()).isEqualTo(Duration.ofSeconds(7));
      assertThat(PullNode.result(c).transferTime()).isZero();
      assertThat(PullNode.result(b).waitedForSlot()).isEqualTo(Duration.ofSeconds(4));
      assertThat(node.engine.pulled()).containsExactly(A, C, B);
      assertThat(node.engine.mostRunning()).isEqualTo(1);
    }
  }

  @Test
  void parallel_letsSoManyRun_andNoMore() throws Exception {
    PullNode.Held heldA = node.engine.hold(A);
    PullNode.Held heldB = node.engine.hold(B);
    try (ImagePullManager pulls = node.pulls().parallel(2).build()) {
      ImagePull a = pulls.start("a", PullPolicy.ALWAYS);
      ImagePull b = pulls.start("b", PullPolicy.ALWAYS);
      heldA.awaitBegun();
      heldB.awaitBegun();
      node.clock.awaitWaiters(4);
      ImagePull c = pulls.start("c", PullPolicy.ALWAYS);
      node.clock.awaitWaiters(6);
      assertThat(node.engine.pulled()).containsExactlyInAnyOrder(A, B);
      heldB.goOn();
      assertThat(PullNode.result(c).outcome()).isEqualTo(PullOutcome.PULLED);
      heldA.goOn();
      assertThat(PullNode.result(a).outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(PullNode.result(b).outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(node.engine.mostRunning()).isEqualTo(2);
    }
  }

  @Test
  void requestThatGetsNoSlotInTime_isBusy_andNoBackOffFollows() throws Exception {
    PullNode.Held held = node.engine.hold(A);
    try (ImagePullManager pulls =
        node.pulls().maxSlotWait(Duration.ofSeconds(10)).build()) {
      ImagePull a = pulls.start("a", PullPolicy.ALWAYS);
      held.awaitBegun();
      node.clock.awaitWaiters(2);
      ImagePull b = pulls.start("b", PullPolicy.ALWAYS);
      node.clock.awaitWaiters(4);
      node.clock.advance(Duration.ofSeconds(10));
      PullResult busy = PullNode.result(b);
      assertThat(busy.outcome()).isEqualTo(PullOutcome.BUSY);
      assertThat(busy.cause().orElseThrow())
          .isInstanceOf(BusyException.class)
          .hasMessage("no slot for pulling " + B + " within 10s: 1 of 1 in use");
      assertThat(busy.waitedForSlot()).isEqualTo(Duration.ofSeconds(10));
      assertThat(busy.transfers()).isZero();
      assertThat(busy.backOffUntil()).isEmpty();
      held.goOn();
      PullNode.result(a);
      assertThat(pulls.pull("b", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(node.leases.held()).containsExactly(A, B, "image-1", "image-2");
    }
  }

  @Test
  void slot_isFreeAgainWhenTheResultIsThere() {
    try (ImagePullManager pulls =
        node.pulls().maxSlotWait(Duration.ZERO).rate(0, 1).maxRequests(1).build()) {
      for (int i = 0; i < 300; i++) {
        PullResult result = pulls.pull("a", PullPolicy.ALWAYS);
        assertThat(result.outcome()).as("%s", result).isEqualTo(PullOutcome.PULLED);
        result.close();
      }
    }
  }

  @Test
  void oneRequestTooMany_isBusyAtOnce() throws Exception {
    PullNode.Held held = node.engine.hold(A);
    try (ImagePullManager pulls = node.pulls().maxRequests(1).build()) {
      ImagePull a = pulls.start("a", PullPolicy.ALWAYS);
      held.awaitBegun();
      ImagePull tooMany = pulls.start("a", PullPolicy.ALWAYS);
      assertThat(tooMany.result().map(PullResult::outcome)).contains(PullOutcome.BUSY);
      assertThat(tooMany.result().orElseThrow().cause().orElseThrow())
          .hasMessage(
              "not asking for " + A + ": 1 requests are under way, and no more are allowed");
      held.goOn();
      PullNode.result(a);
      assertThat(pulls.pull("a", PullPolicy.NEVER).outcome()).isEqualTo(PullOutcome.PRESENT);
    }
  }

  // Rate

  @Test
  void transfers_beginNoFasterThanTheRate_andTheWaitIsReported() {
    try (ImagePullManager pulls = node.pulls().build()) {
      for (int i = 0; i < 10; i++) {
        assertThat(pulls.pull("a", PullPolicy.ALWAYS).waitedForRate()).isZero();
      }
      for (int i = 0; i < 3; i++) {
        PullResult result = pulls.pull("a", PullPolicy.ALWAYS);
        assertThat(result.outcome()).isEqualTo(PullOutcome.PULLED);
        assertThat(result.waitedForRate()).isEqualTo(Duration.ofMillis(200));
        assertThat(result.waitedForSlot()).isZero();
      }
    }
  }

  @Test
  void whoeverDoesNotWaitForTheRate_isRateLimited_withoutBackOff() {
    try (ImagePullManager pulls =
        node.pulls().rate(1, 2).maxRateWait(Duration.ZERO).build()) {
      pulls.pull("a", PullPolicy.ALWAYS);
      pulls.pull("a", PullPolicy.ALWAYS);
      for (int i = 0; i < 2; i++) {
        PullResult limited = pulls.pull("a", PullPolicy.ALWAYS);
        assertThat(limited.outcome()).isEqualTo(PullOutcome.RATE_LIMITED);
        assertThat(limited.cause().orElseThrow()).isInstanceOf(BusyException.class);
        assertThat(limited.backOffUntil()).isEmpty();
        assertThat(limited.transfers()).isZero();
      }
      node.clock.advance(Duration.ofSeconds(1));
      assertThat(pulls.pull("a", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.PULLED);
    }
  }

  @Test
  void waitForTheRateThatWouldBeInVain_isNotBegun() {
    try (ImagePullManager pulls =
        node.pulls().rate(1.0 / 128, 1).maxRateWait(Duration.ofSeconds(127)).build()) {
      pulls.pull("a", PullPolicy.ALWAYS);
      Instant before = node.clock.instant();
      assertThat(pulls.pull("a", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.RATE_LIMITED);
      assertThat(node.clock.instant()).isEqualTo(before);
      node.clock.advance(Duration.ofSeconds(1));
      assertThat(pulls.pull("a", PullPolicy.ALWAYS).waitedForRate())
          .isEqualTo(Duration.ofSeconds(127));
    }
  }

  @Test
  void onlyRealTransfers_costATokenOfTheRate() throws Exception {
    PullNode.Held held = node.engine.hold(A);
    try (ImagePullManager pulls = node.pulls()
        .rate(0.001, 2)
        .maxRateWait(Duration.ZERO)
        .maxSlotWait(Duration.ZERO)
        .build()) {
      ImagePull a = pulls.start("a", PullPolicy.ALWAYS);
      held.awaitBegun();
      assertThat(pulls.pull("b", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.BUSY);
      held.goOn();
      PullNode.result(a);
      for (int i = 0; i < 5; i++) {
        assertThat(pulls.pull("a", PullPolicy.IF_NOT_PRESENT).outcome())
            .isEqualTo(PullOutcome.PRESENT);
        assertThat(pulls.pull("b", PullPolicy.NEVER).outcome()).isEqualTo(PullOutcome.NOT_PRESENT);
      }
      assertThat(pulls.pull("b", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(pulls.pull("b", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.RATE_LIMITED);
    }
  }

  @Test
  void rateOfZero_isNoLimit() {
    try (ImagePullManager pulls = node.pulls().rate(0, 1).build()) {
      Instant before = node.clock.instant();
      for (int i = 0; i < 50; i++) {
        assertThat(pulls.pull("a", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.PULLED);
      }
      assertThat(node.clock.instant()).isEqualTo(before);
    }
  }

  @Test
  void cancelledWaitForTheRate_endsAtOnce_andLeavesSlotTurnAndTokenToOthers() {
    Stopped clock = new Stopped();
    try (ImagePullManager pulls =
        node.pulls().clock(clock).parallel(2).rate(1, 1).build()) {
      pulls.pull("a", PullPolicy.ALWAYS);
      ImagePull b = pulls.start("b", PullPolicy.ALWAYS);
      node.clock.awaitWaiters(2);
      ImagePull c = pulls.start("c", PullPolicy.ALWAYS);
      node.clock.awaitWaiters(4);
      assertThat(b.cancel()).isTrue();
      PullResult cancelled = PullNode.result(b);
      assertThat(cancelled.outcome()).isEqualTo(PullOutcome.CANCELLED);
      assertThat(cancelled.transfers()).isZero();
      node.clock.awaitWaiters(2);
      node.clock.advance(Duration.ofSeconds(1));
      PullResult result = PullNode.result(c);
      assertThat(result.outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(result.waitedForRate()).isEqualTo(Duration.ofSeconds(1));
    }
  }

  @Test
  void waitForTheRate_isFirstComeFirstServed() {
    Stopped clock = new Stopped();
    try (ImagePullManager pulls =
        node.pulls().clock(clock).parallel(10).rate(1, 1).build()) {
      pulls.pull("a", PullPolicy.ALWAYS);
      List<ImagePull> waiting = new ArrayList<>();
      for (int i = 1; i <= 5; i++) {
        waiting.add(pulls.start("app:" + i, PullPolicy.ALWAYS));
        node.clock.awaitWaiters(2 * i);
      }
      for (int i = 1; i <= 5; i++) {
        node.clock.awaitWaiters(2 * (6 - i));
        node.clock.advance(Duration.ofSeconds(1));
        assertThat(PullNode.result(waiting.get(i - 1)).waitedForRate())
            .isEqualTo(Duration.ofSeconds(i));
      }
    }
  }

  /** Virtual time that does not move itself on while somebody lets it pass. */
  private final class Stopped implements GcClock {
    @Override
    public Instant instant() {
      return node.clock.instant();
    }

    @Override
    public long nanoTime() {
      return node.clock.nanoTime();
    }

    @Override
    public boolean await(Future<?> future, Duration atMost) throws InterruptedException {
      return node.clock.await(future, atMost);
    }
  }
}
