/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.core.internal.Sizes;
import java.time.Instant;

/**
 * What a signal was measured to be.
 *
 * @param available bytes or inodes, from 0 to capacity
 * @param capacity of the same, above 0
 */
record Reading(long available, long capacity, Instant measuredAt) {
  /** Takes a signal out of a measurement. Unknown is not zero, and zero is not a disk. */
  static Reading of(DiskSignal signal, FsStats stats) {
    boolean inodes = signal.countsInodes();
    String what = inodes ? "free inodes" : "available bytes";
    long capacity = (inodes ? stats.inodes() : stats.capacityBytes())
        .orElseThrow(() -> unusable(
            signal, stats, inodes ? "its number of inodes is unknown" : "its capacity is unknown"));
    long available = (inodes ? stats.inodesFree() : stats.availableBytes())
        .orElseThrow(() -> unusable(signal, stats, "its " + what + " are unknown"));
    if (capacity <= 0) {
      throw unusable(
          signal,
          stats,
          "its " + (inodes ? "number of inodes" : "capacity") + " must be above 0, but is "
              + capacity);
    }
    if (available < 0 || (inodes && available > capacity)) {
      throw unusable(signal, stats, "its " + what + " are " + available + " of " + capacity);
    }
    return new Reading(Math.min(available, capacity), capacity, stats.measuredAt());
  }

  private static InvalidCapacityException unusable(DiskSignal signal, FsStats stats, String why) {
    return new InvalidCapacityException(
        signal.filesystem() + " " + stats.path() + " cannot be judged: " + why);
  }

  /** An amount for people, for instance {@code 1.5 GiB} or {@code 2000 inodes}. */
  static String text(DiskSignal signal, long amount) {
    return signal.countsInodes() ? amount + " inodes" : Sizes.text(amount);
  }
}
