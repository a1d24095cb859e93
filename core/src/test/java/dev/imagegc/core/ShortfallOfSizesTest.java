/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcReport;
import dev.imagegc.testkit.FakeNode;
import org.junit.jupiter.api.Test;

/** Where the bytes are. */
class ShortfallOfSizesTest {
  private final FakeNode node = FakeNode.withDisk(1000);

  @Test
  void sizesThatCountSharedLayersTwice_doNotProveThatHighCanNeverBeKept() {
    for (int i = 0; i < 4; i++) { // 340 used in truth, 1240 by sizes
      node.image("used-" + i)
          .layer("base", 300)
          .layer("own-" + i, 10)
          .unknownLayers()
          .add();
      node.run("c" + i, "used-" + i);
    }
    node.otherData(580); // 920 used, need 120, and nothing may go
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.explanation()).doesNotContain("with nothing but the images in use");
      assertThat(report.explanation()).doesNotContain("0 B by data that is not images");
      assertThat(report.otherDataBytes().orElse(580)).isEqualTo(580); // unknown is not zero
    }
  }

  @Test
  void layersOfADeletedImageThatAContainerHolds_areSomewhereInTheSum() {
    node.image("gone").size(300).add();
    node.run("c1", "gone");
    node.image("stays").size(100).pinned("by the engine").add();
    node.otherData(520); // 920 used
    try (ImageGcManager gc = collector(node).build()) {
      gc.detectImages();
      node.deleteImage("gone"); // by force; the container keeps 300 bytes
      GcReport report = gc.garbageCollect();
      long held =
          report.held().stream().mapToLong(sum -> sum.bytes().orElseThrow()).sum();
      assertThat(held + report.otherDataBytes().orElseThrow()).isEqualTo(node.usedBytes());
    }
  }
}
