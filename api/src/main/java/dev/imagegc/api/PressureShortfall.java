/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Instant;
import java.util.List;
import java.util.Objects;

/**
 * Disk pressure that removing containers and images could not end, and what the host can rank its workloads by. Amounts are
 * bytes, or inodes if the {@linkplain #signal() signal} {@linkplain DiskSignal#countsInodes() counts inodes}. Immutable.
 */
public final class PressureShortfall {
  private final DiskSignal signal;
  private final boolean hard;
  private final long threshold;
  private final long wanted;
  private final long available;
  private final Instant measuredAt;
  private final List<RankedContainer> containers;
  private final String message;

  private PressureShortfall(Builder builder) {
    this.signal = builder.signal;
    this.hard = builder.hard;
    this.threshold = builder.threshold;
    this.wanted = builder.wanted;
    this.available = builder.available;
    this.measuredAt = builder.measuredAt;
    this.containers = List.copyOf(builder.containers);
    this.message = builder.message;
  }

  /**
   * Starts a shortfall.
   *
   * @param signal what is short
   * @param hard whether the threshold is a hard one; else it is soft, and its grace is over
   * @param measuredAt when that was measured, by the wall clock
   * @return a builder; not thread-safe
   */
  public static Builder builder(DiskSignal signal, boolean hard, Instant measuredAt) {
    return new Builder(signal, hard, measuredAt);
  }

  /**
   * Returns what is short.
   *
   * @return the signal
   */
  public DiskSignal signal() {
    return signal;
  }

  /**
   * Returns whether the threshold is a hard one.
   *
   * @return true if hard; a soft one has waited for its grace
   */
  public boolean isHard() {
    return hard;
  }

  /**
   * Returns the threshold below which there is pressure.
   *
   * @return the amount
   */
  public long threshold() {
    return threshold;
  }

  /**
   * Returns what there must be for the pressure to end: the threshold and the minimum reclaim.
   *
   * @return the amount, at least the threshold
   */
  public long wanted() {
    return wanted;
  }

  /**
   * Returns what there is.
   *
   * @return the amount as last measured
   */
  public long available() {
    return available;
  }

  /**
   * Returns what is missing.
   *
   * @return wanted less available, above 0
   */
  public long missing() {
    return wanted - available;
  }

  /**
   * Returns when {@link #available()} was measured, by the wall clock.
   *
   * @return the time
   */
  public Instant measuredAt() {
    return measuredAt;
  }

  /**
   * Returns the containers that run.
   *
   * @return those with the most exclusive bytes first, unknown last; none if the collector cannot list containers
   */
  public List<RankedContainer> containers() {
    return containers;
  }

  /**
   * Returns what is short and why nothing more could be done, for people.
   *
   * @return a sentence
   */
  public String message() {
    return message;
  }

  @Override
  public String toString() {
    return "PressureShortfall[" + (hard ? "hard " : "soft ") + signal + " available " + available
        + " threshold " + threshold + " wanted " + wanted + " missing " + missing() + ", "
        + containers.size() + " containers]";
  }

  /** Builds a {@link PressureShortfall}. Not thread-safe. */
  public static final class Builder {
    private final DiskSignal signal;
    private final boolean hard;
    private final Instant measuredAt;
    private long threshold;
    private long wanted;
    private long available;
    private List<RankedContainer> containers = List.of();
    private String message = "";

    private Builder(DiskSignal signal, boolean hard, Instant measuredAt) {
      this.signal = Objects.requireNonNull(signal, "signal");
      this.hard = hard;
      this.measuredAt = Objects.requireNonNull(measuredAt, "measuredAt");
    }

    /**
     * Sets the amounts.
     *
     * @param newThreshold below which there is pressure
     * @param newWanted at which it ends, at least the threshold
     * @param newAvailable what there is, below what is wanted
     * @return this builder
     */
    public Builder amounts(long newThreshold, long newWanted, long newAvailable) {
      if (newWanted < newThreshold) {
        throw new IllegalArgumentException(
            "wanted must be at least the threshold " + newThreshold + ", but is " + newWanted);
      }
      if (newAvailable >= newWanted) {
        throw new IllegalArgumentException(
            "available must be below what is wanted, " + newWanted + ", but is " + newAvailable);
      }
      threshold = newThreshold;
      wanted = newWanted;
      available = newAvailable;
      return this;
    }

    /**
     * Sets {@link PressureShortfall#containers()}.
     *
     * @param running the containers that run, in the order in which they are shown
     * @return this builder
     */
    public Builder containers(List<RankedContainer> running) {
      containers = Objects.requireNonNull(running, "running");
      return this;
    }

    /**
     * Sets {@link PressureShortfall#message()}.
     *
     * @param sentence for people
     * @return this builder
     */
    public Builder message(String sentence) {
      message = Objects.requireNonNull(sentence, "sentence");
      return this;
    }

    /**
     * Returns the shortfall.
     *
     * @return an immutable shortfall
     */
    public PressureShortfall build() {
      return new PressureShortfall(this);
    }
  }
}
