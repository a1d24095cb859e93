/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.core.container.ContainerGcPolicy;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options on dead containers. */
final class ContainerOptions {
  @Option(
      names = "--collect-containers",
      description =
          "Remove containers that have ended, too: of each unit (a pod's container, a replica of a Compose service)"
              + " all but the newest. Containers of no unit are left alone.")
  private boolean collect;

  @Option(
      names = "--collect-unowned-containers",
      description =
          "Remove also ended containers that belong to no unit, all of them. Implies --collect-containers.")
  private boolean collectUnowned;

  @Option(
      names = "--container-min-age",
      paramLabel = "DURATION",
      description = "Leave containers alone that were created less than this ago. Default: off.")
  private @Nullable Duration minAge;

  @Option(
      names = "--containers-per-unit",
      paramLabel = "N",
      description = "How many ended containers of a unit stay; below 0 is no limit. Default: 1.")
  private @Nullable Integer perUnit;

  @Option(
      names = "--max-containers",
      paramLabel = "N",
      description =
          "How many ended containers of all units stay; below 0 is no limit. Default: -1.")
  private @Nullable Integer most;

  @Option(
      names = "--container-interval",
      paramLabel = "DURATION",
      description = "The pause between two passes over the containers. Default: 1m.")
  private @Nullable Duration interval;

  boolean collects() {
    return collect || collectUnowned;
  }

  /** Returns the pause between two passes, if the user said. */
  Optional<Duration> interval() {
    if (interval != null && interval.isZero()) {
      throw new UsageException("--container-interval must be above zero, but is 0s");
    }
    return Optional.ofNullable(interval);
  }

  ContainerGcPolicy policy() {
    needs("--container-min-age", minAge);
    needs("--containers-per-unit", perUnit);
    needs("--max-containers", most);
    needs("--container-interval", interval);
    ContainerGcPolicy.Builder policy = ContainerGcPolicy.builder().collectsUnowned(collectUnowned);
    if (minAge != null) {
      policy.minAge(minAge);
    }
    if (perUnit != null) {
      policy.maxPerUnit(perUnit);
    }
    if (most != null) {
      policy.maxContainers(most);
    }
    return policy.build();
  }

  private void needs(String option, @Nullable Object value) {
    if (value != null && !collects()) {
      throw new UsageException(option + " must come with --collect-containers");
    }
  }
}
