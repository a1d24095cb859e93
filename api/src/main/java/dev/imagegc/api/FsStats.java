/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What a disk measure says of one filesystem at one moment. Numbers that it does not know are absent, never 0; the values
 * are as measured and may contradict each other, which the collector checks.
 */
public final class FsStats {
  private final String path;
  private final Instant measuredAt;
  private final @Nullable Long capacityBytes;
  private final @Nullable Long availableBytes;
  private final @Nullable Long inodes;
  private final @Nullable Long inodesFree;
  private final @Nullable String device;
  private final String source;

  private FsStats(Builder builder) {
    this.path = builder.path;
    this.measuredAt = builder.measuredAt;
    this.capacityBytes = builder.capacityBytes;
    this.availableBytes = builder.availableBytes;
    this.inodes = builder.inodes;
    this.inodesFree = builder.inodesFree;
    this.device = builder.device;
    this.source = builder.source;
  }

  /**
   * Returns a measurement of bytes.
   *
   * @param path where it was measured
   * @param measuredAt when, by the wall clock
   * @param capacityBytes the filesystem's size
   * @param availableBytes what a process without privileges may still write
   * @return the measurement
   */
  public static FsStats of(
      String path, Instant measuredAt, long capacityBytes, long availableBytes) {
    return builder(path, measuredAt)
        .capacityBytes(capacityBytes)
        .availableBytes(availableBytes)
        .build();
  }

  /**
   * Starts a measurement that knows no number yet.
   *
   * @param path where it was measured, for people: a path, or a name for a filesystem that is elsewhere
   * @param measuredAt when, by the wall clock
   * @return a builder; not thread-safe
   */
  public static Builder builder(String path, Instant measuredAt) {
    return new Builder(path, measuredAt);
  }

  /**
   * Returns where it was measured.
   *
   * @return a path, or a name for a filesystem that is elsewhere
   */
  public String path() {
    return path;
  }

  /**
   * Returns when it was measured, by the wall clock.
   *
   * @return the time
   */
  public Instant measuredAt() {
    return measuredAt;
  }

  /**
   * Returns the size of the filesystem in bytes ({@code f_blocks * f_frsize}).
   *
   * @return the capacity, or empty if unknown
   */
  public OptionalLong capacityBytes() {
    return optional(capacityBytes);
  }

  /**
   * Returns what a process without privileges may still write, in bytes ({@code f_bavail * f_frsize}): space reserved for
   * root counts as used, as it does in the kubelet.
   *
   * @return the available bytes, or empty if unknown
   */
  public OptionalLong availableBytes() {
    return optional(availableBytes);
  }

  /**
   * Returns how many inodes the filesystem has.
   *
   * @return the number, or empty if unknown or without a limit
   */
  public OptionalLong inodes() {
    return optional(inodes);
  }

  /**
   * Returns how many inodes are free.
   *
   * @return the number, or empty if unknown or without a limit
   */
  public OptionalLong inodesFree() {
    return optional(inodesFree);
  }

  /**
   * Returns what tells this filesystem from others: two measurements of one provider with the same device are of the same
   * filesystem.
   *
   * @return an identity without further meaning, or empty if unknown
   */
  public Optional<String> device() {
    return Optional.ofNullable(device);
  }

  /**
   * Returns where the numbers come from, and why some are missing.
   *
   * @return words for people, possibly empty
   */
  public String source() {
    return source;
  }

  /**
   * Returns a builder that holds these numbers.
   *
   * @return a builder; not thread-safe
   */
  public Builder toBuilder() {
    Builder builder = new Builder(path, measuredAt);
    builder.capacityBytes = capacityBytes;
    builder.availableBytes = availableBytes;
    builder.inodes = inodes;
    builder.inodesFree = inodesFree;
    builder.device = device;
    builder.source = source;
    return builder;
  }

  private static OptionalLong optional(@Nullable Long value) {
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }

  @Override
  public String toString() {
    return "FsStats[" + path + " capacity="
        + Optional.ofNullable(capacityBytes).map(String::valueOf).orElse("unknown") + " available="
        + Optional.ofNullable(availableBytes).map(String::valueOf).orElse("unknown") + "]";
  }

  /** Builds {@link FsStats}. Not thread-safe. */
  public static final class Builder {
    private final String path;
    private final Instant measuredAt;
    private @Nullable Long capacityBytes;
    private @Nullable Long availableBytes;
    private @Nullable Long inodes;
    private @Nullable Long inodesFree;
    private @Nullable String device;
    private String source = "";

    private Builder(String path, Instant measuredAt) {
      this.path = Objects.requireNonNull(path, "path");
      this.measuredAt = Objects.requireNonNull(measuredAt, "measuredAt");
    }

    /**
     * Sets the size of the filesystem.
     *
     * @param bytes the size
     * @return this builder
     */
    public Builder capacityBytes(long bytes) {
      capacityBytes = bytes;
      return this;
    }

    /**
     * Sets what may still be written.
     *
     * @param bytes the available bytes
     * @return this builder
     */
    public Builder availableBytes(long bytes) {
      availableBytes = bytes;
      return this;
    }

    /**
     * Sets the inode numbers. Filesystems without a fixed number of inodes report 0: leave them unset then.
     *
     * @param total how many there are
     * @param free how many are free
     * @return this builder
     */
    public Builder inodes(long total, long free) {
      inodes = total;
      inodesFree = free;
      return this;
    }

    /**
     * Sets what tells this filesystem from others.
     *
     * @param identity the same for every measurement of this filesystem, and for no other one
     * @return this builder
     */
    public Builder device(String identity) {
      device = Objects.requireNonNull(identity, "identity");
      return this;
    }

    /**
     * Sets where the numbers come from.
     *
     * @param words for people; may be empty
     * @return this builder
     */
    public Builder source(String words) {
      source = Objects.requireNonNull(words, "words");
      return this;
    }

    /**
     * Returns the measurement.
     *
     * @return immutable numbers
     */
    public FsStats build() {
      return new FsStats(this);
    }
  }
}
