/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.ManualScheduler;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ScheduleTest {
  private static final Duration PERIOD = Duration.ofMinutes(5);

  private final FakeNode node = FakeNode.withDisk(1000);
  private final ManualScheduler scheduler = new ManualScheduler(node.clock());
  private final RecordingListener listener = new RecordingListener();

  @Test
  void start_collectsAtOnceAndThenEveryPeriod() {
    node.image("a").size(100).add();
    node.otherData(800);
    try (ImageGcManager gc = collector().listener(listener).build()) {
      gc.start();
      assertThat(nextOutcome()).isEqualTo(Outcome.DONE);
      awaitPending(2);
      node.image("b").size(100).add();
      scheduler.advance(PERIOD);
      assertThat(nextOutcome()).isEqualTo(Outcome.DONE);
      assertThat(node.imageIds()).isEmpty();
    }
  }

  @Test
  void start_goesOnAfterAFailure() {
    node.faults().failNext(Operation.MEASURE, new UnreachableException("no disk"));
    try (ImageGcManager gc = collector().listener(listener).build()) {
      gc.start();
      assertThat(nextOutcome()).isEqualTo(Outcome.FAILED);
      awaitPending(2);
      scheduler.advance(PERIOD);
      assertThat(nextOutcome()).isEqualTo(Outcome.NOT_NEEDED);
    }
  }

  @Test
  void start_detectsByTimer_soThatUseBetweenRoundsIsSeen() {
    Semaphore listed = new Semaphore(0);
    node.faults().afterEach(Operation.LIST_CONTAINERS, listed::release);
    node.image("a").size(100).add();
    node.run("c", "a");
    try (ImageGcManager gc =
        collector().detectionInterval(Duration.ofSeconds(10)).build()) {
      gc.start();
      listed.acquireUninterruptibly();
      awaitPending(2);
      scheduler.advance(Duration.ofSeconds(10));
      listed.acquireUninterruptibly();
    }
  }

  @Test
  void detection_restsTwentyTimesAsLongAsTheLastListTook() {
    node.faults().slow(Operation.LIST_IMAGES, Duration.ofMinutes(1));
    try (ImageGcManager gc = collector().build()) {
      gc.start();
      awaitPending(2);
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(1);
      for (int i = 0; i < 3; i++) {
        scheduler.advance(PERIOD);
        awaitPending(2);
      }
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(1);
      scheduler.advance(PERIOD);
      awaitPending(2);
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(2);
    }
  }

  @Test
  void detection_thatKeepsFailing_isToldOnceAndWhenItIsOver() {
    node.faults().failAlways(Operation.LIST_IMAGES, new UnreachableException("engine down"));
    try (ImageGcManager gc = collector().listener(listener).build()) {
      gc.start();
      awaitPending(2);
      scheduler.advance(PERIOD);
      awaitPending(2);
      node.faults().heal();
      scheduler.advance(PERIOD);
      awaitPending(2);
      assertThat(listener.events(GcEventType.DETECTION_FAILED)).hasSize(2);
    }
  }

  @Test
  void roundThatKeepsBeingBusy_isToldOnceAndWhenItIsOver() {
    SingleWriter writer = SingleWriter.create(node.clock());
    SingleWriter.Kind<Boolean> prune = SingleWriter.Kind.of("prune", Boolean.class);
    try (ImageGcManager gc =
        collector().listener(listener).writer(writer).maxWait(Duration.ZERO).build()) {
      writer.run(prune, Duration.ZERO, () -> {
        gc.start();
        awaitPending(2);
        scheduler.advance(PERIOD);
        awaitPending(2);
        return true;
      });
      assertThat(listener.types()).containsExactly(GcEventType.IMAGE_GC_BUSY);
      GcEvent began = listener.events().get(0);
      assertThat(began.phase()).isEqualTo(GcEvent.Phase.BEGAN);
      assertThat(began.message())
          .isEqualTo("prune has been running since 2026-01-01T00:00:00Z; waited 0s for it");
      assertThat(began.cause().orElseThrow()).isInstanceOf(BusyException.class);

      scheduler.advance(PERIOD);
      awaitPending(2);
      scheduler.advance(PERIOD);
      awaitPending(2);
      assertThat(listener.events(GcEventType.IMAGE_GC_BUSY))
          .extracting(GcEvent::phase)
          .containsExactly(GcEvent.Phase.BEGAN, GcEvent.Phase.ENDED);
    }
  }

  @Test
  void jitter_addsARandomPartToThePause() {
    try (ImageGcManager gc = collector().jitter(Duration.ofMinutes(1)).build()) {
      gc.start();
      awaitPending(2);
      assertThat(scheduler.pendingDelays())
          .allMatch(
              delay -> delay.compareTo(PERIOD) >= 0 && delay.compareTo(PERIOD.plusMinutes(1)) <= 0);
    }
  }

  @Test
  void intervalsAndJitter_asLongAsTheyMayBe_meanNever() {
    Duration longest = Duration.ofNanos(Long.MAX_VALUE);
    try (ImageGcManager gc = ImageGcManager.builder()
        .runtime(node.runtime())
        .fsStats(node.fsStats())
        .listener(listener)
        .detectionInterval(longest)
        .collectionInterval(longest)
        .jitter(longest)
        .build()) {
      gc.start();
      assertThat(nextOutcome()).isEqualTo(Outcome.NOT_NEEDED);
    }
    assertThat(listener.events(GcEventType.ROUND_FINISHED)).hasSize(1);
  }

  @Test
  void close_endsTheTimers() {
    ImageGcManager gc = collector().build();
    gc.start();
    awaitPending(2);
    gc.close();
    assertThat(scheduler.pendingCount()).isZero();
    int calls = node.calls().size();
    scheduler.advance(PERIOD.multipliedBy(3));
    assertThat(node.calls()).hasSize(calls);
  }

  @Test
  void start_twice_isRefused() {
    try (ImageGcManager gc = collector().build()) {
      gc.start();
      assertThatThrownBy(gc::start).isInstanceOf(IllegalStateException.class);
    }
  }

  /** A collector that hears no events: it would list beside the timers, while the tests move the clock. */
  private ImageGcManager.Builder collector() {
    return Nodes.collector(node).runtime(node.plainRuntime()).scheduler(scheduler);
  }

  private Outcome nextOutcome() {
    return listener.await(GcEventType.ROUND_FINISHED).report().orElseThrow().outcome();
  }

  /** Runs are done on threads of the collector; each plans its next one when it has ended. */
  private void awaitPending(int tasks) {
    while (scheduler.pendingCount() < tasks) {
      Thread.onSpinWait();
    }
  }
}
