/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.RecordStore;
import dev.imagegc.api.StoreException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.ManualScheduler;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When history is saved: some time after a change, on close, and never instead of something better. */
@Timeout(60)
class DelayedSaveTest {
  private static final Duration DELAY = Duration.ofSeconds(30);
  private static final Duration HOUR = Duration.ofHours(1);

  private final FakeNode node = FakeNode.withDisk(1000);
  private final ManualScheduler scheduler = new ManualScheduler(node.clock());
  private final MemoryStore store = new MemoryStore();
  private final RecordingListener listener = new RecordingListener();

  @Test
  void change_isSavedAfterTheDelay_countedFromTheFirstChange_withoutStart() {
    node.image("a").size(1).add();
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
      assertThat(scheduler.pendingDelays()).containsExactly(DELAY);
      scheduler.advance(Duration.ofSeconds(20));
      node.image("b").size(1).add();
      gc.detectImages();
      assertThat(scheduler.pendingDelays()).containsExactly(Duration.ofSeconds(10));
      assertThat(store.saves()).isZero();
      scheduler.advance(Duration.ofSeconds(10));
      store.awaitSaves(1);
      assertThat(savedIds()).containsExactlyInAnyOrder("a", "b");
    }
    assertThat(store.saves()).as("closing saves nothing again").isEqualTo(1);
  }

  @Test
  void unchangedHistory_isNotSavedAgain_butOnceAnHour() {
    node.image("a").size(1).add();
    try (ImageGcManager gc = collector().build()) {
      detectAndSave(gc, 1);
      node.clock().advance(HOUR.minus(DELAY).minusNanos(1));
      gc.detectImages();
      assertThat(scheduler.pendingCount()).isZero();
      node.clock().advance(DELAY.plusNanos(1));
      gc.detectImages();
      assertThat(scheduler.pendingDelays()).containsExactly(DELAY);
    }
  }

  @Test
  void newUse_aRemoval_andAnImageThatVanishes_areChanges() {
    for (String id : List.of("a", "b", "c")) {
      node.image(id).size(1).add();
    }
    try (ImageGcManager gc = collector().build()) {
      detectAndSave(gc, 1);
      node.run("c1", "a");
      detectAndSave(gc, 2);
      assertThat(store.saved.entries().get(0).lastUsed()).isPresent();
      node.deleteImage("b");
      detectAndSave(gc, 3);
      assertThat(savedIds()).containsExactly("a", "c");
      node.removeContainer("c1");
      gc.deleteUnusedImages();
      scheduler.advance(DELAY);
      store.awaitSaves(4);
      assertThat(savedIds()).isEmpty();
    }
  }

  @Test
  void save_doesNotWaitForARoundThatHangs() throws Exception {
    node.image("a").size(1).add();
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
      node.faults().beforeNext(Operation.LIST_IMAGES, () -> {
        asked.countDown();
        awaitQuietly(goOn);
      });
      CompletableFuture<Void> round =
          CompletableFuture.runAsync(gc::deleteUnusedImages, task -> new Thread(task).start());
      asked.await();
      scheduler.advance(DELAY);
      store.awaitSaves(1);
      assertThat(round).isNotDone();
      goOn.countDown();
      round.join();
    }
  }

  @Test
  void change_duringASave_isSavedByAnotherOne() throws Exception {
    node.image("a").size(1).add();
    CountDownLatch saving = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    store.beforeSave = () -> {
      saving.countDown();
      awaitQuietly(goOn);
    };
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
      scheduler.advance(DELAY);
      saving.await();
      node.image("b").size(1).add();
      gc.detectImages();
      assertThat(scheduler.pendingDelays()).containsExactly(DELAY);
      goOn.countDown();
      store.awaitSaves(1);
      assertThat(savedIds()).containsExactly("a");
    }
    assertThat(savedIds()).containsExactly("a", "b");
  }

  @Test
  void close_savesWhatAHostThatLooksOnceHasSeen() {
    node.image("a").size(1).add();
    try (ImageGcManager gc = collector().build()) {
      gc.plan();
    }
    assertThat(savedIds()).containsExactly("a");
    assertThat(scheduler.pendingCount()).isZero();
  }

  @Test
  void close_beforeHistoryWasLoaded_savesNothing() {
    collector().build().close();
    assertThat(store.saves()).isZero();
  }

  @Test
  void close_afterHistoryCouldNotBeLoaded_savesNothing() {
    node.image("a").size(1).add();
    for (int i = 0; i < 4; i++) {
      store.failures.add(new StoreException("permission denied"));
    }
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
      gc.detectImages();
    }
    assertThat(store.saves()).isZero();
  }

  @Test
  void close_takesAtMostTheStoresDeadline_ifTheStoreHangs() {
    node.image("a").size(1).add();
    CountDownLatch asked = new CountDownLatch(1);
    store.beforeSave = () -> {
      asked.countDown();
      awaitQuietly(new CountDownLatch(1)); // until it is given up
      throw new StoreException("given up");
    };
    ImageGcManager gc = collector().deadlines(Deadlines.defaults()).build();
    gc.detectImages();
    CompletableFuture<Void> closing =
        CompletableFuture.runAsync(gc::close, task -> new Thread(task).start());
    awaitQuietly(asked);
    node.clock().awaitWaiters(1);
    node.clock().advance(Duration.ofSeconds(10));
    closing.join();
    assertThat(listener.await(GcEventType.STORE_FAILED).message())
        .isEqualTo("the record store did not save within 10s");
    assertThat(store.saves()).isZero();
  }

  @Test
  void close_onASchedulerThatWasShutDown_stillSaves() {
    node.image("a").size(1).add();
    scheduler.shutdownNow();
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
    }
    assertThat(savedIds()).containsExactly("a");
  }

  @Test
  void fullDisk_isToldOnce_triedAgain_andToldWhenItIsOver() {
    node.image("a").size(1).add();
    store.failSaves = true;
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
      scheduler.advance(DELAY);
      GcEvent began = listener.await(GcEventType.STORE_FAILED);
      assertThat(began.phase()).isEqualTo(GcEvent.Phase.BEGAN);
      for (int i = 0; i < 3; i++) {
        awaitPlannedSave();
        scheduler.advance(DELAY);
      }
      awaitPlannedSave();
      assertThat(listener.events(GcEventType.STORE_FAILED)).hasSize(1);
      store.failSaves = false;
      scheduler.advance(DELAY);
      assertThat(listener.await(GcEventType.STORE_FAILED).phase()).isEqualTo(GcEvent.Phase.ENDED);
      assertThat(savedIds()).containsExactly("a");
    }
  }

  @Test
  void reboot_isAReasonToSave_becauseOnlyThenTimeIsProvenFromThereOn() {
    node.image("a").size(1).add();
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
    }
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
    }
    assertThat(store.saves()).as("nothing new in the same boot").isEqualTo(1);
    node.clock().reboot(HOUR);
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
    }
    assertThat(store.saves()).isEqualTo(2);
    assertThat(store.saved.bootTime()).isEqualTo(node.clock().bootTime());
  }

  @Test
  void idleNode_thatRebootsAgainAndAgain_growsOlderAllTheSame() {
    node.image("a").size(1).add();
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().minAge(Duration.ZERO).maxAge(Duration.ofHours(20));
    for (int boot = 0; boot < 3; boot++) {
      try (ImageGcManager gc = collector(policy).build()) {
        for (int hour = 0; hour < 6; hour++) {
          assertThat(gc.garbageCollect().removed()).isEmpty();
          gc.detectImages();
          scheduler.advance(HOUR);
        }
      }
      node.clock().reboot(HOUR);
    }
    try (ImageGcManager gc = collector(policy).build()) {
      gc.detectImages();
      // 23 hours up, of which each boot may have lost one, and 3 hours down.
      node.clock().advance(Duration.ofHours(5).plusNanos(1));
      assertThat(gc.garbageCollect().removed()).hasSize(1);
    }
  }

  @Test
  void historyOfImagesThatWereNotListedYet_isSavedAsItWasLoaded() {
    node.image("a").size(1).add();
    node.run("c1", "a");
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
    }
    RecordSnapshot before = store.saved;
    node.clock().reboot(HOUR);
    node.faults().failAlways(Operation.LIST_IMAGES, new UnreachableException("engine down"));
    try (ImageGcManager gc = collector().build()) {
      assertThatThrownBy(gc::detectImages).isInstanceOf(UnreachableException.class);
    }
    assertThat(store.saved).isNotSameAs(before);
    assertThat(savedIds()).containsExactly("a");
    assertThat(store.saved.entries().get(0).lastUsed()).isPresent();
  }

  @Test
  void impossibleHistory_thatCannotBeSetAside_isNeverOverwritten() {
    node.image("a").size(1).add();
    RecordSnapshot impossible = RecordSnapshot.builder(
            node.clock().instant(), node.clock().instant())
        .entries(List.of(RecordSnapshot.Entry.of(
            ImageId.of("a"), node.clock().instant().minus(Duration.ofDays(300 * 366)))))
        .build();
    List<RecordSnapshot> saves = new ArrayList<>();
    RecordStore simple = new RecordStore() {
      @Override
      public Optional<RecordSnapshot> load() {
        return Optional.of(impossible);
      }

      @Override
      public void save(RecordSnapshot snapshot) {
        saves.add(snapshot);
      }
    };
    try (ImageGcManager gc = collector().store(simple).build()) {
      gc.detectImages();
    }
    assertThat(saves).isEmpty();
    assertThat(listener.events(GcEventType.STORE_FAILED)).hasSize(1);
  }

  @Test
  void savesWhileImagesComeAndGo_neverMissAnImageThatWasThereBefore() throws Exception {
    FakeNode busy = FakeNode.withDisk(1_000_000);
    RecordBook book = new RecordBook(new RememberedImages(1000, Duration.ofDays(1)));
    Random random = new Random(1);
    for (int i = 0; i < 50; i++) {
      busy.image("i" + i).size(1).add();
    }
    busy.run("c", "i0");
    CompletableFuture<Void> reader = new CompletableFuture<>();
    book.merge(
        new NodeView(busy.runtime().listImages(), busy.runtime().listContainers()), now(), now());
    Thread thread = new Thread(() -> {
      try {
        while (!Thread.currentThread().isInterrupted()) {
          RecordSnapshot.Builder snapshot = RecordSnapshot.builder(now(), now());
          book.store(snapshot);
          RecordSnapshot stored = snapshot.build();
          boolean live = stored.entries().stream().anyMatch(e -> e.id().text().equals("i0"));
          boolean gone =
              stored.remembered().stream().anyMatch(e -> e.id().text().equals("i0"));
          assertThat(live ^ gone).as("i0 live: %s, gone: %s", live, gone).isTrue();
        }
        reader.complete(null);
      } catch (Throwable e) {
        reader.completeExceptionally(e);
      }
    });
    thread.start();
    busy.removeContainer("c");
    for (int i = 0; i < 3000 && !reader.isDone(); i++) {
      if (busy.hasImage("i0")) {
        busy.deleteImage("i0");
      } else {
        busy.image("i0").size(1).add();
      }
      busy.faults().shuffleListings(random.nextLong());
      book.merge(new NodeView(busy.runtime().listImages(), List.of()), now(), now());
    }
    thread.interrupt();
    reader.get();
  }

  private Instant now() {
    return node.clock().instant();
  }

  private ImageGcManager.Builder collector() {
    return collector(LruGcPolicy.builder().minAge(Duration.ZERO));
  }

  private ImageGcManager.Builder collector(LruGcPolicy.Builder policy) {
    return Nodes.collector(node, policy)
        .scheduler(scheduler)
        .deadlines(patient())
        .store(store)
        .listener(listener);
  }

  /** Virtual time moves on while calls on other threads are about to return. */
  private static Deadlines patient() {
    Duration years = Duration.ofDays(3650);
    return Deadlines.builder()
        .store(years)
        .list(years, Duration.ZERO)
        .firstList(years)
        .build();
  }

  private void detectAndSave(ImageGcManager gc, int saves) {
    gc.detectImages();
    scheduler.advance(DELAY);
    store.awaitSaves(saves);
  }

  private List<String> savedIds() {
    return store.saved.entries().stream().map(entry -> entry.id().text()).toList();
  }

  private void awaitPlannedSave() {
    while (scheduler.pendingCount() == 0) {
      Thread.onSpinWait();
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
