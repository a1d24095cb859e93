/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.math.LongMath;
import dev.imagegc.api.ImageDecision;
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
    if (item.tracked.layers() == null) {
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
    if (item.tracked.layers() == null) {
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

  /** Adds what an image holds alone, and what comes back with it if all goes that may. */
  void describe(Item item, ImageDecision.Builder decision) {
    if (item.tracked.layers() == null) {
      if (item.stays != null) {
        decision.reclaimableBytes(0);
      }
      return;
    }
    long exclusive = 0;
    long reclaimable = 0;
    for (int layer : layers(item)) {
      int holders = index.holders(layer);
      if (holders == 1) {
        exclusive = LongMath.saturatedAdd(exclusive, index.bytes(layer));
      }
      if (item.stays == null && holders == mayGo[layer]) {
        reclaimable = LongMath.saturatedAdd(reclaimable, index.bytes(layer));
      }
    }
    decision.exclusiveBytes(exclusive).reclaimableBytes(reclaimable);
  }

  /** Reads an unknown credit as nothing. */
  static long orZero(long credit) {
    return Math.max(0, credit);
  }

  private static int[] layers(Item item) {
    int[] layers = item.tracked.layers();
    return layers == null ? NONE : layers;
  }
}
