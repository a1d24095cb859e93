/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcException;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.TestClock;
import java.time.Duration;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Status, cache and condition. The scenarios S1 to S6 are the kubelet's. */
@Timeout(60)
class DiskSpaceManagerTest {
  private static final long MB = 1_048_576;
  private static final Duration TWO_SECONDS = Duration.ofSeconds(2);

  private final FakeNode node = FakeNode.withDisk(1000 * MB).withDedicatedImageFs(1000 * MB);
  private final TestClock clock = node.clock();
  private final DiskSpaceManager space = manager(250, 250);

  @AfterEach
  void close() {
    space.close();
  }

  // The kubelet's scenarios

  @Test
  void s1_validPolicy() {
    assertThat(space.imageFs().thresholdBytes()).isEqualTo(250 * MB);
    assertThat(space.rootFs().thresholdBytes()).isEqualTo(250 * MB);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> manager(-1, 250))
        .withMessage(
            "imageThresholdMb must be 0 to 8796093022207 (1 MB is 1,048,576 bytes), but is -1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> manager(250, -1))
        .withMessage(
            "rootThresholdMb must be 0 to 8796093022207 (1 MB is 1,048,576 bytes), but is -1");
  }

  @Test
  void s2_spaceAvailable() {
    node.otherData(400 * MB);
    node.rootDisk().capacity(10 * MB);
    node.rootDisk().otherData(9 * MB);
    node.faults()
        .measureAs(NodeFs.NODEFS, truth -> truth.toBuilder().availableBytes(0).build());

    assertThat(space.imageFs().availableBytes()).hasValue(600 * MB);
    assertThat(space.imageFs().capacityBytes()).hasValue(1000 * MB);
    assertThat(space.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
    assertThat(space.imageFs().isAvailableForKubelet()).isTrue();
    assertThat(space.imageFs().error()).isEmpty();
    assertThat(space.rootFs().availableBytes()).hasValue(0);
    assertThat(space.rootFs().capacityBytes()).hasValue(10 * MB);
    assertThat(space.rootFs().status()).isEqualTo(SpaceStatus.OUT);
    assertThat(space.rootFs().isAvailableForKubelet()).isFalse();
    assertThat(space.rootFs().error()).isEmpty();
  }

  @Test
  void s3_runtimeWithSpace() {
    node.capacity(10_000 * MB);
    node.otherData(9_500 * MB);

    assertThat(space.imageFs().availableBytes()).hasValue(500 * MB);
    assertThat(space.imageFs().isAvailableForKubelet()).isTrue();
  }

  @Test
  void s4_runtimeWithoutSpace() {
    node.otherData(999 * MB);

    assertThat(space.imageFs().availableBytes()).hasValue(MB);
    assertThat(space.imageFs().isAvailableForKubelet()).isFalse();
    assertThat(space.imageFs().error()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"999,true", "9,false"})
  void s5_rootFs(long available, boolean expected) {
    node.rootDisk().otherData((1000 - available) * MB);
    try (DiskSpaceManager low = manager(10, 10)) {
      assertThat(low.rootFs().availableBytes()).hasValue(available * MB);
      assertThat(low.rootFs().isAvailableForKubelet()).isEqualTo(expected);
    }
  }

  @Test
  void s6_cache() {
    node.otherData(700 * MB);
    node.rootDisk().otherData(500 * MB);
    answerOnce(Operation.MEASURE);
    answerOnce(Operation.MEASURE_ROOT);

    assertThat(space.imageFs().availableBytes()).hasValue(300 * MB);
    assertThat(space.imageFs().isAvailableForKubelet()).isTrue();
    assertThat(space.rootFs().availableBytes()).hasValue(500 * MB);
    assertThat(space.rootFs().isAvailableForKubelet()).isTrue();
    clock.advance(TWO_SECONDS.minusNanos(1));
    assertThat(space.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
    assertThat(space.rootFs().status()).isEqualTo(SpaceStatus.AVAILABLE);

    assertThat(node.calls(Operation.MEASURE)).isOne();
    assertThat(node.calls(Operation.MEASURE_ROOT)).isOne();
  }

  private void answerOnce(Operation operation) {
    node.faults()
        .afterNext(
            operation,
            () -> node.faults().failAlways(operation, new UnreachableException("asked twice")));
  }

  // Status

  @ParameterizedTest
  @CsvSource({"0,AVAILABLE", "1,OUT", "-1,AVAILABLE"})
  void asMuchAsTheThreshold_isAvailable_oneByteLessIsNot(long less, SpaceStatus status) {
    node.otherData(750 * MB + less);
    node.rootDisk().otherData(750 * MB + less);

    assertThat(space.imageFs().status()).isEqualTo(status);
    assertThat(space.rootFs().status()).isEqualTo(status);
  }

  @Test
  void thresholds_are256MbByDefault_eachOnItsOwn() {
    node.otherData(744 * MB + 1);
    node.rootDisk().otherData(744 * MB);
    try (DiskSpaceManager defaults =
        DiskSpaceManager.builder().fsStats(node.fsStats()).clock(clock).build()) {
      assertThat(defaults.imageFs().status()).isEqualTo(SpaceStatus.OUT);
      assertThat(defaults.rootFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
    }
  }

  @Test
  void answer_saysWhichFilesystemWhereAndWhen() {
    node.otherData(400 * MB);
    node.rootDisk().otherData(999 * MB);

    assertThat(space.imageFs().filesystem()).isEqualTo(NodeFs.IMAGEFS);
    assertThat(space.imageFs().measuredAt()).contains(clock.instant());
    assertThat(space.imageFs())
        .hasToString("AVAILABLE: image filesystem /fake/images has 600.0 MiB available, its"
            + " threshold is 250.0 MiB");
    assertThat(space.rootFs().filesystem()).isEqualTo(NodeFs.NODEFS);
    assertThat(space.rootFs())
        .hasToString("OUT: root filesystem /fake/root has 1.0 MiB available, below its threshold"
            + " of 250.0 MiB");
  }

  @Test
  void thresholdZero_isNeverOut() {
    node.otherData(1000 * MB);
    node.rootDisk().otherData(1000 * MB);
    try (DiskSpaceManager none = manager(0, 0)) {
      assertThat(none.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
      assertThat(none.rootFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
      assertThat(none.isOutOfDisk()).isFalse();
    }
  }

  @Test
  void hugeNumbers_doNotOverflow() {
    node.capacity(Long.MAX_VALUE);
    try (DiskSpaceManager huge = manager(8_796_093_022_207L, 1)) {
      assertThat(huge.imageFs().thresholdBytes()).isEqualTo(8_796_093_022_207L * MB);
      assertThat(huge.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
      assertThat(huge.admit(Long.MAX_VALUE).answer()).isEqualTo(Admission.Answer.NO);
      assertThat(huge.admit(MB - 1).answer()).isEqualTo(Admission.Answer.YES);
      assertThat(huge.admit(MB).answer()).isEqualTo(Admission.Answer.NO);
    }
    assertThatIllegalArgumentException().isThrownBy(() -> manager(8_796_093_022_208L, 1));
  }

  @Test
  void moreAvailableThanThereIs_isTheCapacity() {
    node.faults().measureAs(truth -> truth.toBuilder().availableBytes(5000 * MB).build());

    assertThat(space.imageFs().availableBytes()).hasValue(1000 * MB);
    assertThat(space.admit(900 * MB).answer()).isEqualTo(Admission.Answer.NO);
  }

  // What is not known

  static Stream<Arguments> nonsense() {
    return Stream.of(
        Arguments.of(
            lie(truth -> truth.toBuilder().capacityBytes(0).build()),
            "cannot be judged: its capacity must be above 0, but is 0"),
        Arguments.of(
            lie(truth -> truth.toBuilder().capacityBytes(-7).build()),
            "cannot be judged: its capacity must be above 0, but is -7"),
        Arguments.of(
            lie(truth -> FsStats.builder(truth.path(), truth.measuredAt())
                .availableBytes(600 * MB)
                .build()),
            "cannot be judged: its capacity is unknown"),
        Arguments.of(
            lie(truth -> truth.toBuilder().availableBytes(-1).build()),
            "cannot be judged: its available bytes must not be negative, but are -1"),
        Arguments.of(
            lie(truth -> FsStats.builder(truth.path(), truth.measuredAt())
                .capacityBytes(600 * MB)
                .build()),
            "cannot be judged: its available bytes are unknown"));
  }

  private static UnaryOperator<FsStats> lie(UnaryOperator<FsStats> lie) {
    return lie;
  }

  @ParameterizedTest
  @MethodSource("nonsense")
  void nonsense_isUnknownWithTheError_andNotKept(UnaryOperator<FsStats> lie, String message) {
    node.faults().measureAs(NodeFs.IMAGEFS, lie);
    node.faults().measureAs(NodeFs.NODEFS, lie);

    assertUnknown(space.imageFs(), InvalidCapacityException.class);
    assertThat(space.imageFs().detail()).isEqualTo("image filesystem /fake/images " + message);
    assertUnknown(space.rootFs(), InvalidCapacityException.class);
    assertThat(space.rootFs().detail()).isEqualTo("root filesystem /fake/root " + message);
    node.faults().heal();

    assertThat(space.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
    assertThat(space.rootFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
  }

  @Test
  void failure_isUnknownWithTheError_andNotKept() {
    GcException failure = new UnreachableException("no such mount");
    node.faults().failNext(Operation.MEASURE, failure);
    node.faults().failNext(Operation.MEASURE_ROOT, failure);

    DiskSpace images = space.imageFs();
    assertUnknown(images, UnreachableException.class);
    assertThat(images.error()).containsSame(failure);
    assertThat(images.detail()).isEqualTo("image filesystem cannot be judged: no such mount");
    assertThat(space.rootFs().error()).containsSame(failure);

    assertThat(space.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
    assertThat(space.rootFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
    assertThat(node.calls(Operation.MEASURE)).isEqualTo(2);
  }

  @Test
  void failure_afterAGoodAnswer_isUnknown_andStillNamesThePath() {
    assertThat(space.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
    clock.advance(TWO_SECONDS);
    node.faults().failNext(Operation.MEASURE, new UnreachableException("stale handle"));

    DiskSpace images = space.imageFs();

    assertUnknown(images, UnreachableException.class);
    assertThat(images.detail())
        .isEqualTo("image filesystem /fake/images cannot be judged: stale handle");
  }

  @Test
  void brokenMeasure_isUnknown() {
    node.faults().failNext(Operation.MEASURE, new IllegalStateException("bug"));

    assertUnknown(space.imageFs(), ProtocolException.class);
  }

  @Test
  @SuppressWarnings("NullAway") // what a provider without nullness checks may do
  void measureThatReturnsNull_isUnknown() {
    FsStatsProvider broken = new FsStatsProvider() {
      @Override
      public FsStats imageFs() {
        return null;
      }

      @Override
      public Optional<FsStats> rootFs() {
        return null;
      }
    };
    try (DiskSpaceManager nulls =
        DiskSpaceManager.builder().fsStats(broken).clock(clock).build()) {
      assertUnknown(nulls.imageFs(), ProtocolException.class);
      assertUnknown(nulls.rootFs(), ProtocolException.class);
    }
  }

  @Test
  void rootFs_thatTheMeasureDoesNotKnow_isUnknown() {
    FakeNode images = FakeNode.withDisk(1000 * MB);
    try (DiskSpaceManager manager = manager(images, 250, 250)) {
      assertUnknown(manager.rootFs(), InvalidCapacityException.class);
      assertThat(manager.rootFs().detail())
          .isEqualTo("root filesystem cannot be judged: the disk measure does not know it");
      assertThat(manager.isOutOfDisk()).isFalse();
      assertThat(manager.admit(1).answer()).isEqualTo(Admission.Answer.UNKNOWN);
    }
  }

  @Test
  void rootThresholdZero_rootIsNotLookedAt_butAnswersIfAsked() {
    node.rootDisk().otherData(1000 * MB);
    node.faults().failAlways(Operation.MEASURE_ROOT, new UnreachableException("no root"));
    try (DiskSpaceManager imagesOnly = manager(250, 0)) {
      assertThat(imagesOnly.isOutOfDisk()).isFalse();
      assertThat(imagesOnly.admit(750 * MB).answer()).isEqualTo(Admission.Answer.YES);
      assertThat(imagesOnly.admit(750 * MB).rootFs()).isEmpty();
      assertThat(node.calls(Operation.MEASURE_ROOT)).isZero();

      assertUnknown(imagesOnly.rootFs(), UnreachableException.class);
    }
  }

  private static void assertUnknown(DiskSpace space, Class<? extends GcException> error) {
    assertThat(space.status()).isEqualTo(SpaceStatus.UNKNOWN);
    assertThat(space.isAvailableForKubelet()).isTrue();
    assertThat(space.error().orElseThrow()).isInstanceOf(error);
    assertThat(space.availableBytes()).isEmpty();
    assertThat(space.capacityBytes()).isEmpty();
    assertThat(space.measuredAt()).isEmpty();
  }

  // Cache

  @Test
  void sample_isReusedWhileYoungerThanTwoSeconds_ofElapsedTime() {
    assertThat(space.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
    node.otherData(1000 * MB);

    clock.jumpWall(Duration.ofDays(365));
    clock.advance(TWO_SECONDS.minusNanos(1));
    assertThat(space.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
    clock.jumpWall(Duration.ofDays(-730));
    clock.advance(Duration.ofNanos(1));

    assertThat(space.imageFs().status()).isEqualTo(SpaceStatus.OUT);
    assertThat(node.calls(Operation.MEASURE)).isEqualTo(2);
  }

  @Test
  void sample_isKeptForEachFilesystemAlone() {
    space.imageFs();
    clock.advance(Duration.ofSeconds(1));
    space.rootFs();
    clock.advance(Duration.ofSeconds(1));

    space.imageFs();
    space.rootFs();

    assertThat(node.calls(Operation.MEASURE)).isEqualTo(2);
    assertThat(node.calls(Operation.MEASURE_ROOT)).isOne();
  }

  @Test
  void allQuestions_useOneSample() {
    space.imageFs();
    space.rootFs();
    space.isOutOfDisk();
    space.admit(1);

    assertThat(node.calls(Operation.MEASURE)).isOne();
    assertThat(node.calls(Operation.MEASURE_ROOT)).isOne();
  }

  // The condition

  @ParameterizedTest
  @EnumSource(
      value = NodeFs.class,
      names = {"IMAGEFS", "NODEFS"})
  void isOutOfDisk_atOnceWhenEitherIsOut_andNotBeforeTheHoldTimeIsOver(NodeFs which) {
    assertThat(space.isOutOfDisk()).isFalse();
    fill(which, 1000);
    clock.advance(TWO_SECONDS);
    assertThat(space.isOutOfDisk()).isTrue();

    fill(which, 0);
    clock.advance(Duration.ofMinutes(5).minusNanos(1));
    assertThat(space.isOutOfDisk()).isTrue();
    clock.advance(Duration.ofNanos(1));
    assertThat(space.isOutOfDisk()).isFalse();

    fill(which, 1000);
    clock.advance(TWO_SECONDS);
    assertThat(space.isOutOfDisk()).isTrue();
  }

  @Test
  void isOutOfDisk_holdTimeCountsFromTheTransition_notFromTheLastLook() {
    fill(NodeFs.IMAGEFS, 1000);
    assertThat(space.isOutOfDisk()).isTrue();
    clock.advance(Duration.ofMinutes(5));
    assertThat(space.isOutOfDisk()).isTrue();
    fill(NodeFs.IMAGEFS, 0);
    clock.jumpWall(Duration.ofDays(-1));
    clock.advance(TWO_SECONDS);

    assertThat(space.isOutOfDisk()).isFalse();
  }

  @Test
  void isOutOfDisk_flappingDisk_isOneCondition() {
    for (int second = 0; second < 300; second += 10) {
      fill(NodeFs.NODEFS, second % 20 == 0 ? 1000 : 0);
      assertThat(space.isOutOfDisk()).as("after %d s", second).isTrue();
      clock.advance(Duration.ofSeconds(10));
    }
    fill(NodeFs.NODEFS, 0);

    assertThat(space.isOutOfDisk()).isFalse();
  }

  @Test
  void isOutOfDisk_withoutHoldTime_isWhatIsMeasured() {
    try (DiskSpaceManager quick = DiskSpaceManager.builder()
        .fsStats(node.fsStats())
        .clock(clock)
        .holdTime(Duration.ZERO)
        .build()) {
      fill(NodeFs.IMAGEFS, 1000);
      assertThat(quick.isOutOfDisk()).isTrue();
      fill(NodeFs.IMAGEFS, 0);
      clock.advance(TWO_SECONDS);
      assertThat(quick.isOutOfDisk()).isFalse();
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DiskSpaceManager.builder().holdTime(Duration.ofNanos(-1)))
        .withMessageContaining("holdTime");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void isOutOfDisk_unknown_isEnoughAtFirst_andNeverFlips(boolean imagesToo) {
    Runnable blind = () -> {
      node.faults().failAlways(Operation.MEASURE_ROOT, new UnreachableException("no disk"));
      if (imagesToo) {
        node.faults().failAlways(Operation.MEASURE, new UnreachableException("no disk"));
      }
    };
    fill(NodeFs.NODEFS, 1000);
    blind.run();
    assertThat(space.isOutOfDisk()).isFalse();
    node.faults().heal();
    assertThat(space.isOutOfDisk()).isTrue();

    blind.run();
    fill(NodeFs.NODEFS, 0);
    clock.advance(Duration.ofHours(1));
    assertThat(space.rootFs().isAvailableForKubelet()).isTrue();
    assertThat(space.isOutOfDisk()).isTrue();
    node.faults().heal();
    assertThat(space.isOutOfDisk()).isFalse();

    blind.run();
    clock.advance(Duration.ofHours(1));
    assertThat(space.isOutOfDisk()).isFalse();
  }

  @Test
  void isOutOfDisk_oneUnknown_doesNotHideThatTheOtherIsOut_norThatItHasRoomAgain() {
    node.faults().failAlways(Operation.MEASURE_ROOT, new UnreachableException("no disk"));
    fill(NodeFs.IMAGEFS, 1000);
    assertThat(space.isOutOfDisk()).isTrue();
    fill(NodeFs.IMAGEFS, 0);
    clock.advance(Duration.ofMinutes(5));

    assertThat(space.isOutOfDisk()).isFalse();
  }

  private void fill(NodeFs which, long megabytes) {
    (which == NodeFs.IMAGEFS ? node.imageDisk() : node.rootDisk()).otherData(megabytes * MB);
  }

  // The rest

  @Test
  void close_endsAllQuestions_andMayBeRepeated() {
    space.close();
    space.close();

    assertThatThrownBy(space::imageFs)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this DiskSpaceManager is closed");
    assertThatThrownBy(space::rootFs).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(space::isOutOfDisk).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> space.admit(1)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void build_withoutAMeasure_isRefused() {
    assertThatThrownBy(() -> DiskSpaceManager.builder().build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("fsStats must be set");
  }

  private DiskSpaceManager manager(long imagesMb, long rootMb) {
    return manager(node, imagesMb, rootMb);
  }

  private static DiskSpaceManager manager(FakeNode node, long imagesMb, long rootMb) {
    return DiskSpaceManager.builder()
        .fsStats(node.fsStats())
        .imageThresholdMb(imagesMb)
        .rootThresholdMb(rootMb)
        .clock(node.clock())
        .build();
  }
}
