/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LruGcPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * An engine and a disk that answer at once with lists made beforehand, so that only the collector costs. One byte is
 * missing, so a plan has one victim.
 */
final class CannedNode implements Runtime, FsStatsProvider {
  private static final int THRESHOLD_PERCENT = 80;
  private static final long CAPACITY = 100L << 30;
  private static final FsStats ONE_BYTE_MISSING = FsStats.of(
      "/canned",
      Instant.parse("2026-01-01T00:00:00Z"),
      CAPACITY,
      CAPACITY * (100 - THRESHOLD_PERCENT) / 100 - 1);

  private Supplier<List<Image>> images = List::of;
  private Supplier<List<Container>> containers = List::of;

  /** Returns a collector that has lived through the past of a node; the host closes it. */
  static ImageGcManager collectorOf(NodeModel model) {
    CannedNode node = new CannedNode();
    ImageGcManager gc = node.collector();
    for (int round = 0; round < NodeModel.ROUNDS; round++) {
      int now = round;
      node.show(() -> images(model, now), () -> containers(model, now));
      gc.detectImages();
    }
    int last = NodeModel.ROUNDS - 1;
    node.show(InTurn.of(() -> images(model, last)), InTurn.of(() -> containers(model, last)));
    return gc;
  }

  ImageGcManager collector() {
    return builder().build();
  }

  /** A collector that remembers so many images that are gone. */
  ImageGcManager collector(int remembered) {
    return builder().remember(remembered, Duration.ofDays(30)).build();
  }

  private ImageGcManager.Builder builder() {
    return ImageGcManager.builder()
        .runtime(this)
        .fsStats(this)
        .policy(LruGcPolicy.builder()
            .minAge(Duration.ZERO)
            .highPercent(THRESHOLD_PERCENT)
            .lowPercent(THRESHOLD_PERCENT)
            .build());
  }

  /** Sets what makes the lists. */
  void show(Supplier<List<Image>> newImages, Supplier<List<Container>> newContainers) {
    images = newImages;
    containers = newContainers;
  }

  /** Makes the list of a round; the layers are the model's own. */
  static List<Image> images(NodeModel model, int round) {
    return IntStream.range(0, model.listedIn(round))
        .mapToObj(i -> Image.builder(ImageId.of(model.imageId(i)))
            .reference(model.reference(i))
            .sizeBytes(model.sizeBytes(i))
            .builtAt(model.builtAt(i))
            .layers(model.layers(i))
            .build())
        .toList();
  }

  /** Makes the list of a round. */
  static List<Container> containers(NodeModel model, int round) {
    List<List<Integer>> uses = model.usesIn(round);
    return IntStream.range(0, uses.size())
        .mapToObj(i -> {
          Container.Builder container = Container.builder(model.containerId(i))
              .name("app-" + i)
              .state(ContainerState.RUNNING);
          uses.get(i).forEach(used -> container.image(ImageId.of(model.imageId(used))));
          return container.build();
        })
        .toList();
  }

  @Override
  public List<Image> listImages() {
    return images.get();
  }

  @Override
  public List<Container> listContainers() {
    return containers.get();
  }

  @Override
  public RemovalResult removeImage(Image image) {
    return RemovalResult.of(RemovalOutcome.REMOVED);
  }

  @Override
  public FsStats imageFs() {
    return ONE_BYTE_MISSING;
  }
}
