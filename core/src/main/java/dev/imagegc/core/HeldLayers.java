/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who holds which layer: the node's images, and those that are gone but that containers still hold. Used by one thread at a time. */
final class HeldLayers {
  private final LayerIndex layers = new LayerIndex();
  /** The layers of images that are gone, but that containers still hold. */
  private final Map<ImageId, int[]> orphans = new HashMap<>();
  /** The layers of images that went since the last listing: a container may have been created at the last moment. */
  private final Map<ImageId, List<Layer>> justRemoved = new HashMap<>();

  private boolean holdersKnown = true;

  Inventory inventory(List<TrackedImage> images) {
    return new Inventory(images, layers, orphans.size(), holdersKnown);
  }

  void hold(TrackedImage image) {
    image.layers(image.image().layers().map(layers::hold).orElse(null));
  }

  void release(TrackedImage image) {
    int[] held = image.layers();
    if (held != null) {
      layers.release(held);
    }
  }

  /** Takes note that an image was removed, whose layers were released. */
  void removed(TrackedImage image) {
    image.image().layers().ifPresent(known -> justRemoved.put(image.id(), known));
  }

  /**
   * Keeps hold of the layers of images that are gone for as long as containers need them.
   *
   * @param unknownUsed images that containers hold and that were not listed before either
   * @param vanishedUsed images that containers hold and that are listed no more; not released yet
   */
  void adoptOrphans(Set<ImageId> unknownUsed, List<TrackedImage> vanishedUsed) {
    Set<ImageId> unlisted = new HashSet<>(unknownUsed);
    for (TrackedImage image : vanishedUsed) {
      unlisted.add(image.id());
      image.image().layers().ifPresent(known -> orphans.put(image.id(), layers.hold(known)));
    }
    justRemoved.forEach((id, known) -> {
      if (unlisted.contains(id) && !orphans.containsKey(id)) {
        orphans.put(id, layers.hold(known));
      }
    });
    justRemoved.clear();
    orphans.entrySet().removeIf(orphan -> {
      boolean free = !unlisted.contains(orphan.getKey());
      if (free) {
        layers.release(orphan.getValue());
      }
      return free;
    });
    holdersKnown = orphans.keySet().containsAll(unlisted);
  }
}
