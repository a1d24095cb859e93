/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

import dev.imagegc.api.GcClock;
import dev.imagegc.api.NodeFs;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether the node is out of disk: so at once, and no longer so only after a while. Thread-safe. */
final class OutOfDisk {
  private static final Logger LOG = LoggerFactory.getLogger(DiskSpaceManager.class);

  private final GcClock clock;
  private final long holdNanos;

  /** The last answer of each filesystem that was not UNKNOWN, which changes nothing. Guarded by this. */
  private final Map<NodeFs, DiskSpace> known = new EnumMap<>(NodeFs.class);

  private boolean isOut; // guarded by this
  private long sinceNanos; // guarded by this; means nothing unless it is out

  OutOfDisk(GcClock clock, Duration holdTime) {
    this.clock = clock;
    this.holdNanos = holdTime.toNanos();
  }

  /** Takes what was measured just now into account, and returns whether the node is out of disk. */
  synchronized boolean update(List<DiskSpace> spaces) {
    for (DiskSpace space : spaces) {
      if (space.status() != SpaceStatus.UNKNOWN) {
        known.put(space.filesystem(), space);
      }
    }
    boolean lacks = known.values().stream().anyMatch(OutOfDisk::isOut);
    long now = clock.nanoTime();
    if (lacks && !isOut) {
      isOut = true;
      sinceNanos = now;
      LOG.warn("the node is out of disk: {}", details(OutOfDisk::isOut));
    } else if (!lacks && isOut && now - sinceNanos >= holdNanos) {
      isOut = false;
      LOG.info("the node is no longer out of disk: {}", details(space -> true));
    }
    return isOut;
  }

  private String details(Predicate<DiskSpace> which) {
    return known.values().stream()
        .filter(which)
        .map(DiskSpace::detail)
        .collect(Collectors.joining("; "));
  }

  private static boolean isOut(DiskSpace space) {
    return space.status() == SpaceStatus.OUT;
  }
}
