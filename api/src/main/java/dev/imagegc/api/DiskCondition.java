/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Instant;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether a filesystem of the node is under disk pressure, and by which signals. Immutable.
 *
 * <p>Pressure begins as soon as a threshold is met, also while a soft one waits for its grace, and is held until it was last
 * observed a while ago, so a signal that flaps gives one condition.
 */
public final class DiskCondition {
  private final NodeFs filesystem;
  private final Set<DiskSignal> hardSignals;
  private final Set<DiskSignal> softSignals;
  private final Set<DiskSignal> unknownSignals;
  private final @Nullable Instant since;
  private final @Nullable Instant lastObserved;
  private final String message;

  private DiskCondition(Builder builder) {
    this.filesystem = builder.filesystem;
    this.hardSignals = copy(builder.hardSignals);
    this.softSignals = copy(builder.softSignals);
    this.unknownSignals = copy(builder.unknownSignals);
    this.since = builder.since;
    this.lastObserved = builder.lastObserved;
    this.message = builder.message;
  }

  private static Set<DiskSignal> copy(Set<DiskSignal> signals) {
    return signals.isEmpty()
        ? Set.of()
        : Collections.unmodifiableSet(EnumSet.copyOf(signals)); // in the order of the signals
  }

  /**
   * Starts a condition of a filesystem that is not under pressure.
   *
   * @param filesystem the filesystem
   * @return a builder; not thread-safe
   */
  public static Builder builder(NodeFs filesystem) {
    return new Builder(filesystem);
  }

  /**
   * Returns the filesystem that it is about. Where two of them are the same disk, each has a condition of its own signals.
   *
   * @return the filesystem
   */
  public NodeFs filesystem() {
    return filesystem;
  }

  /**
   * Returns whether there is pressure, or there was a short time ago.
   *
   * @return whether it has signals
   */
  public boolean isUnderPressure() {
    return !hardSignals.isEmpty() || !softSignals.isEmpty();
  }

  /**
   * Returns the signals that meet, or met a short time ago, a hard threshold.
   *
   * @return the signals, in their order
   */
  public Set<DiskSignal> hardSignals() {
    return hardSignals;
  }

  /**
   * Returns the signals that meet, or met a short time ago, a soft threshold and no hard one.
   *
   * @return the signals, in their order
   */
  public Set<DiskSignal> softSignals() {
    return softSignals;
  }

  /**
   * Returns the signals with a threshold that could not be measured the last time. They are neither pressure nor relief.
   *
   * @return the signals, in their order
   */
  public Set<DiskSignal> unknownSignals() {
    return unknownSignals;
  }

  /**
   * Returns when pressure began, or when it ended, by the wall clock.
   *
   * @return the time, or empty if there was no pressure yet
   */
  public Optional<Instant> since() {
    return Optional.ofNullable(since);
  }

  /**
   * Returns when a threshold was last measured to be met, by the wall clock.
   *
   * @return the time, or empty if there was no pressure yet
   */
  public Optional<Instant> lastObserved() {
    return Optional.ofNullable(lastObserved);
  }

  /**
   * Returns what was measured, for people.
   *
   * @return a sentence, possibly empty
   */
  public String message() {
    return message;
  }

  @Override
  public String toString() {
    return "DiskCondition[" + filesystem
        + (isUnderPressure() ? " under pressure" : " without pressure")
        + (hardSignals.isEmpty() ? "" : " hard " + hardSignals)
        + (softSignals.isEmpty() ? "" : " soft " + softSignals)
        + (unknownSignals.isEmpty() ? "" : " unknown " + unknownSignals)
        + (since == null ? "" : " since " + since) + "]";
  }

  /** Builds a {@link DiskCondition}. Not thread-safe. */
  public static final class Builder {
    private final NodeFs filesystem;
    private Set<DiskSignal> hardSignals = Set.of();
    private Set<DiskSignal> softSignals = Set.of();
    private Set<DiskSignal> unknownSignals = Set.of();
    private @Nullable Instant since;
    private @Nullable Instant lastObserved;
    private String message = "";

    private Builder(NodeFs filesystem) {
      this.filesystem = Objects.requireNonNull(filesystem, "filesystem");
    }

    /**
     * Sets the signals that make the pressure.
     *
     * @param hard those that meet a hard threshold
     * @param soft those that meet a soft one only
     * @return this builder
     */
    public Builder signals(Set<DiskSignal> hard, Set<DiskSignal> soft) {
      hardSignals = Objects.requireNonNull(hard, "hard");
      softSignals = Objects.requireNonNull(soft, "soft");
      return this;
    }

    /**
     * Sets {@link DiskCondition#unknownSignals()}.
     *
     * @param signals those that could not be measured
     * @return this builder
     */
    public Builder unknownSignals(Set<DiskSignal> signals) {
      unknownSignals = Objects.requireNonNull(signals, "signals");
      return this;
    }

    /**
     * Sets {@link DiskCondition#since()}.
     *
     * @param time by the wall clock
     * @return this builder
     */
    public Builder since(Instant time) {
      since = Objects.requireNonNull(time, "time");
      return this;
    }

    /**
     * Sets {@link DiskCondition#lastObserved()}.
     *
     * @param time by the wall clock
     * @return this builder
     */
    public Builder lastObserved(Instant time) {
      lastObserved = Objects.requireNonNull(time, "time");
      return this;
    }

    /**
     * Sets {@link DiskCondition#message()}.
     *
     * @param sentence for people; may be empty
     * @return this builder
     */
    public Builder message(String sentence) {
      message = Objects.requireNonNull(sentence, "sentence");
      return this;
    }

    /**
     * Returns the condition.
     *
     * @return an immutable condition
     */
    public DiskCondition build() {
      return new DiskCondition(this);
    }
  }
}
