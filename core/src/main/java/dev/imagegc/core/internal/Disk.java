/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.internal;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.InvalidCapacityException;
import java.math.BigInteger;
import java.util.OptionalInt;

/**
 * A measurement that was checked, and the arithmetic of thresholds on it. Both formulas are the kubelet's, in a form that
 * does not overflow.
 *
 * @param stats the measurement as shown: available never above capacity
 * @param capacity bytes, above 0
 * @param available bytes, from 0 to capacity
 * @param clamped whether more was said to be available than there is
 */
public record Disk(FsStats stats, long capacity, long available, boolean clamped) {
  private static final BigInteger HUNDRED = BigInteger.valueOf(100);

  /** Checks a measurement of the image filesystem: unknown is not zero, and zero is not a disk. */
  public static Disk of(FsStats stats) {
    return of("image filesystem", stats);
  }

  /** Checks a measurement of a filesystem of the given kind. */
  public static Disk of(String kind, FsStats stats) {
    long capacity =
        stats.capacityBytes().orElseThrow(() -> unusable(kind, stats, "its capacity is unknown"));
    if (capacity <= 0) {
      throw unusable(kind, stats, "its capacity must be above 0, but is " + capacity);
    }
    long available = stats
        .availableBytes()
        .orElseThrow(() -> unusable(kind, stats, "its available bytes are unknown"));
    if (available < 0) {
      throw unusable(kind, stats, "its available bytes must not be negative, but are " + available);
    }
    if (available <= capacity) {
      return new Disk(stats, capacity, available, false);
    }
    return new Disk(stats.toBuilder().availableBytes(capacity).build(), capacity, capacity, true);
  }

  private static InvalidCapacityException unusable(String kind, FsStats stats, String why) {
    return new InvalidCapacityException(kind + " " + stats.path() + " cannot be judged: " + why);
  }

  /** Used percent of the capacity, rounded up: 100 - floor(available * 100 / capacity). */
  public int usagePercent() {
    return (int) (100 - percentOf(available, capacity));
  }

  /** Bytes to free so that usage is at most {@code lowPercent}; 0 or less if nothing is missing. */
  public long need(int lowPercent) {
    return share(capacity, 100 - lowPercent) - available;
  }

  /** Used percent of the inodes, rounded up as {@link #usagePercent()} is; empty if unknown. */
  public OptionalInt inodesUsagePercent() {
    return knowsInodes()
        ? OptionalInt.of((int) (100 - percentOf(inodesFree(), inodes())))
        : OptionalInt.empty();
  }

  /** Inodes to free so that their usage is at most {@code lowPercent}; 0 or less if nothing is missing or known. */
  public long inodesNeed(int lowPercent) {
    return knowsInodes() ? share(inodes(), 100 - lowPercent) - inodesFree() : 0;
  }

  /** Filesystems that make inodes as they need them, btrfs for one, say that they have 0. */
  private boolean knowsInodes() {
    return inodes() > 0 && inodesFree() >= 0 && inodesFree() <= inodes();
  }

  private long inodes() {
    return stats.inodes().orElse(0);
  }

  private long inodesFree() {
    return stats.inodesFree().orElse(-1);
  }

  public Disk withAvailable(long newAvailable) {
    return new Disk(stats, capacity, Math.max(0, Math.min(capacity, newAvailable)), clamped);
  }

  /** floor(part * 100 / whole) for 0 <= part <= whole, without overflow. */
  private static long percentOf(long part, long whole) {
    if (part <= Long.MAX_VALUE / 100) {
      return part * 100 / whole;
    }
    return BigInteger.valueOf(part)
        .multiply(HUNDRED)
        .divide(BigInteger.valueOf(whole))
        .longValueExact();
  }

  /** floor(whole * percent / 100) for percent from 0 to 100, without overflow. */
  private static long share(long whole, long percent) {
    return whole / 100 * percent + whole % 100 * percent / 100;
  }
}
