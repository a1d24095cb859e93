/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Layer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What follows from histories: the size of every layer, or nothing. */
class LayerSizesTest {
  private static final String NO_CHANGES =
      "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

  private final LayerSizes sizes = new LayerSizes();

  private static String diff(String name) {
    return LayerStack.digest(name);
  }

  /** A stack whose history adds up. */
  private static LayerStack stack(List<String> names, Long... history) {
    return LayerStack.ofGraphDriver(
        names.stream().map(name -> name.equals("-") ? NO_CHANGES : diff(name)).toList(),
        List.of(history),
        LayerStack.sum(List.of(history)));
  }

  private static LayerStack snapshots(List<String> names, long bytes, Long... history) {
    return stack(names, history).asSnapshots(bytes, true);
  }

  private Optional<List<Long>> sizesOf(LayerStack stack) {
    return sizes.layers(stack).map(layers -> {
      List<Long> counted = new ArrayList<>();
      for (Layer layer : layers) {
        counted.add(layer.sizeBytes() - stack.store().bytesBeside(counted.size()));
      }
      return counted;
    });
  }

  @Test
  void chainIds_areThoseOfTheImageSpecification() {
    String first = diff("a");
    String second = diff("b");

    assertThat(LayerStack.chain(List.of(first, second, second)))
        .containsExactly(
            first, diff(first + " " + second), diff(diff(first + " " + second) + " " + second));
  }

  @Test
  void stepsWithoutLayers_areSkipped() {
    LayerStack stack = stack(List.of("a", "b"), 0L, 10L, 0L, 0L, 20L, 0L);

    sizes.learn(List.of(stack));

    assertThat(sizesOf(stack)).contains(List.of(10L, 20L));
  }

  @Test
  void layerWithoutBytes_isFoundWhereOnlyOneStepCanBeIt() {
    LayerStack stack = stack(List.of("a", "workdir", "b"), 10L, 0L, 20L);

    sizes.learn(List.of(stack));

    assertThat(sizesOf(stack)).contains(List.of(10L, 0L, 20L));
  }

  @Test
  void severalStepsThatCanBeTheSameLayer_areNoProblem() {
    LayerStack stack = stack(List.of("a", "workdir", "b"), 10L, 0L, 0L, 0L, 20L);

    sizes.learn(List.of(stack));

    assertThat(sizesOf(stack)).contains(List.of(10L, 0L, 20L));
  }

  @Test
  void layerWithoutBytes_thatCanBeInSeveralPlaces_leavesTheImageUnknown() {
    LayerStack stack = stack(List.of("a", "workdir", "b"), 10L, 0L, 20L, 0L);

    sizes.learn(List.of(stack));

    assertThat(sizesOf(stack)).isEmpty();
    assertThat(sizes.layer(diff("a"))).as("10 bytes in every way that fits").isPresent();
  }

  @Test
  void anotherImageThatSharesTheLayers_decides() {
    LayerStack open = stack(List.of("a", "workdir", "b"), 10L, 0L, 20L, 0L);
    LayerStack base = stack(List.of("a", "workdir"), 10L, 0L);

    sizes.learn(List.of(open, base));

    assertThat(sizesOf(open)).contains(List.of(10L, 0L, 20L));
  }

  @Test
  void anotherImage_decidesAlsoWhenItComesLater() {
    LayerStack open = stack(List.of("a", "workdir", "b"), 10L, 0L, 20L, 0L);
    sizes.learn(List.of(open));
    sizes.learn(List.of(stack(List.of("a", "workdir"), 10L, 0L)));

    sizes.learn(List.of(open));

    assertThat(sizesOf(open)).contains(List.of(10L, 0L, 20L));
  }

  @Test
  void layerOfNoChanges_hasNoBytes() {
    LayerStack stack = stack(List.of("a", "-", "b"), 10L, 0L, 20L, 0L);

    sizes.learn(List.of(stack));

    assertThat(sizesOf(stack)).contains(List.of(10L, 0L, 20L));
  }

  @Test
  void layerOfNoChanges_onAKnownBase_isKnownToo() {
    LayerStack stack = stack(List.of("a", "-"), 10L, 0L);

    sizes.learn(List.of(stack(List.of("a"), 10L), stack));

    assertThat(sizesOf(stack)).contains(List.of(10L, 0L));
  }

  @Test
  void equalChangesOnDifferentBases_areDifferentLayers() {
    LayerStack left = stack(List.of("a", "b", "b"), 10L, 20L, 20L);
    LayerStack right = stack(List.of("b", "a"), 20L, 11L);

    sizes.learn(List.of(left, right));

    assertThat(sizesOf(left)).contains(List.of(10L, 20L, 20L));
    assertThat(sizesOf(right)).contains(List.of(20L, 11L));
    assertThat(sizes.layers(left).orElseThrow())
        .doesNotContainAnyElementsOf(sizes.layers(right).orElseThrow());
  }

