/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.util.Objects;

/** Durations as the settings of pulls must be. */
final class Times {
  /** A hundred years: as good as for ever, and far from what a count of nanoseconds can hold. */
  private static final Duration LONGEST = Duration.ofDays(36_500);

  private Times() {}

  /** Checks a setting. */
  static Duration notNegative(String field, Duration value) {
    return between(field, value, Duration.ZERO);
  }

  /** Checks a setting. */
  static Duration atLeastMillisecond(String field, Duration value) {
    return between(field, value, Duration.ofMillis(1));
  }

  /** Checks a setting. */
  static Duration atLeastSecond(String field, Duration value) {
    return between(field, value, Duration.ofSeconds(1));
  }

  private static Duration between(String field, Duration value, Duration least) {
    Objects.requireNonNull(value, field);
    if (value.compareTo(least) < 0) {
      throw new IllegalArgumentException(
          field + " must be at least " + Durations.text(least) + ", but is " + value);
    }
    if (value.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(field + " must be at most 100 years, but is " + value);
    }
    return value;
  }
}
