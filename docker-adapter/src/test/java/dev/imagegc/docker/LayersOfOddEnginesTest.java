/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Image;
import dev.imagegc.docker.StubEngine.StubImage;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An engine whose numbers are odd. */
class LayersOfOddEnginesTest extends DaemonTest {
  @BeforeEach
  void withLayers() {
    runtime.close();
    runtime = builder().layers(true).build();
  }

  private static String diff(String name) {
    return LayerStack.digest(name);
  }

  private StubImage image(List<String> diffs, Long... steps) {
    StubImage image = engine.image();
    image.layers(diffs.stream().map(LayersOfOddEnginesTest::diff).toList(), steps);
    return image;
  }

  @Test
  void imageOfAnImpossibleSize_doesNotFailTheListing() {
    StubImage huge = image(List.of("a"), Long.MAX_VALUE);
    StubImage other = image(List.of("b"), 20L);

    assertThat(runtime.listImages()).extracting(Image::id).hasSize(2);
    assertThat(listed(huge.id).layers()).isEmpty();
    assertThat(listed(other.id).layers()).isPresent();
  }

  @Test
  void snapshotOfAnImpossibleSize_isNotLearnt() {
    LayerSizes sizes = new LayerSizes();
    LayerStack stack = LayerStack.ofGraphDriver(List.of(diff("a")), List.of(1L), 1)
        .asSnapshots(Long.MAX_VALUE, true); // the engine's Size less the blobs
    sizes.learn(List.of(stack));
    assertThat(sizes.layers(stack)).isEmpty();
  }

  @Test
  void historyWhoseSumOverflows_isNotTakenForTheSize() {
    long max = Long.MAX_VALUE;
    StubImage image = image(List.of("a", "b", "c"), max, max, 3L); // adds up to 1

    assertThat(listed(image.id).layers()).isEmpty();
  }

  @Test
  void imageWhoseHistoryIsUnderstoodLate_isSolvedWhenTheDisputeIsOver() {
    StubImage liar = image(List.of("a", "b"), 11L, 20L);
    runtime.listImages();
    StubImage honest = image(List.of("a", "c"), 10L, 30L);
    assertThat(listed(honest.id).layers()).isEmpty(); // they disagree
    engine.tag(liar.id, "liar:1");
    engine.removeImage("liar:1");
    runtime.listImages();

    assertThat(listed(honest.id).layers()).isPresent(); // nobody disagrees any more
  }
}
