/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A threshold and what became of it over time, which is elapsed time: setting the wall clock changes nothing. A measurement that
 * is unknown is neither pressure nor relief, and the grace stands still meanwhile. Used by one thread at a time.
 */
final class Watched {
  private final PressureThreshold threshold;
  private final PressurePolicy policy;
  private boolean met;
  private boolean active;
  private long metForNanos;
  private @Nullable Long lastMetNanos; // of the last measurement, if it was met then
  private long observedNanos; // when it was last met; counts only if there is a time too
  private @Nullable Instant observedAt;
  private String message = "";

  Watched(PressureThreshold threshold, PressurePolicy policy) {
    this.threshold = threshold;
    this.policy = policy;
  }

  PressureThreshold threshold() {
    return threshold;
  }

  /** Takes in a measurement. */
  void observe(Reading reading, long nowNanos, Instant now) {
    long limit = met ? wanted(reading) : threshold.value().amountOf(reading.capacity());
    if (reading.available() < limit) {
      if (lastMetNanos != null) {
        metForNanos += nowNanos - lastMetNanos;
      }
      met = true;
      active = true;
      lastMetNanos = nowNanos;
      observedNanos = nowNanos;
      observedAt = now;
      message = describe(reading);
    } else {
      met = false;
      metForNanos = 0;
      lastMetNanos = null;
      active = observedAt != null
          && Duration.ofNanos(nowNanos - observedNanos).compareTo(policy.transitionPeriod()) < 0;
    }
  }

  /** Takes in that it could not be measured: all stays as it was. */
  void unknown() {
    lastMetNanos = null;
  }

  /** Whether it is met, or was when it was last known. */
  boolean isMet() {
    return met;
  }

  /** Whether it is to be acted upon. */
  boolean isDue() {
    return met && Duration.ofNanos(metForNanos).compareTo(threshold.grace()) >= 0;
  }

  /** Whether it makes a condition: it is met, or was a short time ago. */
  boolean isActive() {
    return active;
  }

  Optional<Instant> observedAt() {
    return Optional.ofNullable(observedAt);
  }

  /** What was measured when it was last met, for people. */
  String message() {
    return message;
  }

  /** The amount at which it is not met any more. */
  long wanted(Reading reading) {
    return policy.wanted(threshold, reading.capacity());
  }

  /** Whether there is less than wanted. */
  boolean isShort(Reading reading) {
    return reading.available() < wanted(reading);
  }

  /** {@code imagefs.available is 750.0 MiB, below 1.0 GiB}, with the minimum reclaim and the grace. */
  String describe(Reading reading) {
    long limit = threshold.value().amountOf(reading.capacity());
    long wanted = wanted(reading);
    return threshold.signal() + " is " + amount(reading.available())
        + (reading.available() < limit
            ? ", below " + amount(limit)
            : ", and has to be " + amount(wanted) + " after it was below " + amount(limit))
        + (threshold.value().isPercent() ? " (" + threshold.value() + ")" : "")
        + (threshold.isHard() ? "" : ", soft, grace " + Durations.text(threshold.grace()));
  }

  private String amount(long amount) {
    return Reading.text(threshold.signal(), amount);
  }
}
