/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import static dev.imagegc.core.pressure.PressureNode.GIB;
import static dev.imagegc.core.pressure.PressureNode.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ContainerState;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PressureShortfall;
import dev.imagegc.core.FsLayout;
import dev.imagegc.testkit.FakeDisk;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The kubelet's scenario of node-level reclaim, with its numbers, once for each layout: available below 1 GiB hard, minimum reclaim
 * 500 MiB, transition period 5 minutes, a filesystem of 16 GiB.
 */
class NodeReclaimScenarioTest {
  private static final long CAPACITY = 16 * GIB;
  private static final long LOW = 750 * MIB;
  private static final long TOO_LITTLE = 1_100_000_000; // above 1 GiB, below 1 GiB + 500 MiB
  private static final Duration MINUTE = Duration.ofMinutes(1);

  /** Where pressure is, and what gives room there. */
  @SuppressWarnings("ImmutableEnumChecker") // a layout does not change
  enum Case {
    ONE_DISK_IMAGEFS(DiskSignal.IMAGEFS_AVAILABLE, FsLayout.ONE_DISK, true, true),
    ONE_DISK_NODEFS(DiskSignal.NODEFS_AVAILABLE, FsLayout.ONE_DISK, true, true),
    ONE_DISK_CONTAINERFS(DiskSignal.CONTAINERFS_AVAILABLE, FsLayout.ONE_DISK, true, true),
    DEDICATED_IMAGEFS(DiskSignal.IMAGEFS_AVAILABLE, FsLayout.DEDICATED_IMAGEFS, true, true),
    DEDICATED_CONTAINERFS(DiskSignal.CONTAINERFS_AVAILABLE, FsLayout.DEDICATED_IMAGEFS, true, true),
    SPLIT_NODEFS(DiskSignal.NODEFS_AVAILABLE, FsLayout.SPLIT, true, false),
    SPLIT_CONTAINERFS(DiskSignal.CONTAINERFS_AVAILABLE, FsLayout.SPLIT, true, false),
    SPLIT_IMAGEFS(DiskSignal.IMAGEFS_AVAILABLE, FsLayout.SPLIT, false, true);

    final DiskSignal signal;
    final FsLayout layout;
    final boolean containers;
    final boolean images;

    Case(DiskSignal signal, FsLayout layout, boolean containers, boolean images) {
      this.signal = signal;
      this.layout = layout;
      this.containers = containers;
      this.images = images;
    }

    FakeNode node() {
      FakeNode node = FakeNode.withDisk(CAPACITY);
      if (layout == FsLayout.ONE_DISK) {
        return node.withOneDisk();
      }
      return layout == FsLayout.SPLIT
          ? node.withSplitImageFs(CAPACITY)
          : node.withDedicatedImageFs(CAPACITY);
    }

    FakeDisk disk(FakeNode node) {
      return images ? node.imageDisk() : node.rootDisk();
    }

