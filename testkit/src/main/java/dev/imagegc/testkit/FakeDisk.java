/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * One filesystem of a {@link FakeNode}: its size, and the data on it that is neither an image nor a container. Methods throw
 * {@link IllegalArgumentException} for what would not fit. Thread-safe.
 */
public final class FakeDisk {
  private final Object lock;
  private final Supplier<DiskState> upToDate;

  /** Creates a view of a disk; what is over by now has been taken away from what the supplier returns. */
  FakeDisk(Object lock, Supplier<DiskState> upToDate) {
    this.lock = lock;
    this.upToDate = upToDate;
  }

  /**
   * Changes the size. It may become smaller than what is there; nothing is available then.
   *
   * @param bytes the new size, at least 0
   */
  public void capacity(long bytes) {
    synchronized (lock) {
      disk().setCapacity(bytes);
    }
  }

  /**
   * Gives the disk a number of inodes. Without, it makes as many as it needs and tells none, as btrfs does. There may be fewer
   * than are used; none is free then.
   *
   * @param number how many, at least 0
   */
  public void inodes(long number) {
    synchronized (lock) {
      disk().setInodes(number);
    }
  }

  /**
   * Sets how many bytes other data takes up.
   *
   * @param bytes how many, at least 0
   */
  public void otherData(long bytes) {
    synchronized (lock) {
      disk().setOther(disk().other().withBytes(bytes));
    }
  }

  /**
   * Writes other data, or deletes it.
   *
   * @param bytes how much more other data there is; negative for less
   */
  public void writeOtherData(long bytes) {
    synchronized (lock) {
      otherData(Math.addExact(disk().other().bytes(), bytes));
    }
  }

  /**
   * Sets how many inodes other data takes.
   *
   * @param number how many, at least 0
   */
  public void otherInodes(long number) {
    synchronized (lock) {
      disk().setOther(disk().other().withInodes(number));
    }
  }

  /**
   * Changes the amount of other data so that the used bytes are the given share of the capacity, rounded up to a byte.
   *
   * @param percent the share, 0 to 100 and not less than what is used without other data
   */
  public void fillTo(int percent) {
    if (percent < 0 || percent > 100) {
      throw new IllegalArgumentException("percent must be 0 to 100, but is " + percent);
    }
    synchronized (lock) {
      long withoutOther = disk().used().bytes() - disk().other().bytes();
      otherData(share(disk().capacityBytes(), percent) - withoutOther);
    }
  }

  /** Rounds up, and does not overflow. */
  private static long share(long bytes, int percent) {
    return bytes / 100 * percent + (bytes % 100 * percent + 99) / 100;
  }

  /**
   * Returns how many bytes are used: by images and writable layers as far as they are here, and by other data.
   *
   * @return bytes
   */
  public long usedBytes() {
    synchronized (lock) {
      return disk().used().bytes();
    }
  }

  /**
   * Returns how many bytes are free, whatever the measure is made to say.
   *
   * @return bytes, at least 0
   */
  public long availableBytes() {
    synchronized (lock) {
      return disk().availableBytes();
    }
  }

  /**
   * Returns how many inodes are used, also if the disk tells none.
   *
   * @return the number
   */
  public long usedInodes() {
    synchronized (lock) {
      return disk().used().inodes();
    }
  }

  /**
   * Returns how many inodes are free, whatever the measure is made to say.
   *
   * @return the number, at least 0; empty if the disk has no fixed number of them
   */
  public OptionalLong inodesFree() {
    synchronized (lock) {
      return disk().inodesFree();
    }
  }

  private DiskState disk() {
    return upToDate.get();
  }
}
