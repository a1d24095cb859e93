/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.FsLayout;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Grace, transition and what cannot be measured, over virtual time. */
class ConditionsTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration NANO = Duration.ofNanos(1);
  private static final Duration TRANSITION = Duration.ofMinutes(5);

  private final FakeNode node = FakeNode.withDisk(1000).withDedicatedImageFs(1000);
  private final PressureNode host = new PressureNode(node);
  private final PressurePolicy.Builder policy = PressurePolicy.builder();

  @AfterEach
  void close() {
    host.close();
  }

  private DiskPressureManager manager() {
    return host.bare(policy.build(), node.fsStats()).build();
  }

  private void available(long bytes) {
    node.otherData(1000 - bytes);
  }

  private Instant now() {
    return node.clock().instant();
  }

  // Grace

  @Test
  void soft_waitsItsGrace_andHardDoesNot_andTheConditionIsThereAtOnce() {
    policy.soft("imagefs.available<300", MINUTE.multipliedBy(2)).hard("imagefs.available<100");
    try (DiskPressureManager pressure = manager()) {
      available(200);
      assertThat(pressure.relieve().actedOn()).isEmpty();
      assertThat(host.conditions).singleElement().satisfies(condition -> {
        assertThat(condition.isUnderPressure()).isTrue();
        assertThat(condition.filesystem()).isEqualTo(NodeFs.IMAGEFS);
        assertThat(condition.softSignals()).containsExactly(DiskSignal.IMAGEFS_AVAILABLE);
        assertThat(condition.hardSignals()).isEmpty();
      });
      host.advance(MINUTE.multipliedBy(2).minus(NANO));
      assertThat(pressure.relieve().actedOn()).isEmpty();
      host.advance(NANO);
      assertThat(pressure.relieve().actedOn())
          .extracting(Object::toString)
          .containsExactly("imagefs.available<300");
      assertThat(host.shortfalls).hasSize(1);
    }
    host.shortfalls.clear();
    try (DiskPressureManager pressure = manager()) {
      available(50);
      host.advance(NANO);
      assertThat(pressure.relieve().actedOn())
          .extracting(Object::toString)
          .containsExactly("imagefs.available<100");
      assertThat(host.shortfalls).hasSize(1);
    }
  }

  @Test
  void relief_beginsTheGraceAnew() {
    policy.soft("imagefs.available<300", MINUTE);
    try (DiskPressureManager pressure = manager()) {
      available(200);
      pressure.relieve();
      host.advance(MINUTE.minus(NANO));
      available(300);
      pressure.relieve();
      available(200);
      host.advance(MINUTE);
      assertThat(pressure.relieve().actedOn()).isEmpty();
      host.advance(MINUTE.minus(NANO));
      assertThat(pressure.relieve().actedOn()).isEmpty();
      host.advance(NANO);
      assertThat(pressure.relieve().actedOn()).hasSize(1);
    }
  }

  @Test
  void wallClockThatIsSet_changesNeitherGraceNorTransition() {
    policy.soft("imagefs.available<300", MINUTE);
    try (DiskPressureManager pressure = manager()) {
      available(200);
      pressure.relieve();
      node.clock().jumpWall(Duration.ofDays(1));
      assertThat(pressure.relieve().actedOn()).isEmpty();
      available(500);
      pressure.relieve();
      node.clock().jumpWall(Duration.ofDays(1));
      pressure.relieve();
      assertThat(pressure.conditions().get(0).isUnderPressure()).isTrue();
      node.clock().jumpWall(Duration.ofDays(-9));
      host.advance(TRANSITION);
      pressure.relieve();
      assertThat(pressure.conditions().get(0).isUnderPressure()).isFalse();
    }
  }

  // Conditions

  @Test
  void beforeTheFirstPass_nothingIsUnderPressure_andOnlyWhatHasThresholdsIsThere() {
    policy.hard("nodefs.available<10%").hard("imagefs.available<15%").hard("nodefs.inodesFree<5%");
    try (DiskPressureManager pressure = manager()) {
      assertThat(pressure.conditions())
          .extracting(DiskCondition::filesystem)
          .containsExactly(NodeFs.IMAGEFS, NodeFs.NODEFS);
      assertThat(pressure.conditions()).allSatisfy(condition -> {
        assertThat(condition.isUnderPressure()).isFalse();
        assertThat(condition.since()).isEmpty();
        assertThat(condition.lastObserved()).isEmpty();
      });
      pressure.relieve();
      assertThat(host.conditions).isEmpty();
    }
  }

  @Test
  void condition_isHeldForTheTransitionPeriod_andToldWhenItBeginsAndEnds() {
    policy.hard("imagefs.available<150");
    try (DiskPressureManager pressure = manager()) {
      Instant began = now();
      available(100);
      pressure.relieve();
      host.advance(MINUTE);
      Instant lastObserved = now();
      pressure.relieve(); // repeated: not told
      available(500);
      host.advance(TRANSITION.minus(NANO));
      pressure.relieve();
      assertThat(host.conditions).hasSize(1);
      assertThat(pressure.conditions().get(0).since()).contains(began);
      assertThat(pressure.conditions().get(0).lastObserved()).contains(lastObserved);
      assertThat(pressure.conditions().get(0).message())
          .isEqualTo("imagefs.available is 100 B, below 150 B");
      host.advance(NANO);
      pressure.relieve();
      assertThat(host.conditions).hasSize(2);
      DiskCondition ended = host.conditions.get(1);
      assertThat(ended.isUnderPressure()).isFalse();
      assertThat(ended.since()).contains(now());
      assertThat(ended.lastObserved()).contains(lastObserved);
      assertThat(ended.message()).isEqualTo("imagefs is not under pressure any more");
      pressure.relieve();
      assertThat(host.conditions).hasSize(2);
    }
  }

  @Test
  void conditionThatTheListenerDidNotTake_isToldAgain_asItIsThen_andOnce() {
    policy.hard("imagefs.available<150").transitionPeriod(Duration.ZERO);
    boolean[] refuses = {false};
    try (DiskPressureManager pressure = host.bare(policy.build(), node.fsStats())
        .conditionListener(condition -> {
          if (refuses[0]) {
            throw new IllegalStateException("not now");
          }
          host.conditions.add(condition);
        })
        .build()) {
      available(100);
      pressure.look();
      refuses[0] = true;
      available(500);
      assertThat(pressure.look().problems()).hasSize(1);
      assertThat(host.conditions).hasSize(1); // and the end is not known to the host
      refuses[0] = false;
      pressure.look();
      pressure.look();
      assertThat(host.conditions).hasSize(2);
      assertThat(host.conditions.get(1).isUnderPressure()).isFalse();
    }
  }

  @Test
  void flappingSignal_givesOneCondition() {
    policy.hard("imagefs.available<150").soft("imagefs.available<300", Duration.ofHours(1));
    try (DiskPressureManager pressure = manager()) {
      for (int i = 0; i < 20; i++) {
        available(i % 2 == 0 ? 100 : i % 4 == 1 ? 200 : 500);
        pressure.relieve();
        host.advance(MINUTE.multipliedBy(2));
      }
      assertThat(host.conditions)
          .singleElement()
          .satisfies(condition ->
              assertThat(condition.hardSignals()).containsExactly(DiskSignal.IMAGEFS_AVAILABLE));
    }
  }

  @Test
  void withoutTransitionPeriod_everyEndIsTold() {
    policy.hard("imagefs.available<150").transitionPeriod(Duration.ZERO);
    try (DiskPressureManager pressure = manager()) {
      for (int i = 0; i < 4; i++) {
        available(i % 2 == 0 ? 100 : 500);
        pressure.relieve();
      }
      assertThat(host.conditions)
          .extracting(DiskCondition::isUnderPressure)
          .containsExactly(true, false, true, false);
    }
  }

  @Test
  void changeOfKind_isTold_fromSoftToHardAtOnce_andBackAfterTheTransitionPeriod() {
    policy.hard("imagefs.available<150").soft("imagefs.available<300", Duration.ofHours(9));
    try (DiskPressureManager pressure = manager()) {
      Instant began = now();
      available(200);
      pressure.relieve();
      available(100);
      host.advance(MINUTE);
      pressure.relieve();
      available(200);
      host.advance(TRANSITION.minus(NANO));
      pressure.relieve();
      assertThat(host.conditions).hasSize(2);
      DiskCondition hard = host.conditions.get(1);
      assertThat(hard.hardSignals()).containsExactly(DiskSignal.IMAGEFS_AVAILABLE);
      assertThat(hard.softSignals()).isEmpty();
      assertThat(hard.since()).contains(began);
      host.advance(NANO);
      pressure.relieve();
      assertThat(host.conditions).hasSize(3);
      DiskCondition soft = host.conditions.get(2);
      assertThat(soft.hardSignals()).isEmpty();
      assertThat(soft.softSignals()).containsExactly(DiskSignal.IMAGEFS_AVAILABLE);
      assertThat(soft.since()).contains(began);
    }
  }

  @Test
  void anotherSignal_changesTheCondition_andEachFilesystemHasItsOwn() {
    node.imageDisk().inodes(1000);
    policy.hard("imagefs.available<150").hard("imagefs.inodesFree<50").hard("nodefs.available<100");
    try (DiskPressureManager pressure = manager()) {
      available(100);
      pressure.relieve();
      node.imageDisk().otherInodes(990);
      host.advance(MINUTE);
      pressure.relieve();
      assertThat(host.conditions).hasSize(2);
      assertThat(host.conditions.get(1).hardSignals())
          .containsExactly(DiskSignal.IMAGEFS_AVAILABLE, DiskSignal.IMAGEFS_INODES_FREE);
      node.rootDisk().otherData(950);
      host.advance(MINUTE);
      pressure.relieve();
      assertThat(host.conditions).hasSize(3);
      assertThat(host.conditions.get(2).filesystem()).isEqualTo(NodeFs.NODEFS);
    }
  }

  // Unknown

  @Test
  void unknownSignal_isNoPressure_andToldWhenItBeginsAndEnds_whileOthersAreWatched() {
    policy.hard("imagefs.available<150").hard("nodefs.available<150");
    available(100);
    node.rootDisk().otherData(950);
    node.faults().failAlways(Operation.MEASURE_ROOT, new UnreachableException("nodefs is away"));
    try (DiskPressureManager pressure = manager()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.unknownSignals())
          .containsExactly(Map.entry(DiskSignal.NODEFS_AVAILABLE, "nodefs is away"));
      assertThat(report.actedOn()).hasSize(1);
      host.advance(MINUTE);
      pressure.relieve();
      assertThat(host.listener.events(GcEventType.SIGNAL_UNKNOWN))
          .singleElement()
          .satisfies(event -> {
            assertThat(event.phase()).isEqualTo(GcEvent.Phase.BEGAN);
            assertThat(event.message())
                .isEqualTo("the threshold of nodefs.available is not watched: nodefs is away");
          });
      DiskCondition root = pressure.conditions().get(1);
      assertThat(root.isUnderPressure()).isFalse();
      assertThat(root.unknownSignals()).containsExactly(DiskSignal.NODEFS_AVAILABLE);
      node.faults().heal();
      host.advance(MINUTE);
      pressure.relieve();
      assertThat(host.listener.events(GcEventType.SIGNAL_UNKNOWN))
          .extracting(GcEvent::phase)
          .containsExactly(GcEvent.Phase.BEGAN, GcEvent.Phase.ENDED);
      assertThat(pressure.conditions().get(1).isUnderPressure()).isTrue();
      assertThat(pressure.conditions().get(1).unknownSignals()).isEmpty();
    }
  }

  @Test
  void unknownSignal_isNoRelief_conditionsStayForAsLongAsItLasts() {
    policy.hard("imagefs.available<150");
    try (DiskPressureManager pressure = manager()) {
      available(100);
      pressure.relieve();
      assertThat(host.shortfalls).hasSize(1);
      node.faults().failAlways(Operation.MEASURE, new UnreachableException("away"));
      available(900);
      host.advance(TRANSITION.multipliedBy(3));
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(pressure.conditions().get(0).isUnderPressure()).isTrue();
      assertThat(host.conditions).hasSize(1);
      assertThat(host.shortfalls).hasSize(1); // and nothing is acted on
      node.faults().heal();
      pressure.relieve();
      assertThat(host.conditions).hasSize(2);
      assertThat(pressure.conditions().get(0).isUnderPressure()).isFalse();
    }
  }

  @Test
  void grace_standsStillWhileTheSignalIsUnknown() {
    policy.soft("imagefs.available<300", MINUTE.multipliedBy(2));
    try (DiskPressureManager pressure = manager()) {
      available(200);
      pressure.relieve();
      host.advance(MINUTE);
      pressure.relieve();
      node.faults().failAlways(Operation.MEASURE, new UnreachableException("away"));
      host.advance(MINUTE);
      pressure.relieve();
      node.faults().heal();
      host.advance(MINUTE);
      assertThat(pressure.relieve().actedOn()).isEmpty(); // one minute of two
      host.advance(MINUTE);
      assertThat(pressure.relieve().actedOn()).hasSize(1);
    }
  }

  @Test
  void otherUnknownSignals_areToldAnew() {
    policy.hard("imagefs.inodesFree<5%").hard("nodefs.available<150");
    try (DiskPressureManager pressure = manager()) { // without inodes, as on btrfs
      pressure.relieve();
      node.faults().failAlways(Operation.MEASURE_ROOT, new UnreachableException("away"));
      pressure.relieve();
      assertThat(host.listener.events(GcEventType.SIGNAL_UNKNOWN))
          .extracting(GcEvent::phase)
          .containsExactly(GcEvent.Phase.BEGAN, GcEvent.Phase.ENDED, GcEvent.Phase.BEGAN);
      assertThat(host.listener.events(GcEventType.SIGNAL_UNKNOWN).get(2).message())
          .isEqualTo("the threshold of imagefs.inodesFree is not watched: imagefs /fake/images"
              + " cannot be judged: its number of inodes is unknown; the threshold of"
              + " nodefs.available is not watched: away");
    }
  }

  @Test
  void impossibleNumbers_areUnknown_notPressure() {
    policy.hard("imagefs.available<150").hard("imagefs.inodesFree<5%");
    node.faults()
        .measureAs(stats ->
            stats.toBuilder().capacityBytes(0).availableBytes(0).inodes(0, 0).build());
    try (DiskPressureManager pressure = manager()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.unknownSignals()).hasSize(2);
      node.faults()
          .measureAs(
              stats -> stats.toBuilder().availableBytes(-1).inodes(10, 11).build());
      assertThat(pressure.relieve().unknownSignals()).hasSize(2);
      assertThat(host.conditions).isEmpty();
      node.faults().measureAs(stats -> stats.toBuilder().availableBytes(5000).build());
      assertThat(pressure.relieve().unknownSignals())
          .containsOnlyKeys(DiskSignal.IMAGEFS_INODES_FREE); // more than all there is, is all
    }
  }

  @Test
  void measureWithoutRoot_leavesTheDefaultsOfTheRootUnknown() {
    FakeNode plain = FakeNode.withDisk(1000);
    try (PressureNode other = new PressureNode(plain);
        DiskPressureManager pressure =
            other.manager(PressurePolicy.ofDefaults()).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(report.unknownSignals())
          .containsOnlyKeys(DiskSignal.NODEFS_AVAILABLE, DiskSignal.NODEFS_INODES_FREE)
          .containsValue("the disk measure does not know nodefs");
    }
  }

  @Test
  void absentContainerFs_isTheImageFs() {
    FakeNode plain = FakeNode.withDisk(1000);
    plain.image("app").size(100).add();
    plain.otherData(800);
    PressurePolicy containers =
        PressurePolicy.builder().hard("containerfs.available<150").build();
    try (PressureNode other = new PressureNode(plain);
        DiskPressureManager pressure = other.manager(containers).build()) {
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.DONE);
      assertThat(plain.removalsAsked()).containsExactly("app");
    }
  }

  @Test
  void hangingMeasureOfOneFilesystem_doesNotHideTheOthers() {
    policy.hard("imagefs.available<150").hard("nodefs.available<150");
    available(100);
    node.faults().hangAlways(Operation.MEASURE_ROOT);
    try (DiskPressureManager pressure = host.bare(policy.build(), node.fsStats())
        .deadlines(Deadlines.builder().measure(Duration.ofSeconds(3)).build())
        .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.unknownSignals())
          .containsExactly(Map.entry(
              DiskSignal.NODEFS_AVAILABLE,
              "the disk measure of nodefs did not measure nodefs within 3s"));
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.shortfalls()).hasSize(1);
      node.faults().heal();
    }
  }

  @Test
  void measureThatFailsForOnce_doesNotChangeTheLayout_norWhatIsRemoved() {
    FakeNode split = FakeNode.withDisk(1000).withSplitImageFs(1000);
    PressurePolicy images =
        PressurePolicy.builder().hard("imagefs.available<150").build();
    try (PressureNode other = new PressureNode(split);
        DiskPressureManager pressure = other.manager(images).build()) {
      assertThat(pressure.relieve().layout()).containsSame(FsLayout.SPLIT);
      split.otherData(900);
      split.faults().failAlways(Operation.MEASURE_CONTAINERS, new UnreachableException("away"));
      PressureReport report = pressure.relieve();
      assertThat(report.layout()).containsSame(FsLayout.SPLIT);
      assertThat(report.imageReports()).hasSize(1);
      assertThat(other.containerSteps).isZero();
      split.faults().failAlways(Operation.MEASURE, new UnreachableException("away"));
      assertThat(pressure.relieve().layout()).containsSame(FsLayout.SPLIT);
    }
  }
}