    /** Fills the disk under pressure with what only the steps of this layout give back. */
    void fill(FakeNode node, String name, long bytes) {
      if (!images) {
        node.container(name).state(ContainerState.EXITED).writes(bytes).add();
        return;
      }
      node.image(name).tag(name + ":1").size(bytes).add();
      if (containers) { // which hold the image until they are removed
        node.container(name).image(name).state(ContainerState.EXITED).add();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Case.class)
  void pressureIsRelieved_andWhatIsTooLittleIsHandedOver(Case layout) {
    FakeNode node = layout.node();
    FakeDisk disk = layout.disk(node);
    PressurePolicy policy = PressurePolicy.builder()
        .hard(layout.signal + "<1Gi")
        .minimumReclaim(layout.signal, PressureValue.parse("500Mi"))
        .build();
    try (PressureNode host = new PressureNode(node);
        DiskPressureManager pressure = host.manager(policy).build()) {
      // 1: plenty
      PressureReport report = pressure.relieve();
      assertThat(disk.availableBytes()).isEqualTo(CAPACITY);
      assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(report.layout()).containsSame(layout.layout);
      assertThat(isUnderPressure(pressure)).isFalse();
      assertThat(host.containerSteps).isZero();
      assertThat(report.imageReports()).isEmpty();
      assertThat(host.shortfalls).isEmpty();

      // 2: short, and enough comes back
      node.clock().advance(MINUTE);
      layout.fill(node, "big", CAPACITY - LOW);
      assertThat(disk.availableBytes()).isEqualTo(LOW);
      report = pressure.relieve();
      assertThat(disk.availableBytes()).isEqualTo(CAPACITY);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(isUnderPressure(pressure)).isTrue();
      assertThat(host.containerSteps).isEqualTo(layout.containers ? 1 : 0);
      assertThat(report.containerReport().isPresent()).isEqualTo(layout.containers);
      assertThat(report.imageReports()).hasSize(layout.images ? 1 : 0);
      assertThat(node.removalsAsked()).isEqualTo(layout.images ? List.of("big") : List.of());
      assertThat(host.shortfalls).isEmpty();

      // 3: two passes later all is well
      node.clock().advance(MINUTE.multipliedBy(20));
      for (int pass = 0; pass < 2; pass++) {
        report = pressure.relieve();
        assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
        assertThat(isUnderPressure(pressure)).isFalse();
        assertThat(host.containerSteps).isEqualTo(layout.containers ? 1 : 0);
        assertThat(report.imageReports()).isEmpty();
        assertThat(host.shortfalls).isEmpty();
      }

      // 4: short, and too little comes back
      node.clock().advance(MINUTE);
      disk.otherData(CAPACITY - TOO_LITTLE);
      layout.fill(node, "small", TOO_LITTLE - LOW);
      assertThat(disk.availableBytes()).isEqualTo(LOW);
      report = pressure.relieve();
      assertThat(disk.availableBytes()).isEqualTo(TOO_LITTLE);
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(isUnderPressure(pressure)).isTrue();
      assertThat(host.containerSteps).isEqualTo(layout.containers ? 2 : 0);
      assertThat(report.imageReports()).hasSize(layout.images ? 1 : 0);
      assertThat(host.shortfalls).hasSize(1);
      PressureShortfall shortfall = host.shortfalls.get(0);
      assertThat(shortfall.signal()).isEqualTo(layout.signal);
      assertThat(shortfall.isHard()).isTrue();
      assertThat(shortfall.threshold()).isEqualTo(GIB);
      assertThat(shortfall.wanted()).isEqualTo(GIB + 500 * MIB);
      assertThat(shortfall.available()).isEqualTo(TOO_LITTLE);
      assertThat(shortfall.missing()).isEqualTo(GIB + 500 * MIB - TOO_LITTLE);
    }
  }

  private static boolean isUnderPressure(DiskPressureManager pressure) {
    assertThat(pressure.conditions()).hasSize(1);
    return pressure.conditions().get(0).isUnderPressure();
  }

  @ParameterizedTest
  @EnumSource(
      value = Case.class,
      names = {"DEDICATED_IMAGEFS", "SPLIT_IMAGEFS"})
  void pressureOnOneDisk_removesNothingOnAnother(Case layout) {
    FakeNode node = layout.node();
    layout.fill(node, "big", CAPACITY - LOW); // on the image filesystem, where nobody looks
    node.rootDisk().otherData(CAPACITY - LOW);
    PressurePolicy policy =
        PressurePolicy.builder().hard("nodefs.available<1Gi").build();
    try (PressureNode host = new PressureNode(node);
        DiskPressureManager pressure = host.manager(policy).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(node.removalsAsked()).isEmpty();
      assertThat(report.imageReports()).isEmpty();
      // With the split layout containers are on the root disk, with the dedicated one they are not.
      assertThat(host.containerSteps).isEqualTo(layout.layout == FsLayout.SPLIT ? 1 : 0);
      assertThat(host.shortfalls)
          .singleElement()
          .satisfies(
              shortfall -> assertThat(shortfall.signal().filesystem()).isEqualTo(NodeFs.NODEFS));
    }
  }
}
