/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.core.disk.Admission.Answer;
import dev.imagegc.testkit.FakeDisk;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whether there is room for more. Filesystems of 1,000 MB; thresholds of 250 MB for images and 100 MB for the root. */
class AdmissionTest {
  private static final long MB = 1_048_576;

  private final FakeNode node = FakeNode.withDisk(1000 * MB).withDedicatedImageFs(1000 * MB);

  @ParameterizedTest
  @CsvSource({
    // images and root available, wanted, answer on two filesystems, and on one (available is that
    // of images)
    "1000, 1000, 0, YES, YES",
    "1000, 1000, 750, YES, YES",
    "1000, 1000, 751, NO, NO",
    "1000, 1000, 1001, NO, NO",
    "250, 1000, 0, YES, YES",
    "250, 1000, 1, NO, NO",
    "249, 1000, 0, NO, NO",
    "0, 1000, 0, NO, NO",
    "1000, 100, 0, YES, YES",
    "1000, 100, 750, YES, YES",
    "1000, 99, 0, NO, YES",
    "1000, 0, 1, NO, YES",
    "200, 50, 0, NO, NO"
  })
  void admit_byWhatIsAvailable(long images, long root, long wanted, Answer two, Answer one) {
    node.otherData((1000 - images) * MB);
    node.rootDisk().otherData((1000 - root) * MB);
    assertThat(admit(wanted * MB).answer()).isEqualTo(two);
    assertThat(admit(wanted * MB).isYes()).isEqualTo(two == Answer.YES);

    node.withOneDisk();

    assertThat(admit(wanted * MB).answer()).isEqualTo(one);
  }

  @ParameterizedTest
  @CsvSource({"0,YES", "1,NO"})
  void admit_ofASingleByte(long more, Answer answer) {
    assertThat(admit(750 * MB + more).answer()).isEqualTo(answer);
  }

  @ParameterizedTest
  @CsvSource({
    // one filesystem: the bytes count once, and must leave the larger threshold
    "250, 400, 600, YES",
    "250, 400, 601, NO",
    "400, 250, 600, YES",
    "400, 250, 601, NO",
    "0, 250, 750, YES",
    "0, 250, 751, NO",
    "0, 0, 1000, YES",
    "0, 0, 1001, NO"
  })
  void admit_oneFilesystem_leavesTheLargerThreshold(
      long imagesMb, long rootMb, long wanted, Answer answer) {
    node.withOneDisk();

    assertThat(admit(node.fsStats(), imagesMb, rootMb, wanted * MB).answer()).isEqualTo(answer);
  }

  @ParameterizedTest
  @CsvSource({
    // room on the root filesystem, if it is that of the images: only then is it unknown whether it
    // is
    "850, 750, YES",
    "849, 750, UNKNOWN",
    "849, 749, YES",
    "100, 0, YES",
    "100, 1, UNKNOWN",
    "99, 0, NO",
    "849, 751, NO"
  })
  void admit_devicesUnknown_isUnknownOnlyIfItMatters(long root, long wanted, Answer answer) {
    node.rootDisk().otherData((1000 - root) * MB);
    node.faults().measureAs(NodeFs.NODEFS, AdmissionTest::withoutDevice);

    assertThat(admit(wanted * MB).answer()).isEqualTo(answer);
  }

  @Test
  void admit_devicesUnknown_saysSo() {
    node.rootDisk().otherData(200 * MB);
    node.faults().measureAs(NodeFs.IMAGEFS, AdmissionTest::withoutDevice);

    assertThat(admit(740 * MB))
        .hasToString("UNKNOWN: it is not known whether image filesystem /fake/images and root"
            + " filesystem /fake/root are one filesystem; if they are: root filesystem /fake/root"
            + " has 800.0 MiB available; 740.0 MiB more would leave 60.0 MiB, below its threshold"
            + " of 100.0 MiB");
  }

  private static FsStats withoutDevice(FsStats truth) {
    return FsStats.of(
        truth.path(),
        truth.measuredAt(),
        truth.capacityBytes().orElseThrow(),
        truth.availableBytes().orElseThrow());
  }

