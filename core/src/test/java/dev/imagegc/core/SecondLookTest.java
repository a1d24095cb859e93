/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.reason;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageGoingException;
import dev.imagegc.api.Lease;
import dev.imagegc.api.Reason;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.api.WatchState;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.ManualScheduler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What became known of an image since the plan holds it back as well as what was known before. */
@Timeout(60)
class SecondLookTest {
  private static final Duration TTL = Duration.ofMinutes(5);

  /** The tests move the clock while the watch may still list. */
  private static final Deadlines LONG = Deadlines.builder()
      .firstList(Duration.ofDays(100))
      .list(Duration.ofDays(100), Duration.ZERO)
      .build();

  private final FakeNode node = FakeNode.withDisk(1000);

  @Test
  void lease_byANameThatTheImageGotSinceItWasListed_isRefusedWhileTheImageGoes() {
    node.image("a").tag("a:1").size(300).add();
    node.faults().afterNext(Operation.LIST_IMAGES, () -> node.tag("a", "b:1"));
    try (ImageGcManager gc = collector(node).build()) {
      List<Class<?>> refused = new ArrayList<>();
      node.faults().beforeNext(Operation.REMOVE_IMAGE, () -> {
        try (Lease lease = gc.leases().lease("b:1", TTL)) {
          assertThat(lease.isActive()).isTrue();
        } catch (ImageGoingException e) {
          refused.add(e.getClass());
        }
      });
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("a");
      assertThat(refused).hasSize(1);
    }
  }

  @Test
  void image_whoseNamesCannotBeLookedUp_stays_andStopsNoOther() {
    node.image("a").tag("a:1").size(300).add();
    node.image("b").tag("b:1").size(300).add();
    node.faults().failNext(Operation.LOOK_UP, new UnreachableException("broken image"));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(reason(report, "a")).isEqualTo(Reason.REMOVAL_FAILED);
      assertThat(removed(report)).containsExactly("b");
      assertThat(node.removalsAsked()).containsExactly("b");
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.BACKING_OFF);
      gc.leases().lease("a:1", TTL).close();
    }
  }

  @Test
  void image_thatWasUsedSinceThePlan_hasItsGrace() throws InterruptedException {
    node.image("a").tag("a:1").size(300).add();
    node.image("b").tag("b:1").size(300).add();
    node.faults().beforeNext(Operation.REMOVE_IMAGE, () -> {
      node.run("c", "b");
      node.removeContainer("c");
    });
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().minAge(Duration.ZERO).grace(Duration.ofMinutes(10));
    try (ImageGcManager gc = listening(policy)) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(removed(report)).containsExactly("a");
      assertThat(reason(report, "b")).isEqualTo(Reason.RECENTLY_USED);
      assertThat(node.removalsAsked()).containsExactly("a");
    }
  }

  @Test
  void image_thatWasDeletedAndPulledAgainSinceThePlan_hasItsMinAge() throws InterruptedException {
    node.image("a").tag("a:1").size(300).add();
    node.image("b").tag("b:1").size(300).add();
    node.faults().beforeNext(Operation.REMOVE_IMAGE, () -> {
      node.deleteImage("b");
      node.image("b").tag("b:1").size(300).add();
    });
    try (ImageGcManager gc = listening(LruGcPolicy.builder().minAge(Duration.ofMinutes(2)))) {
      node.clock().advance(Duration.ofMinutes(3));
      GcReport report = gc.deleteUnusedImages();
      assertThat(removed(report)).containsExactly("a");
      assertThat(reason(report, "b")).isEqualTo(Reason.TOO_YOUNG);
      assertThat(node.removalsAsked()).containsExactly("a");
    }
  }

  /** A collector that hears the node's events, and whose timers have done their first work. */
  private ImageGcManager listening(LruGcPolicy.Builder policy) throws InterruptedException {
    ManualScheduler scheduler = new ManualScheduler(node.clock());
    ImageGcManager gc = collector(node, policy)
        .scheduler(scheduler)
        .detectionInterval(Duration.ofDays(1))
        .collectionInterval(Duration.ofDays(1))
        .deadlines(LONG)
        .build();
    Semaphore lists = new Semaphore(0);
    node.faults().afterEach(Operation.LIST_CONTAINERS, lists::release);
    gc.start();
    lists.acquire(2); // of the first detection and of the watch
    while (!gc.watchHealth().state().equals(WatchState.STREAMING)
        || scheduler.pendingCount() != 2) {
      Thread.onSpinWait(); // the test's timeout ends it
    }
    return gc;
  }
}
