/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcException;
import dev.imagegc.api.NodeFs;
import dev.imagegc.core.internal.Disk;
import dev.imagegc.core.internal.Sizes;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** How much room a filesystem has, compared with its threshold, as measured at one moment. Immutable. */
public final class DiskSpace {
  private final Filesystem filesystem;
  private final long thresholdBytes;
  private final @Nullable Disk disk; // null if unknown
  private final @Nullable GcException error; // null unless unknown
  private final @Nullable String path;

  private DiskSpace(
      Filesystem filesystem,
      long thresholdBytes,
      @Nullable Disk disk,
      @Nullable GcException error,
      @Nullable String path) {
    this.filesystem = filesystem;
    this.thresholdBytes = thresholdBytes;
    this.disk = disk;
    this.error = error;
    this.path = path;
  }

  static DiskSpace measured(Filesystem filesystem, long thresholdBytes, Disk disk) {
    return new DiskSpace(filesystem, thresholdBytes, disk, null, disk.stats().path());
  }

  /** What could not be measured; the path is that of an earlier measurement, null if there is none. */
  static DiskSpace unknown(
      Filesystem filesystem, long thresholdBytes, GcException error, @Nullable String path) {
    return new DiskSpace(filesystem, thresholdBytes, null, error, path);
  }

  /**
   * Returns which filesystem this is about.
   *
   * @return {@link NodeFs#IMAGEFS} or {@link NodeFs#NODEFS}
   */
  public NodeFs filesystem() {
    return filesystem.nodeFs();
  }

  /**
   * Returns whether there is room. As much as the threshold is room.
   *
   * @return the status
   */
  public SpaceStatus status() {
    if (disk == null) {
      return SpaceStatus.UNKNOWN;
    }
    return disk.available() < thresholdBytes ? SpaceStatus.OUT : SpaceStatus.AVAILABLE;
  }

  /**
   * Returns what the kubelet's disk space manager would say: unknown is taken as available. For hosts that must behave like it;
   * look at {@link #error()} as well, which the kubelet hands over beside this answer.
   *
   * @return false only if the status is {@link SpaceStatus#OUT}
   */
  public boolean isAvailableForKubelet() {
    return status() != SpaceStatus.OUT;
  }

  /**
   * Returns what is available, in bytes: at least 0 and at most the capacity.
   *
   * @return the bytes, or empty if unknown
   */
  public OptionalLong availableBytes() {
    return disk == null ? OptionalLong.empty() : OptionalLong.of(disk.available());
  }

  /**
   * Returns the size of the filesystem in bytes.
   *
   * @return the capacity, above 0, or empty if unknown
   */
  public OptionalLong capacityBytes() {
    return disk == null ? OptionalLong.empty() : OptionalLong.of(disk.capacity());
  }

  /**
   * Returns below how many available bytes the filesystem is out of space.
   *
   * @return bytes, zero or more; with zero it never is
   */
  public long thresholdBytes() {
    return thresholdBytes;
  }

  /**
   * Returns why nothing is known.
   *
   * @return what went wrong with {@link SpaceStatus#UNKNOWN}, else empty
   */
  public Optional<GcException> error() {
    return Optional.ofNullable(error);
  }

  /**
   * Returns all that was measured, inodes and path among it.
   *
   * @return the numbers, or empty if unknown
   */
  public Optional<FsStats> stats() {
    return Optional.ofNullable(disk).map(Disk::stats);
  }

  /**
   * Returns when this was measured, by the wall clock. It may be up to 2 s ago.
   *
   * @return the time, or empty if unknown
   */
  public Optional<Instant> measuredAt() {
    return stats().map(FsStats::measuredAt);
  }

  /**
   * Returns the answer as a sentence for people: which filesystem, where, and the numbers or the trouble.
   *
   * @return a sentence
   */
  public String detail() {
    if (disk == null) {
      String trouble = error == null ? "" : error.getMessage();
      return trouble.startsWith(filesystem.words())
          ? trouble
          : name() + " cannot be judged: " + trouble;
    }
    return name() + " has " + Sizes.text(disk.available()) + " available, "
        + (status() == SpaceStatus.OUT
            ? "below its threshold of " + Sizes.text(thresholdBytes)
            : "its threshold is " + Sizes.text(thresholdBytes));
  }

  /** Returns for instance {@code image filesystem /var/lib/docker}. */
  String name() {
    return filesystem.words() + (path == null ? "" : " " + path);
  }

  @Nullable
  String path() {
    return path;
  }

  Optional<String> device() {
    return stats().flatMap(FsStats::device);
  }

  /** Returns the status and the sentence of {@link #detail()}. */
  @Override
  public String toString() {
    return status() + ": " + detail();
  }
}
