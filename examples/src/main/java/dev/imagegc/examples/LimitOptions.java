/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.core.RoundLimits;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that bound a round. */
final class LimitOptions {
  @Option(
      names = "--max-removals",
      paramLabel = "N",
      description = "End a round after this many removals.")
  private @Nullable Integer removals;

  @Option(
      names = "--max-bytes",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "End a round once this much is freed: 1048576, 500MiB, 2GiB.")
  private @Nullable Long bytes;

  @Option(
      names = "--time-budget",
      paramLabel = "DURATION",
      description = "Begin no removal later than this after the start of a round.")
  private @Nullable Duration time;

  /** Returns the limits; the next round goes on where one ended at them. */
  RoundLimits limits() {
    atLeastOne("--max-removals", removals);
    atLeastOne("--max-bytes", bytes);
    if (time != null && time.isZero()) {
      throw new UsageException("--time-budget must be above zero, but is 0s");
    }
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

  private static void atLeastOne(String option, @Nullable Number value) {
    if (value != null && value.longValue() < 1) {
      throw new UsageException(option + " must be at least 1, but is " + value);
    }
  }
}
