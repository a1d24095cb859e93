/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.GcEventType;
import dev.imagegc.core.internal.Events;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The containers that could not be removed: tells when that begins for one and when it ends. Used by one thread at a time. */
final class Failures {
  private final Events events;
  private final Map<String, ContainerDecision> failing = new HashMap<>();

  Failures(Events events) {
    this.events = events;
  }

  void failed(ContainerDecision decision) {
    if (failing.put(decision.container().id(), decision) == null) {
      events.containerBegan(
          GcEventType.CONTAINER_REMOVAL_FAILED,
          "could not remove container " + Member.name(decision.container()) + ": "
              + decision.detail() + "; tried again in every pass",
          decision);
    }
  }

  boolean isFailing(Container container) {
    return failing.containsKey(container.id());
  }

  /** Says that a container is no trouble any more. */
  void ended(ContainerDecision decision, String how) {
    if (failing.remove(decision.container().id()) != null) {
      events.containerEnded(
          GcEventType.CONTAINER_REMOVAL_FAILED,
          "container " + Member.name(decision.container()) + ", which could not be removed, " + how,
          decision);
    }
  }

  /** Forgets containers that a list shows to be gone, or in a state in which they are not removed. */
  void review(List<Container> listed) {
    if (failing.isEmpty()) {
      return;
    }
    Map<String, Container> byId = new HashMap<>();
    listed.forEach(container -> byId.put(container.id(), container));
    for (ContainerDecision failure : List.copyOf(failing.values())) {
      Container container = byId.get(failure.container().id());
      if (container == null) {
        ended(failure, "is gone");
      } else if (!Member.isRemovable(container)) {
        ended(failure, "is " + container.state());
      }
    }
  }
}
