/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.SystemGcClock;
import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Says whether the node's disks have room, as the kubelet's disk space manager does: the image filesystem and the root filesystem
 * each have a threshold, and are out of space when less than that is available. It removes nothing and runs no timer; a host
 * asks it before it takes on work.
 *
 * <p>Unlike in the kubelet, what cannot be measured is {@link SpaceStatus#UNKNOWN} and not available; {@link
 * DiskSpace#isAvailableForKubelet()} is the kubelet's view of it. What the kubelet of v1.1 did at its start, to answer "available"
 * unseen until its first look at the node (the freeze), is not done: the first answer is measured as all are.
 *
 * <p>A measurement is kept for 2 s of elapsed time for all who ask; trouble is not kept. Each filesystem is measured by one
 * caller at a time, for whom the others wait. No call throws for trouble with a disk, or takes longer than {@link
 * Deadlines.Builder#measure} for each filesystem that it looks at. After {@link #close()} they throw {@link
 * IllegalStateException}. Thread-safe.
 */
public final class DiskSpaceManager implements AutoCloseable {
  private final Sampler imageFs;
  private final Sampler rootFs;
  private final boolean looksAtRoot;
  private final OutOfDisk outOfDisk;
  private volatile boolean closed;

  private DiskSpaceManager(Builder builder, FsStatsProvider fsStats) {
    Duration deadline = builder.deadlines.measure();
    this.imageFs = new Sampler(
        Filesystem.IMAGES,
        bytes("imageThresholdMb", builder.imageThresholdMb),
        fsStats,
        deadline,
        builder.clock);
    this.rootFs = new Sampler(
        Filesystem.ROOT,
        bytes("rootThresholdMb", builder.rootThresholdMb),
        fsStats,
        deadline,
        builder.clock);
    this.looksAtRoot = builder.rootThresholdMb > 0;
    this.outOfDisk = new OutOfDisk(builder.clock, builder.holdTime);
  }

  private static long bytes(String field, long megabytes) {
    if (megabytes < 0 || megabytes > Builder.MOST_MB) {
      throw new IllegalArgumentException(field + " must be 0 to " + Builder.MOST_MB
          + " (1 MB is 1,048,576 bytes), but is " + megabytes);
    }
    return megabytes * Builder.BYTES_PER_MB;
  }

  /**
   * Starts with the defaults, which lack only the disk measure.
   *
   * @return a builder; not thread-safe
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns how much room the image filesystem has.
   *
   * @return the answer, which may be up to 2 s old
   */
  public DiskSpace imageFs() {
    refuseIfClosed();
    return imageFs.sample();
  }

  /**
   * Returns how much room the node's root filesystem has. It is measured also if its threshold is 0.
   *
   * @return the answer, which may be up to 2 s old; unknown if the disk measure does not know the root filesystem
   */
  public DiskSpace rootFs() {
    refuseIfClosed();
    return rootFs.sample();
  }

  /**
   * Returns whether the node is out of disk, as a condition for others to see: it begins at once when either filesystem is out
   * of space, and ends when neither is, but not before {@link Builder#holdTime} has passed since it began. A filesystem that is
   * unknown counts as it did when it was last known, and at first as one with room, as in the kubelet; so it neither begins nor
   * ends the condition. Only what is measured here is seen: the condition changes when this is called.
   *
   * @return whether it is
   */
  public boolean isOutOfDisk() {
    DiskSpace images = imageFs();
    return outOfDisk.update(
        Stream.concat(Stream.of(images), rootIfLookedAt().stream()).toList());
  }

  /**
   * Says whether the image filesystem has room for so many bytes more: whether it would then still have at least its threshold
   * available, and the root filesystem is not out of space. If both are one filesystem, by their {@link
   * dev.imagegc.api.FsStats#device()}, the bytes count once, and must leave the larger of the two thresholds. What is unknown
   * never makes a yes; a certain no is a no also if something else is unknown.
   *
   * <p>Nothing is reserved: two callers who ask for the same room may both hear a yes. The numbers may be 2 s old. Bytes are
   * those on the disk; an image takes more there than was transferred.
   *
   * @param bytes how many, zero or more; zero asks whether there is room now
   * @return the answer, and why
   * @throws IllegalArgumentException if bytes is negative
   */
  public Admission admit(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("bytes must be at least 0, but is " + bytes);
    }
    return Admission.of(bytes, imageFs(), rootIfLookedAt());
  }

  private Optional<DiskSpace> rootIfLookedAt() {
    return looksAtRoot ? Optional.of(rootFs()) : Optional.empty();
  }

  private void refuseIfClosed() {
    if (closed) {
      throw new IllegalStateException("this DiskSpaceManager is closed");
    }
  }

  /** Interrupts what is being measured. Does nothing if it was closed before. */
  @Override
  public void close() {
    closed = true;
    imageFs.close();
    rootFs.close();
  }

  /** Builds a {@link DiskSpaceManager}. Not thread-safe. */
  public static final class Builder {
    private static final long BYTES_PER_MB = 1L << 20;
    private static final long MOST_MB = Long.MAX_VALUE / BYTES_PER_MB;

    private @Nullable FsStatsProvider fsStats;
    private long imageThresholdMb = 256;
    private long rootThresholdMb = 256;
    private Duration holdTime = Duration.ofMinutes(5);
    private Deadlines deadlines = Deadlines.defaults();
    private GcClock clock = SystemGcClock.instance();

    private Builder() {}

    /**
     * Sets what measures the disks. Required.
     *
     * @param provider the disk measure
     * @return this builder
     */
    public Builder fsStats(FsStatsProvider provider) {
      fsStats = Objects.requireNonNull(provider, "fsStats");
      return this;
    }

    /**
     * Sets below how much available space the image filesystem is out of space.
     *
     * @param megabytes zero or more, of 1,048,576 bytes each; the default is 256. With 0 it is never out of space, is measured
     *     all the same, and {@link DiskSpaceManager#admit} still asks whether the bytes fit. (The kubelet makes 256 of its 0.)
     * @return this builder
     */
    public Builder imageThresholdMb(long megabytes) {
      imageThresholdMb = megabytes;
      return this;
    }

    /**
     * Sets below how much available space the root filesystem is out of space.
     *
     * @param megabytes zero or more, of 1,048,576 bytes each; the default is 256. With 0, {@link DiskSpaceManager#isOutOfDisk}
     *     and {@link DiskSpaceManager#admit} do not look at the root filesystem: for a disk measure that does not know it
     * @return this builder
     */
    public Builder rootThresholdMb(long megabytes) {
      rootThresholdMb = megabytes;
      return this;
    }

    /**
     * Sets how long {@link DiskSpaceManager#isOutOfDisk} stays true at least, in elapsed time.
     *
     * @param duration zero or more; the default is 5 min, as in the kubelet (its transition frequency), so that a disk at its
     *     threshold does not make the condition come and go
     * @return this builder
     */
    public Builder holdTime(Duration duration) {
      holdTime = Durations.notNegative("holdTime", duration);
      return this;
    }

    /**
     * Sets how long a measurement may take.
     *
     * @param newDeadlines of which {@link Deadlines.Builder#measure} is used; the default is 10 s
     * @return this builder
     */
    public Builder deadlines(Deadlines newDeadlines) {
      deadlines = Objects.requireNonNull(newDeadlines, "deadlines");
      return this;
    }

    /**
     * Sets where time comes from.
     *
     * @param newClock the clock; the default is the system's
     * @return this builder
     */
    public Builder clock(GcClock newClock) {
      clock = Objects.requireNonNull(newClock, "clock");
      return this;
    }

    /**
     * Builds the manager, which the caller closes.
     *
     * @return the manager
     * @throws IllegalStateException if there is no disk measure
     * @throws IllegalArgumentException if a threshold is negative, or more than 8,796,093,022,207 MB
     */
    public DiskSpaceManager build() {
      if (fsStats == null) {
        throw new IllegalStateException("fsStats must be set");
      }
      return new DiskSpaceManager(this, fsStats);
    }
  }
}
