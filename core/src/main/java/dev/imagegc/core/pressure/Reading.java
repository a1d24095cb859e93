/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.core.internal.Disk;
import dev.imagegc.core.internal.Sizes;
import java.time.Instant;

/**
 * What a signal was measured to be.
 *
 * @param available bytes or inodes, from 0 to capacity
 * @param capacity of the same, above 0
 * @param measuredAt by the wall clock
 */
record Reading(long available, long capacity, Instant measuredAt) {
  /** Takes a signal out of a measurement. Unknown is not zero, and zero is not a disk. */
  static Reading of(DiskSignal signal, FsStats stats) {
    if (!signal.countsInodes()) {
      Disk disk = Disk.of(signal.filesystem().toString(), stats);
      return new Reading(disk.available(), disk.capacity(), stats.measuredAt());
    }
    long inodes = stats
        .inodes()
        .orElseThrow(() -> unusable(signal, stats, "its number of inodes is unknown"));
    if (inodes <= 0) {
      throw unusable(signal, stats, "its number of inodes must be above 0, but is " + inodes);
    }
    long free = stats
        .inodesFree()
        .orElseThrow(() -> unusable(signal, stats, "its free inodes are unknown"));
    if (free < 0 || free > inodes) {
      throw unusable(
          signal, stats, "its free inodes must be from 0 to " + inodes + ", but are " + free);
    }
    return new Reading(free, inodes, stats.measuredAt());
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
