/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ImmutableSet;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells what happened to containers from two lists of them. Between the lists it can follow a stream of events, so that the
 * first list after the stream was lost only tells what the stream did not. Thread-safe.
 */
final class ContainerWatch {
  /** A container as last seen. */
  private record Seen(Set<ImageId> images, boolean running) {}

  private Map<String, Seen> containers = new HashMap<>(); // by id; guarded by this

  /** Takes note of an event that was told. */
  synchronized void follow(RuntimeEvent event) {
    String container = event.container().orElse(null);
    if (container == null) {
      return;
    }
    if (event.type().equals(RuntimeEventType.CONTAINER_REMOVED)) {
      containers.remove(container);
      return;
    }
    Seen known = containers.get(container);
    Set<ImageId> images = known != null
        ? known.images()
        : event.image().<Set<ImageId>>map(ImmutableSet::of).orElse(Set.of());
    boolean running = event.type().equals(RuntimeEventType.CONTAINER_STARTED);
    containers.put(container, new Seen(images, running));
  }

  /** Compares with a new list: returns what must have happened since, for each image of each container that changed. */
  synchronized List<RuntimeEvent> compare(List<Container> list) {
    List<RuntimeEvent> events = new ArrayList<>();
    Map<String, Seen> before = containers;
    containers = new HashMap<>();
    for (Container container : list) {
      Seen now = new Seen(
          ImmutableSet.copyOf(container.images()),
          container.state().equals(ContainerState.RUNNING));
      containers.put(container.id(), now);
      compare(container.id(), before.remove(container.id()), now, events);
    }
    before.forEach((id, gone) -> {
      if (gone.running()) {
        add(RuntimeEventType.CONTAINER_DIED, id, gone, events);
      }
      add(RuntimeEventType.CONTAINER_REMOVED, id, gone, events);
    });
    return events;
  }

  private static void compare(
      String id, @Nullable Seen before, Seen now, List<RuntimeEvent> events) {
    if (before == null) {
      add(RuntimeEventType.CONTAINER_CREATED, id, now, events);
    }
    boolean ran = before != null && before.running();
    if (now.running() && !ran) {
      add(RuntimeEventType.CONTAINER_STARTED, id, now, events);
    } else if (ran && !now.running()) {
      add(RuntimeEventType.CONTAINER_DIED, id, now, events);
    }
  }

  private static void add(
      RuntimeEventType type, String container, Seen seen, List<RuntimeEvent> events) {
    for (ImageId image : seen.images()) {
      events.add(RuntimeEvent.builder(type).container(container).image(image).build());
    }
  }
}
