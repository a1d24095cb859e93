/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.math.LongMath;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Reason;

/** What a call wants to reach. */
sealed interface Goal {

  Operation operation();

  /** Why a victim of this goal goes. */
  Reason reason();

  /** Whether images that maxAge makes due go first. */
  default boolean collectsByAge() {
    return false;
  }

  /**
   * Whether a measurement calls for this goal; the one that counts is made after the removals by age. Once the answer was
   * yes, only {@link #missing} counts.
   */
  boolean isTriggered(Disk disk);

  /** Bytes still missing at a measurement; 0 or less means that the goal is reached. */
  long missing(Disk disk);

  /** Whether the goal is a number of bytes at all. */
  default boolean countsBytes() {
    return true;
  }

  /** Below high: nothing. At high: down to low. */
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
    public boolean collectsByAge() {
      return true;
    }

    @Override
    public boolean isTriggered(Disk disk) {
      int high = thresholds.highPercent();
      return high < 100 && disk.usagePercent() >= high && missing(disk) > 0;
    }

    @Override
    public long missing(Disk disk) {
      return disk.need(thresholds.lowPercent());
    }
  }

  /** A number of bytes more than were available at the start. */
  record FreeSpace(long targetAvailable) implements Goal {
    static FreeSpace from(Disk start, long bytes) {
      return new FreeSpace(LongMath.saturatedAdd(start.available(), bytes));
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
    public boolean isTriggered(Disk disk) {
      return missing(disk) > 0;
    }

    @Override
    public long missing(Disk disk) {
      return targetAvailable - disk.available();
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
    public boolean isTriggered(Disk disk) {
      return true;
    }

    @Override
    public long missing(Disk disk) {
      return Long.MAX_VALUE;
    }

    @Override
    public boolean countsBytes() {
      return false;
    }
  }
}
