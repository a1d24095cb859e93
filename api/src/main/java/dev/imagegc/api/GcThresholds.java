/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * When a round starts, where it stops, and the ages it respects.
 *
 * <p>The defaults are the kubelet's of today: high {@value #DEFAULT_HIGH_PERCENT}, low {@value #DEFAULT_LOW_PERCENT},
 * minAge 2 minutes, maxAge off. (Its first versions had 90 and 80.) Grace, which it does not have, is off.
 */
public final class GcThresholds {
  /** Percent of the image filesystem in use at which a round starts to free space. */
  public static final int DEFAULT_HIGH_PERCENT = 85;

  /** Percent of the image filesystem in use at which it stops. */
  public static final int DEFAULT_LOW_PERCENT = 80;

  /** How long an image is left alone after it was first seen. */
  public static final Duration DEFAULT_MIN_AGE = Duration.ofMinutes(2);

  /** 292 years: ages are compared in nanoseconds. */
  private static final Duration LONGEST_AGE = Duration.ofNanos(Long.MAX_VALUE);

  private final int highPercent;
  private final int lowPercent;
  private final Duration minAge;
  private final @Nullable Duration maxAge;
  private final Duration grace;
  private final int inodesHighPercent;
  private final int inodesLowPercent;
  private final boolean collectsWithoutGain;
  private final boolean collectsInVain;

  private GcThresholds(Builder builder) {
    this.highPercent = builder.highPercent;
    this.lowPercent = builder.lowPercent;
    this.minAge = builder.minAge;
    this.maxAge = builder.maxAge;
    this.grace = builder.grace;
    this.inodesHighPercent = builder.inodesHighPercent;
    this.inodesLowPercent = builder.inodesLowPercent;
    this.collectsWithoutGain = builder.collectsWithoutGain;
    this.collectsInVain = builder.collectsInVain;
  }

  /**
   * Starts with the defaults.
   *
   * @return a builder; not thread-safe
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns the defaults.
   *
   * @return the kubelet's defaults
   */
  public static GcThresholds defaults() {
    return builder().build();
  }

  /**
   * Returns the usage, in percent of the capacity, at which a round starts to free space. At 100 the threshold part of a
   * round is off.
   *
   * @return 0 to 100
   */
  public int highPercent() {
    return highPercent;
  }

  /**
   * Returns the usage, in percent of the capacity, down to which a round frees space.
   *
   * @return 0 to {@link #highPercent()}
   */
  public int lowPercent() {
    return lowPercent;
  }

  /**
   * Returns how long an image is left alone after it was first seen, in every kind of round. At exactly this age it may
   * go.
   *
   * @return at least zero
   */
  public Duration minAge() {
    return minAge;
  }

  /**
   * Returns for how long an image may be unused before it goes even when there is space. It counts from the later of last
   * use and first sight, and must be exceeded.
   *
   * @return more than zero, or empty for "off"
   */
  public Optional<Duration> maxAge() {
    return Optional.ofNullable(maxAge);
  }

  /**
   * Returns how long an image is left alone after it was last used, in every kind of round. At exactly this time it may go.
   * An image that was never seen in use has no grace.
   *
   * <p>The three ages are independent: {@link #minAge()} counts from first sight, grace from the last use, {@link #maxAge()}
   * from the later of both, and any of them may be the longest. What minAge or grace hold back does not go, however long
   * maxAge has made it due: with a grace above maxAge, a used image goes after its grace, and one that was never used after
   * maxAge.
   *
   * @return at least zero; zero, the default, is off
   */
  public Duration grace() {
    return grace;
  }

  /**
   * Returns the usage of inodes at which a round begins to collect, where the disk measure knows inodes.
   *
   * @return 0 to 100 percent; 100, the default, is off
   */
  public int inodesHighPercent() {
    return inodesHighPercent;
  }

  /**
   * Returns the usage of inodes at which a round that was called for by inodes stops.
   *
   * @return 0 to {@link #inodesHighPercent()} percent
   */
  public int inodesLowPercent() {
    return inodesLowPercent;
  }

  /**
   * Returns whether an image goes, where bytes are the goal, although removing it frees nothing or next to nothing, because
   * others hold its layers.
   *
   * @return false by default: such an image stays, with {@link Reason#NO_GAIN}
   */
  public boolean collectsWithoutGain() {
    return collectsWithoutGain;
  }

  /**
   * Returns whether a threshold round collects although removing every image that may go is predicted not to reach the low
   * threshold.
   *
   * @return true by default; if false, such images stay, with {@link Reason#IN_VAIN}
   */
  public boolean collectsInVain() {
    return collectsInVain;
  }

