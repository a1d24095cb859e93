/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.BootTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TestClockTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration HOUR = Duration.ofHours(1);

  private final TestClock clock = new TestClock();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void endThreads() {
    clock.release(this);
    threads.shutdownNow();
  }

  @Test
  void pause_movesTheClockAtOnce_unlessItIsWokenBefore() {
    TestClock clock = new TestClock();
    long start = clock.nanoTime();

    clock.pause(new CompletableFuture<>(), Duration.ofSeconds(5));
    assertThat(clock.nanoTime() - start).isEqualTo(Duration.ofSeconds(5).toNanos());

    clock.pause(CompletableFuture.completedFuture(true), Duration.ofSeconds(5));
    clock.pause(new CompletableFuture<>(), Duration.ofSeconds(-5));
    assertThat(clock.nanoTime() - start).isEqualTo(Duration.ofSeconds(5).toNanos());
  }

  @Test
  void advance_movesWallTimeElapsedTimeAndUptimeAlike() {
    Instant wall = clock.instant();
    long nano = clock.nanoTime();
    BootTime boot = clock.bootTime().orElseThrow();

    clock.advance(MINUTE);

    assertThat(clock.instant()).isEqualTo(wall.plus(MINUTE));
    assertThat(clock.nanoTime() - nano).isEqualTo(MINUTE.toNanos());
    assertThat(clock.bootTime())
        .contains(BootTime.of(boot.bootId(), boot.uptime().plus(MINUTE)));
  }

  @Test
  void advance_negative_isRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> clock.advance(MINUTE.negated()))
        .withMessageContaining("PT-1M");
  }

  @Test
  void jumpWall_backAndForth_movesOnlyTheWallClock() {
    Instant wall = clock.instant();
    long nano = clock.nanoTime();
    BootTime boot = clock.bootTime().orElseThrow();

    clock.jumpWall(HOUR.negated());
    assertThat(clock.instant()).isEqualTo(wall.minus(HOUR));
    clock.jumpWall(HOUR.plus(MINUTE));

    assertThat(clock.instant()).isEqualTo(wall.plus(MINUTE));
    assertThat(clock.nanoTime()).isEqualTo(nano);
    assertThat(clock.bootTime()).contains(boot);
  }

  @Test
  void reboot_letsTheDowntimePassAndStartsANewBoot() {
    Instant wall = clock.instant();
    String bootId = clock.bootTime().orElseThrow().bootId();

    clock.reboot(HOUR);

    assertThat(clock.instant()).isEqualTo(wall.plus(HOUR));
    BootTime boot = clock.bootTime().orElseThrow();
    assertThat(boot.uptime()).isZero();
    assertThat(boot.bootId()).isNotEqualTo(bootId);
  }

  @Test
  void withoutBootTime_tellsNone() {
    assertThat(clock.withoutBootTime().bootTime()).isEmpty();
  }

  @Test
  void await_doneInAnyWay_isTrueAndTakesNoTime() throws InterruptedException {
    long nano = clock.nanoTime();
    CompletableFuture<String> cancelled = new CompletableFuture<>();
    cancelled.cancel(false);

    assertThat(clock.await(CompletableFuture.completedFuture(""), MINUTE)).isTrue();
    assertThat(clock.await(CompletableFuture.failedFuture(new IllegalStateException()), MINUTE))
        .isTrue();
    assertThat(clock.await(cancelled, MINUTE)).isTrue();
    assertThat(clock.nanoTime()).isEqualTo(nano);
  }

  @Test
  void await_zeroOrLess_doesNotWait() throws InterruptedException {
    assertThat(clock.await(new CompletableFuture<>(), Duration.ZERO)).isFalse();
    assertThat(clock.await(new CompletableFuture<>(), MINUTE.negated())).isFalse();
  }

  @Test
  void await_liveThread_waitsUntilItIsDone() throws InterruptedException {
    CountDownLatch gate = new CountDownLatch(1);
    Future<?> future = threads.submit(() -> {
      clock.awaitWaiters(1);
      gate.countDown();
      return "";
    });

    assertThat(clock.await(future, Duration.ofNanos(1))).isTrue();
    assertThat(gate.getCount()).isZero();
  }

  @Test
  void await_clockAdvancedPastTheDeadline_isFalse() throws Exception {
    Future<Boolean> waiting = threads.submit(() -> clock.await(new CompletableFuture<>(), MINUTE));
    clock.awaitWaiters(1);

    clock.advance(MINUTE.minusNanos(1));
    assertThat(waiting.isDone()).isFalse();
    clock.advance(Duration.ofNanos(1));

    assertThat(waiting.get()).isFalse();
  }

  @Test
  void await_wallClockJumpedPastTheDeadline_goesOnWaiting() throws Exception {
    CompletableFuture<String> future = new CompletableFuture<>();
    Future<Boolean> waiting = threads.submit(() -> clock.await(future, MINUTE));
    clock.awaitWaiters(1);

    clock.jumpWall(HOUR);
    future.complete("");

    assertThat(waiting.get()).isTrue();
  }

  @Test
  void await_hungCall_skipsToTheDeadline() throws InterruptedException {
    long nano = clock.nanoTime();

    assertThat(clock.await(hang(false), MINUTE)).isFalse();

    assertThat(clock.nanoTime() - nano).isEqualTo(MINUTE.toNanos());
  }

  @Test
  void await_hungCallAndSeveralWaiters_expireEachAtItsDeadline() throws Exception {
    long start = clock.nanoTime();
    List<Future<Long>> expiries = new ArrayList<>();
    for (int minutes = 5; minutes >= 1; minutes--) {
      Duration atMost = Duration.ofMinutes(minutes);
      expiries.add(threads.submit(() -> expiry(atMost)));
    }
    clock.awaitWaiters(5);

    var unused = hang(false);

    for (int minutes = 5; minutes >= 1; minutes--) {
      assertThat(expiries.get(5 - minutes).get() - start)
          .isEqualTo(Duration.ofMinutes(minutes).toNanos());
    }
  }

  @Test
  void await_hungCallGivenUpAndCancelled_leavesLaterDeadlinesAlone() throws Exception {
    long start = clock.nanoTime();
    PolledFuture other = new PolledFuture();
    Future<Boolean> waiting = threads.submit(() -> clock.await(other, HOUR));
    Future<?> hung = hang(false);
    assertThat(clock.await(hung, MINUTE)).isFalse();

    other.awaitPollsBy(waiting); // whoever gave up may need a moment
    hung.cancel(true);
    other.awaitPollsBy(waiting);
    other.complete("");

    assertThat(waiting.get()).isTrue();
    assertThat(clock.nanoTime() - start).isEqualTo(MINUTE.toNanos());
  }

  @Test
  void await_hungCallReleased_isTrue() throws Exception {
    Future<?> hung = hang(false);
    awaitHung();

    clock.release(this);

    assertThat(clock.await(hung, MINUTE)).isTrue();
    assertThat(hung.get()).isEqualTo(true);
  }

  @Test
  void await_hungCallReleasedForAnotherOwner_staysHung() throws InterruptedException {
    Future<?> hung = hang(false);
    awaitHung();

    clock.release("somebody else");

    assertThat(clock.await(hung, MINUTE)).isFalse();
  }

  @Test
  void await_stubbornCallThatWasInterrupted_doesNotSkip() throws Exception {
    Future<?> stuck = hang(true);
    assertThat(clock.await(stuck, MINUTE)).isFalse();
    stuck.cancel(true);
    long nano = clock.nanoTime();
    PolledFuture other = new PolledFuture();
    Future<Boolean> waiting = threads.submit(() -> clock.await(other, MINUTE));

    other.awaitPollsBy(waiting);
    other.complete("");

    assertThat(waiting.get()).isTrue();
    assertThat(clock.nanoTime()).isEqualTo(nano);
    assertThat(clock.hungCalls()).isOne();
  }

  @Test
  void hang_interrupted_endsAndKeepsTheInterruptFlag() throws Exception {
    Future<Boolean> flag = threads.submit(() -> {
      Thread.currentThread().interrupt();
      assertThat(clock.hang(this, false)).isFalse();
      return Thread.interrupted();
    });

    assertThat(flag.get()).isTrue();
    assertThat(clock.hungCalls()).isZero();
  }

  @Test
  void hang_stubbornInterruptedAndReleased_keepsTheInterruptFlag() throws Exception {
    Future<Boolean> flag = threads.submit(() -> {
      Thread.currentThread().interrupt();
      assertThat(clock.hang(this, true)).isTrue();
      return Thread.interrupted();
    });
    awaitHung();

    clock.release(this);

    assertThat(flag.get()).isTrue();
  }

  @Test
  void await_interruptedWaiter_throws() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> clock.await(new CompletableFuture<>(), MINUTE))
        .isInstanceOf(InterruptedException.class);
  }

  @Test
  void awaitWaiters_interrupted_fails() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> clock.awaitWaiters(1)).isInstanceOf(AssertionError.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  private Long expiry(Duration atMost) throws InterruptedException {
    CompletableFuture<String> never = new CompletableFuture<>();
    assertThat(clock.await(never, atMost)).isFalse();
    long now = clock.nanoTime();
    never.cancel(false); // the next one need not wait for that
    return now;
  }

  private Future<?> hang(boolean stubborn) {
    return threads.submit(() -> clock.hang(this, stubborn));
  }

  private void awaitHung() {
    while (clock.hungCalls() == 0) {
      Thread.onSpinWait();
    }
  }

  /** Knows how often somebody has looked whether it is done. */
  private static final class PolledFuture extends CompletableFuture<String> {
    private final AtomicInteger polls = new AtomicInteger();

    @Override
    public String get(long timeout, TimeUnit unit)
        throws InterruptedException, ExecutionException, TimeoutException {
      polls.incrementAndGet();
      return super.get(timeout, unit);
    }

    private void awaitPollsBy(Future<?> waiting) {
      int enough = polls.get() + 10;
      while (polls.get() < enough && !waiting.isDone()) {
        Thread.onSpinWait();
      }
    }
  }
}
