/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEvent.Phase;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The kubelet's own image GC scenarios with the same numbers, as a black box: state in, calls, state out. Where the collector
 * differs on purpose, the test says so.
 */
class KubeletScenariosTest {
  private static final Duration TICK = Duration.ofSeconds(1);

  /** Room enough that the disk plays no part. */
  private final FakeNode node = FakeNode.withDisk(1_000_000);

  @Test
  @DisplayName("D1: the first detection stamps images, and uses of those in use")
  void firstDetection() {
    node.image("image-0").size(1024).add();
    node.image("image-1").size(2048).add();
    node.image("image-2").size(2048).add();
    node.run("container-1", "image-1");
    node.run("container-2", "image-2");
    Instant start = node.clock().instant();
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.detectImages())
          .hasSize(3)
          .allSatisfy(record -> assertThat(record.firstDetected()).isEqualTo(start));
      assertThat(record(gc, "image-0").lastUsed()).isEmpty();
      assertThat(record(gc, "image-1").lastUsed()).contains(start);
      assertThat(record(gc, "image-2").lastUsed()).contains(start);
    }
  }

  @Test
  @DisplayName(
      "D2: a new image is first detected when it is first listed; sizes follow the listing")
  void newImage() {
    node.image("image-0").size(1024).add();
    node.image("image-1").size(2048).add();
    node.run("container-1", "image-1");
    Instant start = node.clock().instant();
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.detectImages()).hasSize(2);
      node.clock().advance(TICK);
      node.removeContainer("container-1");
      node.deleteImage("image-1");
      node.image("image-1").size(1024).add();
      node.run("container-1", "image-1");
      node.image("image-2").size(1024).add();
      assertThat(gc.detectImages()).hasSize(3);
      assertThat(record(gc, "image-0").firstDetected()).isEqualTo(start);
      assertThat(record(gc, "image-0").lastUsed()).isEmpty();
      assertThat(record(gc, "image-1").firstDetected()).isEqualTo(start);
      assertThat(record(gc, "image-1").lastUsed()).contains(start.plus(TICK));
      assertThat(record(gc, "image-1").image().sizeBytes()).hasValue(1024);
      assertThat(record(gc, "image-2").firstDetected()).isEqualTo(start.plus(TICK));
      assertThat(record(gc, "image-2").lastUsed()).isEmpty();
    }
  }

  @Test
  @DisplayName("D3: an image keeps its last use when its container is gone")
  void containerStopped() {
    node.image("image-0").size(1024).add();
    node.image("image-1").size(2048).add();
    node.run("container-1", "image-1");
    Instant start = node.clock().instant();
    try (ImageGcManager gc = collector(node).build()) {
      gc.detectImages();
      node.removeContainer("container-1");
      node.clock().advance(TICK);
      assertThat(gc.detectImages()).hasSize(2);
      assertThat(record(gc, "image-0").lastUsed()).isEmpty();
      assertThat(record(gc, "image-1").firstDetected()).isEqualTo(start);
      assertThat(record(gc, "image-1").lastUsed()).contains(start);
    }
  }

  @Test
  @DisplayName(
      "D4: images that are not listed any more are forgotten, also with their containers still there")
  void removedImages() {
    node.image("image-0").size(1024).add();
    node.image("image-1").size(2048).add();
    node.run("container-1", "image-1");
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.detectImages()).hasSize(2);
      node.deleteImage("image-0");
      node.deleteImage("image-1");
      assertThat(gc.detectImages()).isEmpty();
    }
  }

  @Test
  @DisplayName("P1: images in use are left out, and a missed target is no exception")
  void imagesInUseAreIgnored() {
    node.image("image-0").size(1024).add();
    node.image("image-1").size(2048).add();
    node.run("container-1", "image-1");
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.freeSpace(2048);
      assertThat(report.freedBytes()).isEqualTo(1024);
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.missingBytes()).hasValue(1024);
      assertThat(node.imageIds()).containsExactly("image-1");
    }
  }

  @Test
  @DisplayName("P2: a pinned image stays")
  void pinnedImage() {
    node.image("1").size(1024).pinned("the pause image").add();
    node.image("2").size(1024).add();
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.freeSpace(4096).freedBytes()).isEqualTo(1024);
      assertThat(node.imageIds()).containsExactly("1");
    }
  }

  @Test
  @DisplayName("F1: removing all unused images leaves those in use")
  void removeAllUnused() {
    node.image("image-0").size(1024).add();
    node.image("image-1").size(2048).add();
    node.image("image-2").size(2048).add();
    node.run("container-2", "image-2");
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.freedBytes()).isEqualTo(3072);
      assertThat(node.imageIds()).containsExactly("image-2");
    }
  }

  @Test
  @DisplayName("F2: the least recently used image goes first")
  void leastRecentlyUsed() {
    node.image("image-0").size(1024).add();
    node.image("image-1").size(2048).add();
    node.run("container-0", "image-0");
    node.run("container-1", "image-1");
    try (ImageGcManager gc = collector(node).build()) {
      gc.detectImages();
      node.removeContainer("container-0");
      node.clock().advance(TICK);
      gc.detectImages();
      node.removeContainer("container-1");
      node.clock().advance(TICK);
      gc.detectImages();
      node.clock().advance(Duration.ofMinutes(1));
      GcReport report = gc.freeSpace(1024);
      assertThat(report.freedBytes()).isEqualTo(1024);
      assertThat(removed(report)).containsExactly("image-0");
    }
  }

  @Test
  @DisplayName("A1: an image goes at exactly minAge, and not before")
  void imageNotOldEnough() {
    node.image("image-0").size(1024).add();
    node.image("image-1").size(2048).add();
    node.run("container-1", "image-1");
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().highPercent(90).lowPercent(80).minAge(Duration.ofMinutes(1));
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      assertThat(gc.freeSpace(1024).freedBytes()).isZero();
      node.clock().advance(Duration.ofMinutes(1).minusNanos(1));
      assertThat(gc.freeSpace(1024).freedBytes()).isZero();
      node.clock().advance(Duration.ofNanos(1));
      assertThat(gc.freeSpace(1024).freedBytes()).isEqualTo(1024);
      assertThat(node.imageIds()).containsExactly("image-1");
    }
  }

  @Test
  @DisplayName("A2: an image goes by age when maxAge is exceeded, and not at exactly maxAge")
  void imageTooOld() {
    node.image("image-0").size(1024).add();
    node.image("image-1").size(2048).add();
    node.run("container-1", "image-1");
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().minAge(Duration.ZERO).maxAge(Duration.ofMinutes(1));
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofMinutes(1));
      assertThat(gc.garbageCollect().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      node.clock().advance(Duration.ofNanos(1));
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(removed(report)).containsExactly("image-0");
    }
  }

  @Test
  @DisplayName("R1: below the low threshold nothing happens")
  void belowLowThreshold() {
    FakeNode small = FakeNode.withDisk(1000);
    small.otherData(400);
    try (ImageGcManager gc = collector(small).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(report.usagePercentBefore()).hasValue(40);
    }
  }

  @Test
  @DisplayName("R2: a failing disk measure fails the round")
  void measureFails() {
    node.faults().failNext(Operation.MEASURE, new UnreachableException("no stats"));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause())
          .hasValueSatisfying(cause ->
              assertThat(cause).isInstanceOf(UnreachableException.class).hasMessage("no stats"));
    }
  }

  @Test
  @DisplayName("R3: above high it frees what is needed")
  void success() {
    FakeNode small = FakeNode.withDisk(1000);
    small.image("image-0").size(450).add();
    small.otherData(500);
    try (ImageGcManager gc = collector(small).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.neededBytes()).hasValue(150);
      assertThat(report.freedBytes()).isEqualTo(450);
    }
  }

  @Test
  @DisplayName("R4: what cannot be freed is SHORT, with an event that says what holds the rest")
  void notEnoughFreed() {
    FakeNode small = FakeNode.withDisk(1000);
    small.image("image-0").size(50).add();
    small.otherData(900);
    RecordingListener listener = new RecordingListener();
    try (ImageGcManager gc = collector(small).listener(listener).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.neededBytes()).hasValue(150);
      assertThat(report.freedBytes()).isEqualTo(50);
      assertThat(report.missingBytes()).hasValue(100);
      assertThat(listener.events(GcEventType.FREE_DISK_SPACE_FAILED))
          .singleElement()
          .satisfies(event -> {
            assertThat(event.phase()).isEqualTo(Phase.BEGAN);
            assertThat(event.message())
                .isEqualTo(
                    "not enough space could be freed on image filesystem /fake/images (95% of 1000 B used): "
                        + "freed 50 B, needed 150 B, missing 100 B; held: 900 B by data that is not images; all that may go was predicted to free 50 B; "
                        + "without any image the filesystem is 90% used: highPercent 90 can never be kept there; "
                        + "raise it, or give images a filesystem of their own");
          });
    }
  }

  @Test
  @DisplayName("a capacity of 1001 with 200 available needs nothing, although 81 percent are shown")
  void roundingDoesNotRemove() {
    FakeNode small = FakeNode.withDisk(1001);
    small.image("image-0").size(450).add();
    small.otherData(351);
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().highPercent(81).lowPercent(80).minAge(Duration.ZERO);
    try (ImageGcManager gc = collector(small, policy).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.usagePercentBefore()).hasValue(81);
      assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(small.removalsAsked()).isEmpty();
    }
  }

  @Test
  @DisplayName("more available than there is counts as an empty disk, with a warning")
  void availableAboveCapacity() {
    node.faults().measureAs(stats -> FsStats.of(stats.path(), stats.measuredAt(), 1000, 2000));
    RecordingListener listener = new RecordingListener();
    try (ImageGcManager gc = collector(node).listener(listener).build()) {
      assertThat(gc.garbageCollect().usagePercentBefore()).hasValue(0);
      assertThat(gc.garbageCollect().usagePercentBefore()).hasValue(0);
      assertThat(listener.events(GcEventType.AVAILABLE_CLAMPED)).hasSize(1);
    }
  }

  private static ImageRecord record(ImageGcManager gc, String id) {
    return gc.records().stream()
        .filter(record -> record.id().text().equals(id))
        .findFirst()
        .orElseThrow();
  }
}
