/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.ids;
import static dev.imagegc.core.Nodes.reason;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.ManualScheduler;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Images that are gone and come back: they have their place in the order of use again, but are as young as any other. */
class RememberedImagesTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00.123456789Z");
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);

  private final FakeNode node = FakeNode.withDisk(1000);
  private final ManualScheduler scheduler = new ManualScheduler(node.clock());
  private final MemoryStore store = new MemoryStore();
  private final LruGcPolicy.Builder policy = LruGcPolicy.builder().minAge(HOUR).maxAge(DAY);

  @Test
  void imageThatComesBack_hasItsLastUse_butItsAgeBeginsAnew() {
    Instant used;
    try (ImageGcManager gc = collector().build()) {
      used = useAndRemove(gc, "a");
      node.clock().advance(DAY.multipliedBy(3));
      node.image("a").size(1).add();
      gc.detectImages();
      ImageRecord record = record(gc, "a");
      assertThat(record.lastUsed()).contains(used);
      assertThat(record.firstDetected()).isEqualTo(node.clock().instant());
      assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.TOO_YOUNG);
      node.clock().advance(HOUR);
      assertThat(reason(gc.plan(), "a")).as("not due by maxAge").isEqualTo(Reason.ENOUGH_FREED);
    }
  }

  @Test
  void imageThatComesBack_isNoStrangerInTheOrderOfUse() {
    try (ImageGcManager gc =
        collector().policy(LruGcPolicy.builder().minAge(Duration.ZERO).build()).build()) {
      useAndRemove(gc, "early");
      node.clock().advance(HOUR);
      useAndRemove(gc, "late");
      node.image("late").size(1).add();
      gc.detectImages();
      node.clock().advance(HOUR);
      node.image("early").size(1).add();
      node.image("stranger").size(1).add();
      assertThat(ids(gc.plan().decisions())).containsExactly("stranger", "early", "late");
    }
  }

  @Test
  void imageThatTheCollectorRemoved_isRemembered() {
    node.image("a").size(1).add();
    node.run("c1", "a");
    try (ImageGcManager gc =
        collector().policy(LruGcPolicy.builder().minAge(Duration.ZERO).build()).build()) {
      gc.detectImages();
      Instant used = node.clock().instant();
      node.removeContainer("c1");
      node.clock().advance(HOUR);
      assertThat(gc.deleteUnusedImages().removed()).hasSize(1);
      node.image("a").size(1).add();
      gc.detectImages();
      assertThat(record(gc, "a").lastUsed()).contains(used);
    }
  }

  @Test
  void restart_keepsWhatIsRemembered_andTheTimesAgeByTheDowntime() {
    try (ImageGcManager gc = collector().build()) {
      useAndRemove(gc, "a");
    }
    node.clock().advance(HOUR);
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
      node.clock().advance(HOUR);
      node.image("a").size(1).add();
      gc.detectImages();
      assertThat(record(gc, "a").lastUsed())
          .contains(node.clock().instant().minus(HOUR.multipliedBy(3)));
    }
  }

  @Test
  void imageThatWentWhileNobodyLooked_isRemembered() {
    node.image("a").size(1).add();
    node.run("c1", "a");
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
    }
    node.removeContainer("c1");
    node.deleteImage("a");
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
    }
    assertThat(store.saved.entries()).isEmpty();
    assertThat(store.saved.remembered())
        .extracting(entry -> entry.id().text())
        .containsExactly("a");
  }

  @Test
  void imageThatIsBack_isNotRememberedAnyMore() {
    try (ImageGcManager gc = collector().build()) {
      useAndRemove(gc, "a");
      node.image("a").size(1).add();
      gc.detectImages();
    }
    assertThat(store.saved.remembered()).isEmpty();
    assertThat(store.saved.entries()).hasSize(1);
  }

  @Test
  void imageThatWasNeverUsed_isForgotten() {
    node.image("a").size(1).add();
    try (ImageGcManager gc = collector().build()) {
      gc.detectImages();
      node.deleteImage("a");
      gc.detectImages();
    }
    assertThat(store.saved.remembered()).isEmpty();
  }

  @Test
  void remember_none_remembersNone() {
    try (ImageGcManager gc = collector().remember(0, DAY).build()) {
      useAndRemove(gc, "a");
      node.image("a").size(1).add();
      gc.detectImages();
      assertThat(record(gc, "a").lastUsed()).isEmpty();
    }
    assertThat(store.saved.remembered()).isEmpty();
  }

  @Test
  void remember_badValues_areRefused() {
    ImageGcManager.Builder builder = ImageGcManager.builder();
    assertThatThrownBy(() -> builder.remember(-1, DAY))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("images must be zero or more, but is -1");
    assertThatThrownBy(() -> builder.remember(1, Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("age must be above zero, but is PT0S");
  }

  @Test
  void tooMany_dropsThoseThatWentFirst() {
    RememberedImages images = new RememberedImages(2, DAY);
    add(images, "a", 0);
    add(images, "b", 1);
    add(images, "a", 2);
    add(images, "c", 3);
    assertThat(texts(images)).containsExactly("a", "c");
  }

  @Test
  void tooOld_isDropped() {
    RememberedImages images = new RememberedImages(10, Duration.ofSeconds(10));
    add(images, "a", 0);
    add(images, "b", 5);
    assertThat(images.forgetOld(NOW.plusSeconds(10))).isFalse();
    assertThat(images.forgetOld(NOW.plusSeconds(11))).isTrue();
    assertThat(texts(images)).containsExactly("b");
  }

  @Test
  void restored_isOlderThanWhatThisProcessHasSeenGo_andBoundedTheSame() {
    RememberedImages images = new RememberedImages(3, DAY);
    add(images, "own", 0);
    add(images, "both", 1);
    images.restore(
        List.of(entry("newer", -1), entry("both", -2), entry("oldest", -9), entry("older", -3)),
        NOW.plusSeconds(2));
    assertThat(texts(images)).containsExactly("newer", "own", "both");
    assertThat(images.lastUsed(ImageId.of("both"))).isEqualTo(NOW.plusSeconds(1));
  }

  @Test
  void times_areExact() {
    RememberedImages images = new RememberedImages(1, DAY);
    add(images, "a", 7);
    assertThat(images.entries()).containsExactly(entry("a", 7));
  }

  private static void add(RememberedImages images, String id, int second) {
    Instant at = NOW.plusSeconds(second);
    images.add(ImageId.of(id), Optional.of(at), at);
  }

  private static RecordSnapshot.RememberedEntry entry(String id, int second) {
    Instant at = NOW.plusSeconds(second);
    return RecordSnapshot.RememberedEntry.of(ImageId.of(id), at, at);
  }

  private static List<String> texts(RememberedImages images) {
    return images.entries().stream().map(entry -> entry.id().text()).toList();
  }

  /** Returns when the image was last used; an hour later it is gone. */
  private Instant useAndRemove(ImageGcManager gc, String id) {
    node.image(id).size(1).add();
    node.run("c-" + id, id);
    gc.detectImages();
    Instant used = node.clock().instant();
    node.removeContainer("c-" + id);
    node.deleteImage(id);
    node.clock().advance(HOUR);
    gc.detectImages();
    return used;
  }

  private static ImageRecord record(ImageGcManager gc, String id) {
    return gc.records().stream()
        .filter(record -> record.id().text().equals(id))
        .findFirst()
        .orElseThrow();
  }

  private ImageGcManager.Builder collector() {
    return Nodes.collector(node, policy).scheduler(scheduler).store(store);
  }
}
