/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.Container;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.api.Layer;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** A budget for an engine's images in place of a disk. */
class BudgetFsStatsProviderTest {
  /** An engine that has these images. */
  private record Listing(List<Image> images) implements Runtime {
    @Override
    public List<Image> listImages() {
      return images;
    }

    @Override
    public List<Container> listContainers() {
      return List.of();
    }

    @Override
    public RemovalResult removeImage(Image image) {
      throw new AssertionError("nothing is removed here");
    }
  }

  private static Image image(String id, Consumer<Image.Builder> with) {
    Image.Builder image = Image.builder(ImageId.of(id));
    with.accept(image);
    return image.build();
  }

  private static FsStats measured(long budget, Image... images) {
    return BudgetFsStatsProvider.of(new Listing(List.of(images)), budget).imageFs();
  }

  // What counts

  @Example
  void capacity_isTheBudget_andThePathSaysSo() {
    FsStats stats = measured(20L << 30);

    assertThat(stats.capacityBytes()).hasValue(20L << 30);
    assertThat(stats.availableBytes()).hasValue(20L << 30);
    assertThat(stats.path()).isEqualTo("budget of 20.0 GiB for images");
    assertThat(stats.inodes()).isEmpty();
    assertThat(stats.device()).isEmpty();
  }

  @Example
  void otherFilesystems_areUnknown() {
    BudgetFsStatsProvider budget = BudgetFsStatsProvider.of(new Listing(List.of()), 1);

    assertThat(budget.rootFs()).isEmpty();
    FsStats containers = budget.containerFs().orElseThrow();
    assertThat(containers.capacityBytes()).isEmpty();
    assertThat(containers.availableBytes()).isEmpty();
    assertThat(containers.device()).isEmpty();
  }

  @Example
  void sharedLayer_countsOnce() {
    Layer shared = Layer.of("shared", 100);
    FsStats stats = measured(
        1000,
        image("a", image -> image.layers(List.of(shared, Layer.of("a", 1)))),
        image("b", image -> image.layers(List.of(shared, Layer.of("b", 2), shared))));

    assertThat(stats.availableBytes()).hasValue(1000 - 103);
    assertThat(stats.source())
        .isEqualTo("2 images as the engine lists them, 2 by their layers and 0 by their sizes");
  }

  @Example
  void imageWithoutKnownLayers_countsWithItsSize() {
    FsStats stats = measured(
        1000,
        image("a", image -> image.sizeBytes(500).layers(List.of(Layer.of("a", 1)))),
        image("b", image -> image.sizeBytes(20)));

    assertThat(stats.availableBytes()).hasValue(1000 - 21);
    assertThat(stats.source())
        .isEqualTo("2 images as the engine lists them, 1 by their layers and 1 by their sizes");
  }

  @Example
  void imageOfUnknownSize_makesAvailableUnknown() {
    FsStats stats =
        measured(1000, image("a", image -> image.sizeBytes(20)), image("b", image -> {}));

    assertThat(stats.availableBytes()).isEmpty();
    assertThat(stats.capacityBytes()).hasValue(1000);
    assertThat(stats.source()).endsWith("; available bytes unknown: neither is known of 1");
  }

  @Example
  void overBudget_leavesNothing() {
    assertThat(measured(1000, image("a", image -> image.sizeBytes(1001))).availableBytes())
        .hasValue(0);
    assertThat(measured(1000, image("a", image -> image.sizeBytes(1000))).availableBytes())
        .hasValue(0);
    assertThat(measured(1000, image("a", image -> image.sizeBytes(999))).availableBytes())
        .hasValue(1);
  }

  @Example
  void sizesBeyondAllMeasure_areOverBudget() {
    FsStats stats = measured(
        1000,
        image("a", image -> image.sizeBytes(Long.MAX_VALUE)),
        image("b", image -> image.sizeBytes(Long.MAX_VALUE)),
        image(
            "c",
            image -> image.layers(List.of(Layer.of("c", Long.MAX_VALUE), Layer.of("d", 100)))));

    assertThat(stats.availableBytes()).hasValue(0);
  }

