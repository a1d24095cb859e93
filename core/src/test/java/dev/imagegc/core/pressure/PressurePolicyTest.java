/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.imagegc.api.DiskSignal;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PressurePolicyTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  @Test
  void defaults_areTheKubeletsHardOnesOnLinux() {
    PressurePolicy policy = PressurePolicy.ofDefaults();
    assertThat(policy.thresholds())
        .containsExactly(
            PressureThreshold.parse("imagefs.available<15%"),
            PressureThreshold.parse("nodefs.available<10%"),
            PressureThreshold.parse("nodefs.inodesFree<5%"));
    assertThat(policy.transitionPeriod()).isEqualTo(Duration.ofMinutes(5));
    assertThat(policy.reclaimsEverythingUnused()).isFalse();
    assertThat(policy.layout()).isEmpty();
    assertThat(policy.minimumReclaim(DiskSignal.IMAGEFS_AVAILABLE)).isEmpty();
  }

  @Test
  void settingOne_dropsTheDefaults_andOffIsNoThreshold() {
    assertThat(PressurePolicy.builder()
            .hard("imagefs.available<1Gi")
            .hard("nodefs.available<0%")
            .soft("nodefs.inodesFree<100%", MINUTE)
            .build()
            .thresholds())
        .containsExactly(PressureThreshold.parse("imagefs.available<1Gi"));
    assertThat(PressurePolicy.builder().build().thresholds()).isEmpty();
  }

  @Test
  void hardOnesComeFirst_thenTheOrderOfSignals() {
    assertThat(PressurePolicy.builder()
            .soft("imagefs.available<20%", MINUTE)
            .hard("nodefs.available<10%")
            .soft("nodefs.available<12%", MINUTE)
            .hard("imagefs.available<15%")
            .build()
            .thresholds())
        .extracting(threshold -> threshold + (threshold.isHard() ? " hard" : " soft"))
        .containsExactly(
            "imagefs.available<15% hard",
            "nodefs.available<10% hard", "imagefs.available<20% soft", "nodefs.available<12% soft");
  }

  @Test
  void secondThresholdOfAKind_isRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            PressurePolicy.builder().hard("imagefs.available<15%").hard("imagefs.available<1Gi"))
        .withMessage("there must be one hard threshold of imagefs.available, but there are"
            + " imagefs.available<15% and imagefs.available<1Gi");
  }

  @Test
  void minimumReclaimWithoutThreshold_isRefused() {
    assertThatIllegalStateException()
        .isThrownBy(() -> PressurePolicy.builder()
            .hard("imagefs.available<15%")
            .minimumReclaim(DiskSignal.NODEFS_AVAILABLE, PressureValue.parse("500Mi"))
            .build())
        .withMessage("minimumReclaim of nodefs.available is 500Mi, but no threshold of"
            + " nodefs.available is set");
  }

  @Test
  void thresholdAndMinimumReclaimOfMoreThanThereIs_areRefused() {
    PressurePolicy.Builder policy = PressurePolicy.builder()
        .soft("nodefs.available<10.5%", Duration.ofMinutes(1))
        .minimumReclaim(DiskSignal.NODEFS_AVAILABLE, PressureValue.parse("90%"));
    assertThatIllegalStateException()
        .isThrownBy(policy::build)
        .withMessage("threshold nodefs.available<10.5% and its minimumReclaim of 90% must be at"
            + " most 100% together: there is no more");
    policy.minimumReclaim(DiskSignal.NODEFS_AVAILABLE, PressureValue.parse("89.5%"));
    assertThat(policy.build().thresholds()).hasSize(1);
  }

  @Test
  void wanted_isThresholdAndMinimumReclaim_withoutOverflow() {
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<15%")
        .minimumReclaim(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.parse("10%"))
        .hard("nodefs.available<7Ei")
        .minimumReclaim(DiskSignal.NODEFS_AVAILABLE, PressureValue.parse("7Ei"))
        .hard("nodefs.inodesFree<100")
        .minimumReclaim(DiskSignal.NODEFS_INODES_FREE, PressureValue.parse("100%"))
        .build();
    assertThat(policy.wanted(policy.thresholds().get(0), 1000)).isEqualTo(250);
    assertThat(policy.wanted(policy.thresholds().get(1), 1000)).isEqualTo(Long.MAX_VALUE);
    assertThat(policy.wanted(policy.thresholds().get(2), 1000)).isEqualTo(100);
  }
}
