/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * All ways in which the steps of a history can be the layers of an image: in order, every layer is one step, and every step
 * that is not a layer has size 0.
 */
final class StackFit {
  /** Stands for a layer that can have several sizes. */
  private static final long SEVERAL = LayerStack.UNKNOWN;

  private static final long NONE = -2;

  private StackFit() {}

  /**
   * Returns the size of each layer, where it is the same in every way that fits.
   *
   * @param required the size that a layer must have, or {@link LayerStack#UNKNOWN} if it may have any
   * @param steps the sizes of the steps
   * @return a size for each layer, {@link LayerStack#UNKNOWN} if there are several; empty if there is no way that fits
   */
  static Optional<long[]> sizes(long[] required, List<Long> steps) {
    boolean[][] below = below(required, steps);
    boolean[][] above = above(required, steps);
    if (!above[0][0]) {
      return Optional.empty();
    }
    long[] sizes = new long[required.length];
    Arrays.fill(sizes, NONE);
    for (int layer = 0; layer < required.length; layer++) {
      for (int step = 0; step < steps.size(); step++) {
        long size = steps.get(step);
        if (below[layer][step]
            && may(required[layer], size)
            && above[layer + 1][step + 1]
            && sizes[layer] != size) {
          sizes[layer] = sizes[layer] == NONE ? size : SEVERAL;
        }
      }
    }
    return Optional.of(sizes);
  }

  /** Whether the first so many layers can be the first so many steps. */
  private static boolean[][] below(long[] required, List<Long> steps) {
    boolean[][] fits = new boolean[required.length + 1][steps.size() + 1];
    for (int layers = 0; layers <= required.length; layers++) {
      fits[layers][0] = layers == 0;
      for (int step = 0; step < steps.size(); step++) {
        long size = steps.get(step);
        fits[layers][step + 1] = (size == 0 && fits[layers][step])
            || (layers > 0 && may(required[layers - 1], size) && fits[layers - 1][step]);
      }
    }
    return fits;
  }

  /** Whether the layers from this one on can be the steps from this one on. */
  private static boolean[][] above(long[] required, List<Long> steps) {
    boolean[][] fits = new boolean[required.length + 1][steps.size() + 1];
    for (int layer = required.length; layer >= 0; layer--) {
      fits[layer][steps.size()] = layer == required.length;
      for (int step = steps.size() - 1; step >= 0; step--) {
        long size = steps.get(step);
        fits[layer][step] = (size == 0 && fits[layer][step + 1])
            || (layer < required.length && may(required[layer], size) && fits[layer + 1][step + 1]);
      }
    }
    return fits;
  }

  private static boolean may(long required, long size) {
    return required == LayerStack.UNKNOWN || required == size;
  }
}