  @Override
  public String toString() {
    return "GcThresholds[high=" + highPercent + "% low=" + lowPercent + "% minAge=" + minAge
        + " maxAge=" + (maxAge == null ? "off" : maxAge)
        + (grace.isZero() ? "" : " grace=" + grace)
        + (inodesHighPercent == 100
            ? ""
            : " inodesHigh=" + inodesHighPercent + "% inodesLow=" + inodesLowPercent + "%")
        + (collectsWithoutGain ? " collectsWithoutGain" : "")
        + (collectsInVain ? "" : " collectsInVain=false") + "]";
  }

  /** Builds {@link GcThresholds}. Not thread-safe. */
  public static final class Builder {
    private int highPercent = DEFAULT_HIGH_PERCENT;
    private int lowPercent = DEFAULT_LOW_PERCENT;
    private Duration minAge = DEFAULT_MIN_AGE;
    private @Nullable Duration maxAge;
    private Duration grace = Duration.ZERO;
    private int inodesHighPercent = 100;
    private int inodesLowPercent = 100;
    private boolean collectsWithoutGain;
    private boolean collectsInVain = true;

    private Builder() {}

    /**
     * Sets {@link GcThresholds#highPercent()}.
     *
     * @param percent 0 to 100
     * @return this builder
     */
    public Builder highPercent(int percent) {
      highPercent = Ranges.percent("highPercent", percent);
      return this;
    }

    /**
     * Sets {@link GcThresholds#lowPercent()}.
     *
     * @param percent 0 to 100, and at most the high threshold when built
     * @return this builder
     */
    public Builder lowPercent(int percent) {
      lowPercent = Ranges.percent("lowPercent", percent);
      return this;
    }

    /**
     * Sets {@link GcThresholds#minAge()}.
     *
     * @param age zero or more, at most 292 years
     * @return this builder
     */
    public Builder minAge(Duration age) {
      minAge = age("minAge", age);
      return this;
    }

    /**
     * Sets {@link GcThresholds#maxAge()}. Zero switches it off, as in the kubelet.
     *
     * @param age zero or more, at most 292 years
     * @return this builder
     */
    public Builder maxAge(Duration age) {
      maxAge = age("maxAge", age).isZero() ? null : age;
      return this;
    }

    /**
     * Sets {@link GcThresholds#grace()}.
     *
     * @param time zero or more, at most 292 years; zero, the default, switches it off
     * @return this builder
     */
    public Builder grace(Duration time) {
      grace = age("grace", time);
      return this;
    }

    /**
     * Sets between which usages of inodes a round collects, where the disk measure knows inodes. Off by default.
     *
     * @param high 0 to 100; 100 is off
     * @param low 0 to {@code high}
     * @return this builder
     * @throws IllegalArgumentException if a percentage is out of range or {@code low} is above {@code high}
     */
    public Builder inodesPercent(int high, int low) {
      inodesHighPercent = Ranges.percent("inodesHighPercent", high);
      inodesLowPercent = Ranges.percent("inodesLowPercent", low);
      if (low > high) {
        throw new IllegalArgumentException(
            "inodesLowPercent must not be above inodesHighPercent, but " + low + " is above "
                + high);
      }
      return this;
    }

    /**
     * Sets {@link GcThresholds#collectsWithoutGain()}.
     *
     * @param collects false by default
     * @return this builder
     */
    public Builder collectsWithoutGain(boolean collects) {
      collectsWithoutGain = collects;
      return this;
    }

    /**
     * Sets {@link GcThresholds#collectsInVain()}.
     *
     * @param collects true by default
     * @return this builder
     */
    public Builder collectsInVain(boolean collects) {
      collectsInVain = collects;
      return this;
    }

    /**
     * Returns the thresholds.
     *
     * @return immutable thresholds
     * @throws IllegalArgumentException if the low threshold is above the high one
     */
    public GcThresholds build() {
      if (lowPercent > highPercent) {
        throw new IllegalArgumentException("lowPercent must not be above highPercent, but "
            + lowPercent + " is above " + highPercent);
      }
      return new GcThresholds(this);
    }

    private static Duration age(String field, Duration value) {
      if (Objects.requireNonNull(value, field).isNegative()) {
        throw new IllegalArgumentException(field + " must not be negative, but is " + value);
      }
      if (value.compareTo(LONGEST_AGE) > 0) {
        throw new IllegalArgumentException(field + " must be at most 292 years, but is " + value);
      }
      return value;
    }
  }
}
