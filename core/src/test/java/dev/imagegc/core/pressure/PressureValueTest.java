/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.imagegc.api.DiskSignal;
import java.math.BigInteger;
import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Amounts and thresholds as people write them. */
class PressureValueTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "4096, 4096",
    "+5, 5",
    "1Ki, 1024",
    "500Mi, 524288000",
    "1Gi, 1073741824",
    "1.5Gi, 1610612736",
    ".5Ki, 512",
    "1.Ki, 1024",
    "1.1G, 1100000000",
    "2Ti, 2199023255552",
    "1Pi, 1125899906842624",
    "7Ei, 8070450532247928832",
    "10k, 10000",
    "100M, 100000000",
    "3G, 3000000000",
    "3T, 3000000000000",
    "3P, 3000000000000000",
    "1E, 1000000000000000000",
    "1e9, 1000000000",
    "1E9, 1000000000",
    "1.5e3, 1500",
    "1e+3, 1000",
    "1500e-3, 2",
    "1.2, 2",
    "100m, 1",
    "1u, 1",
    "1n, 1",
    "9223372036854775807, 9223372036854775807"
  })
  void quantities_areReadAsKubernetesWritesThem_roundedUp(String text, long amount) {
    PressureValue value = PressureValue.parse(text);
    assertThat(value.amountOf(0)).isEqualTo(amount);
    assertThat(value.amountOf(Long.MAX_VALUE)).isEqualTo(amount);
    assertThat(value.isPercent()).isFalse();
    assertThat(value.isOff()).isFalse();
    assertThat(value).hasToString(text).isEqualTo(PressureValue.of(amount));
  }

  @ParameterizedTest
  @CsvSource({
    "15%, 1000, 150",
    "7.5%, 1000, 75",
    "10%, 999, 99",
    "1%, 50, 0",
    "0.5%, 1000, 5",
    "99%, 9223372036854775807, 9131138316486228048"
  })
  void percentages_areRoundedDown_andDoNotOverflow(String text, long capacity, long amount) {
    PressureValue value = PressureValue.parse(text);
    assertThat(value.isPercent()).isTrue();
    assertThat(value.isOff()).isFalse();
    assertThat(value.amountOf(capacity)).isEqualTo(amount);
    assertThat(value).hasToString(text);
  }

  @Property
  void percentOfACapacity_isTheExactFloor(
      @ForAll @LongRange(min = 0) long capacity,
      @ForAll @IntRange(min = 0, max = 100) int percent) {
    long exact = BigInteger.valueOf(capacity)
        .multiply(BigInteger.valueOf(percent))
        .divide(BigInteger.valueOf(100))
        .longValueExact();
    assertThat(PressureValue.ofPercent(percent).amountOf(capacity)).isEqualTo(exact);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0%", "100%", "0.0%", "100.0%"})
  void zeroAndHundredPercent_areOff(String text) {
    assertThat(PressureValue.parse(text).isOff()).isTrue();
  }

  @Test
  void equalAmountsInOtherWords_areEqual_butNoPercentageIsANumber() {
    assertThat(PressureValue.parse("1024Mi"))
        .isEqualTo(PressureValue.parse("1Gi"))
        .hasSameHashCodeAs(PressureValue.parse("1Gi"));
    assertThat(PressureValue.parse("5.0%"))
        .isEqualTo(PressureValue.ofPercent(5))
        .hasSameHashCodeAs(PressureValue.ofPercent(5))
        .isNotEqualTo(PressureValue.ofPercent(6));
    assertThat(PressureValue.parse("0%")).isNotEqualTo(PressureValue.of(0));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", " ", "Gi", "1 Gi", "1gi", "1GiB", "1KB", "1K", "15 %", "%", "1.2.3", "1e", "e9", "0x10",
        "1_000", "1,5Gi", "1e1000", "١Gi", "1%%"
      })
  void whatIsNeither_isNamedWithTheRule(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PressureValue.parse(text))
        .withMessage("'" + text + "' is no amount: it must be a quantity as Kubernetes writes it"
            + " (1Gi, 500Mi, 1.5Gi, 100M, 1e9, 4096) or a percentage (15%)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "-1Gi|'-1Gi' must not be negative",
        "101%|'101%' must be from 0% to 100%",
        "100.1%|'100.1%' must be from 0% to 100%",
        "-1%|'-1%' must be from 0% to 100%",
        "8Ei|'8Ei' must be at most 9223372036854775807, which is 8Ei less one",
        "1e999|'1e999' must be at most 9223372036854775807, which is 8Ei less one"
      })
  void whatIsOutOfRange_isNamedWithTheRule(String text, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PressureValue.parse(text))
        .withMessage(message);
  }

  @Test
  void numbersOutOfRange_areRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PressureValue.of(-1))
        .withMessage("amount must not be negative, but is -1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PressureValue.ofPercent(101))
        .withMessage("percent must be from 0 to 100, but is 101");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PressureValue.parse("1".repeat(65)))
        .withMessage("an amount must have at most 64 characters, but this has 65");
  }

  // Thresholds

  @ParameterizedTest
  @CsvSource({
    "imagefs.available<15%, IMAGEFS_AVAILABLE, 15%",
    "nodefs.inodesFree<10k, NODEFS_INODES_FREE, 10k",
    "containerfs.available<1.5Gi, CONTAINERFS_AVAILABLE, 1.5Gi",
    "imagefs.inodesFree<0%, IMAGEFS_INODES_FREE, 0%"
  })
  void thresholds_areReadAsTheKubeletHasThem(String text, DiskSignal signal, String value) {
    PressureThreshold threshold = PressureThreshold.parse(text);
    assertThat(threshold.signal()).isEqualTo(signal);
    assertThat(threshold.value()).isEqualTo(PressureValue.parse(value));
    assertThat(threshold.isHard()).isTrue();
    assertThat(threshold.grace()).isZero();
    assertThat(threshold).hasToString(text);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "imagefs.available=15%|'imagefs.available=15%' is no threshold: it must be a signal, '<' and"
            + " an amount, for instance imagefs.available<15%",
        "memory.available<1Gi|threshold 'memory.available<1Gi': there is no signal"
            + " 'memory.available'; it must be one of imagefs.available, imagefs.inodesFree,"
            + " nodefs.available, nodefs.inodesFree, containerfs.available, containerfs.inodesFree",
        "imagefs.available<1X|threshold 'imagefs.available<1X': '1X' is no amount: it must be a"
            + " quantity as Kubernetes writes it (1Gi, 500Mi, 1.5Gi, 100M, 1e9, 4096) or a"
            + " percentage (15%)",
        "imagefs.available<|threshold 'imagefs.available<': '' is no amount: it must be a quantity"
            + " as Kubernetes writes it (1Gi, 500Mi, 1.5Gi, 100M, 1e9, 4096) or a percentage (15%)",
        "imagefs.available<0|threshold imagefs.available<0 must be above 0; 0% is off"
      })
  void badThresholds_areNamedWithTheRule(String text, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PressureThreshold.parse(text))
        .withMessage(message);
  }

  @Test
  void softThreshold_needsAGrace() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PressureThreshold.soft(
            DiskSignal.IMAGEFS_AVAILABLE, PressureValue.ofPercent(20), Duration.ZERO))
        .withMessage("grace of imagefs.available must be above zero, but is PT0S");
  }
}
