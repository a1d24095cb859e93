/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.WatchState;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.ManualScheduler;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What was heard of an image makes it look neither older nor less used than it is, whenever it was heard. */
@Timeout(60)
class HearsayTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  /** The tests move the clock while the watch may still list. */
  private static final Deadlines LONG = Deadlines.builder()
      .firstList(Duration.ofDays(100))
      .list(Duration.ofDays(100), Duration.ZERO)
      .build();

  private final FakeNode node = FakeNode.withDisk(1000);
  private final ManualScheduler scheduler = new ManualScheduler(node.clock());
  private final ImageGcManager gc = collector(node)
      .scheduler(scheduler)
      .detectionInterval(Duration.ofDays(1))
      .collectionInterval(Duration.ofDays(1))
      .deadlines(LONG)
      .build();

  @BeforeEach
  void listen() throws InterruptedException {
    Semaphore lists = new Semaphore(0);
    node.faults().afterEach(Operation.LIST_CONTAINERS, lists::release);
    gc.start();
    lists.acquire(2); // of the first detection and of the watch
    while (!gc.watchHealth().state().equals(WatchState.STREAMING)
        || scheduler.pendingCount() != 2) {
      Thread.onSpinWait(); // the test's timeout ends it
    }
  }

  @AfterEach
  void close() {
    gc.close();
  }

  private ImageRecord record(String id) {
    return gc.records().stream()
        .filter(record -> record.id().equals(ImageId.of(id)))
        .findFirst()
        .orElseThrow();
  }

  private void add(String id) {
    node.image(id).tag(id + ":1").size(10).add();
  }

  private void use(String id) {
    node.run("c", id);
    node.removeContainer("c");
  }

  @Test
  void newImage_thatWasHeardOfWhileItWasListed_isAsYoungAsItsLastPull() {
    node.faults().beforeNext(Operation.LIST_IMAGES, () -> add("a"));
    gc.detectImages();
    node.clock().advance(MINUTE);
    node.deleteImage("a");
    node.clock().advance(MINUTE);
    add("a");
    Instant pulled = node.clock().instant();
    gc.detectImages();
    assertThat(record("a").firstDetected()).isEqualTo(pulled);
  }

  @Test
  void newImage_thatWasUsedWhileItWasListed_isRememberedWithItsLastUse() {
    add("a");
    node.faults().afterNext(Operation.LIST_IMAGES, () -> use("a"));
    gc.detectImages();
    node.clock().advance(MINUTE);
    use("a");
    Instant used = node.clock().instant();
    node.deleteImage("a");
    node.clock().advance(MINUTE);
    gc.detectImages();
    add("a");
    gc.detectImages();
    assertThat(record("a").lastUsed()).hasValue(used);
  }

  @Test
  void image_thatWasDeletedAndPulledAgain_isAsYoungAsThat_alsoIfThePullNamesNoImage() {
    add("a");
    add("b");
    gc.detectImages();
    Instant first = record("b").firstDetected();
    node.clock().advance(MINUTE);
    node.deleteImage("a");
    node.events().stripImages(); // Docker tells a pull by its name alone, Podman not even by that
    node.clock().advance(MINUTE);
    add("a");
    Instant pulled = node.clock().instant();
    gc.detectImages();
    assertThat(record("a").firstDetected()).isEqualTo(pulled);
    assertThat(record("b").firstDetected()).isEqualTo(first);
  }
}
