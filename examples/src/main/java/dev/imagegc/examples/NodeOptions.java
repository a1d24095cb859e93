/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.GcThresholds;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.RoundLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that plan, status, collect, purge and run share. */
final class NodeOptions {
  private static final int INODES_OFF = 100;
  private static final int INODES_GAP = 5; // as between the default thresholds of bytes
  private static final Duration MARGIN = Duration.ofSeconds(2);
  private static final Duration LONGEST_TIMEOUT = Duration.ofDays(1);

  @Option(
      names = "--host",
      paramLabel = "HOST",
      description = "The engine: unix:///path, tcp://host:port or https://host:port."
          + " Default: DOCKER_HOST, else unix:///var/run/docker.sock.")
  private @Nullable String host;

  @Option(
      names = "--image-fs",
      paramLabel = "PATH",
      description =
          "A path on the filesystem that holds the images. Default: found by asking the engine.")
  private @Nullable Path imageFs;

  @Option(
      names = "--high",
      paramLabel = "PERCENT",
      description = "Usage at which a round starts to free space; 100 is never. Default: 85.")
  private int high = GcThresholds.DEFAULT_HIGH_PERCENT;

  @Option(
      names = "--low",
      paramLabel = "PERCENT",
      description = "Usage down to which a round frees space. Default: 80.")
  private int low = GcThresholds.DEFAULT_LOW_PERCENT;

  @Option(
      names = "--min-age",
      paramLabel = "DURATION",
      description = "Leave images alone that were first seen less than this ago:"
          + " 90s, 2m, 1h30m, 7d, or off. Default: 2m.")
  private Duration minAge = GcThresholds.DEFAULT_MIN_AGE;

  @Option(
      names = "--max-age",
      paramLabel = "DURATION",
      description =
          "Remove images that were unused for longer than this even when there is space. Default: off.")
  private Duration maxAge = Duration.ZERO;

  @Option(
      names = "--grace",
      paramLabel = "DURATION",
      description = "Leave images alone that were last used less than this ago. Default: off.")
  private Duration grace = Duration.ZERO;

  @Option(
      names = "--inodes-high",
      paramLabel = "PERCENT",
      description = "Usage of inodes at which a round starts too; 100 is never. Default: 100.")
  private int inodesHigh = INODES_OFF;

  @Option(
      names = "--inodes-low",
      paramLabel = "PERCENT",
      description =
          "Usage of inodes down to which such a round goes. Default: 5 below --inodes-high.")
  private @Nullable Integer inodesLow;

  @Option(
      names = "--collect-without-gain",
      description =
          "Where space is needed, remove also what frees nothing, because images that stay hold all of its layers.")
  private boolean collectWithoutGain;

  @Option(
      names = "--keep-cache-if-in-vain",
      description = "Remove nothing for space if removing all that may go would not reach --low.")
  private boolean keepCacheIfInVain;

  @Mixin
  private final LimitOptions limits = new LimitOptions();

  @Mixin
  private final RuleOptions rules = new RuleOptions();

  @Option(
      names = "--state",
      paramLabel = "DIR",
      description = "A directory, made if it is not there, in which to keep what is remembered of"
          + " images: when each was first seen and last used.")
  private @Nullable Path state;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      description =
          "How long to wait for an engine that does not answer, or an agent that is asked for its status."
              + " Default: 60s; for run 10s, more for long lists and removals; for an agent 3m.")
  private @Nullable Duration timeout;

  @Option(
      names = "--json",
      description = "Print one JSON object a round on standard output, and nothing else there.")
  private boolean json;

  @Option(
      names = {"-v", "--verbose"},
      description = "Log what is done, to standard error.")
  private boolean verbose;

  Optional<String> host() {
    return Optional.ofNullable(host);
  }

  Optional<Path> imageFs() {
    return Optional.ofNullable(imageFs);
  }

  Optional<Path> state() {
    return Optional.ofNullable(state);
  }

  Duration minAge() {
    return minAge;
  }

  boolean json() {
    return json;
  }

  boolean verbose() {
    return verbose;
  }

  /** For a command that looks once, unless the user says otherwise. */
  void defaultTimeout(Duration duration) {
    timeout = timeout == null ? duration : timeout;
  }

  /** Returns how long one call to the engine may take; empty leaves it to the library. */
  Optional<Duration> timeout() {
    if (timeout == null) {
      return Optional.empty();
    }
    if (timeout.isZero() || timeout.compareTo(LONGEST_TIMEOUT) > 0) {
      throw new UsageException(
          "--timeout must be above zero and at most 1d, but is " + Human.duration(timeout));
    }
    return Optional.of(timeout);
  }

  /**
   * The adapter's deadlines are the timeout itself. These lie behind, because its words are better, and because it looks an
   * image up after a removal without an answer.
   */
  Deadlines deadlines() {
    return timeout()
        .map(limit -> Deadlines.builder()
            .firstList(limit.plus(MARGIN))
            .list(limit.plus(MARGIN), Duration.ZERO)
            .removal(limit.multipliedBy(2).plus(MARGIN))
            .measure(limit.plus(MARGIN))
            .build())
        .orElse(Deadlines.defaults());
  }

  /** Whether inodes can start a round. */
  boolean countsInodes() {
    return inodesHigh < INODES_OFF;
  }

  RoundLimits limits() {
    return limits.limits();
  }

  LruGcPolicy policy() {
    checkThresholds();
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .highPercent(high)
        .lowPercent(low)
        .minAge(minAge)
        .maxAge(maxAge)
        .grace(grace)
        .inodesPercent(
            inodesHigh, inodesLow == null ? Math.max(0, inodesHigh - INODES_GAP) : inodesLow)
        .collectsWithoutGain(collectWithoutGain)
        .collectsInVain(!keepCacheIfInVain);
    rules.addTo(policy);
    return policy.build();
  }

  private void checkThresholds() {
    percent("--high", high);
    percent("--low", low);
    notAbove("--low", low, "--high", high);
    percent("--inodes-high", inodesHigh);
    if (inodesLow != null) {
      percent("--inodes-low", inodesLow);
      notAbove("--inodes-low", inodesLow, "--inodes-high", inodesHigh);
      if (!countsInodes()) {
        throw new UsageException(
            "--inodes-low must come with --inodes-high below 100, but is " + inodesLow + " alone");
      }
    }
  }

  private static void percent(String option, int value) {
    if (value < 0 || value > 100) {
      throw new UsageException(option + " must be from 0 to 100, but is " + value);
    }
  }

  private static void notAbove(String lowOption, int low, String highOption, int high) {
    if (low > high) {
      throw new UsageException(
          lowOption + " must not be above " + highOption + ", but " + low + " is above " + high);
    }
  }
}
