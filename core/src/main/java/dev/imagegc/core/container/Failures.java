/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Events;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The containers that could not be removed: leaves each alone for a while, for twice as long after each failure, up to a bound, and
 * tells when that begins for one and when it ends. Used by one thread at a time.
 */
final class Failures {
  private static final Duration FIRST_PAUSE = Duration.ofMinutes(1);
  private static final Duration LONGEST_PAUSE = Duration.ofHours(1);

  /** Failures in a row of one container. */
  private record Failing(int times, long retryAtNanos, ContainerDecision decision) {}

  private final Events events;
  private final GcClock clock;
  private final Map<String, Failing> failing = new HashMap<>();

  Failures(Events events, GcClock clock) {
    this.events = events;
    this.clock = clock;
  }

  void failed(ContainerDecision decision) {
    String id = decision.container().id();
    Failing before = failing.get(id);
    int times = before == null ? 1 : before.times() + 1;
    Duration pause = Durations.doubled(FIRST_PAUSE, times, LONGEST_PAUSE);
    failing.put(id, new Failing(times, clock.nanoTime() + pause.toNanos(), decision));
    if (before == null) {
      events.containerBegan(
          GcEventType.CONTAINER_REMOVAL_FAILED,
          "could not remove container " + Member.name(decision.container()) + ": "
              + decision.detail() + "; tried again after " + Durations.text(pause)
              + " at the earliest",
          decision);
    }
  }

  /** Says why a container is not tried again yet, if it is too early. */
  Optional<String> backingOff(Container container) {
    Failing failure = failing.get(container.id());
    if (failure == null) {
      return Optional.empty();
    }
    long left = failure.retryAtNanos() - clock.nanoTime();
    return left <= 0
        ? Optional.empty()
        : Optional.of("removing it failed " + failure.times()
            + (failure.times() == 1 ? " time" : " times") + ", tried again in "
            + Durations.text(Duration.ofNanos(left)));
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
    for (Failing one : List.copyOf(failing.values())) {
      ContainerDecision failure = one.decision();
      Container container = byId.get(failure.container().id());
      if (container == null) {
        ended(failure, "is gone");
      } else if (!Member.isRemovable(container)) {
        ended(failure, "is " + container.state());
      }
    }
  }
}
