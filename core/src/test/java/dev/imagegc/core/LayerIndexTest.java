/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Layer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class LayerIndexTest {
  private final LayerIndex index = new LayerIndex();

  @Test
  void layerThatAnImageNamesTwice_isHeldOnce() {
    int[] held = index.hold(List.of(Layer.of("a", 1), Layer.of("a", 1), Layer.of("b", 2)));
    assertThat(held).hasSize(2);
    assertThat(index.holders(held[0])).isEqualTo(1);
  }

  @Test
  void layerOfTwoSizes_countsWithTheSmaller_untilNobodyHoldsIt() {
    int[] first = index.hold(List.of(Layer.of("a", 10)));
    assertThat(index.hold(List.of(Layer.of("a", 7)))).isEqualTo(first);
    int[] third = index.hold(List.of(Layer.of("a", 12)));
    assertThat(index.bytes(first[0])).isEqualTo(7);
    index.release(first);
    index.release(first);
    index.release(third);
    assertThat(index.bytes(index.hold(List.of(Layer.of("a", 12)))[0])).isEqualTo(12);
  }

  @Test
  void numbersOfLayersThatAreGone_areUsedAgain() {
    for (int i = 0; i < 100_000; i++) {
      index.release(index.hold(List.of(Layer.of("layer-" + i, i))));
    }
    assertThat(index.limit()).isLessThan(1000);
  }

  @Property(tries = 200)
  void holders_areThoseOfAPlainMap_whateverComesAndGoes(@ForAll long seed) {
    LayerIndex busy = new LayerIndex();
    Random random = new Random(seed);
    Map<String, Integer> expected = new HashMap<>();
    List<List<Layer>> images = new ArrayList<>();
    List<int[]> numbers = new ArrayList<>();
    for (int step = 0; step < 600; step++) {
      if (images.isEmpty() || random.nextInt(100) < 52) {
        List<Layer> layers = random
            .ints(random.nextInt(6), 0, 400)
            .distinct()
            .mapToObj(name -> Layer.of(id(name), name))
            .toList();
        layers.forEach(layer -> expected.merge(layer.id(), 1, Integer::sum));
        images.add(layers);
        numbers.add(busy.hold(layers));
      } else {
        int gone = random.nextInt(images.size());
        images.remove(gone).forEach(layer -> expected.merge(layer.id(), -1, Integer::sum));
        busy.release(numbers.remove(gone));
      }
    }
    for (int i = 0; i < images.size(); i++) {
      int[] held = numbers.get(i);
      assertThat(held).hasSize(images.get(i).size());
      for (int j = 0; j < held.length; j++) {
        Layer layer = images.get(i).get(j);
        assertThat(busy.bytes(held[j])).isEqualTo(layer.sizeBytes());
        assertThat(busy.holders(held[j])).isEqualTo(expected.get(layer.id()));
      }
    }
    assertThat(Arrays.stream(busy.holders()).sum())
        .isEqualTo(expected.values().stream().mapToInt(Integer::intValue).sum());
  }

  /** Digests and other ids. */
  private static String id(int name) {
    return name % 2 == 0 ? "sha256:" + String.format("%064x", name) : "layer-" + name;
  }
}
