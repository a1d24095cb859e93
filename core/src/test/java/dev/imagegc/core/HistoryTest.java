/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.ids;
import static dev.imagegc.core.Nodes.reason;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcEventType;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.StoreException;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.ManualScheduler;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Ages over clock jumps and restarts: an image never looks older, or longer unused, than what can be proven. */
class HistoryTest {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);
  private static final Duration SAVE_DELAY = Duration.ofSeconds(30);
  /** Virtual time moves on while a save, on a thread of its own, is about to return. */
  private static final Deadlines PATIENT =
      Deadlines.builder().store(Duration.ofDays(365 * 10)).build();

  private final FakeNode node = FakeNode.withDisk(1000);
  private final MemoryStore store = new MemoryStore();
  private final LruGcPolicy.Builder policy = LruGcPolicy.builder().minAge(HOUR).maxAge(DAY);
  private final ManualScheduler scheduler = new ManualScheduler(node.clock());

  @Test
  void wallClock_thatJumpsForward_makesNoImageOlder() {
    node.image("a").size(100).add();
    try (ImageGcManager gc = collector(policy).build()) {
      gc.detectImages();
      node.clock().jumpWall(Duration.ofDays(365));
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.TOO_YOUNG);
    }
  }

  @Test
  void wallClock_thatJumpsBack_makesNoImageYounger() {
    node.image("a").size(100).add();
    try (ImageGcManager gc = collector(policy).build()) {
      gc.detectImages();
      node.clock().jumpWall(Duration.ofDays(-365));
      node.clock().advance(HOUR);
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.ENOUGH_FREED);
    }
  }

  @Test
  void restart_inTheSameBoot_countsTheDowntime() {
    node.image("a").size(100).add();
    detectAndClose();
    node.clock().jumpWall(Duration.ofDays(-10));
    node.clock().advance(HOUR);
    try (ImageGcManager gc = collector(policy).store(store).build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.ENOUGH_FREED);
    }
  }

  @Test
  void restart_afterAReboot_doesNotCountTheDowntime() {
    node.image("a").size(100).add();
    detectAndClose();
    node.clock().reboot(DAY.multipliedBy(30));
    try (ImageGcManager gc = collector(policy).store(store).build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.TOO_YOUNG);
      node.clock().advance(HOUR);
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.ENOUGH_FREED);
    }
  }

  @Test
  void restart_afterAReboot_countsTheWallClockIfTheHostTrustsIt() {
    node.image("a").size(100).add();
    detectAndClose();
    node.clock().reboot(HOUR);
    try (ImageGcManager gc = collector(policy).store(store).trustWallClock(true).build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.ENOUGH_FREED);
    }
  }

  @Test
  void restart_withATrustedWallClockThatWentBack_countsNothing() {
    node.image("a").size(100).add();
    detectAndClose();
    node.clock().reboot(Duration.ZERO);
    node.clock().jumpWall(Duration.ofDays(-1));
    try (ImageGcManager gc = collector(policy).store(store).trustWallClock(true).build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.TOO_YOUNG);
    }
  }

  @Test
  void restart_withoutAStore_startsHistoryAgain() {
    node.image("a").size(100).add();
    try (ImageGcManager gc = collector(policy).build()) {
      gc.detectImages();
    }
    node.clock().advance(DAY.multipliedBy(2));
    try (ImageGcManager gc = collector(policy).build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.TOO_YOUNG);
    }
  }

  @Test
  void restart_keepsTheOrderOfLastUse() {
    node.image("late").size(10).add();
    node.image("early").size(10).add();
    node.run("c1", "late");
    node.run("c2", "early");
    try (ImageGcManager gc = collector().store(store).build()) {
      gc.detectImages();
      node.removeContainer("c2");
      node.clock().advance(HOUR);
      gc.detectImages();
      node.removeContainer("c1");
    }
    node.clock().reboot(HOUR);
    try (ImageGcManager gc = collector().store(store).build()) {
      assertThat(ids(gc.plan().decisions())).containsExactly("early", "late");
    }
  }

  @Test
  void damagedHistory_isAnEvent_andEveryImageCountsAsFirstSeenNow() {
    node.image("a").size(100).add();
    detectAndClose();
    node.clock().advance(DAY.multipliedBy(2));
    store.failures.add(new StoreException("state file is damaged; it was set aside"));
    store.saved = null; // what setting aside means
    RecordingListener listener = new RecordingListener();
    try (ImageGcManager gc = collector(policy).store(store).listener(listener).build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.TOO_YOUNG);
      assertThat(listener.events(GcEventType.HISTORY_LOST)).hasSize(1);
    }
    assertThat(store.saved).isNotNull();
  }

  @Test
  void history_thatIsReadAtTheSecondTry_isNotLost() {
    node.image("a").size(100).add();
    detectAndClose();
    node.clock().advance(HOUR);
    store.failures.add(new StoreException("try again"));
    RecordingListener listener = new RecordingListener();
    try (ImageGcManager gc = collector(policy).store(store).listener(listener).build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.ENOUGH_FREED);
      assertThat(listener.types()).isEmpty();
    }
  }

  @Test
  void history_withTimesThatCannotBe_isLost_notTheCollector() {
    node.image("a").size(100).add();
    var clock = node.clock();
    RecordSnapshot impossible = RecordSnapshot.builder(Instant.MAX, clock.instant())
        .bootTime(clock.bootTime().orElseThrow())
        .entries(List.of(RecordSnapshot.Entry.of(ImageId.of("a"), Instant.MIN)))
        .build();
    store.saved = impossible;
    RecordingListener listener = new RecordingListener();
    try (ImageGcManager gc = collector(policy).store(store).listener(listener).build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.TOO_YOUNG);
      assertThat(listener.types()).containsExactly(GcEventType.HISTORY_LOST);
    }
    assertThat(store.aside).containsExactly(impossible);
    assertThat(store.saved).isNotNull();
  }

  @Test
  void maxAge_acrossRestartsOfAHostThatCollectsOnce_acts() {
    node.image("a").size(100).add();
    detectAndClose();
    node.clock().advance(DAY.plusNanos(1));
    try (ImageGcManager gc = collector(policy).store(store).build()) {
      assertThat(gc.garbageCollect().removed()).hasSize(1);
    }
  }

  @Test
  void history_thatCannotBeRead_isNotOverwritten_andIsUsedOnceItCan() {
    node.image("a").size(100).add();
    detectAndClose();
    RecordSnapshot before = store.saved;
    node.clock().advance(HOUR);
    store.failures.add(new StoreException("permission denied"));
    store.failures.add(new StoreException("permission denied"));
    RecordingListener listener = new RecordingListener();
    try (ImageGcManager gc = collector(policy).store(store).listener(listener).build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.TOO_YOUNG);
      assertThat(scheduler.pendingCount()).as("planned saves").isZero();
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.ENOUGH_FREED);
      assertThat(listener.events(GcEventType.STORE_FAILED)).hasSize(2); // began and ended
      assertThat(store.saved).isSameAs(before);
      scheduler.advance(SAVE_DELAY);
      store.awaitSaves(2);
      assertThat(store.saved).isNotSameAs(before);
    }
  }

  @Test
  void store_thatCannotSave_doesNotStopTheCollector() {
    node.image("a").size(100).add();
    node.image("b").size(100).add();
    RecordingListener listener = new RecordingListener();
    try (ImageGcManager gc = collector().store(store).listener(listener).build()) {
      store.failSaves = true;
      assertThat(gc.freeSpace(100).removed()).hasSize(1);
      scheduler.advance(SAVE_DELAY);
      assertThat(listener.await(GcEventType.STORE_FAILED).message()).isEqualTo("disk full");
      var report = gc.deleteUnusedImages();
      assertThat(report.removed()).hasSize(1);
      assertThat(report.problems()).containsExactly("disk full");
    }
  }

  @Test
  void timesAheadOfNow_areNoNegativeAges() {
    node.image("a").size(100).add();
    var clock = node.clock();
    store.saved = RecordSnapshot.builder(clock.instant(), clock.instant())
        .bootTime(clock.bootTime().orElseThrow())
        .entries(List.of(RecordSnapshot.Entry.of(
            ImageId.of("a"), clock.instant().plus(DAY), clock.instant().plus(DAY))))
        .build();
    try (ImageGcManager gc = collector(policy).store(store).build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.TOO_YOUNG);
      clock.advance(HOUR);
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.ENOUGH_FREED);
    }
  }

  @Test
  void timesAfterTheSave_countAsTheTimeOfTheSave() {
    node.image("a").size(100).add();
    var clock = node.clock();
    store.saved = RecordSnapshot.builder(clock.instant(), clock.instant())
        .bootTime(clock.bootTime().orElseThrow())
        .entries(
            List.of(RecordSnapshot.Entry.of(ImageId.of("a"), clock.instant().plus(DAY))))
        .build();
    clock.advance(HOUR);
    try (ImageGcManager gc = collector(policy).store(store).build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.ENOUGH_FREED);
    }
  }

  private void detectAndClose() {
    try (ImageGcManager gc = collector(policy).store(store).build()) {
      gc.detectImages();
    }
  }

  private ImageGcManager.Builder collector() {
    return Nodes.collector(node).scheduler(scheduler).deadlines(PATIENT);
  }

  private ImageGcManager.Builder collector(LruGcPolicy.Builder withPolicy) {
    return Nodes.collector(node, withPolicy).scheduler(scheduler).deadlines(PATIENT);
  }
}
