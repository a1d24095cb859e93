/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.PullProgress;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/** One pull, step by step: between two steps others may act. */
final class Transfer {
  private final FakeNode node;
  private final String reference;
  private final ImageSpec image;
  private final Consumer<PullProgress> progress;
  private final Set<String> held = new HashSet<>(); // layers, until the image holds them
  private boolean isThere;
  private List<Map.Entry<String, Room>> missing = List.of();
  private long comeBytes;
  private long totalBytes;

  Transfer(FakeNode node, String reference, ImageSpec image, Consumer<PullProgress> progress) {
    this.node = node;
    this.reference = reference;
    this.image = image;
    this.progress = progress;
  }

  void run() {
    try {
      node.pullStep(this::begin);
      transfer();
      putOnNode();
    } finally {
      node.afterPull(state -> state.release(held)); // the image holds them now, if it is there
    }
    tell("Pulled");
  }

  private void begin(NodeState state) {
    isThere = state.has(image.id);
    Set<Map.Entry<String, Room>> layers =
        (isThere ? state.layers(image.id) : image.layers).entrySet();
    missing = layers.stream().filter(layer -> !state.hasLayer(layer.getKey())).toList();
    totalBytes = missing.stream().mapToLong(layer -> layer.getValue().bytes()).sum();
    // Those that are there must not go before the image has them.
    layers.stream().filter(layer -> !missing.contains(layer)).forEach(layer -> hold(state, layer));
  }

  private void hold(NodeState state, Map.Entry<String, Room> layer) {
    state.hold(layer.getKey(), layer.getValue(), reference);
    held.add(layer.getKey());
  }

  private void transfer() {
    tell("Pulling");
    node.registry().takeDuring().ifPresent(Runnable::run);
    Duration time = isThere ? Duration.ZERO : node.registry().transferTime();
    int parts = Math.max(1, missing.size());
    for (int i = 0; i < parts; i++) {
      if (i == parts - 1 && node.registry().takeStall(reference)) {
        node.faults().hang(Operation.PULL);
      }
      node.clock().advance(part(time, i + 1, parts).minus(part(time, i, parts)));
      if (i < missing.size()) {
        bring(missing.get(i));
      }
    }
  }

  private static Duration part(Duration whole, int part, int parts) {
    return whole.multipliedBy(part).dividedBy(parts);
  }

  private void bring(Map.Entry<String, Room> layer) {
    node.pullStep(state -> hold(state, layer));
    comeBytes += layer.getValue().bytes();
    tell("Downloading");
  }

  private void putOnNode() {
    Optional<Runnable> hook = node.registry().takeBeforeTag();
    if (hook.isPresent()) {
      node.pullStep(state -> state.put(image));
      hook.get().run();
      node.pullStep(state -> state.name(image, reference));
    } else {
      node.pullStep(state -> {
        state.put(image);
        state.name(image, reference);
      });
    }
  }

  private void tell(String status) {
    progress.accept(PullProgress.of(comeBytes, OptionalLong.of(totalBytes), status));
  }
}
