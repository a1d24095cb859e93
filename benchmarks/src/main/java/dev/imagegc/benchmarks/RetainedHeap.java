/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import dev.imagegc.core.ImageGcManager;
import java.lang.management.ManagementFactory;
import java.util.List;

/**
 * How much heap the collector keeps for each live image, with its layers: by the difference in used heap, so that whatever
 * it keeps is counted. The node forgets what it listed.
 */
final class RetainedHeap {
  private static final int COLLECTIONS = 3; // the first ones leave what waits for reference queues

  private RetainedHeap() {}

  /** Returns bytes per image. */
  static double bytesPerImage(int images) {
    measure(1000); // loads classes, fills caches
    return measure(images);
  }

  private static double measure(int images) {
    CannedNode node = new CannedNode();
    try (ImageGcManager gc = node.collector()) {
      gc.plan();
      long before = usedBytes();
      seeTwice(gc, node, images);
      return (double) (usedBytes() - before) / images;
    }
  }

  private static void seeTwice(ImageGcManager gc, CannedNode node, int images) {
    NodeModel model = new NodeModel(images, images, false);
    int last = NodeModel.ROUNDS - 1;
    node.show(() -> CannedNode.images(model, last), () -> CannedNode.containers(model, last));
    gc.plan();
    gc.plan();
    node.show(List::of, List::of);
  }

  /** Returns the bytes in use after the garbage is collected. */
  static long usedBytes() {
    for (int i = 0; i < COLLECTIONS; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
