/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.core.RoundLimits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The limits of a round that the user gave; null is none. */
record Limits(
    @Nullable Integer removals,
    @Nullable Long bytes,
    @Nullable Duration time) {
  static final Limits NONE = new Limits(null, null, null);

  RoundLimits forRounds() {
    RoundLimits.Builder limits = RoundLimits.builder();
    if (removals != null) {
      limits.removals(removals);
    }
    if (bytes != null) {
      limits.bytes(bytes);
    }
    if (time != null) {
      limits.time(time);
    }
    return limits.build();
  }

  /** For instance {@code 3 removals, 2.0 GiB}; empty without limits. */
  @Override
  public String toString() {
    List<String> words = new ArrayList<>();
    if (removals != null) {
      words.add(Human.count(removals, "removal"));
    }
    if (bytes != null) {
      words.add(Human.bytes(bytes));
    }
    if (time != null) {
      words.add(Human.duration(time));
    }
    return String.join(", ", words);
  }
}
