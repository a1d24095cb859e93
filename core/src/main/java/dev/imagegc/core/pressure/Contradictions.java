/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.NodeFs;
import dev.imagegc.core.FsLayout;
import dev.imagegc.core.internal.Durations;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds settings of image collection and of disk pressure that contradict each other. There are two ways:
 *
 * <ul>
 *   <li>A threshold and its minimum reclaim are above what the low threshold leaves: collection stops while pressure goes on.
 *   <li>A threshold is above where collection begins: pressure acts before collection does. Usage is rounded up, so with a high
 *       threshold of 85 collection begins below 16 % available, and not at 15 %.
 * </ul>
 *
 * Only signals of the image filesystem count, and of those that are the same one. Where the high threshold is 100, collection is
 * off and nothing contradicts it. On any filesystem a threshold and its minimum reclaim may be more than there is.
 */
final class Contradictions {
  private static final String CAPACITY = "capacity";

  private Contradictions() {}

  /**
   * Returns whether not everything can be compared before the image filesystem is measured: a value is a number, or which
   * filesystems are the same is to be found yet.
   *
   * @param pressure the policy of disk pressure
   * @return whether the first measurement is needed
   */
  static boolean needMeasurement(PressurePolicy pressure) {
    return pressure.thresholds().stream()
        .anyMatch(threshold -> !isAllPercent(threshold, pressure)
            || (threshold.signal().filesystem() != NodeFs.IMAGEFS
                && pressure.layout().isEmpty()));
  }

  /**
   * Explains settings of image collection that are allowed, but may surprise.
   *
   * @param gc the thresholds of image collection
   * @return sentences for people, normally none
   */
  static List<String> notes(GcThresholds gc) {
    return gc.maxAge()
        .filter(maxAge -> gc.minAge().compareTo(maxAge) > 0)
        .map(maxAge -> List.of("minAge " + Durations.text(gc.minAge()) + " is above maxAge "
            + Durations.text(maxAge) + ": that is allowed; an image that is unused for longer than"
            + " maxAge goes when it is minAge old"))
        .orElse(List.of());
  }

  /** Two settings that contradict each other, and a sentence on it. */
  record Contradiction(PressureThreshold threshold, String field, String sentence) {
    boolean isAboveCapacity() {
      return field.equals(CAPACITY);
    }
  }

  /**
   * Finds settings that contradict each other.
   *
   * @param gc the thresholds of image collection
   * @param pressure the policy of disk pressure
   * @param layout which filesystems are the same; empty compares those of the image filesystem alone
   * @param imageFs the image filesystem as measured; if it does not tell its capacity or its inodes, what needs them is not
   *     compared. Null before it is measured: compares thresholds in percent with a minimum reclaim in percent or none
   */
  static List<Contradiction> find(
      GcThresholds gc,
      PressurePolicy pressure,
      Optional<FsLayout> layout,
      @Nullable FsStats imageFs) {
    List<Contradiction> found = new ArrayList<>();
    for (PressureThreshold threshold : pressure.thresholds()) {
      DiskSignal signal = threshold.signal();
      boolean inodes = signal.countsInodes();
      int high = inodes ? gc.inodesHighPercent() : gc.highPercent();
      int low = inodes ? gc.inodesLowPercent() : gc.lowPercent();
      boolean onImageFs = signal.filesystem() == NodeFs.IMAGEFS
          || layout
              .filter(disks -> disks.isSame(signal.filesystem(), NodeFs.IMAGEFS))
              .isPresent();
      Scale scale = onImageFs && high < 100 ? Scale.of(threshold, pressure, imageFs) : null;
      if (scale != null) {
        BigDecimal begins = scale.beginsBelow(high, low);
        if (scale.threshold().compareTo(begins) > 0) {
          String field = inodes ? "inodesHighPercent" : "highPercent";
          found.add(new Contradiction(
              threshold,
              field,
              words(threshold) + " is met below " + scale.text(scale.threshold())
                  + " available, and " + field + " " + high + " lets image collection begin below "
                  + scale.text(begins)
                  + " (usage counts in whole percent): pressure acts before collection does"));
        }
        BigDecimal stops = scale.stopsAt(low);
        if (scale.wanted().compareTo(stops) > 0) {
          String field = inodes ? "inodesLowPercent" : "lowPercent";
          found.add(new Contradiction(
              threshold,
              field,
              words(threshold)
                  + withReclaim(scale.reclaim().signum() == 0, scale.text(scale.reclaim()))
                  + " is over at " + scale.text(scale.wanted()) + " available, and " + field + " "
                  + low + " lets image collection stop at " + scale.text(stops)
                  + ": collection stops while pressure goes on"));
        }
      }
    }
    return found;
  }

