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
  private Map<Layer, Layer> known = new HashMap<>();
  private final Set<Layer> disputed = new HashSet<>();

  /** Learns the size of a layer from a source that names it. */
  void learn(String id, long bytes) {
    Layer layer = Layer.of(id, bytes);
    Layer before = known.putIfAbsent(layer, layer);
    if (before != null && before.sizeBytes() != bytes) {
      disputed.add(before);
    }
  }

  /** Learns what follows from some stacks together, and from what is known already. */
  void learn(Collection<LayerStack> stacks) {
    boolean learned = true;
    while (learned) {
      learned = false;
      for (LayerStack stack : stacks) {
        learned |= learn(stack);
      }
    }
  }

  private boolean learn(LayerStack stack) {
    if (!stack.hasHistory()) {
      return false;
    }
    long[] limits = limits(stack);
    if (!open(limits, stack)) {
      return false;
    }
    Optional<long[]> sizes = StackFit.sizes(limits, stack.history());
    if (sizes.isEmpty()) {
      return dispute(stack);
    }
    boolean learned = false;
    for (int i = 0; i < limits.length; i++) {
      Layer key = Layer.of(stack.chain().get(i), 0);
      if (sizes.get()[i] != LayerStack.UNKNOWN && !known.containsKey(key)) {
        learn(stack.chain().get(i), sizes.get()[i]);
        learned = true;
      }
    }
    return learned;
  }

  /** Whether a stack is still worth a look: a layer is unknown, or what is known does not add up. */
  private static boolean open(long[] limits, LayerStack stack) {
    long sum = 0;
    for (long limit : limits) {
      if (limit == LayerStack.UNKNOWN) {
        return true;
      }
      sum += limit;
    }
    return sum != stack.bytes();
  }

  private long[] limits(LayerStack stack) {
    long[] limits = new long[stack.chain().size()];
    for (int i = 0; i < limits.length; i++) {
      limits[i] = size(stack.chain().get(i)).orElse(stack.fixed().get(i));
    }
    return limits;
  }

  private Optional<Long> size(String id) {
    Layer key = Layer.of(id, 0);
    return disputed.contains(key)
        ? Optional.empty()
        : Optional.ofNullable(known.get(key)).map(Layer::sizeBytes);
  }

  /** Images disagree: nothing that they share is believed any more. */
  private boolean dispute(LayerStack stack) {
    boolean changed = false;
    for (String id : stack.chain()) {
      Layer layer = known.get(Layer.of(id, 0));
      changed |= layer != null && disputed.add(layer);
    }
    return changed;
  }

  /** Returns the layers of a stack if all of them are known and they add up. */
  Optional<List<Layer>> layers(LayerStack stack) {
    List<Layer> layers = new ArrayList<>(stack.chain().size());
    long sum = 0;
    for (String id : stack.chain()) {
      Optional<Layer> layer = layer(id);
      if (layer.isEmpty()) {
        return Optional.empty();
      }
      layers.add(layer.get());
      sum += layer.get().sizeBytes();
    }
    return sum == stack.bytes() ? Optional.of(layers) : Optional.empty();
  }

  /** Returns a layer if its size is known. */
  Optional<Layer> layer(String id) {
    return Optional.ofNullable(known.get(Layer.of(id, 0)))
        .filter(layer -> !disputed.contains(layer));
  }

  /** The layers to whose sizes images do not agree. */
  Set<Layer> disputed() {
    return Set.copyOf(disputed);
  }

  /** Forgets all layers but these. */
  void retain(Collection<? extends Collection<Layer>> held) {
    Map<Layer, Layer> kept = new HashMap<>();
    held.forEach(layers -> layers.forEach(layer -> kept.put(layer, layer)));
    known = kept;
    disputed.retainAll(kept.keySet());
  }

  int count() {
    return known.size();
  }
}
