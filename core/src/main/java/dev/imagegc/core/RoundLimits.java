/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.core.internal.Durations;
import java.time.Duration;

/**
 * What bounds a round besides its goal, and how long an image is left alone that could not be removed.
 *
 * <p>A round that ends at a limit before its goal reports {@link dev.imagegc.api.Outcome#SHORT} and says which one; the next
 * round goes on. Limits are looked at before each removal, so the last one may pass them; no removal is broken off.
 */
public final class RoundLimits {
  private final Duration time;
  private final int removals;
  private final long bytes;
  private final int plans;
  private final Duration settleTime;
  private final Duration firstBackOff;
  private final Duration longestBackOff;

  private RoundLimits(Builder builder) {
    this.time = builder.time;
    this.removals = builder.removals;
    this.bytes = builder.bytes;
    this.plans = builder.plans;
    this.settleTime = builder.settleTime;
    this.firstBackOff = builder.firstBackOff;
    this.longestBackOff = builder.longestBackOff;
  }

  /**
   * Returns the defaults: no limit of time, removals or bytes.
   *
   * @return the defaults
   */
  public static RoundLimits defaults() {
    return builder().build();
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
   * Returns how long after its start a round may still begin a removal.
   *
   * @return above zero; the longest duration in nanoseconds, 292 years, if there is no limit
   */
  public Duration time() {
    return time;
  }

  /**
   * Returns how many removals a round may ask the engine for; those that fail count too.
   *
   * @return at least 1; {@link Integer#MAX_VALUE} if there is no limit
   */
  public int removals() {
    return removals;
  }

  /**
   * Returns after how many freed bytes, as measured, a round ends.
   *
   * @return at least 1; {@link Long#MAX_VALUE} if there is no limit
   */
  public long bytes() {
    return bytes;
  }

  /**
   * Returns how many plans a round may carry out to the end.
   *
   * @return at least 1
   */
  public int plans() {
    return plans;
  }

  /**
   * Returns for how long a round waits for predicted bytes to come back, with an engine that is known to free late.
   *
   * @return zero or more
   */
  public Duration settleTime() {
    return settleTime;
  }

  /**
   * Returns for how long an image is left alone after the first removal that failed.
   *
   * @return above zero
   */
  public Duration firstBackOff() {
    return firstBackOff;
  }

  /**
   * Returns for how long an image is left alone at most after removals that failed.
   *
   * @return not below {@link #firstBackOff()}
   */
  public Duration longestBackOff() {
    return longestBackOff;
  }

  /** Builds {@link RoundLimits}. Not thread-safe. */
  public static final class Builder {
    private Duration time = Durations.LONGEST;
    private int removals = Integer.MAX_VALUE;
    private long bytes = Long.MAX_VALUE;
    private int plans = 20;
    private Duration settleTime = Duration.ofSeconds(30);
    private Duration firstBackOff = Duration.ofMinutes(1);
    private Duration longestBackOff = Duration.ofHours(1);

    private Builder() {}

    /**
     * Sets how long after its start a round may still begin a removal.
     *
     * @param budget above zero; by default there is no limit
     * @return this builder
     */
    public Builder time(Duration budget) {
      time = Durations.positive("time", budget);
      return this;
    }

    /**
     * Sets how many removals a round may ask the engine for; those that fail count too.
     *
     * @param most at least 1; by default there is no limit
     * @return this builder
     */
    public Builder removals(int most) {
      removals = atLeastOne("removals", most);
      return this;
    }

    /**
     * Sets after how many freed bytes, as measured, a round ends.
     *
     * @param most at least 1; by default there is no limit
     * @return this builder
     */
    public Builder bytes(long most) {
      if (most < 1) {
        throw new IllegalArgumentException("bytes must be at least 1, but is " + most);
      }
      bytes = most;
      return this;
    }

    /**
     * Sets how many plans a round may carry out to the end. It plans again when all victims are gone and bytes are missing
     * still, because less came back than predicted: small files take more of a disk than their lengths, an engine knows only
     * sizes, others write. Plans that are dropped early, because an image came into use for instance, do not count.
     *
     * @param most at least 1; 20 by default
     * @return this builder
     */
    public Builder plans(int most) {
      plans = atLeastOne("plans", most);
      return this;
    }

    /**
     * Sets for how long a round waits for predicted bytes to come back before it plans again, with an engine that is known to
     * free late ({@link dev.imagegc.api.Runtime#freesSpaceLater()}).
     *
     * @param longest zero or more; 30 s by default
     * @return this builder
     */
    public Builder settleTime(Duration longest) {
      settleTime = Durations.notNegative("settleTime", longest);
      return this;
    }

    /**
     * Sets for how long an image is left alone after a removal that failed. The time doubles with each failure.
     *
     * @param first after the first failure, above zero; 1 minute by default
     * @param longest the longest time, not below {@code first}; 1 hour by default
     * @return this builder
     */
    public Builder backOff(Duration first, Duration longest) {
      Durations.positive("backOff first", first);
      Durations.positive("backOff longest", longest);
      if (longest.compareTo(first) < 0) {
        throw new IllegalArgumentException(
            "backOff longest must not be below first, but " + longest + " is below " + first);
      }
      firstBackOff = first;
      longestBackOff = longest;
      return this;
    }

    /**
     * Returns the limits.
     *
     * @return immutable limits
     */
    public RoundLimits build() {
      return new RoundLimits(this);
    }

    private static int atLeastOne(String field, int value) {
      if (value < 1) {
        throw new IllegalArgumentException(field + " must be at least 1, but is " + value);
      }
      return value;
    }
  }
}
