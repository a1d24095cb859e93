/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.DiskSignal;
import dev.imagegc.core.pressure.PressurePolicy;
import dev.imagegc.core.pressure.PressureThreshold;
import dev.imagegc.core.pressure.PressureValue;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options on disk pressure. */
final class PressureOptions {
  @Option(
      names = "--pressure",
      description = "Act on disk pressure at the kubelet's thresholds: imagefs.available<15%,"
          + " nodefs.available<10%, nodefs.inodesFree<5%.")
  private boolean defaults;

  @Option(
      names = "--pressure-hard",
      paramLabel = "SIGNAL<AMOUNT",
      split = ",",
      description =
          "Act at once when a signal is below this: imagefs.available<1Gi, nodefs.inodesFree<5%."
              + " Signals: imagefs, nodefs, containerfs; each with .available and .inodesFree.")
  private List<String> hard = new ArrayList<>();

  @Option(
      names = "--pressure-soft",
      paramLabel = "SIGNAL<AMOUNT",
      split = ",",
      description = "Act when a signal has been below this for its --pressure-soft-grace.")
  private List<String> soft = new ArrayList<>();

  @Option(
      names = "--pressure-soft-grace",
      paramLabel = "SIGNAL=DURATION",
      split = ",",
      description = "For how long, for each signal of --pressure-soft.")
  private Map<String, Duration> graces = new LinkedHashMap<>();

  @Option(
      names = "--pressure-min-reclaim",
      paramLabel = "SIGNAL=AMOUNT",
      split = ",",
      description = "How much more than its threshold to make room for: imagefs.available=500Mi.")
  private Map<String, String> minimumReclaims = new LinkedHashMap<>();

  @Option(
      names = "--pressure-transition",
      paramLabel = "DURATION",
      description = "For how long pressure is still reported after it was last seen. Default: 5m.")
  private @Nullable Duration transition;

  @Option(
      names = "--pressure-interval",
      paramLabel = "DURATION",
      description = "The pause between two looks at the signals. Default: 10s.")
  private @Nullable Duration interval;

  @Option(
      names = "--root-fs",
      paramLabel = "PATH",
      description = "A path on the node's root filesystem. Default: /.")
  private @Nullable Path rootFs;

  @Option(
      names = "--container-fs",
      paramLabel = "PATH",
      description = "A path on the filesystem of the containers' writable layers."
          + " Default: that of the images.")
  private @Nullable Path containerFs;

  Optional<Path> rootFs() {
    return Optional.ofNullable(rootFs);
  }

  Optional<Path> containerFs() {
    return Optional.ofNullable(containerFs);
  }

  /** Returns the pause between two looks, if the user said. */
  Optional<Duration> interval() {
    if (interval != null && interval.isZero()) {
      throw new UsageException("--pressure-interval must be above zero, but is 0s");
    }
    return Optional.ofNullable(interval);
  }

  /** Whether a threshold is about inodes, which cost something to count. */
  boolean countsInodes() {
    return defaults
        || hard.stream().anyMatch(this::isOnInodes)
        || soft.stream().anyMatch(this::isOnInodes);
  }

  private boolean isOnInodes(String threshold) {
    return threshold.contains(".inodesFree");
  }

  PressurePolicy policy() {
    try {
      return readPolicy();
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage());
    }
  }

  private PressurePolicy readPolicy() {
    PressurePolicy.Builder policy = PressurePolicy.builder();
    if (defaults) {
      PressurePolicy.ofDefaults()
          .thresholds()
          .forEach(one -> policy.hard(one.signal(), one.value()));
    }
    for (String text : hard) {
      PressureThreshold threshold = PressureThreshold.parse(text);
      policy.hard(threshold.signal(), threshold.value());
    }
    Map<DiskSignal, Duration> unused = new LinkedHashMap<>();
    graces.forEach((name, grace) -> unused.put(signal("--pressure-soft-grace", name), grace));
    for (String text : soft) {
      PressureThreshold threshold = PressureThreshold.parse(text);
      Duration grace = unused.remove(threshold.signal());
      if (grace == null || grace.isZero()) {
        throw new UsageException(
            "--pressure-soft " + text + " must come with --pressure-soft-grace "
                + threshold.signal() + "=DURATION above zero");
      }
      policy.soft(threshold.signal(), threshold.value(), grace);
    }
    if (!unused.isEmpty()) {
      throw new UsageException(
          "--pressure-soft-grace " + unused.keySet().iterator().next() + " has no --pressure-soft");
    }
    minimumReclaims.forEach((name, amount) ->
        policy.minimumReclaim(signal("--pressure-min-reclaim", name), PressureValue.parse(amount)));
    if (transition != null) {
      policy.transitionPeriod(transition);
    }
    PressurePolicy built = policy.build();
    if (built.thresholds().isEmpty()) {
      needsThreshold("--pressure-min-reclaim", minimumReclaims.isEmpty() ? null : minimumReclaims);
      needsThreshold("--pressure-transition", transition);
      needsThreshold("--pressure-interval", interval);
    }
    return built;
  }

  private static void needsThreshold(String option, @Nullable Object value) {
    if (value != null) {
      throw new UsageException(
          option + " must come with --pressure, --pressure-hard or --pressure-soft");
    }
  }

  private static DiskSignal signal(String option, String name) {
    return DiskSignal.named(name)
        .orElseThrow(() -> new UsageException(
            option + ": there is no signal " + name + "; one is imagefs.available"));
  }
}
