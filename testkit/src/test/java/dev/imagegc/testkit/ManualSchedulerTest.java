/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

@SuppressWarnings("FutureReturnValueIgnored") // what runs is seen in the log
class ManualSchedulerTest {
  private final TestClock clock = new TestClock();
  private final long start = clock.nanoTime();
  private final ManualScheduler scheduler = new ManualScheduler(clock);
  private final List<String> log = new ArrayList<>();

  @Test
  void schedule_runsOnceAtItsTime() throws Exception {
    ScheduledFuture<String> future = scheduler.schedule(() -> log("a"), 5, TimeUnit.SECONDS);

    advance(4);
    assertThat(log).isEmpty();
    assertThat(future.getDelay(TimeUnit.MILLISECONDS)).isEqualTo(1000);
    advance(100);

    assertThat(log).containsExactly("a@5");
    assertThat(future.get()).isEqualTo("a");
    assertThat(seconds()).isEqualTo(104);
  }

  @Test
  void advance_runsTasksInTheOrderTheyAreDueAndThenScheduled() {
    scheduler.schedule(task("later"), 3, TimeUnit.SECONDS);
    scheduler.schedule(task("first"), 2, TimeUnit.SECONDS);
    scheduler.schedule(task("second"), 2, TimeUnit.SECONDS);

    advance(3);

    assertThat(log).containsExactly("first@2", "second@2", "later@3");
  }

  @Test
  void scheduleAtFixedRate_isDueAtEachPeriod_howeverLongATaskTakes() {
    scheduler.scheduleAtFixedRate(slowTask("a", 3), 1, 5, TimeUnit.SECONDS);

    advance(12);

    assertThat(log).containsExactly("a@1", "a@6", "a@11");
    assertThat(seconds()).isEqualTo(14);
  }

  @Test
  void scheduleWithFixedDelay_isDueAPeriodAfterTheEndOfTheLastRun() {
    scheduler.scheduleWithFixedDelay(slowTask("a", 3), 1, 5, TimeUnit.SECONDS);

    advance(17);

    assertThat(log).containsExactly("a@1", "a@9", "a@17");
  }

  @Test
  void execute_runsAtTheNextAdvance_evenOfZero() {
    scheduler.execute(task("a"));
    assertThat(log).isEmpty();

    advance(0);

    assertThat(log).containsExactly("a@0");
  }

  @Test
  void submit_returnsWhatTheTaskCameTo() throws Exception {
    Future<String> callable = scheduler.submit(() -> log("a"));
    Future<String> runnable = scheduler.submit(task("b"), "result");
    Future<?> nothing = scheduler.submit(task("c"));

    advance(0);

    assertThat(callable.get()).isEqualTo("a");
    assertThat(runnable.get()).isEqualTo("result");
    assertThat(nothing.get()).isNull();
  }

  @Test
  void advance_taskSchedulesAnother_runsBoth() {
    scheduler.schedule(
        () -> scheduler.schedule(task("b"), 1, TimeUnit.SECONDS), 1, TimeUnit.SECONDS);

    advance(2);

    assertThat(log).containsExactly("b@2");
  }

  @Test
  void advance_clockWasMovedDirectly_runsOverdueTasksNow() {
    scheduler.schedule(task("a"), 1, TimeUnit.SECONDS);
    clock.advance(Duration.ofSeconds(7));
    assertThat(scheduler.pendingDelays()).containsExactly(Duration.ofSeconds(-6));

    advance(0);

    assertThat(log).containsExactly("a@7");
  }

  @Test
  void advance_periodicTaskThrows_endsItAndRunsTheOthers() {
    ScheduledFuture<?> bad = scheduler.scheduleAtFixedRate(
        () -> {
          throw new IllegalStateException("boom");
        },
        1,
        1,
        TimeUnit.SECONDS);
    scheduler.scheduleAtFixedRate(task("good"), 1, 1, TimeUnit.SECONDS);

    advance(2);

    assertThat(log).containsExactly("good@1", "good@2");
    assertThatThrownBy(bad::get).isInstanceOf(ExecutionException.class).hasRootCauseMessage("boom");
  }

