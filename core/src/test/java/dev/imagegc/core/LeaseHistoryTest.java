/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.reason;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ImageId;
import dev.imagegc.api.Lease;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.ManualScheduler;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Leases over restarts: a process that leased an image and died may have created a container that is not there yet. */
@Timeout(60)
class LeaseHistoryTest {
  private static final Duration TTL = Duration.ofMinutes(10);

  private final FakeNode node = FakeNode.withDisk(1000);
  private final MemoryStore store = new MemoryStore();
  private final ManualScheduler scheduler = new ManualScheduler(node.clock());

  @BeforeEach
  void begin() {
    node.image("a").tag("a:1").size(100).add();
    node.image("b").tag("b:1").size(100).add();
  }

  private ImageGcManager open() {
    return collector(node).store(store).scheduler(scheduler).build();
  }

  private void leaseAndRestart(Duration ttl) {
    try (ImageGcManager gc = open()) {
      gc.detectImages();
      gc.leases().lease("a:1", ttl);
      gc.leases().lease(ImageId.of("b"), ttl);
    }
  }

  @Test
  void leases_surviveARestart_andEndWithTheirTime_downtimeIncluded() {
    leaseAndRestart(TTL);
    node.clock().advance(Duration.ofMinutes(4));
    try (ImageGcManager gc = open()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.LEASED);
      assertThat(reason(gc.plan(), "b")).isEqualTo(Reason.LEASED);
      node.clock().advance(Duration.ofMinutes(6).minusNanos(1));
      assertThat(removed(gc.deleteUnusedImages())).isEmpty();
      node.clock().advance(Duration.ofNanos(1));
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("a", "b");
    }
  }

  @Test
  void leases_thatEndedDuringTheDowntime_areOver() {
    leaseAndRestart(TTL);
    node.clock().advance(TTL);
    try (ImageGcManager gc = open()) {
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("a", "b");
    }
  }

  @Test
  void leases_afterAReboot_holdForAsLongAsWasLeft_becauseTheDowntimeIsNotProved() {
    leaseAndRestart(TTL);
    node.clock().reboot(Duration.ofDays(1));
    try (ImageGcManager gc = open()) {
      assertThat(removed(gc.deleteUnusedImages())).isEmpty();
      node.clock().advance(TTL);
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("a", "b");
    }
  }

  @Test
  void leases_afterAReboot_haveEndedMeanwhile_ifTheHostTrustsTheWallClock() {
    leaseAndRestart(TTL);
    node.clock().reboot(TTL);
    try (ImageGcManager gc =
        collector(node).store(store).scheduler(scheduler).trustWallClock(true).build()) {
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("a", "b");
    }
  }

  @Test
  void wallClockThatJumps_changesNoStoredLease() {
    for (int minutes : new int[] {-10, 10}) {
      leaseAndRestart(TTL);
      node.clock().jumpWall(Duration.ofMinutes(minutes));
      node.clock().advance(Duration.ofMinutes(4));
      try (ImageGcManager gc = open()) {
        assertThat(removed(gc.deleteUnusedImages())).isEmpty();
        node.clock().advance(Duration.ofMinutes(6));
        assertThat(reason(gc.plan(), "a")).isNotEqualTo(Reason.LEASED);
      }
    }
  }

  @Test
  void lease_isStored30SecondsAfterItWasTaken_alsoIfNoRoundRuns() {
    try (ImageGcManager gc = open()) {
      gc.detectImages();
      scheduler.advance(Duration.ofMinutes(1));
      store.awaitSaves(1);
      Lease lease = gc.leases().lease("a:1", TTL);
      scheduler.advance(Duration.ofSeconds(30));
      store.awaitSaves(2);
      assertThat(storedLeases()).hasSize(1);
      lease.close();
      scheduler.advance(Duration.ofSeconds(30));
      store.awaitSaves(3);
      assertThat(storedLeases()).isEmpty();
    }
  }

  @Test
  void renewedLease_isStoredWithItsNewEnd() {
    try (ImageGcManager gc = open()) {
      gc.detectImages();
      Lease lease = gc.leases().lease("a:1", TTL);
      node.clock().advance(Duration.ofMinutes(9));
      lease.renew(TTL);
    }
    node.clock().advance(Duration.ofMinutes(9));
    try (ImageGcManager gc = open()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.LEASED);
    }
  }

  @Test
  void leaseTakenBeforeTheStoreWasRead_isStoredWithThoseInIt() {
    leaseAndRestart(TTL);
    try (ImageGcManager gc = open()) {
      gc.leases().lease("c:1", TTL);
      gc.detectImages();
    }
    assertThat(storedLeases()).hasSize(3);
  }

  @Test
  void storedLeaseOnNonsense_isNoHistory_andIsSetAside() {
    leaseAndRestart(TTL);
    RecordSnapshot saved = store.saved;
    store.saved = RecordSnapshot.builder(saved.savedAt(), saved.wallTime())
        .leases(
            List.of(RecordSnapshot.LeaseEntry.of("Not A Name", saved.savedAt().plus(TTL))))
        .build();
    try (ImageGcManager gc = open()) {
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("a", "b");
      assertThat(store.aside).hasSize(1);
    }
  }

  private List<RecordSnapshot.LeaseEntry> storedLeases() {
    return store.load().orElseThrow().leases();
  }
}
