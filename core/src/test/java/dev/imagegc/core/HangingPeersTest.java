/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.decision;
import static dev.imagegc.core.Nodes.reason;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Engines, disks, listeners and stores that do not answer. Time is virtual: a deadline of minutes passes at once. */
@Timeout(60) // a test that hangs is a test that fails
class HangingPeersTest {
  /** As many as a test needs: the common pool has a single thread on a machine with two cores. */
  private static final ExecutorService THREADS = Executors.newCachedThreadPool(task -> {
    Thread thread = new Thread(task, "test");
    thread.setDaemon(true);
    return thread;
  });

  private final FakeNode node = FakeNode.withDisk(1000);

  @Test
  void list_thatHangs_failsTheRoundAfterItsDeadline() {
    node.image("a").size(100).add();
    node.otherData(850);
    node.faults().hangNext(Operation.LIST_IMAGES);
    Instant start = node.clock().instant();
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause().orElseThrow())
          .isInstanceOf(TimedOutException.class)
          .hasMessage("the engine did not list images within 2m");
      assertThat(node.clock().instant()).isEqualTo(start.plus(Duration.ofMinutes(2)));
      assertThat(removed(gc.garbageCollect())).containsExactly("a");
    }
  }

  @Test
  void list_deadlineFollowsTheNumberOfImages() {
    for (int i = 0; i < 100; i++) {
      node.image("image-" + i).size(1).add();
    }
    try (ImageGcManager gc = collector(node).build()) {
      gc.detectImages();
      node.faults().hangNext(Operation.LIST_IMAGES);
      assertThatThrownBy(gc::plan)
          .isInstanceOf(TimedOutException.class)
          .hasMessage("the engine did not list images within 12s");
    }
  }

  @Test
  void list_thatWasLate_getsTheFirstDeadlineNextTime() {
    try (ImageGcManager gc = collector(node).build()) {
      gc.detectImages(); // no images: 10 s
      node.faults().hangNext(Operation.LIST_IMAGES);
      assertThatThrownBy(gc::plan).hasMessageEndingWith("within 10s");
      node.faults().hangNext(Operation.LIST_IMAGES);
      assertThatThrownBy(gc::plan).hasMessageEndingWith("within 2m");
      gc.detectImages();
      node.faults().hangNext(Operation.LIST_IMAGES);
      assertThatThrownBy(gc::plan).hasMessageEndingWith("within 10s");
    }
  }

  @Test
  void deadlines_asLongAsTheyMayBe_doNotOverflow() {
    node.image("a").size(100).add();
    Duration longest = Duration.ofNanos(Long.MAX_VALUE);
    Deadlines deadlines = Deadlines.builder().list(longest, longest).build();
    try (ImageGcManager gc = ImageGcManager.builder()
        .runtime(node.runtime())
        .fsStats(node.fsStats())
        .policy(LruGcPolicy.builder().minAge(Duration.ZERO).build())
        .deadlines(deadlines)
        .build()) {
      gc.detectImages();
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("a");
    }
  }

  @Test
  void images_thatManyAskForAtOnce_costOneDeadlineTogether() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    node.faults().beforeEach(Operation.LIST_IMAGES, () -> {
      asked.countDown();
      awaitQuietly(new CountDownLatch(1));
    });
    try (ImageGcManager gc = collector(node).build()) {
      List<CompletableFuture<?>> callers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        callers.add(CompletableFuture.supplyAsync(gc::images, THREADS));
      }
      asked.await();
      node.clock().awaitWaiters(4);
      node.clock().advance(Duration.ofMinutes(2));
      for (CompletableFuture<?> caller : callers) {
        assertThatThrownBy(caller::join).hasCauseInstanceOf(TimedOutException.class);
      }
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(1);
    }
  }

  @Test
  void interruptedRound_stillTellsAndSavesWhatItDid() {
    node.image("a").size(100).add();
    node.image("b").size(100).add();
    Thread caller = Thread.currentThread();
    node.faults()
        .afterNext(
            Operation.REMOVE_IMAGE,
            () -> node.faults().beforeNext(Operation.LIST_CONTAINERS, new Interrupter(caller)));
    MemoryStore store = new MemoryStore();
    RecordingListener listener = new RecordingListener();
    try (ImageGcManager gc = collector(node).store(store).listener(listener).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(Thread.interrupted()).isTrue();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(removed(report)).containsExactly("a");
      assertThat(listener.types())
          .contains(GcEventType.ROUND_FINISHED)
          .doesNotContain(GcEventType.STORE_FAILED);
    }
    assertThat(store.saved.entries()).extracting(entry -> entry.id().text()).containsExactly("b");
  }

  @Test
  void removal_thatHangs_isUnknownAndNotCredited_andTheRoundGoesOn() {
    node.image("a").size(100).add();
    node.image("b").size(100).add();
    node.otherData(700);
    node.faults().hangNext(Operation.REMOVE_IMAGE);
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(decision(report, "a")).isEqualTo(Decision.FAILED);
      assertThat(reason(report, "a")).isEqualTo(Reason.OUTCOME_UNKNOWN);
      assertThat(removed(report)).containsExactly("b");
      assertThat(report.freedBytes()).isEqualTo(100);
    }
  }

  @Test
  void call_thatStaysStuck_makesTheEngineUnavailableUntilItEnds() {
    node.image("a").size(100).add();
    node.otherData(850);
    node.faults().hangNextStubbornly(Operation.LIST_CONTAINERS);
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.garbageCollect().cause().orElseThrow()).isInstanceOf(TimedOutException.class);
      int calls = node.calls().size();
      GcReport second = gc.garbageCollect();
      assertThat(second.cause().orElseThrow())
          .isInstanceOf(UnreachableException.class)
          .hasMessage(
              "the engine is not asked to list images: an earlier call to list containers is still stuck");
      assertThat(node.calls().subList(calls, node.calls().size()))
          .allMatch(call -> call.operation() == Operation.MEASURE);
      node.faults().releaseHung();
      awaitRemoval(gc);
    }
  }

  @Test
  void measure_thatHangs_failsTheRoundWithoutAskingTheEngine() {
    node.image("a").size(100).add();
    node.faults().hangNext(Operation.MEASURE);
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.deleteUnusedImages().cause().orElseThrow())
          .hasMessage("the disk measure did not measure the image filesystem within 10s");
      assertThat(node.calls(Operation.LIST_IMAGES)).isZero();
    }
  }

  @Test
  void deadlines_areSettable() {
    node.faults().hangNext(Operation.MEASURE);
    Deadlines deadlines = Deadlines.builder().measure(Duration.ofMillis(1500)).build();
    try (ImageGcManager gc = collector(node).deadlines(deadlines).build()) {
      assertThat(gc.garbageCollect().cause().orElseThrow()).hasMessageEndingWith("within 1.5s");
    }
  }

  @Test
  void interrupt_endsTheRoundAndKeepsTheFlag() {
    node.image("a").size(100).add();
    node.otherData(850);
    node.faults().beforeNext(Operation.LIST_IMAGES, new Interrupter(Thread.currentThread()));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(Thread.interrupted()).isTrue();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause().orElseThrow()).isInstanceOf(CancelledException.class);
      assertThat(node.removalsAsked()).isEmpty();
    }
  }

  @Test
  void secondCall_withoutPatience_isBusyAndSaysWithWhatSinceWhen() throws Exception {
    try (Running running = new Running(Duration.ZERO)) {
      GcReport report = running.gc.deleteUnusedImages();
      assertThat(report.outcome()).isEqualTo(Outcome.BUSY);
      assertThat(report.cause().orElseThrow())
          .hasMessage(
              "garbageCollect has been running since 2026-01-01T00:00:00Z; waited 0s for it");
      assertThat(running.gc.records()).isEmpty(); // reads do not wait
    }
  }

  @Test
  void equalCall_joinsTheRunningOneAndGetsTheSameReport() throws Exception {
    GcReport first;
    CompletableFuture<GcReport> second;
    try (Running running = new Running(Duration.ofMinutes(1))) {
      second = running.call(running.gc::garbageCollect);
      node.clock().awaitWaiters(2); // the engine's call and the one that joins
      running.goOn();
      first = running.report.get();
      assertThat(second.get()).isSameAs(first);
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(1);
    }
  }

  @Test
  void freeSpace_neverJoins() throws Exception {
    node.image("b").size(100).add();
    try (Running running = new Running(Duration.ofMinutes(1))) {
      CompletableFuture<GcReport> second = running.call(() -> running.gc.freeSpace(1));
      node.clock().awaitWaiters(2);
      running.goOn();
      assertThat(second.get()).isNotSameAs(running.report.get());
      assertThat(second.get().neededBytes()).hasValue(1);
    }
  }

  @Test
  void close_letsARunningRoundStopBeforeItsNextRemoval() throws Exception {
    node.image("b").size(100).add();
    node.otherData(800);
    AtomicReference<ImageGcManager> manager = new AtomicReference<>();
    node.faults().afterNext(Operation.LIST_CONTAINERS, () -> {
      CompletableFuture<Void> closing =
          CompletableFuture.runAsync(() -> manager.get().close(), THREADS);
      node.clock().awaitWaiters(2); // close waits for the round, which waits for this call
      assertThat(closing).isNotDone();
    });
    manager.set(collector(node).build());
    GcReport report = manager.get().deleteUnusedImages();
    assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
    assertThat(report.cause().orElseThrow()).isInstanceOf(CancelledException.class);
    assertThat(node.removalsAsked()).isEmpty();
  }

  @Test
  void close_endsAlthoughTheEngineHangs() throws Exception {
    node.image("a").size(100).add();
    node.otherData(850);
    CountDownLatch never = new CountDownLatch(1);
    CountDownLatch asked = new CountDownLatch(1);
    node.faults().beforeNext(Operation.LIST_IMAGES, () -> {
      asked.countDown();
      awaitQuietly(never);
    });
    ImageGcManager gc = collector(node).build();
    CompletableFuture<GcReport> round = CompletableFuture.supplyAsync(gc::garbageCollect, THREADS);
    asked.await();
    CompletableFuture<Void> closing = CompletableFuture.runAsync(gc::close, THREADS);
    node.clock().awaitWaiters(2);
    node.clock().advance(Duration.ofSeconds(10));
    closing.get();
    assertThat(round.get().outcome()).isEqualTo(Outcome.FAILED);
  }

  @Test
  void listener_thatHangs_costsItsDeadlineAndThenMissesEvents() {
    node.image("a").size(100).add();
    node.image("b").size(100).add();
    CountDownLatch never = new CountDownLatch(1);
    Deadlines deadlines = Deadlines.builder().listener(Duration.ofNanos(1)).build();
    try (ImageGcManager gc = ImageGcManager.builder()
        .runtime(node.runtime())
        .fsStats(node.fsStats())
        .policy(LruGcPolicy.builder().minAge(Duration.ZERO).build())
        .deadlines(deadlines)
        .listener(event -> awaitQuietly(never))
        .build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(removed(report)).containsExactly("a", "b");
      assertThat(report.problems()).isNotEmpty();
    }
  }

  /** After a stuck call was released, its thread ends at some moment; until then the engine is unavailable. */
  private void awaitRemoval(ImageGcManager gc) {
    GcReport report = gc.garbageCollect();
    while (report.outcome().equals(Outcome.FAILED)) {
      Thread.onSpinWait();
      report = gc.garbageCollect();
    }
    assertThat(removed(report)).containsExactly("a");
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private record Interrupter(Thread thread) implements Runnable {
    @Override
    public void run() {
      thread.interrupt();
      awaitQuietly(new CountDownLatch(1)); // until the collector gives this call up
    }
  }

  /** A round that is held up in the engine's image list until the test lets it go on. */
  private final class Running implements AutoCloseable {
    private final CountDownLatch held = new CountDownLatch(1);
    private final ImageGcManager gc;
    private final CompletableFuture<GcReport> report;

    Running(Duration maxWait) throws InterruptedException {
      node.image("a").size(100).add();
      node.otherData(800);
      CountDownLatch asked = new CountDownLatch(1);
      node.faults().beforeNext(Operation.LIST_IMAGES, () -> {
        asked.countDown();
        awaitQuietly(held);
      });
      gc = collector(node).maxWait(maxWait).build();
      report = call(gc::garbageCollect);
      asked.await();
    }

    CompletableFuture<GcReport> call(Supplier<GcReport> call) {
      return CompletableFuture.supplyAsync(call, THREADS);
    }

    void goOn() {
      held.countDown();
    }

    @Override
    public void close() throws Exception {
      goOn();
      assertThat(List.of(report.get().outcome())).containsAnyOf(Outcome.DONE, Outcome.SHORT);
      gc.close();
    }
  }
}