  @Test
  void sharedLayers_areTheSameObjects() {
    LayerStack left = stack(List.of("a", "b"), 10L, 20L);
    LayerStack right = stack(List.of("a", "c"), 10L, 30L);

    sizes.learn(List.of(left, right));

    assertThat(sizes.layers(left).orElseThrow().get(0))
        .isSameAs(sizes.layers(right).orElseThrow().get(0));
  }

  @Test
  void imageWithoutLayers_hasNone() {
    LayerStack stack = stack(List.of(), 0L, 0L);

    sizes.learn(List.of(stack));

    assertThat(sizesOf(stack)).contains(List.of());
  }

  @Test
  void historyThatDoesNotAddUp_saysNothing() {
    LayerStack stack =
        LayerStack.ofGraphDriver(List.of(diff("a"), diff("b")), List.of(10L, 20L), 31);

    sizes.learn(List.of(stack));

    assertThat(sizesOf(stack)).isEmpty();
    assertThat(sizes.layer(diff("a"))).isEmpty();
  }

  @Test
  void missingHistory_isNoLossIfOtherImagesHaveAllLayers() {
    LayerStack stack = LayerStack.ofGraphDriver(List.of(diff("a"), diff("b")), List.of(), 30);

    sizes.learn(List.of(stack, stack(List.of("a", "b", "c"), 10L, 20L, 30L)));

    assertThat(sizesOf(stack)).contains(List.of(10L, 20L));
  }

  @Test
  void moreStepsWithBytesThanLayers_sayNothing() {
    LayerStack stack = stack(List.of("a"), 10L, 20L);

    sizes.learn(List.of(stack));

    assertThat(sizesOf(stack)).isEmpty();
  }

  @Test
  void imagesThatDisagree_areAllUnknown() {
    LayerStack one = stack(List.of("a", "b"), 10L, 20L);
    LayerStack other = stack(List.of("a", "c"), 11L, 30L);
    LayerStack third = stack(List.of("a", "d"), 10L, 40L);
    LayerStack stranger = stack(List.of("e"), 50L);

    sizes.learn(List.of(one, other, third, stranger));

    assertThat(sizesOf(one)).isEmpty();
    assertThat(sizesOf(other)).isEmpty();
    assertThat(sizesOf(third)).isEmpty();
    assertThat(sizesOf(stranger)).contains(List.of(50L));
    assertThat(sizes.disputed()).extracting(Layer::id).contains(diff("a"));
  }

  @Test
  void disagreement_endsWithTheLastImageOfTheLayer() {
    sizes.learn(List.of(stack(List.of("a"), 10L), stack(List.of("a"), 11L)));

    sizes.retain(List.of());
    sizes.learn(List.of(stack(List.of("a"), 11L)));

    assertThat(sizesOf(stack(List.of("a"), 11L))).contains(List.of(11L));
    assertThat(sizes.disputed()).isEmpty();
  }

  @Test
  void snapshotThatTheHistoryDoesNotCount_belongsToTheOnlyUnknownLayer() {
    LayerStack base = snapshots(List.of("a"), 10, 10L);
    LayerStack child = snapshots(List.of("a", "b"), 37, 10L, 20L);
    LayerStack tip = snapshots(List.of("a", "b", "c"), 67, 10L, 20L, 30L);

    sizes.learn(List.of(tip, child, base));

    assertThat(sizesOf(tip)).contains(List.of(10L, 27L, 30L));
  }

  @Test
  void snapshotThatTheHistoryDoesNotCount_belongsToNobodyKnownIfTwoLayersAreUnknown() {
    LayerStack tip = snapshots(List.of("a", "b", "c"), 67, 10L, 20L, 30L);

    sizes.learn(List.of(snapshots(List.of("a"), 10, 10L), tip));

    assertThat(sizesOf(tip)).isEmpty();
  }

  @Test
  void restOfAnUncertainSum_isNoLayer() {
    LayerStack stack = stack(List.of("a"), 10L).asSnapshots(15, false);

    sizes.learn(List.of(stack));

    assertThat(sizesOf(stack)).isEmpty();
  }

  @Test
  void layersThatTakeMoreThanTheImage_sayNothing() {
    LayerStack stack = snapshots(List.of("a", "b"), 5, 10L, 20L);

    sizes.learn(List.of(snapshots(List.of("a"), 10, 10L), stack));

    assertThat(sizesOf(stack)).isEmpty();
  }
}
