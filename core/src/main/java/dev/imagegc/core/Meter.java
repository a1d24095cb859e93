/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.core.internal.BoundedCalls;
import dev.imagegc.core.internal.Disk;
import dev.imagegc.core.internal.Events;

/** The host's {@link FsStatsProvider} with a deadline on every call and its numbers checked. */
final class Meter {
  private final FsStatsProvider provider;
  private final BoundedCalls calls;
  private final Deadlines deadlines;
  private final Events events;

  Meter(FsStatsProvider provider, Deadlines deadlines, GcClock clock, Events events) {
    this.provider = provider;
    this.calls = new BoundedCalls("the disk measure", clock, ProtocolException::new);
    this.deadlines = deadlines;
    this.events = events;
  }

  Disk measure() {
    FsStats stats =
        calls.call("measure the image filesystem", deadlines.measure(), provider::imageFs);
    Disk disk;
    try {
      disk = Disk.of(stats);
    } catch (InvalidCapacityException e) {
      events.began(GcEventType.INVALID_DISK_CAPACITY, e.getMessage(), e, null);
      throw e;
    }
    events.ended(
        GcEventType.INVALID_DISK_CAPACITY,
        "image filesystem " + stats.path() + " has a capacity again");
    if (disk.clamped()) {
      events.began(
          GcEventType.AVAILABLE_CLAMPED,
          "image filesystem " + stats.path() + " reports "
              + stats.availableBytes().orElse(0) + " available bytes of a capacity of "
              + disk.capacity() + "; the capacity is used",
          null,
          null);
    } else {
      events.ended(
          GcEventType.AVAILABLE_CLAMPED,
          "image filesystem " + stats.path() + " reports possible numbers");
    }
    return disk;
  }

  void close() {
    calls.close();
  }
}
