/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.decision;
import static dev.imagegc.core.Nodes.find;
import static dev.imagegc.core.Nodes.ids;
import static dev.imagegc.core.Nodes.reason;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.Accounting;
import dev.imagegc.api.Container;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcEvent.Phase;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Image;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.RoundLimit;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.Verdict;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Layers shared between images, and a disk that does not do what was predicted. High is 90 %, low 80 %. */
class ClosedLoopTest {
  private static final RemovalResult REFUSED = RemovalResult.of(RemovalOutcome.FAILED, "busy");

  private final FakeNode node = FakeNode.withDisk(1000);

  // Nodes where a collector that sums up sizes stops short

  @Test
  void threeStackedImages_areCountedOnce_andTheRoundEndsAtLow() {
    node.image("base").tag("base:1").layer("base", 100).add();
    node.image("middle").tag("middle:1").layer("base", 100).layer("middle", 10).add();
    node.image("top")
        .tag("top:1")
        .layer("base", 100)
        .layer("middle", 10)
        .layer("top", 10)
        .add();
    node.image("unrelated").tag("unrelated:1").layer("unrelated", 100).add();
    node.otherData(
        700); // 920 used, need 120; by sizes "base" and "middle" would do, but free nothing
    try (ImageGcManager gc = collector(node).build()) {
      GcPlan plan = gc.plan();
      assertThat(plan.neededBytes()).hasValue(120);
      assertThat(ids(plan.victims())).containsExactly("base", "middle", "top");
      assertThat(find(plan.victims(), "base").creditedBytes()).hasValue(0);
      assertThat(find(plan.victims(), "top").creditedBytes()).hasValue(120);
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.usagePercentAfter()).hasValue(80);
      assertThat(report.freedBytes()).isEqualTo(120);
    }
  }

  @Test
  void twentyVersionsOfOneApp_endAtLow() {
    for (int version = 10; version < 30; version++) {
      node.image("app-" + version).layer("base", 300).layer("v" + version, 10).add();
    }
    node.otherData(
        450); // 950 used, need 150: 15 versions, where 310 listed bytes each look like one
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.removed()).hasSize(15);
      assertThat(report.usagePercentAfter()).hasValue(80);
    }
  }

  @Test
  void unrelatedImages_endAtLow() {
    for (int i = 0; i < 9; i++) {
      node.image("image-" + i).size(50).add();
    }
    node.otherData(500); // 950 used, need 150
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("image-0", "image-1", "image-2");
      assertThat(report.usagePercentAfter()).hasValue(80);
    }
  }

  // What frees nothing

  @Test
  void imageWhoseLayersAreHeldByOneInUse_staysWithoutGain() {
    node.image("old").tag("app:1").layer("base", 300).add();
    node.image("app").tag("app:2").layer("base", 300).layer("app", 50).add();
    node.image("spare").tag("spare:1").size(200).add();
    node.run("c1", "app");
    node.otherData(350); // 900 used, need 100
    try (ImageGcManager gc = collector(node).build()) {
      GcPlan plan = gc.plan();
      assertThat(ids(plan.victims())).containsExactly("spare");
      assertThat(reason(plan, "old")).isEqualTo(Reason.NO_GAIN);
      assertThat(find(plan.decisions(), "old").detail()).isEqualTo("others hold all of its layers");
      assertThat(find(plan.decisions(), "old").exclusiveBytes()).hasValue(0);
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("spare");
      assertThat(reason(report, "old")).isEqualTo(Reason.NO_GAIN);
    }
  }

  @Test
  void imageWithoutGain_goesIfThePolicyWantsIt_andAlwaysByAgeAndByPurge() {
    node.image("old").layer("base", 300).add();
    node.image("app").layer("base", 300).layer("app", 50).add();
    node.image("spare").size(200).add();
    node.run("c1", "app");
    node.otherData(350);
    LruGcPolicy.Builder all = LruGcPolicy.builder()
        .highPercent(90)
        .lowPercent(80)
        .minAge(Duration.ZERO)
        .collectsWithoutGain(true);
    try (ImageGcManager gc = collector(node, all).build()) {
      assertThat(ids(gc.plan().victims())).containsExactly("old", "spare");
    }
    LruGcPolicy.Builder aged =
        LruGcPolicy.builder().minAge(Duration.ZERO).maxAge(Duration.ofDays(1));
    try (ImageGcManager gc = collector(node, aged).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofDays(2));
      assertThat(find(gc.plan().victims(), "old").reason()).isEqualTo(Reason.MAX_AGE);
    }
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("old", "spare");
    }
  }

  @Test
  void imageThatOnlyHoldsWhatTheEngineKeepsAboutIt_stays_ifTheGoalIsReachedWithoutIt() {
    FakeNode large = FakeNode.withDisk(1_000_000_000);
    large
        .image("a-old")
        .layer("base", 100_000_000)
        .layer("record of a-old", 16_384)
        .add();
    large.image("app").layer("base", 100_000_000).layer("record of app", 16_384).add();
    large
        .image("spare")
        .layer("spare", 150_000_000)
        .layer("record of spare", 16_384)
        .add();
    large.run("c1", "app");
    large.otherData(650_000_000); // 900 MB used, need 100 MB
    try (ImageGcManager gc = collector(large).build()) {
      GcPlan plan = gc.plan();
      assertThat(ids(plan.victims())).containsExactly("spare");
      assertThat(plan.predictedBytes()).hasValue(150_016_384);
      assertThat(find(plan.decisions(), "a-old").reason()).isEqualTo(Reason.NO_GAIN);
      assertThat(find(plan.decisions(), "a-old").detail())
          .isEqualTo("removing it would free no more than 16.0 KiB");
      large.deleteImage("spare");
      large.otherData(800_000_000);
      assertThat(ids(gc.plan().victims())).containsExactly("a-old"); // nothing better is left
    }
  }

  @Test
  void creditOfASharedLayer_isTakenBack_whenAnotherHolderIsPassedOver() {
    FakeNode large = FakeNode.withDisk(1_000_000_000);
    large.image("a").layer("tiny", 10_000).layer("base", 100_000_000).add();
    large.image("b").layer("tiny", 10_000).layer("b", 150_000_000).add();
    large.image("used").layer("base", 100_000_000).add();
    large.run("c1", "used");
    large.otherData(650_000_000);
    try (ImageGcManager gc = collector(large).build()) {
      GcPlan plan = gc.plan();
      assertThat(ids(plan.victims())).containsExactly("b");
      assertThat(plan.predictedBytes()).hasValue(150_000_000); // "a" keeps the tiny layer
      assertThat(find(plan.victims(), "b").creditedBytes()).hasValue(150_000_000);
      assertThat(gc.garbageCollect().freedBytes()).isEqualTo(150_000_000);
    }
  }

  @Test
  void childWithoutLayersOfItsOwn_goesWhenItUnlocksItsParent() {
    node.image("base").tag("base:1").size(200).add();
    node.image("child").tag("child:1").parent("base").add(); // nothing but other settings
    node.otherData(750); // 950 used, need 150
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("child", "base");
      assertThat(report.predictedBytes()).hasValue(200);
      assertThat(report.freedBytes()).isEqualTo(200);
    }
  }

  // What is not known

  @Test
  void someLayersUnknown_isSaid_andTheLoopCorrectsIt() {
    node.image("a").layer("base", 90).layer("a", 10).unknownLayers().add();
    node.image("b").layer("base", 90).layer("b", 10).add();
    node.image("c").layer("c", 100).add();
    node.otherData(700); // 910 used, need 110: a is listed as 100 but frees 10
    try (ImageGcManager gc = collector(node).build()) {
      GcPlan plan = gc.plan();
      assertThat(plan.accounting()).isEqualTo(Accounting.MIXED);
      assertThat(find(plan.decisions(), "a").exclusiveBytes()).isEmpty();
      assertThat(find(plan.decisions(), "b").exclusiveBytes()).hasValue(100);
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(removed(report)).containsExactly("a", "b");
      assertThat(report.freedBytes()).isEqualTo(110);
    }
  }

  @Test
  void containerOfAnImageThatWasNeverSeen_makesTheAccountingMixed() {
    node.image("gone").layer("base", 100).add();
    node.run("c1", "gone");
    node.deleteImage("gone");
    node.image("a").layer("base", 100).layer("a", 50).add();
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.plan().accounting()).isEqualTo(Accounting.MIXED);
      node.removeContainer("c1");
      assertThat(gc.plan().accounting()).isEqualTo(Accounting.LAYERS);
    }
  }

  @Test
  void layersOfAnImageThatIsGone_countForAsLongAsAContainerHoldsThem() {
    node.image("gone").layer("base", 100).add();
    node.image("a").layer("base", 100).layer("a", 50).add();
    node.run("c1", "gone");
    try (ImageGcManager gc = collector(node).build()) {
      gc.detectImages();
      node.deleteImage("gone");
      assertThat(find(gc.plan().decisions(), "a").exclusiveBytes()).hasValue(50);
      assertThat(gc.plan().accounting()).isEqualTo(Accounting.LAYERS);
      node.removeContainer("c1");
      assertThat(find(gc.plan().decisions(), "a").exclusiveBytes()).hasValue(150);
    }
  }

  @Test
  void layersThatBecomeKnown_areCountedFromThenOn() {
    node.image("a").layer("base", 100).layer("a", 50).add();
    node.image("b").layer("base", 100).layer("b", 50).add();
    node.image("c").layer("base", 100).unknownLayers().add();
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(find(gc.plan().decisions(), "c").exclusiveBytes()).isEmpty();
      node.deleteImage("c");
      node.image("c").layer("base", 100).add();
      assertThat(find(gc.plan().decisions(), "c").exclusiveBytes()).hasValue(0);
      assertThat(gc.plan().accounting()).isEqualTo(Accounting.LAYERS);
    }
  }

  // A disk that does not do what was predicted

  @Test
  void smallFiles_thatTakeMoreThanTheirLengths_endTheRoundEarly() {
    node.image("a").layer("many small files", 200, 20).add();
    node.image("b").layer("b", 100).add();
    node.otherData(650); // 950 used, need 150: by lengths a and b together are 120
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(ids(gc.plan().victims())).containsExactly("a", "b");
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a");
      assertThat(reason(report, "b")).isEqualTo(Reason.ENOUGH_FREED);
      assertThat(report.freedBytes()).isEqualTo(200);
    }
  }

  @Test
  void lessThanPredicted_isPlannedAgain_andNeverBeyondLow() {
    node.image("a").layer("sparse", 20, 150).add();
    node.image("b").layer("b", 100).add();
    node.image("c").layer("c", 100).add();
    node.image("d").layer("d", 100).add();
    node.otherData(630); // 950 used, need 150
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(ids(gc.plan().victims())).containsExactly("a");
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a", "b", "c");
      assertThat(reason(report, "d")).isEqualTo(Reason.ENOUGH_FREED);
      assertThat(report.predictedBytes()).hasValue(150);
      assertThat(report.freedBytes()).isEqualTo(220);
    }
  }

  @Test
  void victimOfASecondPlan_goesForTheReasonOfTheRound() {
    node.image("a").layer("sparse", 70, 150).add();
    node.image("b").layer("b", 100).add();
    node.otherData(780); // 950 used, need 150; 880 after the first plan, which is below high
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(find(report.removed(), "b").detail()).isEqualTo("usage is 95%, highPercent is 90");
    }
  }

  @Test
  void planAgain_leavesOutWhatWouldFreeNothing() {
    node.image("a").layer("sparse", 20, 150).add();
    node.image("b-nothing").layer("base", 100).add();
    node.image("app").layer("base", 100).layer("app", 10).add();
    node.image("c").layer("c", 200).add();
    node.run("c1", "app");
    node.otherData(620); // 950 used, need 150
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a", "c");
      assertThat(reason(report, "b-nothing")).isEqualTo(Reason.NO_GAIN);
    }
  }

  @Test
  void victimThatComesIntoUse_makesThoseInVainThatOnlySharedWithIt() {
    node.image("a").tag("a:1").layer("base", 150).add();
    node.image("b").tag("b:1").layer("base", 150).add();
    node.image("c").tag("c:1").layer("c", 150).add();
    node.otherData(650); // 950 used, need 150: a and b together
    node.faults().beforeNext(FakeNode.Operation.REMOVE_IMAGE, () -> node.run("c1", "b"));
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(ids(gc.plan().victims())).containsExactly("a", "b");
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a", "c");
      assertThat(reason(report, "b")).isEqualTo(Reason.IN_USE);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void roundWhoseVictimsAllStay_triesEach_withoutANewPlanForEach() {
    FakeNode large = FakeNode.withDisk(1_000_000);
    AtomicInteger compared = new AtomicInteger();
    for (int i = 0; i < 1000; i++) {
      large.image(String.format("image-%04d", i)).size(100).add();
      large.faults().failRemovals(String.format("image-%04d", i), REFUSED);
    }
    large.otherData(850_000); // 950,000 used, need 150,000
    try (ImageGcManager gc = collector(large)
        .veto(image -> {
          compared.incrementAndGet();
          return Verdict.mayGo();
        })
        .build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.decisions(Decision.FAILED)).hasSize(1000);
      assertThat(large.removalsAsked()).doesNotHaveDuplicates().hasSize(1000);
      assertThat(compared).hasValue(1000); // the policy and the host are asked once a round
    }
  }

  @Test
  void writerInTheMiddleOfARound_leavesFreedBytesRight() {
    node.image("a").size(100).add();
    node.image("b").size(100).add();
    node.otherData(750); // 950 used, need 150
    node.faults().beforeNext(FakeNode.Operation.REMOVE_IMAGE, () -> {
      // Before the removal itself, but after the measurement right before it, nobody may write: so
      // write beside the next one.
      node.faults().afterNext(FakeNode.Operation.LIST_CONTAINERS, () -> node.writeOtherData(50));
    });
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.freedBytes()).isEqualTo(200);
      assertThat(report.filesystemDifferenceBytes()).hasValue(150);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void engineThatFreesLate_isWaitedFor_insteadOfTakingMore() {
    node.image("a").size(150).add();
    node.image("b").size(150).add();
    node.otherData(650); // 950 used, need 150
    node.freesSpaceAfter(Duration.ofSeconds(5));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a");
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.freedBytes()).isEqualTo(150);
      assertThat(report.duration()).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(6));
    }
  }

  @Test
  void engineThatFreesLater_thanTheSettleTime_isNotWaitedForAnyLonger() {
    node.image("a").size(150).add();
    node.image("b").size(150).add();
    node.otherData(650);
    node.freesSpaceAfter(Duration.ofMinutes(5));
    RoundLimits limits =
        RoundLimits.builder().settleTime(Duration.ofSeconds(10)).build();
    try (ImageGcManager gc = collector(node).limits(limits).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a", "b"); // nothing tells that it will come back
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.duration()).isEqualTo(Duration.ofSeconds(20));
    }
  }

  @Test
  void engineThatFreesLate_isNotCreditedWithRoomThatSomebodyElseMakes() {
    node.image("a").size(150).add();
    node.image("b").size(150).add();
    node.otherData(650);
    node.freesSpaceAfter(Duration.ofSeconds(5));
    node.faults()
        .afterNext(
            FakeNode.Operation.REMOVE_IMAGE,
            () -> node.faults()
                .afterNext(
                    FakeNode.Operation.MEASURE,
                    () -> node.faults()
                        .beforeNext(FakeNode.Operation.MEASURE, () -> node.writeOtherData(-500))));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a");
      assertThat(report.freedBytes()).isEqualTo(150); // at most what was predicted
    }
  }

  // Limits

  @Test
  void limitOfRemovals_endsTheRoundShort_andSaysSo() {
    images(100, "a", "b", "c", "d");
    node.otherData(550); // 950 used, need 150
    RoundLimits limits = RoundLimits.builder().removals(1).build();
    try (ImageGcManager gc = collector(node).limits(limits).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a");
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.stoppedBy()).contains(RoundLimit.REMOVALS);
      assertThat(reason(report, "b")).isEqualTo(Reason.LIMIT);
      assertThat(reason(report, "d")).isEqualTo(Reason.LIMIT);
      assertThat(report.missingBytes()).hasValue(50);
      assertThat(removed(gc.garbageCollect())).isEmpty(); // below high now
    }
  }

  @Test
  void limitOfRemovals_countsThoseThatFail() {
    images(100, "a", "b");
    node.faults().failRemovals("a", REFUSED);
    try (ImageGcManager gc =
        collector(node).limits(RoundLimits.builder().removals(1).build()).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(removed(report)).isEmpty();
      assertThat(report.stoppedBy()).contains(RoundLimit.REMOVALS);
    }
  }

  @Test
  void limitOfBytes_endsTheRound_whenThatManyCameBack() {
    images(100, "a", "b", "c");
    try (ImageGcManager gc =
        collector(node).limits(RoundLimits.builder().bytes(150).build()).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(removed(report)).containsExactly("a", "b");
      assertThat(report.stoppedBy()).contains(RoundLimit.BYTES);
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.explanation())
          .isEqualTo(
              "not all images that are unused were removed from image filesystem /fake/images: freed 200 B; "
                  + "held: 100 B by 1 image that may go, but not within the limits of the round, "
                  + "0 B by data that is not images; the round ended at its limit of bytes");
    }
  }

  @Test
  void limitOfTime_beginsNoRemovalAfterIt() {
    images(100, "a", "b", "c");
    node.faults().slow(FakeNode.Operation.REMOVE_IMAGE, Duration.ofSeconds(7));
    RoundLimits limits = RoundLimits.builder().time(Duration.ofSeconds(10)).build();
    try (ImageGcManager gc = collector(node).limits(limits).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(removed(report)).containsExactly("a", "b");
      assertThat(report.stoppedBy()).contains(RoundLimit.TIME);
    }
  }

  @Test
  void limitOfPlans_endsARoundThatKeepsGettingLess() {
    for (String id : new String[] {"a", "b", "c", "d"}) {
      node.image(id).layer(id, 10, 200).add();
    }
    node.otherData(910); // 950 used, need 150
    try (ImageGcManager gc =
        collector(node).limits(RoundLimits.builder().plans(2).build()).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a", "b");
      assertThat(report.stoppedBy()).contains(RoundLimit.PLANS);
    }
  }

  @Test
  void limitThatIsReachedWithTheGoal_isNoLimit() {
    images(100, "a", "b");
    node.otherData(700); // 900 used, need 100
    RoundLimits limits = RoundLimits.builder().removals(1).plans(1).bytes(100).build();
    try (ImageGcManager gc = collector(node).limits(limits).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.stoppedBy()).isEmpty();
    }
  }

  @Test
  void limits_areAsTheyWereSet_andTheLongestByDefault() {
    RoundLimits limits = RoundLimits.builder()
        .time(Duration.ofMinutes(3))
        .removals(4)
        .bytes(5)
        .plans(6)
        .settleTime(Duration.ofSeconds(7))
        .backOff(Duration.ofSeconds(8), Duration.ofSeconds(9))
        .build();
    assertThat(limits.time()).isEqualTo(Duration.ofMinutes(3));
    assertThat(limits.removals()).isEqualTo(4);
    assertThat(limits.bytes()).isEqualTo(5);
    assertThat(limits.plans()).isEqualTo(6);
    assertThat(limits.settleTime()).isEqualTo(Duration.ofSeconds(7));
    assertThat(limits.firstBackOff()).isEqualTo(Duration.ofSeconds(8));
    assertThat(limits.longestBackOff()).isEqualTo(Duration.ofSeconds(9));
    RoundLimits none = RoundLimits.defaults();
    assertThat(none.time()).isEqualTo(Duration.ofNanos(Long.MAX_VALUE));
    assertThat(none.removals()).isEqualTo(Integer.MAX_VALUE);
    assertThat(none.bytes()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void limits_thatMakeNoSense_areRefusedByName() {
    assertThatThrownBy(() -> RoundLimits.builder().removals(0))
        .hasMessage("removals must be at least 1, but is 0");
    assertThatThrownBy(() -> RoundLimits.builder().bytes(0))
        .hasMessage("bytes must be at least 1, but is 0");
    assertThatThrownBy(() -> RoundLimits.builder().plans(-1))
        .hasMessage("plans must be at least 1, but is -1");
    assertThatThrownBy(() -> RoundLimits.builder().time(Duration.ZERO))
        .hasMessage("time must be above zero, but is PT0S");
    assertThatThrownBy(() -> RoundLimits.builder().settleTime(Duration.ofSeconds(-1)))
        .hasMessage("settleTime must be zero or more, but is PT-1S");
    assertThatThrownBy(
            () -> RoundLimits.builder().backOff(Duration.ofMinutes(2), Duration.ofMinutes(1)))
        .hasMessage("backOff longest must not be below first, but PT1M is below PT2M");
  }

  // Inodes

  @Test
  void inodes_areMeasuredImageByImage() {
    images(100, "a", "b", "c", "d");
    node.otherData(100); // bytes are no trouble
    node.faults()
        .measureAs(stats -> stats.toBuilder()
            .inodes(1000, 1000 - 910 + 40 * (4 - node.imageIds().size()))
            .build());
    LruGcPolicy.Builder policy = LruGcPolicy.builder().minAge(Duration.ZERO).inodesPercent(90, 85);
    try (ImageGcManager gc = collector(node, policy).build()) {
      GcPlan plan = gc.plan();
      assertThat(plan.outcome()).isEqualTo(Outcome.PLANNED);
      assertThat(plan.neededInodes()).hasValue(60);
      assertThat(plan.neededBytes()).hasValue(0);
      assertThat(ids(plan.victims())).containsExactly("a");
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a", "b");
      assertThat(report.neededInodes()).hasValue(60);
      assertThat(report.missingInodes()).hasValue(0);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void inodes_areNoGoalOfFreeSpace_andNotNeededBelowHigh() {
    images(100, "a", "b");
    node.faults().measureAs(stats -> stats.toBuilder().inodes(1000, 500).build());
    LruGcPolicy.Builder policy = LruGcPolicy.builder().minAge(Duration.ZERO).inodesPercent(90, 85);
    try (ImageGcManager gc = collector(node, policy).build()) {
      assertThat(gc.garbageCollect().neededInodes()).hasValue(0);
      assertThat(gc.freeSpace(100).neededInodes()).isEmpty();
    }
  }

  @Test
  void inodesThatCannotBeFreed_areShort_andSaid() {
    images(100, "a");
    node.faults().measureAs(stats -> stats.toBuilder().inodes(1000, 10).build());
    LruGcPolicy.Builder policy = LruGcPolicy.builder().minAge(Duration.ZERO).inodesPercent(90, 85);
    RecordingListener listener = new RecordingListener();
    try (ImageGcManager gc = collector(node, policy).listener(listener).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.missingInodes()).hasValue(140);
      assertThat(listener.events(GcEventType.FREE_DISK_SPACE_FAILED)).hasSize(1);
      assertThat(report.explanation())
          .contains("freed 100 B, needed 140 inodes, missing 140; held");
    }
  }

  @Test
  void unknownInodes_callForNothing() {
    images(100, "a");
    node.faults().measureAs(stats -> stats.toBuilder().inodes(0, 0).build()); // btrfs
    LruGcPolicy.Builder policy = LruGcPolicy.builder().minAge(Duration.ZERO).inodesPercent(1, 1);
    try (ImageGcManager gc = collector(node, policy).build()) {
      assertThat(gc.garbageCollect().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(gc.plan().neededInodes()).isEmpty();
    }
  }

  // Back-off

  @Test
  void imageThatCannotBeRemoved_isLeftAloneForTwiceAsLongEachTime_andToldTwice() {
    images(100, "a", "b");
    node.faults().failRemovals("a", REFUSED);
    RecordingListener listener = new RecordingListener();
    RoundLimits limits = RoundLimits.builder()
        .backOff(Duration.ofMinutes(1), Duration.ofMinutes(3))
        .build();
    try (ImageGcManager gc = collector(node).listener(listener).limits(limits).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(decision(report, "a")).isEqualTo(Decision.FAILED);
      assertThat(removed(report)).containsExactly("b");
      for (int minutes : new int[] {1, 2, 3, 3}) {
        node.clock().advance(Duration.ofMinutes(minutes).minusMillis(1));
        assertThat(reason(gc.deleteUnusedImages(), "a")).isEqualTo(Reason.BACKING_OFF);
        node.clock().advance(Duration.ofMillis(1));
        assertThat(reason(gc.deleteUnusedImages(), "a")).isEqualTo(Reason.REMOVAL_FAILED);
      }
      node.faults().heal();
      node.clock().advance(Duration.ofMinutes(3));
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("a");
      assertThat(listener.events(GcEventType.IMAGE_REMOVAL_FAILED))
          .extracting(event -> event.phase())
          .containsExactly(Phase.BEGAN, Phase.ENDED);
      assertThat(listener.events(GcEventType.IMAGE_REMOVAL_FAILED).get(0).message())
          .isEqualTo("could not remove image a: busy; tried again after 1m at the earliest");
      assertThat(listener.events(GcEventType.IMAGE_REMOVAL_FAILED).get(1).message())
          .isEqualTo("image a, which could not be removed, is gone");
    }
  }

  @Test
  void backOff_endsWhenSomebodyElseRemovesTheImage() {
    images(100, "a");
    node.faults().failRemovals("a", REFUSED);
    RecordingListener listener = new RecordingListener();
    try (ImageGcManager gc = collector(node).listener(listener).build()) {
      gc.deleteUnusedImages();
      node.deleteImage("a");
      gc.detectImages();
      assertThat(listener.events(GcEventType.IMAGE_REMOVAL_FAILED))
          .extracting(event -> event.phase())
          .containsExactly(Phase.BEGAN, Phase.ENDED);
    }
  }

  @Test
  void imageThatIsBackedOff_countsAsStaying_forThePredictionToo() {
    node.image("a").tag("a:1").layer("base", 150).add();
    node.image("b").tag("b:1").layer("base", 150).layer("b", 150).add();
    node.otherData(650); // 950 used, need 150
    node.faults().failNextRemoval("a", REFUSED);
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(decision(report, "a")).isEqualTo(Decision.FAILED);
      assertThat(removed(report)).containsExactly("b"); // planned again: b's own layer does
      GcPlan plan = gc.plan();
      assertThat(reason(plan, "a")).isEqualTo(Reason.BACKING_OFF);
      assertThat(find(plan.decisions(), "a").reclaimableBytes()).hasValue(0);
    }
  }

  // Families and containers

  @Test
  void childThatCannotBeRemoved_keepsItsParent_inEveryMode() {
    node.image("base").tag("base:1").size(200).add();
    node.image("child").tag("child:1").parent("base").size(50).add();
    node.otherData(700); // 950 used, need 150
    node.faults().failRemovals("child", REFUSED);
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(reason(report, "base")).isEqualTo(Reason.HAS_CHILDREN);
    }
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(reason(gc.deleteUnusedImages(), "base")).isEqualTo(Reason.HAS_CHILDREN);
    }
    assertThat(node.removalsAsked()).containsExactly("child", "child");
  }

  @Test
  void parentThatIsDueByAge_waitsForAChildThatIsNot() {
    node.image("base").tag("base:1").size(200).add();
    LruGcPolicy.Builder aged =
        LruGcPolicy.builder().minAge(Duration.ZERO).maxAge(Duration.ofDays(1));
    try (ImageGcManager gc = collector(node, aged).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofDays(2));
      node.image("child").tag("child:1").parent("base").size(50).add();
      assertThat(gc.plan().victims()).isEmpty();
      assertThat(removed(gc.garbageCollect())).isEmpty();
    }
  }

  @Test
  void containerCreatedAtTheLastMoment_holdsTheLayersOfTheRemovedImage() {
    node.image("a").tag("a:1").layer("base", 100).add();
    node.image("b").tag("b:1").layer("base", 100).layer("b", 150).add();
    node.otherData(650); // 900 used
    node.faults()
        .afterNext(
            FakeNode.Operation.MEASURE,
            () -> node.faults().beforeNext(FakeNode.Operation.REMOVE_IMAGE, () -> {
              node.run("late", "a");
              node.deleteImage("a"); // as an engine does that checks too early
            }));
    try (ImageGcManager gc = collector(node).build()) {
      gc.freeSpace(240); // both, by prediction
      GcPlan plan = gc.plan();
      assertThat(plan.accounting()).isEqualTo(Accounting.LAYERS);
      if (node.hasImage("b")) {
        assertThat(find(plan.decisions(), "b").exclusiveBytes()).hasValue(150);
      }
    }
  }

  @Test
  void imageThatWasListedTwice_isKnownAsOne_inTheNextGoodListing() {
    node.image("a").tag("a:1").layer("a", 100).add();
    boolean[] twice = {true};
    Runtime engine = node.runtime();
    Runtime stutters = new Runtime() {
      @Override
      public List<Image> listImages() {
        List<Image> images = new ArrayList<>(engine.listImages());
        if (twice[0]) {
          images.addAll(engine.listImages());
        }
        return images;
      }

      @Override
      public List<Container> listContainers() {
        return engine.listContainers();
      }

      @Override
      public RemovalResult removeImage(Image image) {
        return engine.removeImage(image);
      }
    };
    try (ImageGcManager gc = collector(node).runtime(stutters).build()) {
      assertThatThrownBy(gc::detectImages).hasMessageContaining("listed image a twice");
      twice[0] = false;
      assertThat(gc.detectImages()).hasSize(1);
      assertThat(find(gc.plan().decisions(), "a").exclusiveBytes()).hasValue(100);
    }
  }

  @Test
  void ofSeveralContainers_theOneWithTheLowestIdIsNamed_whateverTheirOrder() {
    node.image("a").size(100).add();
    node.run("c2", "a");
    node.run("c1", "a");
    node.run("c3", "a");
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(find(gc.plan().decisions(), "a").detail()).startsWith("container c1 ");
    }
  }

  // The host's veto

  @Test
  void veto_keepsAnImage_withTheHostsOwnReason_inEveryMode() {
    images(100, "a", "b");
    node.otherData(750);
    Reason warm = Reason.of("WARM_POOL");
    try (ImageGcManager gc = collector(node)
        .veto(image -> image.id().text().equals("a")
            ? Verdict.stays(warm, "kept warm for the next job")
            : Verdict.mayGo())
        .build()) {
      assertThat(reason(gc.plan(), "a")).isEqualTo(warm);
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("b");
      assertThat(node.hasImage("a")).isTrue();
    }
  }

  @Test
  void veto_thatThrows_keepsTheImage_andIsReportedOnce() {
    images(100, "a", "b");
    node.otherData(750);
    try (ImageGcManager gc = collector(node)
        .veto(image -> {
          if (image.id().text().equals("a")) {
            throw new IllegalStateException("no idea");
          }
          return Verdict.mayGo();
        })
        .build()) {
      GcReport report = gc.garbageCollect();
      assertThat(reason(report, "a")).isEqualTo(Reason.POLICY_FAILED);
      assertThat(report.problems())
          .containsExactly("the veto failed on image a: java.lang.IllegalStateException: no idea");
    }
  }

  private void images(long size, String... ids) {
    for (String id : ids) {
      node.image(id).size(size).add();
    }
  }
}
