/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.core.FsLayout;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
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

  @Test
  void theDefaultsOfBoth_areFine() {
    assertThat(Contradictions.between(GC, PressurePolicy.ofDefaults())).isEmpty();
    assertThat(Contradictions.between(GC, PressurePolicy.ofDefaults(), FsLayout.ONE_DISK, DISK))
        .isEmpty();
  }

  @Test
  void fifteenPercent_isWhereTheKubeletPutBoth_andFine() {
    PressurePolicy policy = hard("imagefs.available<15%").build();
    assertThat(Contradictions.between(GC, policy)).isEmpty();
    assertThat(Contradictions.between(GC, reclaiming("imagefs.available<15%", "5%")))
        .isEmpty();
    FsStats odd = FsStats.of("/images", Instant.EPOCH, 100 * GIB + 7, 1);
    assertThat(Contradictions.between(GC, policy, FsLayout.SPLIT, odd)).isEmpty();
  }

  @Test
  void minimumReclaimAboveWhatLowLeaves_isNamed() {
    assertThat(Contradictions.between(GC, reclaiming("imagefs.available<15%", "10%")))
        .containsExactly("threshold imagefs.available<15% (hard) with a minimum reclaim of 10% is"
            + " over at 25% available, and lowPercent 80 lets image collection stop at 20%:"
            + " collection stops while pressure goes on");
  }

  @Test
  void thresholdAboveWhatHighAndLowLeave_isNamedTwice() {
    assertThat(Contradictions.between(GC, hard("imagefs.available<30%").build()))
        .containsExactly(
            "threshold imagefs.available<30% (hard) is met below 30% available, and highPercent 85"
                + " lets image collection begin at 15%: pressure acts before collection does",
            "threshold imagefs.available<30% (hard) is over at 30% available, and lowPercent 80 lets"
                + " image collection stop at 20%: collection stops while pressure goes on");
  }

  @Test
  void softThresholds_countToo() {
    assertThat(Contradictions.between(
            GC, PressurePolicy.builder().soft("imagefs.available<20%", MINUTE).build()))
        .containsExactly("threshold imagefs.available<20% (soft) is met below 20% available, and"
            + " highPercent 85 lets image collection begin at 15%: pressure acts before collection"
            + " does");
  }

  @Test
  void numbers_areComparedWhenTheDiskIsMeasured_inBytes() {
    PressurePolicy policy = reclaiming("imagefs.available<15Gi", "6Gi");
    assertThat(Contradictions.between(GC, policy)).isEmpty();
    assertThat(Contradictions.needMeasurement(policy)).isTrue();
    assertThat(Contradictions.between(GC, policy, FsLayout.ONE_DISK, DISK))
        .containsExactly("threshold imagefs.available<15Gi (hard) with a minimum reclaim of 6.0 GiB"
            + " is over at 21.0 GiB available, and lowPercent 80 lets image collection stop at"
            + " 20.0 GiB: collection stops while pressure goes on");
    assertThat(Contradictions.between(
            GC, reclaiming("imagefs.available<15Gi", "5Gi"), FsLayout.ONE_DISK, DISK))
        .isEmpty();
  }

  @Test
  void percentWithANumberAsReclaim_needsTheMeasurement() {
    PressurePolicy policy = reclaiming("imagefs.available<15%", "6Gi");
    assertThat(Contradictions.between(GC, policy)).isEmpty();
    assertThat(Contradictions.needMeasurement(policy)).isTrue();
    assertThat(Contradictions.between(GC, policy, FsLayout.ONE_DISK, DISK)).hasSize(1);
    assertThat(Contradictions.needMeasurement(hard("imagefs.available<15%").build()))
        .isFalse();
  }

  @Test
  void otherFilesystems_countWhereTheyAreTheSame() {
    PressurePolicy root = hard("nodefs.available<30%").build();
    assertThat(Contradictions.between(GC, root)).isEmpty();
    assertThat(Contradictions.needMeasurement(root)).isTrue();
    assertThat(Contradictions.between(GC, root, FsLayout.ONE_DISK, DISK)).hasSize(2);
    assertThat(Contradictions.between(GC, root, FsLayout.DEDICATED_IMAGEFS, DISK))
        .isEmpty();
    PressurePolicy laidOut =
        hard("nodefs.available<30%").layout(FsLayout.ONE_DISK).build();
    assertThat(Contradictions.between(GC, laidOut)).hasSize(2);
    assertThat(Contradictions.needMeasurement(laidOut)).isFalse();
    PressurePolicy layers = hard("containerfs.available<30%").build();
    assertThat(Contradictions.between(GC, layers, FsLayout.DEDICATED_IMAGEFS, DISK))
        .hasSize(2);
    assertThat(Contradictions.between(GC, layers, FsLayout.SPLIT, DISK)).isEmpty();
  }

  @Test
  void collectionThatIsOff_contradictsNothing() {
    assertThat(Contradictions.between(gc(100, 80), hard("imagefs.available<30%").build()))
        .isEmpty();
  }

  @Test
  void inodes_areHeldAgainstTheirOwnThresholds() {
    PressurePolicy policy = hard("imagefs.inodesFree<30%").build();
    assertThat(Contradictions.between(GC, policy)).isEmpty();
    GcThresholds inodes = GcThresholds.builder().inodesPercent(90, 75).build();
    assertThat(Contradictions.between(inodes, policy))
        .containsExactly(
            "threshold imagefs.inodesFree<30% (hard) is met below 30% available, and"
                + " inodesHighPercent 90 lets image collection begin at 10%: pressure acts before"
                + " collection does",
            "threshold imagefs.inodesFree<30% (hard) is over at 30% available, and inodesLowPercent"
                + " 75 lets image collection stop at 25%: collection stops while pressure goes on");
    assertThat(Contradictions.between(
            inodes, hard("imagefs.inodesFree<200").build(), FsLayout.ONE_DISK, DISK))
        .containsExactly(
            "threshold imagefs.inodesFree<200 (hard) is met below 200 inodes available,"
                + " and inodesHighPercent 90 lets image collection begin at 100 inodes: pressure acts"
                + " before collection does");
  }

  @Test
  void unknownCapacity_contradictsNothing() {
    FsStats unknown = FsStats.builder("/images", Instant.EPOCH).build();
    assertThat(Contradictions.between(
            GC, hard("imagefs.available<30%").build(), FsLayout.ONE_DISK, unknown))
        .isEmpty();
  }

  @Test
  void reclaimAboveEverything_doesNotOverflow() {
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<15%")
        .minimumReclaim(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.of(Long.MAX_VALUE))
        .build();
    assertThat(Contradictions.between(GC, policy, FsLayout.ONE_DISK, DISK)).hasSize(1);
  }

  @Test
  void minAgeAboveMaxAge_isExplained() {
    GcThresholds ages = GcThresholds.builder()
        .minAge(Duration.ofHours(2))
        .maxAge(Duration.ofHours(1))
        .build();
    assertThat(Contradictions.notes(ages))
        .isEqualTo(List.of("minAge 2h is above maxAge 1h: that is allowed; an image that is unused"
            + " for longer than maxAge goes when it is minAge old"));
    assertThat(Contradictions.notes(GC)).isEmpty();
  }
}
