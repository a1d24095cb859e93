/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import dev.imagegc.api.Layer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A node that both sides are told of in their own terms: equal for equal numbers, and with a past, so that there is an order to
 * find.
 *
 * <p>The node fills up over {@link #ROUNDS} detections. In each, every container uses a random image out of half of the images,
 * and each time out of another half; with as many containers as images, the last detection finds 43 % of the images in use.
 */
final class NodeModel {
  /** Detections that make the past; the last one is the present. */
  static final int ROUNDS = 8;

  private static final Instant EPOCH = Instant.parse("2026-01-01T00:00:00Z");
  private static final HexFormat HEX = HexFormat.of();

  private static final int BASES = 5;
  private static final int BASE_LAYERS = 3;
  private static final int OWN_LAYERS = 4;

  private static final int IMAGE = 1;
  private static final int CONTAINER = 2;
  private static final int BASE_LAYER = 3;
  private static final int OWN_LAYER = 4;

  private final int images;
  private final int containers;
  private final boolean mounts;
  private final List<Integer> mixed; // every image once

  /** An adapter asks for the layers of an image once and remembers them. */
  private final List<List<Layer>> layers = new ArrayList<>();

  /**
   * Makes a node.
   *
   * @param images how many images there are in the end
   * @param containers how many containers there are at any time
   * @param mounts whether each container has a second image mounted
   */
  NodeModel(int images, int containers, boolean mounts) {
    this.images = images;
    this.containers = containers;
    this.mounts = mounts;
    this.mixed = new ArrayList<>(IntStream.range(0, images).boxed().toList());
    Collections.shuffle(mixed, new Random(1));
    Random random = new Random(2);
    List<List<Layer>> bases = IntStream.range(0, BASES)
        .mapToObj(base -> layers(BASE_LAYER, base, BASE_LAYERS, random))
        .toList();
    for (int i = 0; i < images; i++) {
      List<Layer> all = new ArrayList<>(bases.get(random.nextInt(BASES)));
      all.addAll(layers(OWN_LAYER, i, OWN_LAYERS, random));
      layers.add(List.copyOf(all));
    }
  }

  private static List<Layer> layers(int kind, int owner, int count, Random random) {
    return IntStream.range(0, count)
        .mapToObj(i -> Layer.of("sha256:" + digest(kind, owner * count + i), layerBytes(random)))
        .toList();
  }

  /** Real layers: half are below 1 MB, few hold nearly all bytes. */
  private static long layerBytes(Random random) {
    return (long) Math.min(2e9, 1 + 1e6 * Math.exp(3 * random.nextGaussian()));
  }

  private static String digest(int kind, int number) {
    SplittableRandom random = new SplittableRandom(((long) kind << Integer.SIZE) + number);
    StringBuilder hex = new StringBuilder(64);
    for (int i = 0; i < 4; i++) {
      hex.append(HEX.toHexDigits(random.nextLong()));
    }
    return hex.toString();
  }

  /** How many images there are in a round: the first ones. */
  int listedIn(int round) {
    return (int) ((long) images * (round + 1) / ROUNDS);
  }

  int containers() {
    return containers;
  }

  /** A new string each time, as from an engine's answer; so are the others. */
  String imageId(int image) {
    return "sha256:" + digest(IMAGE, image);
  }

  String reference(int image) {
    return "registry.example/team-" + image % 50 + "/app-" + image + ":1.0";
  }

  Instant builtAt(int image) {
    return EPOCH.minusSeconds(Integer.toUnsignedLong(image * 0x9E3779B9) % 100_000_000);
  }

  /** The same list each time. */
  List<Layer> layers(int image) {
    return layers.get(image);
  }

  long sizeBytes(int image) {
    return layers(image).stream().mapToLong(Layer::sizeBytes).sum();
  }

  String containerId(int container) {
    return digest(CONTAINER, container);
  }

  /** The images that each container uses: its own, and then the mounted one if there are mounts. */
  List<List<Integer>> usesIn(int round) {
    Random random = new Random(100 + round);
    int start = listedIn(round);
    List<List<Integer>> uses = new ArrayList<>(containers);
    for (int i = 0; i < containers; i++) {
      List<Integer> used = new ArrayList<>();
      used.add(fromHalf(start, random));
      if (mounts) {
        used.add(fromHalf(start, random));
      }
      uses.add(List.copyOf(used));
    }
    return uses;
  }

  private int fromHalf(int start, Random random) {
    return mixed.get((start + random.nextInt(Math.max(1, images / 2))) % images);
  }
}
