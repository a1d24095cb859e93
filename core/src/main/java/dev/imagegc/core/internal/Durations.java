/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.internal;

import java.time.Duration;
import java.util.Locale;
import java.util.Objects;

/** Durations as people write them, as settings must be, and what comes of several. */
public final class Durations {
  /** The longest wait, 292 years: waits are in nanoseconds. */
  public static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);

  private Durations() {}

  /** Returns for instance {@code 1h30m}, {@code 2m} or {@code 0.25s}. */
  public static String text(Duration duration) {
    return duration.toString().substring(2).toLowerCase(Locale.ROOT);
  }

  /** Returns the duration, or the longest one that a wait can take. */
  public static Duration capped(Duration duration) {
    return shorter(duration, LONGEST);
  }

  public static Duration longer(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? b : a;
  }

  public static Duration shorter(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  /** Returns the pause after so many failures in a row: it doubles with each, up to a bound. */
  public static Duration doubled(Duration first, int failures, Duration longest) {
    Duration pause = first;
    for (int i = 1; i < failures && pause.compareTo(longest) < 0; i++) {
      pause = pause.multipliedBy(2);
    }
    return shorter(pause, longest);
  }

  /** Checks a setting. */
  public static Duration positive(String field, Duration value) {
    Objects.requireNonNull(value, field);
    return checked(field, value, value.isZero() || value.isNegative(), "above zero");
  }

  /** Checks a setting. */
  public static Duration notNegative(String field, Duration value) {
    Objects.requireNonNull(value, field);
    return checked(field, value, value.isNegative(), "zero or more");
  }

  private static Duration checked(String field, Duration value, boolean bad, String rule) {
    if (bad) {
      throw new IllegalArgumentException(field + " must be " + rule + ", but is " + value);
    }
    if (value.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(field + " must be at most 292 years, but is " + value);
    }
    return value;
  }
}