  @ParameterizedTest
  @CsvSource({
    // available, or that it is unknown
    "unknown, 1000, UNKNOWN",
    "1000, unknown, UNKNOWN",
    "unknown, unknown, UNKNOWN",
    "unknown, 99, NO",
    "249, unknown, NO"
  })
  void admit_unknown_isNeverYes_andHidesNoCertainNo(String images, String root, Answer answer) {
    UnreachableException failure = new UnreachableException("no disk");
    make(images, node.imageDisk(), Operation.MEASURE, failure);
    make(root, node.rootDisk(), Operation.MEASURE_ROOT, failure);

    Admission admission = admit(0);

    assertThat(admission.answer()).isEqualTo(answer);
    assertThat(admission.isYes()).isFalse();
    if (answer == Answer.UNKNOWN) {
      assertThat(admission.error()).containsSame(failure);
      assertThat(admission.why()).endsWith("cannot be judged: no disk");
    } else {
      assertThat(admission.error()).isEmpty();
      assertThat(admission.why()).contains("below its threshold");
    }
  }

  private void make(
      String available, FakeDisk disk, Operation measure, UnreachableException failure) {
    if (available.equals("unknown")) {
      node.faults().failAlways(measure, failure);
    } else {
      disk.otherData((1000 - Long.parseLong(available)) * MB);
    }
  }

  @Test
  void admission_tellsWhatItIsAbout() {
    Admission yes = admit(500 * MB);
    assertThat(yes.bytes()).isEqualTo(500 * MB);
    assertThat(yes.imageFs().filesystem()).isEqualTo(NodeFs.IMAGEFS);
    assertThat(yes.rootFs().orElseThrow().filesystem()).isEqualTo(NodeFs.NODEFS);
    assertThat(yes.error()).isEmpty();
    assertThat(yes)
        .hasToString("YES: image filesystem /fake/images has 1000.0 MiB available; 500.0 MiB more"
            + " leave 500.0 MiB, and its threshold is 250.0 MiB");

    assertThat(admit(800 * MB))
        .hasToString("NO: image filesystem /fake/images has 1000.0 MiB available; 800.0 MiB more"
            + " would leave 200.0 MiB, below its threshold of 250.0 MiB");
    assertThat(admit(2000 * MB))
        .hasToString("NO: image filesystem /fake/images has 1000.0 MiB available; 2.0 GiB more do"
            + " not fit");
    node.rootDisk().otherData(950 * MB);
    assertThat(admit(1))
        .hasToString("NO: root filesystem /fake/root has 50.0 MiB available, below its threshold"
            + " of 100.0 MiB");
  }

  @Test
  void admit_negativeBytes_isRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> admit(-1))
        .withMessage("bytes must be at least 0, but is -1");
  }

  /** The truth that admit foretells: write the bytes, and measure. */
  @Property(tries = 500)
  void admit_saysYes_exactlyIfNothingIsOutAfterwards(
      @ForAll @IntRange(max = 20) int used,
      @ForAll @IntRange(max = 20) int rootUsed,
      @ForAll @IntRange(max = 8) int imagesMb,
      @ForAll @IntRange(min = 1, max = 8) int rootMb,
      @ForAll @IntRange(max = 24) int wanted,
      @ForAll boolean oneDisk) {
    FakeNode any = FakeNode.withDisk(20 * MB);
    if (oneDisk) {
      any.withOneDisk();
    } else {
      any.withDedicatedImageFs(20 * MB).rootDisk().otherData(rootUsed * MB);
    }
    any.otherData(used * MB);
    boolean fits = wanted * MB <= any.availableBytes();
    try (DiskSpaceManager manager = manager(any.fsStats(), imagesMb, rootMb, any)) {
      Admission admission = manager.admit(wanted * MB);
      any.clock().advance(Duration.ofSeconds(2));
      if (fits) {
        any.writeOtherData(wanted * MB);
      }

      boolean room = fits
          && manager.imageFs().status() == SpaceStatus.AVAILABLE
          && manager.rootFs().status() == SpaceStatus.AVAILABLE;
      assertThat(admission.answer()).as(admission.why()).isEqualTo(room ? Answer.YES : Answer.NO);
    }
  }

  private Admission admit(long bytes) {
    return admit(node.fsStats(), 250, 100, bytes);
  }

  private Admission admit(FsStatsProvider fsStats, long imagesMb, long rootMb, long bytes) {
    try (DiskSpaceManager manager = manager(fsStats, imagesMb, rootMb, node)) {
      return manager.admit(bytes);
    }
  }

  private static DiskSpaceManager manager(
      FsStatsProvider fsStats, long imagesMb, long rootMb, FakeNode node) {
    return DiskSpaceManager.builder()
        .fsStats(fsStats)
        .imageThresholdMb(imagesMb)
        .rootThresholdMb(rootMb)
        .clock(node.clock())
        .build();
  }
}