  @Test
  void cancel_pendingTask_neverRuns() {
    ScheduledFuture<?> future = scheduler.scheduleAtFixedRate(task("a"), 1, 1, TimeUnit.SECONDS);
    advance(1);

    future.cancel(false);
    advance(5);

    assertThat(log).containsExactly("a@1");
    assertThat(scheduler.pendingCount()).isZero();
  }

  @Test
  void cancel_fromInsideTheTask_endsIt() {
    List<Future<?>> self = new ArrayList<>();
    self.add(scheduler.scheduleAtFixedRate(
        () -> {
          log("a");
          self.get(0).cancel(true);
        },
        1,
        1,
        TimeUnit.SECONDS));

    advance(3);

    assertThat(log).containsExactly("a@1");
    assertThat(Thread.interrupted()).isTrue(); // by cancel(true)
  }

  @Test
  void pending_tellsWhatIsScheduledTheNextFirst() {
    scheduler.schedule(task("a"), 9, TimeUnit.SECONDS);
    scheduler.scheduleAtFixedRate(task("b"), 2, 7, TimeUnit.SECONDS);

    assertThat(scheduler.pendingCount()).isEqualTo(2);
    assertThat(scheduler.pendingDelays())
        .containsExactly(Duration.ofSeconds(2), Duration.ofSeconds(9));
  }

  @Test
  void shutdown_cancelsPeriodicTasksKeepsTheOthersAndRefusesNewOnes() {
    scheduler.scheduleAtFixedRate(task("periodic"), 1, 1, TimeUnit.SECONDS);
    scheduler.schedule(task("once"), 2, TimeUnit.SECONDS);

    scheduler.shutdown();

    assertThatThrownBy(() -> scheduler.execute(task("new")))
        .isInstanceOf(RejectedExecutionException.class);
    assertThat(scheduler.isShutdown()).isTrue();
    assertThat(scheduler.isTerminated()).isFalse();
    advance(2);
    assertThat(log).containsExactly("once@2");
    assertThat(scheduler.awaitTermination(1, TimeUnit.DAYS)).isTrue();
  }

  @Test
  void shutdown_fromInsideAPeriodicTask_endsIt() {
    scheduler.scheduleAtFixedRate(
        () -> {
          log("a");
          scheduler.shutdown();
        },
        1,
        1,
        TimeUnit.SECONDS);

    advance(3);

    assertThat(log).containsExactly("a@1");
    assertThat(scheduler.isTerminated()).isTrue();
  }

  @Test
  void shutdownNow_returnsWhatNeverRan() {
    scheduler.schedule(task("a"), 1, TimeUnit.SECONDS);

    assertThat(scheduler.shutdownNow()).hasSize(1);

    advance(2);
    assertThat(log).isEmpty();
    assertThat(scheduler.isTerminated()).isTrue();
  }

  @Test
  void close_doesNotWait() {
    scheduler.schedule(task("a"), 1, TimeUnit.SECONDS);

    scheduler.close();

    assertThat(scheduler.isTerminated()).isTrue();
  }

  @Test
  void badArguments_areRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> advance(-1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> scheduler.scheduleAtFixedRate(task("a"), 0, 0, TimeUnit.SECONDS));
  }

  @Test
  void invoke_isNotSupportedAndSaysWhy() {
    List<Callable<String>> tasks = List.of(() -> "a");

    assertThatThrownBy(() -> scheduler.invokeAll(tasks))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("invokeAll");
    assertThatThrownBy(() -> scheduler.invokeAll(tasks, 1, TimeUnit.SECONDS))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> scheduler.invokeAny(tasks))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> scheduler.invokeAny(tasks, 1, TimeUnit.SECONDS))
        .isInstanceOf(UnsupportedOperationException.class);
  }

  private void advance(long seconds) {
    scheduler.advance(Duration.ofSeconds(seconds));
  }

  private long seconds() {
    return TimeUnit.NANOSECONDS.toSeconds(clock.nanoTime() - start);
  }

  private String log(String name) {
    log.add(name + "@" + seconds());
    return name;
  }

  private Runnable task(String name) {
    return () -> log(name);
  }

  private Runnable slowTask(String name, long seconds) {
    return () -> {
      log(name);
      clock.advance(Duration.ofSeconds(seconds));
    };
  }
}
