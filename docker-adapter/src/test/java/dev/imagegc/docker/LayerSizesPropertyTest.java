/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Layer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** For all builds: the layers of an image are exactly right or unknown. */
class LayerSizesPropertyTest {
  private static final String NO_CHANGES =
      "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

  /** One step of a build: it makes a layer with one of few changes, or none. */
  enum Step {
    A,
    B,
    C,
    NOTHING_CHANGED,
    METADATA,
    MORE_METADATA;

    boolean makesLayer() {
      return this != METADATA && this != MORE_METADATA;
    }

    String diffId() {
      return this == NOTHING_CHANGED ? NO_CHANGES : LayerStack.digest(name());
    }
  }

  /** An image, with the truth about its layers. */
  private record Built(LayerStack stack, List<Long> truth) {
    static Built of(List<Step> steps, boolean snapshots) {
      List<String> diffIds =
          steps.stream().filter(Step::makesLayer).map(Step::diffId).toList();
      List<String> chain = LayerStack.chain(diffIds);
      List<Long> history = new ArrayList<>();
      List<Long> truth = new ArrayList<>();
      for (Step step : steps) {
        if (step.makesLayer()) {
          String id = chain.get(truth.size());
          long counted = step == Step.NOTHING_CHANGED && !snapshots ? 0 : number(id, 3);
          history.add(counted);
          truth.add(snapshots ? counted + Math.max(0, number("hidden " + id, 4) - 2) : counted);
        } else {
          history.add(0L);
        }
      }
      long bytes = LayerStack.sum(truth);
      LayerStack stack = LayerStack.ofGraphDriver(diffIds, history, bytes);
      return new Built(snapshots ? stack.asSnapshots(bytes, true) : stack, truth);
    }

    /** A size that is the same whenever the id is. */
    private static long number(String id, int bound) {
      return Math.floorMod(LayerStack.digest(id).hashCode(), bound);
    }

    Optional<List<Long>> found(LayerSizes sizes) {
      return sizes.layers(stack).map(layers -> {
        List<Long> found = new ArrayList<>();
        for (Layer layer : layers) {
          found.add(layer.sizeBytes() - stack.store().bytesBeside(found.size()));
        }
        return found;
      });
    }
  }

  @Provide
  Arbitrary<List<List<Step>>> builds() {
    return Arbitraries.of(Step.class).list().ofMaxSize(8).list().ofMinSize(1).ofMaxSize(10);
  }

  private static List<Built> build(List<List<Step>> builds, boolean snapshots) {
    return builds.stream().map(steps -> Built.of(steps, snapshots)).toList();
  }

  private static LayerSizes learned(List<Built> images) {
    LayerSizes sizes = new LayerSizes();
    sizes.learn(images.stream().map(Built::stack).toList());
    return sizes;
  }

  @Property
  void layers_areExactlyRightOrUnknown(
      @ForAll("builds") List<List<Step>> builds, @ForAll boolean snapshots) {
    List<Built> images = build(builds, snapshots);

    LayerSizes sizes = learned(images);

    assertThat(sizes.disputed()).isEmpty();
    for (Built image : images) {
      image.found(sizes).ifPresent(found -> assertThat(found).isEqualTo(image.truth()));
    }
  }

  @Property
  void layersThatAllHaveBytes_areKnown(@ForAll("builds") List<List<Step>> builds) {
    List<Built> images = build(builds, false);

    LayerSizes sizes = learned(images);

    for (Built image : images) {
      if (!image.truth().contains(0L)) {
        assertThat(image.found(sizes)).contains(image.truth());
      }
    }
  }

  @Property
  void whatIsKnown_doesNotDependOnTheOrder(
      @ForAll("builds") List<List<Step>> builds, @ForAll boolean snapshots, @ForAll Random random) {
    List<Built> images = build(builds, snapshots);
    List<Built> shuffled = new ArrayList<>(images);
    Collections.shuffle(shuffled, random);
    LayerSizes sizes = learned(images);
    LayerSizes others = learned(shuffled);

    for (Built image : images) {
      assertThat(image.found(sizes)).isEqualTo(image.found(others));
    }
  }

  @Property
  void whatComesInParts_isKnownAsIfItCameAtOnce(@ForAll("builds") List<List<Step>> builds) {
    List<Built> images = build(builds, false);
    LayerSizes inParts = new LayerSizes();
    for (int i = 1; i <= images.size(); i++) {
      inParts.learn(images.subList(0, i).stream().map(Built::stack).toList());
    }
    LayerSizes atOnce = learned(images);

    for (Built image : images) {
      assertThat(image.found(inParts)).isEqualTo(image.found(atOnce));
    }
  }

  /** Against all ways there are, tried one by one. */
  @Property
  void sizes_areThoseThatAllWaysHaveInCommon(
      @ForAll @Size(max = 7) List<@IntRange(min = 0, max = 2) Integer> steps,
      @ForAll @Size(max = 5) List<@IntRange(min = -1, max = 2) Integer> limits) {
    long[] limited = limits.stream().mapToLong(Integer::longValue).toArray();
    List<Long> history = steps.stream().map(Integer::longValue).toList();
    List<Set<Long>> possible = new ArrayList<>();
    limits.forEach(limit -> possible.add(new HashSet<>()));
    boolean fits = false;
    for (int way = 0; way < 1 << steps.size(); way++) {
      List<Long> layers = layers(history, way);
      if (layers != null && fit(layers, limited)) {
        fits = true;
        for (int i = 0; i < layers.size(); i++) {
          possible.get(i).add(layers.get(i));
        }
      }
    }

    Optional<long[]> sizes = StackFit.sizes(limited, history);

    assertThat(sizes.isPresent()).isEqualTo(fits);
    for (int i = 0; fits && i < limited.length; i++) {
      Set<Long> all = possible.get(i);
      assertThat(sizes.orElseThrow()[i])
          .isEqualTo(all.size() == 1 ? all.iterator().next() : LayerStack.UNKNOWN);
    }
  }

  /** The steps that are layers, or null if one that is not has bytes. */
  private static List<Long> layers(List<Long> steps, int way) {
    List<Long> layers = new ArrayList<>();
    for (int i = 0; i < steps.size(); i++) {
      if ((way >> i & 1) == 1) {
        layers.add(steps.get(i));
      } else if (steps.get(i) != 0) {
        return null;
      }
    }
    return layers;
  }

  private static boolean fit(List<Long> layers, long[] limits) {
    if (layers.size() != limits.length) {
      return false;
    }
    for (int i = 0; i < limits.length; i++) {
      if (limits[i] != LayerStack.UNKNOWN && limits[i] != layers.get(i)) {
        return false;
      }
    }
    return true;
  }
}
