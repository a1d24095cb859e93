/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.core.internal.Disk;
import java.math.BigInteger;
import java.time.Instant;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class DiskTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @Test
  void usage_isRoundedUp() {
    assertThat(disk(1000, 600).usagePercent()).isEqualTo(40);
    assertThat(disk(1000, 50).usagePercent()).isEqualTo(95);
    assertThat(disk(1001, 200).usagePercent()).isEqualTo(81);
    assertThat(disk(1000, 0).usagePercent()).isEqualTo(100);
    assertThat(disk(1000, 1000).usagePercent()).isZero();
  }

  @Test
  void need_isRoundedDown() {
    assertThat(disk(1000, 50).need(80)).isEqualTo(150);
    assertThat(disk(1001, 200).need(80)).isZero();
    assertThat(disk(1001, 199).need(80)).isEqualTo(1);
    assertThat(disk(1000, 600).need(80)).isEqualTo(-400);
  }

  @Property
  void usageAndNeed_ofAnyLongValues_equalTheFormulaWithoutLimits(
      @ForAll @LongRange(min = 1) long capacity,
      @ForAll @LongRange(min = 0) long anyAvailable,
      @ForAll @IntRange(max = 100) int low) {
    long available = anyAvailable % capacity;
    Disk disk = disk(capacity, available);
    BigInteger share = BigInteger.valueOf(capacity)
        .multiply(BigInteger.valueOf(100 - low))
        .divide(BigInteger.valueOf(100));
    BigInteger free = BigInteger.valueOf(available)
        .multiply(BigInteger.valueOf(100))
        .divide(BigInteger.valueOf(capacity));
    assertThat(disk.need(low)).isEqualTo(share.longValueExact() - available);
    assertThat(disk.usagePercent()).isEqualTo(100 - free.intValueExact());
  }

  @Test
  void availableAboveCapacity_isClamped() {
    Disk disk = disk(1000, 1001);
    assertThat(disk.clamped()).isTrue();
    assertThat(disk.available()).isEqualTo(1000);
    assertThat(disk.stats().availableBytes()).hasValue(1000);
  }

  @Test
  void capacityZero_isNoDisk() {
    assertThatThrownBy(() -> disk(0, 0))
        .isInstanceOf(InvalidCapacityException.class)
        .hasMessage(
            "image filesystem /images cannot be judged: its capacity must be above 0, but is 0");
  }

  @Test
  void unknownNumbers_areNotZero() {
    assertThatThrownBy(
            () -> Disk.of(FsStats.builder("/images", NOW).capacityBytes(1000).build()))
        .isInstanceOf(InvalidCapacityException.class)
        .hasMessageContaining("available bytes are unknown");
    assertThatThrownBy(
            () -> Disk.of(FsStats.builder("/images", NOW).availableBytes(1000).build()))
        .isInstanceOf(InvalidCapacityException.class)
        .hasMessageContaining("capacity is unknown");
  }

  @Test
  void negativeAvailable_isNoDisk() {
    assertThatThrownBy(() -> disk(1000, -1)).isInstanceOf(InvalidCapacityException.class);
  }

  private static Disk disk(long capacity, long available) {
    return Disk.of(FsStats.of("/images", NOW, capacity, available));
  }
}