  /**
   * Finds thresholds that call for more than there is, which no removal ever gives.
   *
   * @param pressure the policy of disk pressure
   * @param readings what was measured; a signal that is unknown is not compared
   */
  static List<Contradiction> aboveCapacity(PressurePolicy pressure, Readings readings) {
    List<Contradiction> found = new ArrayList<>();
    for (PressureThreshold threshold : pressure.thresholds()) {
      DiskSignal signal = threshold.signal();
      readings
          .of(signal)
          .map(Reading::capacity)
          .filter(capacity -> pressure.wanted(threshold, capacity) > capacity)
          .ifPresent(capacity -> {
            long wanted = pressure.wanted(threshold, capacity);
            long reclaim = wanted - threshold.value().amountOf(capacity);
            found.add(new Contradiction(
                threshold,
                CAPACITY,
                words(threshold) + withReclaim(reclaim == 0, Reading.text(signal, reclaim))
                    + " is over at " + Reading.text(signal, wanted) + " available, and "
                    + signal.filesystem() + " has " + Reading.text(signal, capacity)
                    + " in all: pressure never ends"));
          });
    }
    return found;
  }

  private static String words(PressureThreshold threshold) {
    return "threshold " + threshold + (threshold.isHard() ? " (hard)" : " (soft)");
  }

  private static String withReclaim(boolean none, String amount) {
    return none ? "" : " with a minimum reclaim of " + amount;
  }

  private static boolean isAllPercent(PressureThreshold threshold, PressurePolicy pressure) {
    return threshold.value().isPercent()
        && pressure
            .minimumReclaim(threshold.signal())
            .map(value -> value.isPercent() || value.amountOf(0) == 0)
            .orElse(true);
  }

  /** What is compared, all in percent, or all in bytes or inodes if the capacity is known. */
  private record Scale(
      DiskSignal signal,
      BigDecimal threshold,
      BigDecimal reclaim,
      @Nullable Long capacity) {
    static @Nullable Scale of(
        PressureThreshold threshold, PressurePolicy pressure, @Nullable FsStats imageFs) {
      DiskSignal signal = threshold.signal();
      Optional<PressureValue> reclaim = pressure.minimumReclaim(signal);
      BigDecimal percent = threshold.value().percent();
      if (imageFs == null) {
        return percent == null || !isAllPercent(threshold, pressure)
            ? null
            : new Scale(
                signal, percent, reclaim.map(PressureValue::percent).orElse(BigDecimal.ZERO), null);
      }
      try {
        long capacity = Reading.of(signal, imageFs).capacity();
        return new Scale(
            signal,
            BigDecimal.valueOf(threshold.value().amountOf(capacity)),
            BigDecimal.valueOf(reclaim.map(value -> value.amountOf(capacity)).orElse(0L)),
            capacity);
      } catch (GcException e) {
        return null; // nothing is known to contradict
      }
    }

    BigDecimal wanted() {
      return threshold.add(reclaim);
    }

    /** Collection begins when usage, rounded up, is high and something is missing to low. */
    BigDecimal beginsBelow(int high, int low) {
      return share(101 - high, RoundingMode.CEILING).min(stopsAt(low));
    }

    BigDecimal stopsAt(int low) {
      return share(100 - low, RoundingMode.FLOOR);
    }

    private BigDecimal share(int percent, RoundingMode rounding) {
      return capacity == null
          ? BigDecimal.valueOf(percent)
          : BigDecimal.valueOf(capacity)
              .multiply(BigDecimal.valueOf(percent))
              .movePointLeft(2)
              .setScale(0, rounding);
    }

    String text(BigDecimal amount) {
      if (capacity == null) {
        return amount.stripTrailingZeros().toPlainString() + "%";
      }
      return amount.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0
          ? amount.toPlainString()
          : Reading.text(signal, amount.longValueExact());
    }
  }
}
