/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ContainerState;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.api.WatchState;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.ManualScheduler;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class EventFeedTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private final UnreachableException cut = new UnreachableException("the stream was cut");

  private final FakeNode node = FakeNode.withDisk(10_000);
  private final ManualScheduler scheduler = new ManualScheduler(node.clock());
  private final RecordingListener listener = new RecordingListener();
  private final Semaphore lists = new Semaphore(0);
  private ImageGcManager gc = collector(node).build();
  private Instant start = Instant.MIN;

  @AfterEach
  void close() {
    gc.close();
  }

  /** Starts a collector whose timers detect and collect once and then not for a day. */
  private void watch(boolean withEvents) {
    gc = ImageGcManager.builder()
        .runtime(withEvents ? node.runtime() : node.plainRuntime())
        .fsStats(node.fsStats())
        .clock(node.clock())
        .scheduler(scheduler)
        .listener(listener)
        .deadlines(Deadlines.builder() // the tests move the clock while the watch lists
            .firstList(Duration.ofDays(100))
            .list(Duration.ofDays(100), Duration.ZERO)
            .build())
        .detectionInterval(Duration.ofDays(1))
        .collectionInterval(Duration.ofDays(1))
        .build();
    node.faults().afterEach(Operation.LIST_CONTAINERS, lists::release);
    gc.start();
    if (withEvents) {
      await(() -> gc.watchHealth().state().equals(WatchState.STREAMING));
      awaitQuiet(2);
    } else {
      awaitQuiet(3);
    }
    start = gc.records().stream().map(ImageRecord::firstDetected).findFirst().orElse(Instant.MIN);
  }

  /** Waits until the timers' work is done: detection, collection and, if it goes on, the watch. */
  private void awaitQuiet(int timers) {
    await(() -> scheduler.pendingCount() == timers && timersAreIdle());
  }

  /** Whether the collector's threads wait for work, and not for an answer or a lock. */
  private static boolean timersAreIdle() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("imagegc-timer-"))
        .allMatch(thread -> thread.getState() == Thread.State.WAITING);
  }

  private static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      if (Thread.interrupted()) {
        throw new AssertionError("what the test waits for does not come about");
      }
      Thread.onSpinWait();
    }
  }

  private Optional<Instant> lastUsed(String id) {
    return record(id).lastUsed();
  }

  private ImageRecord record(String id) {
    return gc.records().stream()
        .filter(record -> record.id().equals(ImageId.of(id)))
        .findFirst()
        .orElseThrow();
  }

  /** One more list by the watch, which runs on its own thread. */
  private void relist() {
    lists.drainPermits();
    int timers = scheduler.pendingCount();
    scheduler.advance(SECOND);
    lists.acquireUninterruptibly();
    awaitQuiet(timers);
  }

  @Test
  void container_thatCameAndWentBetweenTwoDetections_leavesItsImageWithALastUse() {
    node.image("a").tag("a:1").size(10).add();
    watch(true);
    assertThat(lastUsed("a")).isEmpty();
    node.clock().advance(Duration.ofMinutes(1));
    node.run("c", "a");
    node.clock().advance(Duration.ofMinutes(1));
    node.removeContainer("c");
    assertThat(lastUsed("a")).hasValue(start.plus(Duration.ofMinutes(2)));
  }

  @Test
  void container_ofAnImageThatNoListingHasShownYet_leavesItWithALastUse_andItsRealFirstSight() {
    node.image("a").tag("a:1").size(10).add();
    watch(true);
    node.clock().advance(Duration.ofMinutes(1));
    node.image("new").tag("new:1").size(10).add();
    node.clock().advance(Duration.ofMinutes(1));
    node.run("c", "new");
    node.removeContainer("c");
    node.clock().advance(Duration.ofMinutes(1));
    gc.detectImages();
    assertThat(record("new").firstDetected()).isEqualTo(start.plus(Duration.ofMinutes(1)));
    assertThat(lastUsed("new")).hasValue(start.plus(Duration.ofMinutes(2)));
  }

  @Test
  void image_thatWasDeletedAndPulledAgainBetweenTwoDetections_isAsYoungAsItsLastPull() {
    node.image("a").tag("a:1").size(10).add();
    watch(true);
    node.clock().advance(Duration.ofMinutes(3));
    node.deleteImage("a");
    node.clock().advance(Duration.ofMinutes(3));
    node.image("a").tag("a:1").size(10).add();
    node.clock().advance(Duration.ofMinutes(1));
    gc.detectImages();
    assertThat(record("a").firstDetected()).isEqualTo(start.plus(Duration.ofMinutes(6)));
  }

  @Test
  void newImage_thatWasDeletedAndPulledAgainBeforeItsFirstListing_isAsYoungAsItsLastPull() {
    node.image("other").tag("other:1").size(10).add();
    watch(true);
    node.image("a").tag("a:1").size(10).add();
    node.clock().advance(Duration.ofMinutes(3));
    node.deleteImage("a");
    node.clock().advance(Duration.ofMinutes(3));
    node.image("a").tag("a:1").size(10).add();
    gc.detectImages();
    assertThat(record("a").firstDetected()).isEqualTo(start.plus(Duration.ofMinutes(6)));
  }

  @Test
  void image_thatIsOnlySaidToBeDeleted_keepsItsAge() {
    node.image("a").tag("a:1").tag("a:2").size(10).add();
    watch(true);
    node.clock().advance(Duration.ofMinutes(3));
    node.untag("a:2");
    gc.detectImages();
    assertThat(record("a").firstDetected()).isEqualTo(start);
  }

  @Test
  void eventsThatNameNoImage_makeEveryImageOfThatNameUsed_inEverySpelling() {
    node.image("a").tag("docker.io/library/a:1").size(10).add();
    node.image("b").tag("b:1").size(10).add();
    watch(true);
    node.events().stripImages();
    node.clock().advance(Duration.ofMinutes(1));
    node.run("c", "a");
    node.removeContainer("c");
    assertThat(lastUsed("a")).hasValue(start.plus(Duration.ofMinutes(1)));
    assertThat(lastUsed("b")).isEmpty();
    node.image("new").tag("new:1").size(10).add();
    node.run("c", "new");
    node.removeContainer("c");
    gc.detectImages();
    assertThat(lastUsed("new")).hasValue(start.plus(Duration.ofMinutes(1)));
  }

  @Test
  void lostEvents_makeNoImageLookLessUsed() {
    node.image("a").tag("a:1").size(10).add();
    node.run("c", "a");
    watch(true);
    node.clock().advance(Duration.ofMinutes(1));
    node.events().loseNext(2); // died, removed
    node.removeContainer("c");
    gc.detectImages();
    assertThat(lastUsed("a")).hasValue(start);
  }

  @Test
  void doubledAndLateEvents_onlyMakeAnImageLookMoreUsed() {
    node.image("a").tag("a:1").size(10).add();
    watch(true);
    node.events().doubleNext(10);
    node.events().hold();
    node.run("c", "a");
    node.removeContainer("c");
    node.clock().advance(Duration.ofMinutes(1));
    node.events().release();
    assertThat(lastUsed("a")).hasValue(start.plus(Duration.ofMinutes(1)));
  }

  @Test
  void cutStream_isToldOnce_andContainersAreListedAtOnceAndEverySecond_untilItIsBack() {
    node.image("a").tag("a:1").size(10).add();
    watch(true);
    lists.drainPermits();
    node.events().refuse(new UnreachableException("no more streams"));
    node.events().cut(cut);
    lists.acquireUninterruptibly();
    GcEvent lost = listener.await(GcEventType.EVENT_STREAM_LOST);
    assertThat(lost.phase()).isEqualTo(GcEvent.Phase.BEGAN);
    assertThat(lost.message()).isEqualTo("the stream was cut");
    assertThat(lost.operation()).isEmpty();
    awaitQuiet(3);
    assertThat(gc.watchHealth().state()).isEqualTo(WatchState.RELISTING);
    assertThat(gc.watchHealth().trouble()).hasValue("the stream was cut");

    node.run("c", "a");
    relist();
    Instant used = lastUsed("a").orElseThrow();
    relist();
    node.removeContainer("c");
    relist();
    assertThat(lastUsed("a")).hasValue(used.plus(SECOND.multipliedBy(2)));

    node.events().allow();
    for (int i = 0; i < 60 && !gc.watchHealth().state().equals(WatchState.STREAMING); i++) {
      lists.drainPermits();
      scheduler.advance(SECOND);
      lists.acquireUninterruptibly();
      await(() ->
          scheduler.pendingCount() == 3 || gc.watchHealth().state().equals(WatchState.STREAMING));
    }
    assertThat(gc.watchHealth().state()).isEqualTo(WatchState.STREAMING);
    assertThat(gc.watchHealth().trouble()).isEmpty();
    await(() -> listener.events(GcEventType.EVENT_STREAM_LOST).size() == 2);
    awaitQuiet(2);
    node.clock().advance(Duration.ofMinutes(1));
    node.run("d", "a");
    assertThat(lastUsed("a").orElseThrow()).isAfter(used.plus(Duration.ofMinutes(1)));
  }

  @Test
  void reconnecting_isTriedLessAndLessOften_atMostOnceAMinute() {
    watch(true);
    node.events().refuse(new UnreachableException("no more streams"));
    node.events().cut(cut);
    awaitQuiet(3);
    int before = node.calls(Operation.SUBSCRIBE);
    for (int i = 0; i < 600; i++) {
      relist();
    }
    int tries = node.calls(Operation.SUBSCRIBE) - before;
    // 1, 2, 4, 8, 16, 32 and then 60 s, each less up to a half
    assertThat(tries).isBetween(6 + 8, 7 + 18);
    assertThat(listener.events(GcEventType.EVENT_STREAM_LOST)).hasSize(1);
  }

  @Test
  void streamThatEndsAsSoonAsItIsOpen_isNotOpenedInALoop() {
    watch(true);
    int before = node.calls(Operation.SUBSCRIBE);
    node.faults().afterEach(Operation.SUBSCRIBE, () -> node.events().cut(cut));
    node.events().cut(cut);
    awaitQuiet(3);
    for (int i = 0; i < 60; i++) {
      relist();
    }
    assertThat(node.calls(Operation.SUBSCRIBE) - before).isBetween(5, 9);
  }

  @Test
  void streamThatLasted_isOpenedAgainAfterASecondAtMost() {
    watch(true);
    for (int i = 0; i < 5; i++) {
      node.clock().advance(Duration.ofMinutes(2));
      node.events().cut(cut);
      awaitQuiet(3);
      lists.drainPermits();
      scheduler.advance(SECOND);
      lists.acquireUninterruptibly();
      await(() -> gc.watchHealth().state().equals(WatchState.STREAMING));
      awaitQuiet(2);
    }
  }

  @Test
  void stoppedEngine_isToldInHealth_andWatchedAgainWhenItIsBack() {
    node.image("a").tag("a:1").size(10).add();
    watch(true);
    node.stopEngine();
    awaitQuiet(3);
    assertThat(gc.watchHealth().state()).isEqualTo(WatchState.RELISTING);
    assertThat(gc.watchHealth().trouble()).isPresent();
    node.run("c", "a"); // as containers may without their engine
    node.startEngine();
    for (int i = 0; i < 60 && !gc.watchHealth().state().equals(WatchState.STREAMING); i++) {
      relistOrStream();
    }
    assertThat(gc.watchHealth().state()).isEqualTo(WatchState.STREAMING);
    await(() -> lastUsed("a").isPresent()); // it is listed at once
  }

  private void relistOrStream() {
    scheduler.advance(SECOND);
    await(() ->
        scheduler.pendingCount() == 3 || gc.watchHealth().state().equals(WatchState.STREAMING));
  }

  @Test
  void engineWithoutEvents_isListedEverySecond_andThatIsNoTrouble() {
    node.image("a").tag("a:1").size(10).add();
    watch(false);
    assertThat(gc.watchHealth().state()).isEqualTo(WatchState.RELISTING);
    assertThat(gc.watchHealth().trouble()).isEmpty();
    node.run("c", "a");
    relist();
    node.removeContainer("c");
    relist();
    assertThat(lastUsed("a")).hasValue(start.plus(SECOND.multipliedBy(2)));
    assertThat(listener.events(GcEventType.EVENT_STREAM_LOST)).isEmpty();
  }

  @Test
  void listsThatTakeLong_restTwentyTimesAsLong() {
    watch(false);
    node.faults().slow(Operation.LIST_CONTAINERS, SECOND);
    relist();
    assertThat(scheduler.pendingDelays()).contains(SECOND.multipliedBy(20));
  }

  @Test
  void listThatFails_isTrouble_untilOneSucceeds() {
    watch(false);
    Instant listed = gc.watchHealth().lastListedAt().orElseThrow();
    node.faults().failNext(Operation.LIST_CONTAINERS, new UnreachableException("away"));
    scheduler.advance(SECOND);
    awaitQuiet(3);
    assertThat(gc.watchHealth().trouble()).hasValue("away");
    assertThat(gc.watchHealth().lastListedAt()).hasValue(listed);
    relist();
    assertThat(gc.watchHealth().trouble()).isEmpty();
    assertThat(gc.watchHealth().lastListedAt()).hasValue(listed.plus(SECOND.multipliedBy(2)));
  }

  @Test
  void startedAndEndedContainers_areUse_betweenTwoLists() {
    node.image("a").tag("a:1").size(10).add();
    node.container("c").image("a").state(ContainerState.CREATED).add();
    watch(false);
    node.start("c");
    relist();
    assertThat(lastUsed("a")).hasValue(start.plus(SECOND));
    relist();
    assertThat(lastUsed("a")).as("nothing happened").hasValue(start.plus(SECOND));
    node.exit("c");
    relist();
    assertThat(lastUsed("a")).hasValue(start.plus(SECOND.multipliedBy(3)));
  }

  @Test
  void close_endsTheStream() {
    watch(true);
    assertThat(node.events().openStreams()).isEqualTo(1);
    gc.close();
    assertThat(node.events().openStreams()).isZero();
    assertThat(gc.watchHealth().state()).isEqualTo(WatchState.OFF);
  }

  @ParameterizedTest
  @ValueSource(ints = {-10, 10})
  void wallClockThatJumps_movesNoUse(int minutes) {
    node.image("a").tag("a:1").size(10).add();
    watch(true);
    node.clock().jumpWall(Duration.ofMinutes(minutes));
    node.clock().advance(Duration.ofMinutes(1));
    node.run("c", "a");
    assertThat(lastUsed("a")).hasValue(start.plus(Duration.ofMinutes(1)));
  }
}
