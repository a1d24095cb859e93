/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.DiskSignal;
import dev.imagegc.core.pressure.PressurePolicy;
import dev.imagegc.core.pressure.PressureThreshold;
import dev.imagegc.core.pressure.PressureValue;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options on disk pressure. */
final class PressureOptions {
  @Option(
      names = "--pressure",
      description = {
        "Act on disk pressure at the kubelet's thresholds:",
        "imagefs.available<15%%, nodefs.available<10%%,",
        "nodefs.inodesFree<5%%. A --pressure-hard of the same signal replaces one of them, and with 0%% switches it off."
      })
  private boolean defaults;

  @Option(
      names = "--pressure-hard",
      paramLabel = "SIGNAL<AMOUNT",
      split = ",",
      description = {
        "Act at once when a signal is below this:",
        "imagefs.available<1Gi, nodefs.inodesFree<5%%.",
        "Signals: imagefs, nodefs, containerfs; each with",
        ".available and .inodesFree."
      })
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
  private List<String> graces = new ArrayList<>();

  @Option(
      names = "--pressure-min-reclaim",
      paramLabel = "SIGNAL=AMOUNT",
      split = ",",
      description = {
        "How much more than its threshold to make room for:",
        "imagefs.available=500Mi."
      })
  private List<String> minimumReclaims = new ArrayList<>();

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
    PressurePolicy.Builder policy = PressurePolicy.builder();
    Set<DiskSignal> known = EnumSet.noneOf(DiskSignal.class);
    for (String text : hard) {
      PressureThreshold threshold = read("--pressure-hard", () -> PressureThreshold.parse(text));
      read("--pressure-hard", () -> policy.hard(threshold.signal(), threshold.value()));
      known.add(threshold.signal());
    }
    if (defaults) {
      for (PressureThreshold threshold : PressurePolicy.ofDefaults().thresholds()) {
        if (known.add(threshold.signal())) {
          policy.hard(threshold.signal(), threshold.value());
        }
      }
    }
    known.addAll(addSoft(policy));
    bySignal("--pressure-min-reclaim", minimumReclaims).forEach((signal, amount) -> {
      if (!known.contains(signal)) {
        throw new UsageException(
            "--pressure-min-reclaim " + signal + " has no threshold: --pressure, --pressure-hard or"
                + " --pressure-soft must set one of " + signal);
      }
      read(
          "--pressure-min-reclaim " + signal,
          () -> policy.minimumReclaim(signal, PressureValue.parse(amount)));
    });
    if (transition != null) {
      policy.transitionPeriod(transition);
    }
    PressurePolicy built = read("--pressure", policy::build);
    if (built.thresholds().isEmpty()) {
      needsThreshold("--pressure-min-reclaim", minimumReclaims.isEmpty() ? null : minimumReclaims);
      needsThreshold("--pressure-transition", transition);
      needsThreshold("--pressure-interval", interval);
    }
    return built;
  }

  private Set<DiskSignal> addSoft(PressurePolicy.Builder policy) {
    Set<DiskSignal> known = EnumSet.noneOf(DiskSignal.class);
    Map<DiskSignal, Duration> waits = new EnumMap<>(DiskSignal.class);
    bySignal("--pressure-soft-grace", graces)
        .forEach((signal, grace) -> waits.put(
            signal,
            read("--pressure-soft-grace " + signal, () -> new DurationConverter().convert(grace))));
    for (String text : soft) {
      PressureThreshold threshold = read("--pressure-soft", () -> PressureThreshold.parse(text));
      Duration grace = waits.get(threshold.signal());
      if (grace == null || grace.isZero()) {
        throw new UsageException(
            "--pressure-soft " + text + " must come with --pressure-soft-grace "
                + threshold.signal() + "=DURATION above zero");
      }
      read("--pressure-soft", () -> policy.soft(threshold.signal(), threshold.value(), grace));
      known.add(threshold.signal());
    }
    waits.keySet().removeAll(known);
    if (!waits.isEmpty()) {
      throw new UsageException(
          "--pressure-soft-grace " + waits.keySet().iterator().next() + " has no --pressure-soft");
    }
    return known;
  }

  /** The library's own words, behind the option that they are about. */
  private static <T> T read(String option, Supplier<T> value) {
    try {
      return value.get();
    } catch (IllegalArgumentException | IllegalStateException | TypeConversionException e) {
      throw new UsageException(option + ": " + e.getMessage());
    }
  }

  private static void needsThreshold(String option, @Nullable Object value) {
    if (value != null) {
      throw new UsageException(
          option + " must come with --pressure, --pressure-hard or --pressure-soft");
    }
  }

  /** What stands behind each {@code SIGNAL=}, which may be there once. */
  private static Map<DiskSignal, String> bySignal(String option, List<String> pairs) {
    Map<DiskSignal, String> values = new EnumMap<>(DiskSignal.class);
    for (String pair : pairs) {
      int equals = pair.indexOf('=');
      if (equals < 0) {
        throw new UsageException(
            option + " must be a signal, '=' and a value, but is '" + pair + "'");
      }
      DiskSignal signal = signal(option, pair.substring(0, equals));
      String value = pair.substring(equals + 1);
      String other = values.put(signal, value);
      if (other != null) {
        throw new UsageException(
            option + " must be there once for " + signal + ", but is " + other + " and " + value);
      }
    }
    return values;
  }

  private static DiskSignal signal(String option, String name) {
    return DiskSignal.named(name)
        .orElseThrow(() ->
            new UsageException(option + ": there is no signal '" + name + "'; it must be one of "
                + Arrays.stream(DiskSignal.values())
                    .map(DiskSignal::toString)
                    .collect(Collectors.joining(", "))));
  }
}
