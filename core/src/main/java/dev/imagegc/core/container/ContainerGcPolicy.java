/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.core.internal.Durations;
import java.time.Duration;

/**
 * How many dead containers stay, and for how long. The defaults are those of the kubelet's flags: a minimum age of 0 ({@code
 * --minimum-container-ttl-duration}), 1 for each unit ({@code --maximum-dead-containers-per-container}), no limit for the node
 * ({@code --maximum-dead-containers}, -1). Immutable.
 *
 * <p>Only containers that may go count: dead ones that are old enough and belong to a unit.
 */
public final class ContainerGcPolicy {
  private static final ContainerGcPolicy DEFAULTS = builder().build();

  private final Duration minAge;
  private final int maxPerUnit;
  private final int maxContainers;
  private final boolean collectsUnowned;

  private ContainerGcPolicy(Builder builder) {
    this.minAge = builder.minAge;
    this.maxPerUnit = builder.maxPerUnit;
    this.maxContainers = builder.maxContainers;
    this.collectsUnowned = builder.collectsUnowned;
  }

  /**
   * Returns the defaults: minAge 0, one container per unit, no limit for the node, containers of nobody stay.
   *
   * @return the defaults
   */
  public static ContainerGcPolicy ofDefaults() {
    return DEFAULTS;
  }

  /**
   * Starts with the defaults.
   *
   * @return a builder; not thread-safe
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns how long ago a container must have been created to go.
   *
   * @return zero or more
   */
  public Duration minAge() {
    return minAge;
  }

  /**
   * Returns how many dead containers of one unit stay.
   *
   * @return the number; negative for no limit
   */
  public int maxPerUnit() {
    return maxPerUnit;
  }

  /**
   * Returns how many dead containers of all units stay.
   *
   * @return the number; negative for no limit
   */
  public int maxContainers() {
    return maxContainers;
  }

  /**
   * Returns whether dead containers that belong to no unit go.
   *
   * @return whether they go
   */
  public boolean collectsUnowned() {
    return collectsUnowned;
  }

  @Override
  public String toString() {
    return "ContainerGcPolicy[minAge " + Durations.text(minAge) + ", maxPerUnit " + maxPerUnit
        + ", maxContainers " + maxContainers + (collectsUnowned ? ", unowned too" : "") + "]";
  }

  /** Builds a {@link ContainerGcPolicy}. Not thread-safe. */
  public static final class Builder {
    private Duration minAge = Duration.ZERO;
    private int maxPerUnit = 1;
    private int maxContainers = -1;
    private boolean collectsUnowned;

    private Builder() {}

    /**
     * Sets how long ago a container must have been created to go, whenever it ended. One that was never started goes an hour later.
     * It does not apply to sandboxes.
     *
     * @param age zero or more; the default is zero. One of exactly this age may go
     * @return this builder
     */
    public Builder minAge(Duration age) {
      minAge = Durations.notNegative("minAge", age);
      return this;
    }

    /**
     * Sets how many dead containers of one unit stay, the newest ones: the kubelet's MaxPerPodContainer.
     *
     * @param containers the number; negative for no limit; the default is 1
     * @return this builder
     */
    public Builder maxPerUnit(int containers) {
      maxPerUnit = containers;
      return this;
    }

    /**
     * Sets how many dead containers of all units stay. If there are more, each unit keeps its share of them, but at least one;
     * if there are still more, the oldest of all go.
     *
     * @param containers the number; negative for no limit, the default
     * @return this builder
     */
    public Builder maxContainers(int containers) {
      maxContainers = containers;
      return this;
    }

    /**
     * Sets whether dead containers go that belong to no unit of the host: what people and other programs left behind. They go as
     * soon as they are old enough, whatever the two limits are, and do not count for these. One whose state the engine does not
     * know stays.
     *
     * @param collects whether they go; off by default
     * @return this builder
     */
    public Builder collectsUnowned(boolean collects) {
      collectsUnowned = collects;
      return this;
    }

    /**
     * Returns the policy.
     *
     * @return an immutable policy
     */
    public ContainerGcPolicy build() {
      return new ContainerGcPolicy(this);
    }
  }
}
