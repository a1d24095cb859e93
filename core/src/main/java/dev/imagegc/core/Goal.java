/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.math.LongMath;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Reason;
import dev.imagegc.core.internal.Disk;

/** What a call wants to reach, and when. */
sealed interface Goal {

  Operation operation();

  /** Why a victim of this goal goes. */
  Reason reason();

  /** Why a victim goes, for people; a clause, possibly empty. */
  String because(Disk disk);

  /** Whether images that maxAge makes due go first. */
  default boolean collectsByAge() {
    return false;
  }

  /**
   * Returns what a measurement calls for; the one that counts is made after the removals by age. Once it was something, the
   * target stays the same for the rest of the round.
   */
  Target target(Disk disk);

  /** Whether the policy may want nothing to go if it would not be enough: not if somebody asked for it. */
  default boolean mayBeInVain() {
    return false;
  }

  /** Whether inodes may be a goal. */
  default boolean countsInodes() {
    return false;
  }

  /** Whether the goal is a number of bytes at all. */
  default boolean countsBytes() {
    return true;
  }

  /** What has to be there for a round to end. */
  interface Target {
    /** Nothing is wanted. */
    Target NONE = disk -> 0;

    /** Bytes still missing at a measurement; 0 or less means that there are enough. */
    long missing(Disk disk);

    /** Inodes still missing at a measurement; 0 or less means that there are enough. */
    default long missingInodes(Disk disk) {
      return 0;
    }

    default boolean isReached(Disk disk) {
      return missing(disk) <= 0 && missingInodes(disk) <= 0;
    }
  }

  /** Below high: nothing. At high: down to low. Bytes and inodes each for themselves. */
  record Threshold(GcThresholds thresholds) implements Goal {
    @Override
    public Operation operation() {
      return Operation.COLLECT;
    }

    @Override
    public Reason reason() {
      return Reason.SPACE;
    }

    @Override
    public String because(Disk disk) {
      return wantsInodes(disk) && !wantsBytes(disk)
          ? "usage of inodes is " + disk.inodesUsagePercent().orElse(0) + "%, inodesHighPercent is "
              + thresholds.inodesHighPercent()
          : "usage is " + disk.usagePercent() + "%, highPercent is " + thresholds.highPercent();
    }

    @Override
    public boolean collectsByAge() {
      return true;
    }

    @Override
    public boolean mayBeInVain() {
      return true;
    }

    @Override
    public boolean countsInodes() {
      return true;
    }

    @Override
    public Target target(Disk disk) {
      boolean bytes = wantsBytes(disk);
      boolean inodes = wantsInodes(disk);
      return bytes || inodes ? new Low(thresholds, bytes, inodes) : Target.NONE;
    }

    private boolean wantsBytes(Disk disk) {
      int high = thresholds.highPercent();
      return high < 100 && disk.usagePercent() >= high && disk.need(thresholds.lowPercent()) > 0;
    }

    private boolean wantsInodes(Disk disk) {
      int high = thresholds.inodesHighPercent();
      return high < 100
          && disk.inodesUsagePercent().orElse(0) >= high
          && disk.inodesNeed(thresholds.inodesLowPercent()) > 0;
    }

    private record Low(GcThresholds thresholds, boolean bytes, boolean inodes) implements Target {
      @Override
      public long missing(Disk disk) {
        return bytes ? disk.need(thresholds.lowPercent()) : 0;
      }

      @Override
      public long missingInodes(Disk disk) {
        if (inodes && disk.inodesUsagePercent().isEmpty()) {
          throw new InvalidCapacityException("image filesystem " + disk.stats().path()
              + " cannot be judged: its inodes were known, and are not any more");
        }
        return inodes ? disk.inodesNeed(thresholds.inodesLowPercent()) : 0;
      }
    }
  }

  /** A number of bytes more than were available at the start. */
  record FreeSpace(long bytes, long targetAvailable) implements Goal {
    static FreeSpace from(Disk start, long bytes) {
      return new FreeSpace(bytes, LongMath.saturatedAdd(start.available(), bytes));
    }

    @Override
    public Operation operation() {
      return Operation.FREE_SPACE;
    }

    @Override
    public Reason reason() {
      return Reason.SPACE;
    }

    @Override
    public String because(Disk disk) {
      return bytes + " bytes were asked for";
    }

    @Override
    public Target target(Disk disk) {
      Target target = later -> targetAvailable - later.available();
      return target.isReached(disk) ? Target.NONE : target;
    }
  }

  /** So many available bytes and free inodes, whatever there was at the start. */
  record Reclaim(SpaceTarget wanted) implements Goal {
    @Override
    public Operation operation() {
      return Operation.RECLAIM;
    }

    @Override
    public Reason reason() {
      return Reason.SPACE;
    }

    @Override
    public String because(Disk disk) {
      return wanted.because();
    }

    @Override
    public boolean countsInodes() {
      return wanted.inodesFree() > 0;
    }

    @Override
    public Target target(Disk disk) {
      Target target = new Room(wanted);
      return target.isReached(disk) ? Target.NONE : target;
    }

    private record Room(SpaceTarget wanted) implements Target {
      @Override
      public long missing(Disk disk) {
        return wanted.availableBytes() == 0 ? 0 : wanted.availableBytes() - disk.available();
      }

      @Override
      public long missingInodes(Disk disk) {
        if (wanted.inodesFree() == 0) {
          return 0;
        }
        if (disk.inodesUsagePercent().isEmpty()) {
          throw new InvalidCapacityException("image filesystem " + disk.stats().path()
              + " cannot be judged: its free inodes are unknown, and "
              + wanted.inodesFree() + " are wanted");
        }
        return wanted.inodesFree() - disk.stats().inodesFree().orElseThrow();
      }
    }
  }

  /** Everything unused. */
  record Purge() implements Goal {
    @Override
    public Operation operation() {
      return Operation.PURGE;
    }

    @Override
    public Reason reason() {
      return Reason.UNUSED;
    }

    @Override
    public String because(Disk disk) {
      return "";
    }

    @Override
    public Target target(Disk disk) {
      return later -> Long.MAX_VALUE;
    }

    @Override
    public boolean countsBytes() {
      return false;
    }
  }
}
