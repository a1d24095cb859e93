/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import com.google.common.collect.ImmutableList;
import com.google.common.math.LongMath;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.core.FsLayout;
import dev.imagegc.core.internal.Durations;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * When a filesystem is under disk pressure, and how much is reclaimed then. Immutable.
 *
 * <p>A signal has at most one hard threshold and one soft one. Once met, a threshold stays met until there is its value and the
 * {@linkplain Builder#minimumReclaim minimum reclaim}.
 */
public final class PressurePolicy {
  private static final Duration DEFAULT_TRANSITION_PERIOD = Duration.ofMinutes(5);
  private static final PressurePolicy DEFAULTS = builder()
      .hard(DiskSignal.NODEFS_AVAILABLE, PressureValue.ofPercent(10))
      .hard(DiskSignal.NODEFS_INODES_FREE, PressureValue.ofPercent(5))
      .hard(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.ofPercent(15))
      .build();

  private final List<PressureThreshold> thresholds;
  private final Map<DiskSignal, PressureValue> minimumReclaims;
  private final Duration transitionPeriod;
  private final boolean reclaimsEverythingUnused;
  private final @Nullable FsLayout layout;

  private PressurePolicy(Builder builder) {
    this.thresholds = Stream.of(builder.hard, builder.soft) // hard before soft, then in order
        .flatMap(kind -> kind.values().stream())
        .filter(threshold -> !threshold.value().isOff())
        .collect(ImmutableList.toImmutableList());
    this.minimumReclaims = new EnumMap<>(builder.minimumReclaims);
    this.transitionPeriod = builder.transitionPeriod;
    this.reclaimsEverythingUnused = builder.reclaimsEverythingUnused;
    this.layout = builder.layout;
  }

  /**
   * Returns the kubelet's defaults on Linux: hard thresholds of nodefs.available at 10 %, nodefs.inodesFree at 5 % and
   * imagefs.available at 15 %, no minimum reclaim, a transition period of 5 minutes.
   *
   * @return the defaults
   */
  public static PressurePolicy ofDefaults() {
    return DEFAULTS;
  }

  /**
   * Starts without any threshold: those of {@link #ofDefaults()} are not there unless they are set again.
   *
   * @return a builder; not thread-safe
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns the thresholds that are not off.
   *
   * @return hard ones first, and in the order of their signals
   */
  public List<PressureThreshold> thresholds() {
    return thresholds;
  }

  /**
   * Returns what there has to be above a threshold for the pressure to end.
   *
   * @param signal the signal
   * @return the minimum reclaim, or empty if there is none
   */
  public Optional<PressureValue> minimumReclaim(DiskSignal signal) {
    return Optional.ofNullable(minimumReclaims.get(signal)).filter(value -> !value.isOff());
  }

  /**
   * Returns how long a condition is held after pressure was last observed.
   *
   * @return zero or more
   */
  public Duration transitionPeriod() {
    return transitionPeriod;
  }

  /**
   * Returns whether all images that nothing holds back are removed, and not only as many as needed.
   *
   * @return false by default
   */
  public boolean reclaimsEverythingUnused() {
    return reclaimsEverythingUnused;
  }

  /**
   * Returns which filesystems are the same.
   *
   * @return the layout, or empty if it is to be found from the devices
   */
  public Optional<FsLayout> layout() {
    return Optional.ofNullable(layout);
  }

  /** At which amount a threshold that was met is not met any more. */
  long wanted(PressureThreshold threshold, long capacity) {
    long reclaim = minimumReclaim(threshold.signal())
        .map(value -> value.amountOf(capacity))
        .orElse(0L);
    return LongMath.saturatedAdd(threshold.value().amountOf(capacity), reclaim);
  }

  @Override
  public String toString() {
    return "PressurePolicy" + thresholds;
  }

  /** Builds a {@link PressurePolicy}. Not thread-safe. */
  public static final class Builder {
    private final Map<DiskSignal, PressureThreshold> hard = new EnumMap<>(DiskSignal.class);
    private final Map<DiskSignal, PressureThreshold> soft = new EnumMap<>(DiskSignal.class);
    private final Map<DiskSignal, PressureValue> minimumReclaims = new EnumMap<>(DiskSignal.class);
    private Duration transitionPeriod = DEFAULT_TRANSITION_PERIOD;
    private boolean reclaimsEverythingUnused;
    private @Nullable FsLayout layout;

    private Builder() {}

    /**
     * Adds a threshold that is acted upon at once.
     *
     * @param signal what is watched
     * @param value below it there is pressure; a number must be above 0; 0% and 100% are off
     * @return this builder
     * @throws IllegalArgumentException if the value is the number 0, or the signal has a hard threshold already
     */
    public Builder hard(DiskSignal signal, PressureValue value) {
      return add("hard", hard, PressureThreshold.hard(signal, value));
    }

    /**
     * Adds a threshold that is acted upon at once.
     *
     * @param text for instance {@code imagefs.available<15%}
     * @return this builder
     * @throws IllegalArgumentException if it is no threshold, or the signal has a hard one already
     */
    public Builder hard(String text) {
      return add("hard", hard, PressureThreshold.parse(text));
    }

    /**
     * Adds a threshold that is acted upon when it is met for a while. The condition is there at once.
     *
     * @param signal what is watched
     * @param value below it there is pressure; a number must be above 0; 0% and 100% are off
     * @param grace for how long it has to be met, above zero
     * @return this builder
     * @throws IllegalArgumentException if the value is the number 0, the grace is not above zero, or the signal has a soft
     *     threshold already
     */
    public Builder soft(DiskSignal signal, PressureValue value, Duration grace) {
      return add("soft", soft, PressureThreshold.soft(signal, value, grace));
    }

    /**
     * Adds a threshold that is acted upon when it is met for a while. The condition is there at once.
     *
     * @param text for instance {@code imagefs.available<20%}
     * @param grace for how long it has to be met, above zero
     * @return this builder
     * @throws IllegalArgumentException if it is no threshold, the grace is not above zero, or the signal has a soft threshold
     *     already
     */
    public Builder soft(String text, Duration grace) {
      PressureThreshold threshold = PressureThreshold.parse(text);
      return soft(threshold.signal(), threshold.value(), grace);
    }

    private Builder add(
        String kind, Map<DiskSignal, PressureThreshold> known, PressureThreshold threshold) {
      PressureThreshold earlier = known.putIfAbsent(threshold.signal(), threshold);
      if (earlier != null) {
        throw new IllegalArgumentException("there must be one " + kind + " threshold of "
            + threshold.signal() + ", but there are " + earlier + " and " + threshold);
      }
      return this;
    }

    /**
     * Sets how much more than the threshold there has to be before pressure is over; it is what room is made for as well.
     *
     * @param signal a signal that has a threshold
     * @param value an amount; 0, 0% and 100% are none, which is the default
     * @return this builder
     */
    public Builder minimumReclaim(DiskSignal signal, PressureValue value) {
      minimumReclaims.put(
          Objects.requireNonNull(signal, "signal"), Objects.requireNonNull(value, "value"));
      return this;
    }

    /**
     * Sets how long a condition is held after pressure was last observed, so that one that flaps is told once.
     *
     * @param period zero or more; the default is 5 minutes
     * @return this builder
     */
    public Builder transitionPeriod(Duration period) {
      transitionPeriod = Durations.notNegative("transitionPeriod", period);
      return this;
    }

    /**
     * Sets whether images are reclaimed as the kubelet does it: all that nothing holds back, not only as many as needed.
     *
     * @param everything false by default
     * @return this builder
     */
    public Builder reclaimsEverythingUnused(boolean everything) {
      reclaimsEverythingUnused = everything;
      return this;
    }

    /**
     * Sets which filesystems are the same, where their devices do not tell.
     *
     * @param newLayout the default is found from the devices of each measurement
     * @return this builder
     */
    public Builder layout(FsLayout newLayout) {
      layout = Objects.requireNonNull(newLayout, "layout");
      return this;
    }

    /**
     * Returns the policy.
     *
     * @return an immutable policy
     * @throws IllegalStateException if a minimum reclaim is of a signal without a threshold, or both together are percentages of
     *     more than 100
     */
    public PressurePolicy build() {
      for (DiskSignal signal : minimumReclaims.keySet()) {
        if (!hard.containsKey(signal) && !soft.containsKey(signal)) {
          throw new IllegalStateException("minimumReclaim of " + signal + " is "
              + minimumReclaims.get(signal) + ", but no threshold of " + signal + " is set");
        }
      }
      PressurePolicy policy = new PressurePolicy(this);
      policy.thresholds().forEach(threshold -> refuseMoreThanThereIs(policy, threshold));
      return policy;
    }

    /** Such pressure would never end, and take all images for ever. */
    private static void refuseMoreThanThereIs(PressurePolicy policy, PressureThreshold threshold) {
      BigDecimal percent = threshold.value().percent();
      BigDecimal reclaim = policy
          .minimumReclaim(threshold.signal())
          .map(PressureValue::percent)
          .orElse(BigDecimal.ZERO);
      if (percent != null && percent.add(reclaim).compareTo(BigDecimal.valueOf(100)) > 0) {
        throw new IllegalStateException("threshold " + threshold + " and its minimumReclaim of "
            + policy.minimumReclaims.get(threshold.signal())
            + " must be at most 100% together: there is no more");
      }
    }
  }
}
