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
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** An engine and a disk that answer at once with lists made beforehand, so that only the collector costs. */
final class CannedNode implements Runtime, FsStatsProvider {
  private static final Instant EPOCH = Instant.parse("2026-01-01T00:00:00Z");

  private final List<Image> images = new ArrayList<>();
  private final List<Container> containers = new ArrayList<>();

  /** Makes a node; the containers use half of the images. */
  CannedNode(int imageCount, int containerCount) {
    Random random = new Random(1);
    for (int i = 0; i < imageCount; i++) {
      images.add(Image.builder(ImageId.of(hexId(random)))
          .reference("registry.example/team-" + i % 50 + "/app-" + i + ":1.0")
          .sizeBytes(1_000_000L + random.nextInt(500_000_000))
          .builtAt(EPOCH.minusSeconds(random.nextInt(100_000_000)))
          .build());
    }
    for (int i = 0; i < containerCount; i++) {
      containers.add(Container.builder(hexId(random))
          .image(images.get(random.nextInt(Math.max(1, imageCount / 2))).id())
          .state(ContainerState.RUNNING)
          .build());
    }
  }

  private static String hexId(Random random) {
    StringBuilder hex = new StringBuilder("sha256:");
    for (int i = 0; i < 4; i++) {
      hex.append(String.format("%016x", random.nextLong()));
    }
    return hex.toString();
  }

  @Override
  public List<Image> listImages() {
    return images;
  }

  @Override
  public List<Container> listContainers() {
    return containers;
  }

  @Override
  public RemovalResult removeImage(Image image) {
    return RemovalResult.of(RemovalOutcome.REMOVED);
  }

  @Override
  public FsStats imageFs() {
    return FsStats.of("/canned", EPOCH, 100L << 30, 10L << 30);
  }
}
