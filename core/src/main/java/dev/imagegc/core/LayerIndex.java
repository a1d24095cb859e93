/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ImmutableSet;
import dev.imagegc.api.Layer;
import java.util.Arrays;
import java.util.Collection;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How many hold each layer of the node. Every layer has a small number, so that a plan can keep its own counts in an array.
 *
 * <p>A node has several layers for each image, so they are kept in flat arrays, in a hash table with linear probing. A layer
 * that nobody holds any more stays in the table until there are many of those; then the table is built anew, and their numbers
 * are given to others. Not thread-safe.
 */
final class LayerIndex {
  private static final int FIRST_CAPACITY = 64; // of the table a power of two, always

  private @Nullable Layer[] layers = new Layer[FIRST_CAPACITY]; // by number
  private long[] bytes =
      new long[FIRST_CAPACITY]; // where a plan finds them sooner than in the layers
  private int[] holders = new int[FIRST_CAPACITY];
  private int numbers; // all numbers in use are below

  private int[] table = new int[2 * FIRST_CAPACITY]; // a number plus 1, or 0
  private int unheld; // layers in the table that nobody holds

  private int[] free = {}; // numbers that are not in the table
  private int frees;

  /**
   * Adds a holder to layers.
   *
   * @return the number of each layer, each once
   */
  int[] hold(Collection<Layer> held) {
    ImmutableSet<Layer> distinct = ImmutableSet.copyOf(held);
    int[] result = new int[distinct.size()];
    int i = 0;
    for (Layer layer : distinct) {
      int number = number(layer);
      if (holders[number]++ == 0) {
        unheld--;
      }
      result[i++] = number;
    }
    return result;
  }

  /** Takes a holder from layers that {@link #hold} has numbered. */
  void release(int[] held) {
    for (int number : held) {
      if (--holders[number] == 0) {
        unheld++;
      }
    }
    if (unheld > FIRST_CAPACITY && unheld > numbers / 2) {
      rebuild(table.length);
    }
  }

  int holders(int number) {
    return holders[number];
  }

  /** Returns how many hold each layer, by number: a copy for the caller to change. */
  int[] holders() {
    return Arrays.copyOf(holders, numbers);
  }

  long bytes(int number) {
    return bytes[number];
  }

  /** All numbers are below this one. */
  int limit() {
    return numbers;
  }

  private int number(Layer layer) {
    int at = find(layer);
    if (table[at] != 0) {
      int number = table[at] - 1;
      if (holders[number] == 0) { // an engine may have corrected it
        layers[number] = layer;
        bytes[number] = layer.sizeBytes();
      }
      // An engine that gives a layer two sizes is not believed to free the larger one.
      bytes[number] = Math.min(bytes[number], layer.sizeBytes());
      return number;
    }
    if (4 * (numbers - frees + 1) > 3 * table.length) {
      rebuild(2 * table.length);
      at = find(layer);
    }
    int number = frees > 0 ? free[--frees] : newNumber();
    layers[number] = layer;
    bytes[number] = layer.sizeBytes();
    table[at] = number + 1;
    unheld++; // until its first holder is counted
    return number;
  }

  private int newNumber() {
    if (numbers == layers.length) {
      int capacity = numbers + numbers / 4;
      layers = Arrays.copyOf(layers, capacity);
      bytes = Arrays.copyOf(bytes, capacity);
      holders = Arrays.copyOf(holders, capacity);
    }
    return numbers++;
  }

  /** Returns where in the table a layer is, or would be put. */
  private int find(Layer layer) {
    int mask = table.length - 1;
    int at = spread(layer.hashCode()) & mask;
    while (table[at] != 0 && !layer.equals(layers[table[at] - 1])) {
      at = (at + 1) & mask;
    }
    return at;
  }

  /** The hash of a digest is as good as random, that of other ids may not be. */
  private static int spread(int hash) {
    int mixed = hash * 0x9E3779B9;
    return mixed ^ mixed >>> 16;
  }

  private void rebuild(int capacity) {
    table = new int[capacity];
    free = new int[0];
    frees = 0;
    unheld = 0;
    for (int number = 0; number < numbers; number++) {
      if (holders[number] > 0) {
        table[find(Objects.requireNonNull(layers[number]))] = number + 1;
      } else {
        layers[number] = null;
        if (frees == free.length) {
          free = Arrays.copyOf(free, Math.max(FIRST_CAPACITY, 2 * frees));
        }
        free[frees++] = number;
      }
    }
  }
}
