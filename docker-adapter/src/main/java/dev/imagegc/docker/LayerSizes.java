/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.api.Layer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Finds out how large each layer is from what engines say of whole images.
 *
 * <p>A history has the size of every step, but does not say which of the steps of size 0 made a layer: {@code WORKDIR} does
 * with overlay2, which counts no directories, {@code ENV} does not. So a history can fit the layers in more than one way.
 * A size is believed if it is the same in every way that fits; what one image leaves open, another one that shares the
 * layers may decide. No size is guessed.
 *
 * <p>Every layer has one size and is one object, whatever images hold it. Not thread-safe.
 */
final class LayerSizes {
  /** A layer as it is given out, and its size as the engine counts it. */
  private record Size(Layer layer, long bytes) {}

  private final Map<Layer, Size> known = new HashMap<>();
  private final Set<Layer> disputed = new HashSet<>();

  /**
   * Learns the size of a layer from a source that names it.
   *
   * @param bytes the size as the engine counts it
   * @param beside what the store takes for the layer beside that
   */
  void learn(String id, long bytes, long beside) {
    if (bytes > LayerStack.MOST_BYTES) {
      return;
    }
    Layer layer = Layer.of(id, bytes + beside);
    Size before = known.putIfAbsent(layer, new Size(layer, bytes));
    if (before != null && before.bytes() != bytes) {
      disputed.add(before.layer());
    }
  }

  /** Learns the size of one layer of a stack. */
  void learn(LayerStack stack, int layer, long bytes) {
    learn(stack.chain().get(layer), bytes, stack.store().bytesBeside(layer));
  }

  /** Learns what follows from some stacks together, and from what is known already. */
  void learn(Collection<LayerStack> stacks) {
    learn(stacks, () -> false);
  }

  /**
   * Learns what follows from some stacks together, and from what is known already.
   *
   * @param timeIsOver ends it early; what follows from the rest may be learnt another time
   */
  void learn(Collection<LayerStack> stacks, BooleanSupplier timeIsOver) {
    boolean learned = true;
    while (learned) {
      learned = false;
      for (LayerStack stack : stacks) {
        if (timeIsOver.getAsBoolean()) {
          return;
        }
        learned |= stack.hasHistory() ? learnFromHistory(stack) : learnFromRest(stack);
      }
    }
  }

  private boolean learnFromHistory(LayerStack stack) {
    if (layers(stack).isPresent()) {
      return false; // there is nothing left to learn
    }
    long[] required = required(stack);
    Optional<long[]> sizes = StackFit.sizes(required, stack.history());
    if (sizes.isEmpty()) {
      return dispute(stack);
    }
    boolean learned = false;
    for (int i = 0; i < required.length; i++) {
      if (sizes.get()[i] != LayerStack.UNKNOWN
          && !known.containsKey(Layer.of(stack.chain().get(i), 0))) {
        learn(stack, i, sizes.get()[i]);
        learned = true;
      }
    }
    return learned;
  }

  /** If only one layer is unknown, and it is certain what all are together, then the rest is its size. */
  private boolean learnFromRest(LayerStack stack) {
    int unknown = -1;
    long rest = stack.bytes();
    for (int i = 0; i < stack.chain().size(); i++) {
      Optional<Long> size = size(stack.chain().get(i));
      if (size.isPresent()) {
        rest -= size.get();
      } else if (unknown >= 0) {
        return false;
      } else {
        unknown = i;
      }
    }
    if (!stack.exact()
        || unknown < 0
        || rest < 0
        || rest > LayerStack.MOST_BYTES
        || known.containsKey(Layer.of(stack.chain().get(unknown), 0))) {
      return false;
    }
    learn(stack, unknown, rest);
    return true;
  }

  private long[] required(LayerStack stack) {
    long[] required = new long[stack.chain().size()];
    for (int i = 0; i < required.length; i++) {
      required[i] = size(stack.chain().get(i)).orElse(stack.fixed().get(i));
    }
    return required;
  }

  private Optional<Long> size(String id) {
    Layer key = Layer.of(id, 0);
    return disputed.contains(key)
        ? Optional.empty()
        : Optional.ofNullable(known.get(key)).map(Size::bytes);
  }

  /** Images disagree: nothing that they share is believed any more. */
  private boolean dispute(LayerStack stack) {
    boolean changed = false;
    for (String id : stack.chain()) {
      Size size = known.get(Layer.of(id, 0));
      changed |= size != null && disputed.add(size.layer());
    }
    return changed;
  }

  /** Returns the layers of a stack if all of them are known and they add up. */
  Optional<List<Layer>> layers(LayerStack stack) {
    List<Layer> layers = new ArrayList<>(stack.chain().size());
    long sum = 0;
    for (String id : stack.chain()) {
      Size size = known.get(Layer.of(id, 0));
      if (size == null || disputed.contains(size.layer())) {
        return Optional.empty();
      }
      layers.add(size.layer());
      sum += size.bytes();
    }
    return sum == stack.bytes() ? Optional.of(layers) : Optional.empty();
  }

  /** Returns a layer if its size is known. */
  Optional<Layer> layer(String id) {
    return Optional.ofNullable(known.get(Layer.of(id, 0)))
        .map(Size::layer)
        .filter(layer -> !disputed.contains(layer));
  }

  /** The layers to whose sizes images do not agree. */
  Set<Layer> disputed() {
    return Set.copyOf(disputed);
  }

  /** Forgets all layers but these. */
  void retain(Collection<? extends Collection<Layer>> held) {
    Set<Layer> kept = new HashSet<>();
    held.forEach(kept::addAll);
    known.keySet().retainAll(kept);
    disputed.retainAll(kept);
  }
}