  @Example
  void noBudget_isNamed() {
    for (long bytes : new long[] {0, -5}) {
      assertThatThrownBy(() -> BudgetFsStatsProvider.of(new Listing(List.of()), bytes))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("bytes must be above 0, but is " + bytes);
    }
  }

  @Example
  void engineThatIsAway_isAnErrorNotEmpty() {
    FakeNode node = FakeNode.withDisk(1000);
    node.stopEngine();

    assertThatThrownBy(() -> BudgetFsStatsProvider.of(node.runtime(), 100).imageFs())
        .isInstanceOf(UnreachableException.class);
  }

  @Property
  void used_isTheUnionOfTheLayers(@ForAll long seed) {
    Random random = new Random(seed);
    FakeNode node = FakeNode.withDisk(1_000_000);
    node.otherData(random.nextInt(1000)); // counts on the disk, and not in the budget
    Map<String, Long> union = new HashMap<>();
    for (int i = random.nextInt(12); i > 0; i--) {
      var image = node.image("image-" + i).tag("image-" + i + ":1");
      for (int layer = random.nextInt(6); layer > 0; layer--) {
        long name = random.nextInt(10);
        image.layer("layer-" + name, 70 * name);
        union.put("layer-" + name, 70 * name);
      }
      image.add();
    }
    long used = union.values().stream().mapToLong(Long::longValue).sum();
    long budget = 1L + random.nextInt(5000);

    assertThat(BudgetFsStatsProvider.of(node.runtime(), budget).imageFs().availableBytes())
        .hasValue(Math.max(0, budget - used));
  }

  // With a collector

  @Example
  void round_removesUntilTheImagesKeepToTheBudget() {
    FakeNode node = FakeNode.withDisk(1_000_000);
    node.image("base").tag("base:1").layer("base", 2000).add();
    node.container("user").image("base").add();
    for (int i = 0; i < 15; i++) {
      node.image("image-" + i)
          .tag("image-" + i + ":1")
          .layer("base", 2000)
          .layer("l" + i, 500)
          .add();
    }
    BudgetFsStatsProvider budget = BudgetFsStatsProvider.of(node.runtime(), 10_000);
    assertThat(budget.imageFs().availableBytes()).hasValue(500);

    try (ImageGcManager gc = collector(node).fsStats(budget).build()) {
      GcReport report = gc.garbageCollect();

      // 95 % are used; 80 % are 8,000 bytes, which three images of 500 bytes reach.
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.removed()).hasSize(3);
      assertThat(report.freedBytes()).isEqualTo(1500);
      assertThat(budget.imageFs().availableBytes()).hasValue(2000);
      assertThat(gc.garbageCollect().outcome()).isEqualTo(Outcome.NOT_NEEDED);
    }
  }

  @Example
  void round_whereASizeIsUnknown_removesNothing() {
    FakeNode node = FakeNode.withDisk(1_000_000);
    Image unknown = image("unknown", image -> {});
    node.image("a").tag("a:1").size(2000).add();
    Runtime runtime = new Listing(List.of(unknown, image("a", image -> image.sizeBytes(2000))));

    try (ImageGcManager gc =
        collector(node).fsStats(BudgetFsStatsProvider.of(runtime, 1000)).build()) {
      GcReport report = gc.garbageCollect();

      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause().orElseThrow())
          .isInstanceOf(InvalidCapacityException.class)
          .hasMessageContaining("budget of 1000 B for images")
          .hasMessageContaining("available bytes are unknown");
      assertThat(node.removalsAsked()).isEmpty();
    }
  }

  @Example
  void layoutOfABudget_hasImagesOnItAlone() {
    BudgetFsStatsProvider budget =
        BudgetFsStatsProvider.of(FakeNode.withDisk(1000).runtime(), 100);
    FsLayout layout = FsLayout.of(budget.imageFs(), budget.rootFs(), budget.containerFs());
    assertThat(layout.imagesOn(NodeFs.IMAGEFS)).isTrue();
    assertThat(layout.containersOn(NodeFs.IMAGEFS)).isFalse();
    assertThat(layout.imagesOn(NodeFs.CONTAINERFS)).isFalse();
    assertThat(layout.imagesOn(NodeFs.NODEFS)).isFalse();
  }
}
