/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.Container;
import dev.imagegc.api.GcClock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How long ago containers were created. The wall clock is asked once, when a container is first seen; from then on elapsed time
 * counts, so a wall clock that is set makes none older. One that was missing in the list before was created after that began, and
 * is no older either. Used by one thread at a time.
 */
final class Ages {
  private record Seen(Instant createdAt, Duration age, long nanos) {
    Duration at(long now) {
      return age.plusNanos(now - nanos);
    }
  }

  private final GcClock clock;
  private Map<String, Seen> seen = Map.of();
  private @Nullable Long lastListBegan; // nanos

  Ages(GcClock clock) {
    this.clock = clock;
  }

  /**
   * Returns the ages of listed containers by id, those left out whose creation is unknown, and forgets all others.
   *
   * @param listBegan nanos
   */
  Map<String, Duration> of(List<Container> listed, long listBegan) {
    Instant now = clock.instant();
    long nanos = clock.nanoTime();
    Map<String, Seen> known = new HashMap<>();
    Map<String, Duration> ages = new HashMap<>();
    for (Container container : listed) {
      Instant createdAt = container.createdAt().orElse(null);
      if (createdAt == null) {
        continue;
      }
      Seen before = seen.get(container.id());
      Seen current = before != null && before.createdAt().equals(createdAt)
          ? before
          : new Seen(createdAt, firstAge(createdAt, now, nanos), nanos);
      known.put(container.id(), current);
      ages.put(container.id(), current.at(nanos));
    }
    seen = known;
    lastListBegan = listBegan;
    return ages;
  }

  private Duration firstAge(Instant createdAt, Instant now, long nanos) {
    if (!createdAt.isBefore(now)) {
      return Duration.ZERO;
    }
    Duration age = Duration.between(createdAt, now);
    Long began = lastListBegan;
    if (began == null || age.compareTo(Duration.ofNanos(nanos - began)) <= 0) {
      return age;
    }
    return Duration.ofNanos(nanos - began);
  }
}
