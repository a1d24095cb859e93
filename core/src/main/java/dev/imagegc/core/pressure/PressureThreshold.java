/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.DiskSignal;
import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Collectors;

/** A signal and the value below which there is disk pressure. Immutable. */
public final class PressureThreshold {
  private final DiskSignal signal;
  private final PressureValue value;
  private final Duration grace;

  private PressureThreshold(DiskSignal signal, PressureValue value, Duration grace) {
    this.signal = Objects.requireNonNull(signal, "signal");
    this.value = Objects.requireNonNull(value, "value");
    this.grace = grace;
    if (!value.isPercent() && value.amountOf(0) == 0) {
      throw new IllegalArgumentException("threshold " + this + " must be above 0; 0% is off");
    }
  }

  /**
   * Returns a threshold that is acted upon at once.
   *
   * @param signal what is watched
   * @param value below it there is pressure; a number must be above 0
   * @return the threshold
   * @throws IllegalArgumentException if the value is the number 0
   */
  public static PressureThreshold hard(DiskSignal signal, PressureValue value) {
    return new PressureThreshold(signal, value, Duration.ZERO);
  }

  /**
   * Returns a threshold that is acted upon when it is met for a while.
   *
   * @param signal what is watched
   * @param value below it there is pressure; a number must be above 0
   * @param grace for how long it has to be met, above zero
   * @return the threshold
   * @throws IllegalArgumentException if the value is the number 0, or the grace is not above zero
   */
  public static PressureThreshold soft(DiskSignal signal, PressureValue value, Duration grace) {
    return new PressureThreshold(signal, value, Durations.positive("grace of " + signal, grace));
  }

  /**
   * Reads a threshold as the kubelet's options have it.
   *
   * @param text for instance {@code imagefs.available<15%} or {@code nodefs.inodesFree<10k}
   * @return a hard threshold
   * @throws IllegalArgumentException if it is none; the message names the text and the rule
   */
  public static PressureThreshold parse(String text) {
    int sign = Objects.requireNonNull(text, "text").indexOf('<');
    if (sign < 0) {
      throw new IllegalArgumentException("'" + text + "' is no threshold: it must be a signal, '<'"
          + " and an amount, for instance imagefs.available<15%");
    }
    String name = text.substring(0, sign);
    DiskSignal signal = DiskSignal.named(name)
        .orElseThrow(() -> new IllegalArgumentException(
            "threshold '" + text + "': there is no signal '" + name + "'; it must be one of "
                + Arrays.stream(DiskSignal.values())
                    .map(DiskSignal::toString)
                    .collect(Collectors.joining(", "))));
    PressureValue value;
    try {
      value = PressureValue.parse(text.substring(sign + 1));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("threshold '" + text + "': " + e.getMessage(), e);
    }
    return hard(signal, value);
  }

  /**
   * Returns what is watched.
   *
   * @return the signal
   */
  public DiskSignal signal() {
    return signal;
  }

  /**
   * Returns the value below which there is pressure.
   *
   * @return the value
   */
  public PressureValue value() {
    return value;
  }

  /**
   * Returns whether it is acted upon at once.
   *
   * @return true if there is no grace
   */
  public boolean isHard() {
    return grace.isZero();
  }

  /**
   * Returns for how long it has to be met before it is acted upon.
   *
   * @return zero if it is hard
   */
  public Duration grace() {
    return grace;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PressureThreshold that
        && signal == that.signal
        && value.equals(that.value)
        && grace.equals(that.grace);
  }

  @Override
  public int hashCode() {
    return Objects.hash(signal, value, grace);
  }

  /** Returns for instance {@code imagefs.available<15%}. */
  @Override
  public String toString() {
    return signal + "<" + value;
  }
}
