/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.Uninterruptibles;
import dev.imagegc.api.Container;
import dev.imagegc.api.Image;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.RuntimeEventSource;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.ManualScheduler;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Engines that make trouble for the watch. */
@Timeout(60)
class WatchTroubleTest {
  private final FakeNode node = FakeNode.withDisk(1000);
  private final ManualScheduler scheduler = new ManualScheduler(node.clock());

  @Test
  void stream_thatOpensWhileTheCollectorIsClosed_isEnded() throws InterruptedException {
    SlowSource slow = new SlowSource(node.plainRuntime());
    ImageGcManager gc = collector(node).runtime(slow).scheduler(scheduler).build();
    gc.start();
    slow.asked.acquire();
    gc.close();
    slow.answer.countDown();
    slow.closed.acquire(); // the test's timeout ends it
    assertThat(slow.closed.availablePermits()).isZero();
  }

  @Test
  void listThatTimedOut_doesNotKeepTheWatchAwayForLongerThanAMinute() {
    ImageGcManager gc = collector(node)
        .runtime(node.plainRuntime())
        .relistInterval(Duration.ofSeconds(1))
        .scheduler(scheduler)
        .detectionInterval(Duration.ofDays(1))
        .collectionInterval(Duration.ofDays(1))
        .build();
    try (gc) {
      gc.start();
      awaitTimers();
      node.faults().hangNext(Operation.LIST_CONTAINERS);
      scheduler.advance(Duration.ofSeconds(1));
      while (gc.watchHealth().trouble().isEmpty()) {
        Thread.onSpinWait(); // the test's timeout ends it
      }
      awaitTimers();
      assertThat(scheduler.pendingDelays())
          .filteredOn(delay -> delay.compareTo(Duration.ofHours(23)) < 0)
          .containsExactly(Duration.ofMinutes(1));
    }
  }

  /** Waits for those of detection and collection, and that of the watch. */
  private void awaitTimers() {
    while (scheduler.pendingCount() != 3) {
      Thread.onSpinWait(); // the test's timeout ends it
    }
  }

  /** Opens a stream when it is told to, and does not mind interrupts until then. */
  private static final class SlowSource implements Runtime, RuntimeEventSource {
    private final Semaphore asked = new Semaphore(0);
    private final CountDownLatch answer = new CountDownLatch(1);
    private final Semaphore closed = new Semaphore(0);
    private final Runtime node;

    private SlowSource(Runtime node) {
      this.node = node;
    }

    @Override
    public Subscription subscribe(RuntimeEventListener listener) {
      asked.release();
      Uninterruptibles.awaitUninterruptibly(answer);
      return closed::release;
    }

    @Override
    public List<Image> listImages() {
      return node.listImages();
    }

    @Override
    public List<Container> listContainers() {
      return node.listContainers();
    }

    @Override
    public RemovalResult removeImage(Image image) {
      return node.removeImage(image);
    }
  }
}
