/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.NodeFs;
import dev.imagegc.core.FsLayout;
import dev.imagegc.core.internal.Disk;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ContradictionsTest {
  private static final long GIB = 1L << 30;
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final GcThresholds GC = gc(85, 80);
  private static final FsStats DISK = FsStats.builder("/images", Instant.EPOCH)
      .capacityBytes(100 * GIB)
      .availableBytes(50 * GIB)
      .inodes(1000, 500)
      .build();

  private static GcThresholds gc(int high, int low) {
    return GcThresholds.builder().highPercent(high).lowPercent(low).build();
  }

  private static PressurePolicy.Builder hard(String threshold) {
    return PressurePolicy.builder().hard(threshold);
  }

  private static PressurePolicy reclaiming(String threshold, String reclaim) {
    return hard(threshold)
        .minimumReclaim(PressureThreshold.parse(threshold).signal(), PressureValue.parse(reclaim))
        .build();
  }

  private static List<String> between(GcThresholds gc, PressurePolicy policy) {
    return sentences(Contradictions.find(gc, policy, policy.layout(), null));
  }

  private static List<String> between(
      GcThresholds gc, PressurePolicy policy, FsLayout layout, FsStats imageFs) {
    return sentences(Contradictions.find(gc, policy, Optional.of(layout), imageFs));
  }

  private static List<String> sentences(List<Contradictions.Contradiction> found) {
    return found.stream().map(Contradictions.Contradiction::sentence).toList();
  }

  @Test
  void theDefaultsOfBoth_areFine() {
    assertThat(between(GC, PressurePolicy.ofDefaults())).isEmpty();
    assertThat(between(GC, PressurePolicy.ofDefaults(), FsLayout.ONE_DISK, DISK))
        .isEmpty();
  }

  @Test
  void fifteenPercent_isWhereTheKubeletPutBoth_andFine() {
    PressurePolicy policy = hard("imagefs.available<15%").build();
    assertThat(between(GC, policy)).isEmpty();
    assertThat(between(GC, reclaiming("imagefs.available<15%", "5%"))).isEmpty();
    FsStats odd = FsStats.of("/images", Instant.EPOCH, 100 * GIB + 7, 1);
    assertThat(between(GC, policy, FsLayout.SPLIT, odd)).isEmpty();
  }

  @Test
  void thresholdBetweenWhatHighLeaves_andWhereCollectionBegins_isFine() {
    assertThat(between(GC, hard("imagefs.available<15.5%").build())).isEmpty();
    assertThat(between(GC, hard("imagefs.available<16%").build())).isEmpty();
    assertThat(between(GC, hard("imagefs.available<16.01%").build()))
        .containsExactly("threshold imagefs.available<16.01% (hard) is met below 16.01% available,"
            + " and highPercent 85 lets image collection begin below 16% (usage counts in whole"
            + " percent): pressure acts before collection does");
  }

  @Test
  void thresholdIsNamed_ifThereIsANumberThatIsPressure_andDoesNotLetCollectionBegin() {
    for (long capacity : new long[] {1, 2, 7, 99, 100, 101, 250, 333, 1000, 1003}) {
      for (int high : new int[] {1, 50, 84, 85, 90, 99}) {
        for (int low : new int[] {0, 1, high / 2, high - 1, high}) {
          GcThresholds thresholds = GcThresholds.builder()
              .highPercent(high)
              .lowPercent(Math.min(low, high))
              .inodesPercent(high, Math.min(low, high))
              .build();
          long least = leastThatDoesNotLetCollectionBegin(thresholds, capacity);
          for (String signal : List.of("imagefs.available", "imagefs.inodesFree")) {
            String field = signal.endsWith("Free") ? "inodesHighPercent " : " highPercent ";
            assertThat(named(thresholds, signal + "<" + (least + 1), capacity))
                .as("%s of %d with %s: %d is met first", signal, capacity, thresholds, least)
                .contains(field);
            if (least > 0) {
              assertThat(named(thresholds, signal + "<" + least, capacity))
                  .as("%s of %d with %s: %d begins first", signal, capacity, thresholds, least - 1)
                  .doesNotContain(field);
            }
          }
        }
      }
    }
  }

  /** As a round decides it. */
  private static long leastThatDoesNotLetCollectionBegin(GcThresholds thresholds, long capacity) {
    for (long available = 0; ; available++) {
      Disk disk = Disk.of(disk(capacity, available));
      if (disk.usagePercent() < thresholds.highPercent()
          || disk.need(thresholds.lowPercent()) <= 0) {
        return available;
      }
    }
  }

  private static FsStats disk(long capacity, long available) {
    return FsStats.builder("/images", Instant.EPOCH)
        .capacityBytes(capacity)
        .availableBytes(available)
        .inodes(capacity, available)
        .build();
  }

  private static String named(GcThresholds thresholds, String threshold, long capacity) {
    return String.join(
        "\n", between(thresholds, hard(threshold).build(), FsLayout.ONE_DISK, disk(capacity, 0)));
  }

  @Test
  void minimumReclaimAboveWhatLowLeaves_isNamed() {
    assertThat(between(GC, reclaiming("imagefs.available<15%", "10%")))
        .containsExactly("threshold imagefs.available<15% (hard) with a minimum reclaim of 10% is"
            + " over at 25% available, and lowPercent 80 lets image collection stop at 20%:"
            + " collection stops while pressure goes on");
  }

  @Test
  void thresholdAboveWhatHighAndLowLeave_isNamedTwice() {
    assertThat(between(GC, hard("imagefs.available<30%").build()))
        .containsExactly(
            "threshold imagefs.available<30% (hard) is met below 30% available, and highPercent 85"
                + " lets image collection begin below 16% (usage counts in whole percent): pressure"
                + " acts before collection does",
            "threshold imagefs.available<30% (hard) is over at 30% available, and lowPercent 80 lets"
                + " image collection stop at 20%: collection stops while pressure goes on");
  }

  @Test
  void softThresholds_countToo() {
    assertThat(between(
            GC, PressurePolicy.builder().soft("imagefs.available<20%", MINUTE).build()))
        .containsExactly("threshold imagefs.available<20% (soft) is met below 20% available, and"
            + " highPercent 85 lets image collection begin below 16% (usage counts in whole"
            + " percent): pressure acts before collection does");
  }

  @Test
  void numbers_areComparedWhenTheDiskIsMeasured_inBytes() {
    PressurePolicy policy = reclaiming("imagefs.available<15Gi", "6Gi");
    assertThat(between(GC, policy)).isEmpty();
    assertThat(Contradictions.needMeasurement(policy)).isTrue();
    assertThat(between(GC, policy, FsLayout.ONE_DISK, DISK))
        .containsExactly("threshold imagefs.available<15Gi (hard) with a minimum reclaim of 6.0 GiB"
            + " is over at 21.0 GiB available, and lowPercent 80 lets image collection stop at"
            + " 20.0 GiB: collection stops while pressure goes on");
    assertThat(between(GC, reclaiming("imagefs.available<15Gi", "5Gi"), FsLayout.ONE_DISK, DISK))
        .isEmpty();
  }

  @Test
  void percentWithANumberAsReclaim_needsTheMeasurement() {
    PressurePolicy policy = reclaiming("imagefs.available<15%", "6Gi");
    assertThat(between(GC, policy)).isEmpty();
    assertThat(Contradictions.needMeasurement(policy)).isTrue();
    assertThat(between(GC, policy, FsLayout.ONE_DISK, DISK)).hasSize(1);
    assertThat(Contradictions.needMeasurement(hard("imagefs.available<15%").build()))
        .isFalse();
  }

  @Test
  void otherFilesystems_countWhereTheyAreTheSame() {
    PressurePolicy root = hard("nodefs.available<30%").build();
    assertThat(between(GC, root)).isEmpty();
    assertThat(Contradictions.needMeasurement(root)).isTrue();
    assertThat(between(GC, root, FsLayout.ONE_DISK, DISK)).hasSize(2);
    assertThat(between(GC, root, FsLayout.DEDICATED_IMAGEFS, DISK)).isEmpty();
    PressurePolicy laidOut =
        hard("nodefs.available<30%").layout(FsLayout.ONE_DISK).build();
    assertThat(between(GC, laidOut)).hasSize(2);
    assertThat(Contradictions.needMeasurement(laidOut)).isFalse();
    PressurePolicy layers = hard("containerfs.available<30%").build();
    assertThat(between(GC, layers, FsLayout.DEDICATED_IMAGEFS, DISK)).hasSize(2);
    assertThat(between(GC, layers, FsLayout.SPLIT, DISK)).isEmpty();
  }

  @Test
  void collectionThatIsOff_contradictsNothing() {
    assertThat(between(gc(100, 80), hard("imagefs.available<30%").build())).isEmpty();
  }

  @Test
  void inodes_areHeldAgainstTheirOwnThresholds() {
    PressurePolicy policy = hard("imagefs.inodesFree<30%").build();
    assertThat(between(GC, policy)).isEmpty();
    GcThresholds inodes = GcThresholds.builder().inodesPercent(90, 75).build();
    assertThat(between(inodes, policy))
        .containsExactly(
            "threshold imagefs.inodesFree<30% (hard) is met below 30% available, and"
                + " inodesHighPercent 90 lets image collection begin below 11% (usage counts in"
                + " whole percent): pressure acts before collection does",
            "threshold imagefs.inodesFree<30% (hard) is over at 30% available, and inodesLowPercent"
                + " 75 lets image collection stop at 25%: collection stops while pressure goes on");
    assertThat(between(inodes, hard("imagefs.inodesFree<200").build(), FsLayout.ONE_DISK, DISK))
        .containsExactly(
            "threshold imagefs.inodesFree<200 (hard) is met below 200 inodes available,"
                + " and inodesHighPercent 90 lets image collection begin below 110 inodes (usage"
                + " counts in whole percent): pressure acts before collection does");
  }

  @Test
  void unknownCapacity_contradictsNothing() {
    FsStats unknown = FsStats.builder("/images", Instant.EPOCH).build();
    assertThat(between(GC, hard("imagefs.available<30%").build(), FsLayout.ONE_DISK, unknown))
        .isEmpty();
  }

  @Test
  void reclaimAboveEverything_doesNotOverflow() {
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<15%")
        .minimumReclaim(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.of(Long.MAX_VALUE))
        .build();
    assertThat(between(GC, policy, FsLayout.ONE_DISK, DISK)).hasSize(1);
  }

  @Test
  void moreThanTheFilesystemHas_isNamed_onAnyFilesystem() {
    FsStats root = FsStats.builder("/", Instant.EPOCH)
        .capacityBytes(16 * GIB)
        .availableBytes(GIB)
        .inodes(1000, 10)
        .build();
    Readings readings = new Readings(Map.of(NodeFs.NODEFS, root), Map.of(), FsLayout.SPLIT);
    PressurePolicy.Builder fine = PressurePolicy.builder()
        .hard("nodefs.available<16Gi")
        .soft("nodefs.inodesFree<1000", MINUTE)
        .hard("imagefs.available<1Ti"); // which is not known
    assertThat(Contradictions.aboveCapacity(fine.build(), readings)).isEmpty();
    PressurePolicy above = PressurePolicy.builder()
        .hard("nodefs.available<12Gi")
        .minimumReclaim(DiskSignal.NODEFS_AVAILABLE, PressureValue.parse("5Gi"))
        .soft("nodefs.available<50%", MINUTE)
        .soft("nodefs.inodesFree<1001", MINUTE)
        .build();
    assertThat(sentences(Contradictions.aboveCapacity(above, readings)))
        .containsExactly(
            "threshold nodefs.available<12Gi (hard) with a minimum reclaim of 5.0 GiB is over at"
                + " 17.0 GiB available, and nodefs has 16.0 GiB in all: pressure never ends",
            "threshold nodefs.inodesFree<1001 (soft) is over at 1001 inodes available, and nodefs"
                + " has 1000 inodes in all: pressure never ends");
  }

  @Test
  void percentWithANumberAsReclaim_mayBeMoreThanTheFilesystemHas() {
    PressurePolicy policy = reclaiming("imagefs.available<50%", "51Gi");
    Readings readings = new Readings(Map.of(NodeFs.IMAGEFS, DISK), Map.of(), FsLayout.ONE_DISK);
    assertThat(Contradictions.aboveCapacity(policy, readings)).hasSize(1);
    assertThat(Contradictions.aboveCapacity(reclaiming("imagefs.available<50%", "50Gi"), readings))
        .isEmpty();
  }

  @Test
  void minAgeAboveMaxAge_isExplained_andNoContradiction() {
    GcThresholds ages = GcThresholds.builder()
        .minAge(Duration.ofHours(2))
        .maxAge(Duration.ofHours(1))
        .build();
    assertThat(Contradictions.notes(ages))
        .isEqualTo(List.of("minAge 2h is above maxAge 1h: that is allowed; an image that is unused"
            + " for longer than maxAge goes when it is minAge old"));
    assertThat(Contradictions.notes(GC)).isEmpty();
    assertThat(between(ages, PressurePolicy.ofDefaults())).isEmpty();
  }
}
