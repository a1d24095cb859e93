/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.math.LongMath;
import dev.imagegc.core.Planner.Item;
import java.util.List;

/**
 * The bytes of a plan: credits each layer once, to the last of its holders that is taken. An image whose layers are not known
 * is credited with its listed size.
 */
final class LayerLedger {
  /** Credit of an image of which neither layers nor size are known. */
  static final long UNKNOWN = -1;

  private static final int[] NONE = {};

  private final LayerIndex index;
  /** How many still hold each layer, by the layer's number. */
  private final int[] left;
  /** How many of its holders may go. */
  private final int[] mayGo;

  LayerLedger(LayerIndex index, List<Item> candidates) {
    this.index = index;
    this.left = index.holders();
    this.mayGo = new int[left.length];
    for (Item candidate : candidates) {
      for (int layer : layers(candidate)) {
        mayGo[layer]++;
      }
    }
  }

  /** Counts an image as gone; returns what that frees, or {@link #UNKNOWN}. */
  long take(Item item) {
    if (item.layers == null) {
      return item.record.image().sizeBytes().orElse(UNKNOWN);
    }
    long bytes = 0;
    for (int layer : layers(item)) {
      if (--left[layer] == 0) {
        bytes = LongMath.saturatedAdd(bytes, index.bytes(layer));
      }
    }
    return bytes;
  }

  /** Undoes {@link #take}. */
  void giveBack(Item item) {
    for (int layer : layers(item)) {
      left[layer]++;
    }
  }

  /** Bytes that would not come back if this image, which was taken, stayed; a lot if its layers are not known. */
  long lostIfKept(Item item) {
    if (item.layers == null) {
      return Long.MAX_VALUE;
    }
    long bytes = 0;
    for (int layer : layers(item)) {
      if (left[layer] == 0) {
        bytes = LongMath.saturatedAdd(bytes, index.bytes(layer));
      }
    }
    return bytes;
  }

  /** What an image holds alone, if its layers are known. */
  long exclusiveBytes(Item item) {
    long bytes = 0;
    for (int layer : layers(item)) {
      if (index.holders(layer) == 1) {
        bytes = LongMath.saturatedAdd(bytes, index.bytes(layer));
      }
    }
    return bytes;
  }

  /** What comes back with an image if all goes that may; nothing if it stays. */
  long reclaimableBytes(Item item) {
    if (item.stays != null) {
      return 0;
    }
    long bytes = 0;
    for (int layer : layers(item)) {
      if (index.holders(layer) == mayGo[layer]) {
        bytes = LongMath.saturatedAdd(bytes, index.bytes(layer));
      }
    }
    return bytes;
  }

  /** Reads an unknown credit as nothing. */
  static long orZero(long credit) {
    return Math.max(0, credit);
  }

  private static int[] layers(Item item) {
    return item.layers == null ? NONE : item.layers;
  }
}
