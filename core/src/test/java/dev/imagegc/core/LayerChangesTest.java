/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.find;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Layer;
import dev.imagegc.testkit.FakeNode;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Layers that change. */
class LayerChangesTest {
  @Test
  void sizeOfALayerThatNobodyHeldAnyMore_isForgotten() {
    LayerIndex index = new LayerIndex();
    index.release(index.hold(List.of(Layer.of("a", 10))));
    int[] again = index.hold(List.of(Layer.of("a", 100)));
    assertThat(index.bytes(again[0])).isEqualTo(100); // as after a restart
  }

  @Test
  void equalNodes_getEqualPlans_whateverWasThereBefore() {
    FakeNode node = FakeNode.withDisk(1000);
    node.image("first").layer("l", 10).add();
    node.otherData(850);
    try (ImageGcManager gc = collector(node).build()) {
      gc.detectImages();
      node.deleteImage("first");
      gc.detectImages();
      node.image("second").layer("l", 100).add(); // was told wrongly, or is another engine's name
      try (ImageGcManager fresh = collector(node).build()) {
        assertThat(gc.plan().decisions()).isEqualTo(fresh.plan().decisions());
      }
    }
  }

  @Test
  void layerWhoseToldSizeIsCorrected_countsWithTheNewSize() {
    FakeNode node = FakeNode.withDisk(1000);
    node.image("a").layer("l", 100).add();
    node.otherData(850);
    long[] told = {10};
    var runtime = node.runtime();
    var engine = new dev.imagegc.api.Runtime() {
      @Override
      public List<dev.imagegc.api.Image> listImages() {
        return runtime.listImages().stream()
            .map(image ->
                image.toBuilder().layers(List.of(Layer.of("l", told[0]))).build())
            .toList();
      }

      @Override
      public List<dev.imagegc.api.Container> listContainers() {
        return runtime.listContainers();
      }

      @Override
      public dev.imagegc.api.RemovalResult removeImage(dev.imagegc.api.Image image) {
        return runtime.removeImage(image);
      }
    };
    try (ImageGcManager gc = collector(node).runtime(engine).build()) {
      gc.detectImages();
      told[0] = 100;
      assertThat(find(gc.plan().decisions(), "a").exclusiveBytes()).hasValue(100);
      told[0] = 50;
      assertThat(find(gc.plan().decisions(), "a").exclusiveBytes()).hasValue(50);
    }
  }
}
