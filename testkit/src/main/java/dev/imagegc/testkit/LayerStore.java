/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** The layers on a disk: each is stored once, for as long as somebody holds it. Not thread-safe. */
final class LayerStore {
  private final Map<String, Layer> layers = new LinkedHashMap<>();
  private Room used = Room.NONE;

  Room used() {
    return used;
  }

  boolean has(String name) {
    return layers.containsKey(name);
  }

  /** Returns how much holding these layers would add. */
  Room newRoom(Map<String, Room> sizes) {
    Room more = Room.NONE;
    for (Map.Entry<String, Room> wanted : sizes.entrySet()) {
      Layer stored = layers.get(wanted.getKey());
      if (stored == null) {
        more = more.plus(wanted.getValue());
      } else if (!stored.room.equals(wanted.getValue())) {
        throw new IllegalArgumentException("layer " + wanted.getKey() + " is on the node with "
            + stored.room + ", not " + wanted.getValue());
      }
    }
    return more;
  }

  void hold(Map<String, Room> sizes) {
    used = used.plus(newRoom(sizes));
    sizes.forEach(
        (name, room) -> layers.computeIfAbsent(name, unused -> new Layer(room)).holders++);
  }

  /** Returns how much was freed. */
  Room release(Collection<String> names) {
    Room freed = Room.NONE;
    for (String name : names) {
      Layer layer = Objects.requireNonNull(layers.get(name), name);
      if (--layer.holders == 0) {
        layers.remove(name);
        freed = freed.plus(layer.room);
      }
    }
    used = used.minus(freed);
    return freed;
  }

  private static final class Layer {
    private final Room room;
    private int holders;

    private Layer(Room room) {
      this.room = room;
    }
  }
}
