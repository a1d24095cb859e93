/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** The layers on a disk: each is stored once, for as long as somebody holds it. Not thread-safe. */
final class LayerStore {
  private final Map<String, Layer> layers = new LinkedHashMap<>();
  private long usedBytes;

  long usedBytes() {
    return usedBytes;
  }

  boolean has(String name) {
    return layers.containsKey(name);
  }

  /** Returns how many bytes holding these layers would add. */
  long newBytes(Map<String, Long> sizes) {
    long bytes = 0;
    for (Map.Entry<String, Long> wanted : sizes.entrySet()) {
      Layer stored = layers.get(wanted.getKey());
      if (stored == null) {
        bytes = Math.addExact(bytes, wanted.getValue());
      } else if (stored.bytes != wanted.getValue()) {
        throw new IllegalArgumentException("layer " + wanted.getKey() + " is on the node with "
            + stored.bytes + " bytes, not " + wanted.getValue());
      }
    }
    return bytes;
  }

  void hold(Map<String, Long> sizes) {
    usedBytes += newBytes(sizes);
    sizes.forEach(
        (name, bytes) -> layers.computeIfAbsent(name, unused -> new Layer(bytes)).holders++);
  }

  /** Returns how many bytes were freed. */
  long release(Collection<String> names) {
    long freed = 0;
    for (String name : names) {
      Layer layer = Objects.requireNonNull(layers.get(name), name);
      if (--layer.holders == 0) {
        layers.remove(name);
        freed += layer.bytes;
      }
    }
    usedBytes -= freed;
    return freed;
  }

  private static final class Layer {
    private final long bytes;
    private int holders;

    private Layer(long bytes) {
      this.bytes = bytes;
    }
  }
}
