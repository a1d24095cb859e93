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
import dev.imagegc.api.Decision;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEvent.Phase;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PolicyException;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.api.Verdict;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

class ImageGcManagerTest {
  private final FakeNode node = FakeNode.withDisk(1000);
  private final RecordingListener listener = new RecordingListener();

  // The threshold part of a round

  @Test
  void round_atHigh_removesUntilTheMeasuredNeedIsMet() {
    images(100, "a", "b", "c", "d");
    node.otherData(550); // 95 %, need 150
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(removed(report)).containsExactly("a", "b");
      assertThat(report.usagePercentAfter()).hasValue(75);
      assertThat(reason(report, "c")).isEqualTo(Reason.ENOUGH_FREED);
    }
  }

  @Test
  void round_justBelowHigh_asksTheEngineNothing() {
    images(100, "a");
    node.otherData(790);
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.usagePercentBefore()).hasValue(89);
      assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(report.neededBytes()).hasValue(0);
      assertThat(node.calls()).allMatch(call -> call.operation() == Operation.MEASURE);
    }
  }

  @Test
  void round_atExactlyHigh_acts() {
    images(100, "a");
    node.otherData(800);
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(removed(gc.garbageCollect())).containsExactly("a");
    }
  }

  @Test
  void round_withHighEqualToLowAndNoNeed_removesNothing() {
    images(100, "a");
    node.otherData(700);
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().highPercent(80).lowPercent(80).minAge(Duration.ZERO);
    try (ImageGcManager gc = collector(node, policy).build()) {
      assertThat(gc.garbageCollect().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(node.removalsAsked()).isEmpty();
    }
  }

  @Test
  void round_withHigh100_doesNotActOnAFullDisk() {
    images(100, "a");
    node.otherData(900);
    LruGcPolicy.Builder policy = LruGcPolicy.builder().highPercent(100).minAge(Duration.ZERO);
    try (ImageGcManager gc = collector(node, policy).build()) {
      assertThat(gc.garbageCollect().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(removed(gc.freeSpace(50))).containsExactly("a");
    }
  }

  @Test
  void round_whenLessComesBackThanListed_goesOnIntoTheReserve() {
    node.image("a").layer("base", 90).layer("a", 10).unknownLayers().add();
    node.image("b").layer("base", 90).layer("b", 10).unknownLayers().add();
    node.image("c").layer("base", 90).layer("c", 10).unknownLayers().add();
    node.otherData(780); // 900 used, need 100; "a" alone is listed as 100 but frees 10
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(ids(gc.plan().victims())).containsExactly("a");
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a", "b", "c");
      assertThat(report.predictedBytes()).hasValue(100);
      assertThat(report.freedBytes()).isEqualTo(120);
      assertThat(report.accounting()).isEqualTo(Accounting.SIZES);
      assertThat(find(report.decisions(), "a").measuredBytes()).hasValue(10);
      assertThat(find(report.decisions(), "c").measuredBytes()).hasValue(100);
    }
  }

  @Test
  void round_whenSomebodyElseMakesRoom_stopsBeforeTheNextRemoval() {
    images(100, "a", "b");
    node.otherData(750); // 95 %
    node.faults().afterNext(Operation.REMOVE_IMAGE, () -> node.writeOtherData(-100));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a");
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(node.calls(Operation.LIST_CONTAINERS)).isEqualTo(2); // "b" was not even looked at
    }
  }

  @Test
  void freedBytes_whileSomebodyWrites_areNeverNegative() {
    images(100, "a", "b");
    node.otherData(750);
    node.faults().afterNext(Operation.REMOVE_IMAGE, () -> node.writeOtherData(150));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(find(report.decisions(), "a").measuredBytes()).hasValue(0);
      assertThat(report.freedBytes()).isEqualTo(100);
      assertThat(report.filesystemDifferenceBytes()).hasValue(50);
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
    }
  }

  @Test
  void round_thatIsShort_saysWhatHoldsTheRest() {
    node.image("used").size(200).add();
    node.run("c", "used");
    node.image("pinned").size(100).pinned("by the engine").add();
    node.image("kept").tag("base:1").size(150).add();
    node.image("gone").size(50).add();
    node.otherData(450); // 95 %, need 150
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .highPercent(90)
        .lowPercent(80)
        .minAge(Duration.ZERO)
        .keep("base");
    try (ImageGcManager gc = collector(node, policy).listener(listener).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.held().toString())
          .isEqualTo(
              "[IN_USE: 1 images, 200 bytes, PROTECTED: 1 images, 150 bytes, PINNED: 1 images, 100 bytes]");
      assertThat(report.otherDataBytes()).hasValue(450);
      assertThat(report.missingBytes()).hasValue(100);
    }
  }

  @Test
  void lastingShortage_isToldWhenItBeginsAndWhenItEnds() {
    node.otherData(950);
    try (ImageGcManager gc = collector(node).listener(listener).build()) {
      gc.garbageCollect();
      gc.garbageCollect();
      assertThat(listener.events(GcEventType.FREE_DISK_SPACE_FAILED)).hasSize(1);
      node.otherData(0);
      gc.garbageCollect();
      gc.garbageCollect();
      assertThat(listener.events(GcEventType.FREE_DISK_SPACE_FAILED))
          .extracting(event -> event.phase())
          .containsExactly(Phase.BEGAN, Phase.ENDED);
    }
  }

  // Order

  @Test
  void order_isLastUse_thenFirstSight_thenBuildTime_thenId() {
    var clock = node.clock();
    node.image("used-late").size(10).add();
    node.image("used-early").size(10).add();
    node.run("c1", "used-late");
    node.run("c2", "used-early");
    try (ImageGcManager gc = collector(node).build()) {
      gc.detectImages();
      node.removeContainer("c2");
      clock.advance(Duration.ofSeconds(1));
      gc.detectImages();
      node.removeContainer("c1");
      node.image("z-built-early")
          .size(10)
          .builtAt(clock.instant().minusSeconds(20))
          .add();
      node.image("a-built-late")
          .size(10)
          .builtAt(clock.instant().minusSeconds(10))
          .add();
      node.image("y-unknown").size(10).add();
      node.image("x-unknown").size(10).add();
      clock.advance(Duration.ofSeconds(1));
      gc.detectImages();
      node.image("seen-last").size(10).builtAt(clock.instant().minusSeconds(30)).add();
      clock.advance(Duration.ofSeconds(1));
      assertThat(ids(gc.plan().decisions()))
          .containsExactly(
              "z-built-early",
              "a-built-late",
              "x-unknown",
              "y-unknown",
              "seen-last",
              "used-early",
              "used-late");
    }
  }

  @Test
  void order_doesNotDependOnTheOrderOfTheListing() {
    images(10, "d", "b", "a", "c");
    try (ImageGcManager gc = collector(node).build()) {
      List<String> first = ids(gc.plan().decisions());
      node.faults().shuffleListings(7);
      assertThat(ids(gc.plan().decisions())).isEqualTo(first);
    }
  }

  // Plan

  @Test
  void plan_belowHigh_listsEveryImageAndTouchesNothing() {
    images(100, "a", "b");
    node.run("c", "b");
    try (ImageGcManager gc = collector(node).build()) {
      GcPlan plan = gc.plan();
      assertThat(plan.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(plan.neededBytes()).hasValue(0);
      assertThat(plan.victims()).isEmpty();
      assertThat(ids(plan.reserve())).containsExactly("a");
      assertThat(reason(plan, "b")).isEqualTo(Reason.IN_USE);
      assertThat(find(plan.decisions(), "b").detail()).isEqualTo("container c (RUNNING)");
      assertThat(node.removalsAsked()).isEmpty();
    }
  }

  @Test
  void plan_listsVictims_thenReserve_thenWhatStays() {
    images(100, "a", "b", "c");
    node.image("used").size(100).add();
    node.run("x", "used");
    node.otherData(550);
    try (ImageGcManager gc = collector(node).build()) {
      GcPlan plan = gc.plan();
      assertThat(plan.outcome()).isEqualTo(Outcome.PLANNED);
      assertThat(ids(plan.decisions())).containsExactly("a", "b", "c", "used");
      assertThat(ids(plan.victims())).containsExactly("a", "b");
      assertThat(plan.predictedBytes()).hasValue(200);
      assertThat(plan.shortfallBytes()).hasValue(0);
    }
  }

  @Test
  void plan_withAnUnknownSize_predictsNothing() {
    node.image("a").size(100).unknownSize().unknownLayers().add();
    images(100, "b");
    node.otherData(750);
    try (ImageGcManager gc = collector(node).build()) {
      GcPlan plan = gc.plan();
      assertThat(plan.accounting()).isEqualTo(Accounting.UNKNOWN);
      assertThat(plan.predictedBytes()).isEmpty();
      assertThat(ids(plan.victims())).containsExactly("a", "b");
      assertThat(removed(gc.garbageCollect())).containsExactly("a", "b");
    }
  }

  @Test
  void plan_onAnEngineInTrouble_throwsTheTypedException() {
    node.faults().failNext(Operation.LIST_CONTAINERS, new UnreachableException("gone"));
    try (ImageGcManager gc = collector(node).build()) {
      assertThatThrownBy(gc::plan).isInstanceOf(UnreachableException.class).hasMessage("gone");
    }
  }

  // Parents and children

  @Test
  void parent_ofAnImageThatStays_staysAndKeepsItsNames() {
    node.image("base").tag("base:1").size(100).add();
    node.image("middle").parent("base").size(10).add();
    node.image("app").tag("app:1").parent("middle").size(10).add();
    node.run("c", "app");
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(reason(report, "base")).isEqualTo(Reason.HAS_CHILDREN);
      assertThat(reason(report, "middle")).isEqualTo(Reason.HAS_CHILDREN);
      assertThat(node.removalsAsked()).isEmpty();
      assertThat(node.references("base")).containsExactly("base:1");
    }
  }

  @Test
  void parent_goesAfterItsChildren_whateverItsOwnPlaceInTheOrder() {
    node.image("base").tag("base:1").size(100).add();
    node.image("app").tag("app:1").parent("base").size(10).add();
    node.image("other").size(10).add();
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(ids(gc.plan().decisions())).containsExactly("app", "base", "other");
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("app", "base", "other");
    }
  }

  @Test
  void parent_ofAChildWhoseRemovalFailed_isNotAskedToGo() {
    node.image("base").size(100).add();
    node.image("app").parent("base").size(10).add();
    node.faults().failRemovals("app", RemovalResult.of(RemovalOutcome.FAILED, "stuck"));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(decision(report, "app")).isEqualTo(Decision.FAILED);
      assertThat(reason(report, "base")).isEqualTo(Reason.HAS_CHILDREN);
      assertThat(node.removalsAsked()).containsExactly("app");
    }
  }

  @Test
  void untaggedParent_thatTheEngineDropsWithItsLastChild_isGone() {
    node.image("layer").size(100).add();
    node.image("app").tag("app:1").parent("layer").size(10).add();
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(decision(report, "app")).isEqualTo(Decision.REMOVED);
      assertThat(decision(report, "layer")).isEqualTo(Decision.GONE);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  // The check before each removal

  @Test
  void image_thatComesIntoUseDuringTheRound_isKeptNotAnError() {
    images(100, "a", "b", "c");
    node.otherData(650); // 95 %, need 150
    node.faults().afterNext(Operation.REMOVE_IMAGE, () -> node.run("late", "b"));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a", "c");
      assertThat(decision(report, "b")).isEqualTo(Decision.KEPT);
      assertThat(reason(report, "b")).isEqualTo(Reason.IN_USE);
      assertThat(node.removalsAsked()).containsExactly("a", "c");
      assertThat(gc.records())
          .filteredOn(record -> record.id().text().equals("b"))
          .allMatch(record -> record.lastUsed().isPresent());
    }
  }

  @Test
  void image_thatIsTakenBetweenCheckAndRemoval_isKeptNotAnError() {
    images(100, "a", "b");
    node.otherData(700);
    node.faults().beforeNext(Operation.REMOVE_IMAGE, () -> node.run("late", "a"));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(reason(report, "a")).isEqualTo(Reason.IN_USE);
      assertThat(removed(report)).containsExactly("b");
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void image_thatVanishesDuringTheRound_isGone() {
    images(100, "a", "b");
    node.otherData(700);
    node.faults().beforeNext(Operation.REMOVE_IMAGE, () -> node.deleteImage("a"));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(decision(report, "a")).isEqualTo(Decision.GONE);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void check_thatFailsInMidRound_removesNothingFurtherAndKeepsWhatWasDone() {
    images(100, "a", "b", "c");
    node.otherData(650);
    node.faults()
        .afterNext(
            Operation.REMOVE_IMAGE,
            () -> node.faults()
                .failAlways(Operation.LIST_CONTAINERS, new UnreachableException("engine gone")));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause().orElseThrow()).hasMessage("engine gone");
      assertThat(removed(report)).containsExactly("a");
      assertThat(report.freedBytes()).isEqualTo(100);
      assertThat(reason(report, "b")).isEqualTo(Reason.NOT_REACHED);
      assertThat(node.removalsAsked()).containsExactly("a");
      node.faults().heal();
      assertThat(gc.garbageCollect().outcome()).isEqualTo(Outcome.NOT_NEEDED);
    }
  }

  @Test
  void listing_thatFails_removesNothing() {
    images(100, "a");
    node.otherData(850);
    for (Operation operation : List.of(Operation.LIST_IMAGES, Operation.LIST_CONTAINERS)) {
      node.faults().failNext(operation, new ProtocolException("cut short"));
      try (ImageGcManager gc = collector(node).build()) {
        assertThat(gc.garbageCollect().outcome()).isEqualTo(Outcome.FAILED);
        assertThat(gc.deleteUnusedImages().outcome()).isEqualTo(Outcome.DONE);
      }
      node.image("a").size(100).add();
    }
  }

  @Test
  void measure_thatFailsInMidRound_keepsWhatWasDone() {
    images(100, "a", "b");
    node.otherData(750);
    node.faults()
        .afterNext(
            Operation.REMOVE_IMAGE,
            () ->
                node.faults().failAlways(Operation.MEASURE, new UnreachableException("disk gone")));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(removed(report)).containsExactly("a");
      assertThat(find(report.decisions(), "a").measuredBytes()).isEmpty();
      assertThat(report.freedBytes()).isZero();
    }
  }

  @Test
  void removal_thatCannotBeMeasured_isToldAllTheSame() {
    images(100, "a");
    node.faults()
        .afterNext(
            Operation.REMOVE_IMAGE,
            () ->
                node.faults().failAlways(Operation.MEASURE, new UnreachableException("disk gone")));
    try (ImageGcManager gc = collector(node).listener(listener).build()) {
      gc.deleteUnusedImages();
      assertThat(listener.events(GcEventType.IMAGE_REMOVED))
          .singleElement()
          .satisfies(event -> assertThat(event.message())
              .isEqualTo("removed image a (UNUSED), what it freed could not be measured"));
    }
  }

  @Test
  void images_areListedBeforeContainers() {
    images(100, "a");
    try (ImageGcManager gc = collector(node).build()) {
      gc.detectImages();
      assertThat(node.calls())
          .extracting(FakeNode.Call::operation)
          .containsExactly(Operation.LIST_IMAGES, Operation.LIST_CONTAINERS);
    }
  }

  // Failed removals

  @Test
  void removal_thatFails_failsNoRoundWhoseNeedIsMet() {
    images(100, "a", "b", "c");
    node.otherData(600); // 90 %, need 100
    node.faults().failRemovals("a", RemovalResult.of(RemovalOutcome.FAILED, "device busy"));
    try (ImageGcManager gc = collector(node).listener(listener).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(decision(report, "a")).isEqualTo(Decision.FAILED);
      assertThat(reason(report, "a")).isEqualTo(Reason.REMOVAL_FAILED);
      assertThat(find(report.decisions(), "a").detail()).isEqualTo("device busy");
      assertThat(removed(report)).containsExactly("b");
      assertThat(report.freedBytes()).isEqualTo(100);
      assertThat(listener.events(GcEventType.IMAGE_REMOVAL_FAILED)).hasSize(1);
    }
  }

  @Test
  void removal_thatFails_isNotCreditedWithRoomThatSomebodyElseMadeMeanwhile() {
    images(100, "a", "b");
    node.otherData(750); // 95 %, need 150
    node.faults().failRemovals("a", RemovalResult.of(RemovalOutcome.FAILED, "device busy"));
    node.faults().beforeNext(Operation.REMOVE_IMAGE, () -> node.writeOtherData(-60));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(find(report.decisions(), "a").measuredBytes()).isEmpty();
      assertThat(report.freedBytes()).isEqualTo(100);
      assertThat(report.filesystemDifferenceBytes()).hasValue(160);
    }
  }

  @Test
  void removal_thatThrows_isUnknownAndNotCredited() {
    images(100, "a", "b");
    node.otherData(700);
    node.faults().failNextRemoval("a", new UnreachableException("connection reset"));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(reason(report, "a")).isEqualTo(Reason.OUTCOME_UNKNOWN);
      assertThat(removed(report)).containsExactly("b");
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void removal_thatCostNames_isReported() {
    images(100, "a", "b");
    node.otherData(700);
    node.faults()
        .failRemovals(
            "a",
            RemovalResult.of(RemovalOutcome.IN_USE, "c1 holds it")
                .withLostReferences(List.of("app:2")));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.problems()).containsExactly("image a stays but lost its names [app:2]");
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  // maxAge

  @Test
  void maxAge_countsFromTheLaterOfLastUseAndFirstSight_andRespectsMinAge() {
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().minAge(Duration.ofMinutes(10)).maxAge(Duration.ofMinutes(5));
    images(100, "never", "used");
    node.run("c", "used");
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofMinutes(8));
      gc.detectImages();
      node.removeContainer("c");
      assertThat(gc.garbageCollect().decisions(Decision.REMOVED))
          .isEmpty(); // over maxAge, but too young
      node.clock().advance(Duration.ofMinutes(2));
      assertThat(removed(gc.garbageCollect())).containsExactly("never");
      node.clock().advance(Duration.ofMinutes(3));
      assertThat(gc.garbageCollect().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      node.clock().advance(Duration.ofNanos(1));
      assertThat(removed(gc.garbageCollect())).containsExactly("used");
    }
  }

  @Test
  void maxAge_doesNotTakeAnImagePulledSecondsAgo() {
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().minAge(Duration.ZERO).maxAge(Duration.ofMinutes(5));
    images(100, "old");
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofMinutes(6));
      images(100, "new");
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("old");
      assertThat(reason(report, "old")).isEqualTo(Reason.MAX_AGE);
      assertThat(node.hasImage("new")).isTrue();
    }
  }

  @Test
  void maxAge_failureDoesNotStopTheThresholdPart() {
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .highPercent(90)
        .lowPercent(80)
        .minAge(Duration.ZERO)
        .maxAge(Duration.ofMinutes(5));
    images(100, "old");
    node.otherData(700);
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofMinutes(6));
      images(100, "young");
      node.faults().failRemovals("old", RemovalResult.of(RemovalOutcome.FAILED, "stuck"));
      GcReport report = gc.garbageCollect();
      assertThat(decision(report, "old")).isEqualTo(Decision.FAILED);
      assertThat(removed(report)).containsExactly("young");
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void maxAge_freedBytesCountForTheThresholdPart() {
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .highPercent(90)
        .lowPercent(80)
        .minAge(Duration.ZERO)
        .maxAge(Duration.ofMinutes(5));
    images(150, "old");
    node.otherData(650);
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofMinutes(6));
      images(100, "young"); // 90 %, need 100
      GcPlan plan = gc.plan();
      assertThat(ids(plan.victims())).containsExactly("old");
      assertThat(plan.neededBytes()).hasValue(0);
      assertThat(removed(gc.garbageCollect())).containsExactly("old");
      assertThat(node.hasImage("young")).isTrue();
    }
  }

  @Test
  void maxAge_leavesAParentToItsYoungerChild() {
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().minAge(Duration.ZERO).maxAge(Duration.ofMinutes(5));
    images(100, "base");
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofMinutes(6));
      node.image("app").parent("base").size(10).add();
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).isEmpty();
      assertThat(node.hasImage("base")).isTrue();
    }
  }

  @Test
  void maxAge_isLookedForByAHostThatOnlyCollects() {
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().minAge(Duration.ZERO).maxAge(Duration.ofDays(1));
    images(100, "a");
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.garbageCollect();
      node.clock().advance(Duration.ofDays(1));
      images(100, "b"); // pulled after the last look
      gc.garbageCollect();
      node.clock().advance(Duration.ofHours(1));
      assertThat(node.imageIds()).containsExactly("a", "b");
      assertThat(removed(gc.garbageCollect())).containsExactly("a");
      node.clock().advance(Duration.ofDays(1));
      assertThat(removed(gc.garbageCollect())).containsExactly("b");
    }
  }

  @Test
  void maxAge_withNothingNewlyDue_asksTheEngineOnceInADetectionInterval() {
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .minAge(Duration.ZERO)
        .maxAge(Duration.ofSeconds(30))
        .keep("kept");
    node.image("a").tag("kept:1").size(100).add();
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.garbageCollect();
      node.clock().advance(Duration.ofMinutes(1));
      gc.garbageCollect(); // it became due: the round looks, and it is protected
      gc.garbageCollect();
      node.clock().advance(Duration.ofMinutes(1));
      gc.garbageCollect();
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(2);
      node.clock().advance(Duration.ofMinutes(4));
      gc.garbageCollect();
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(3);
    }
  }

  @Test
  void maxAge_thatBringsUsageBelowHigh_leavesTheThresholdPartOut() {
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .highPercent(90)
        .lowPercent(80)
        .minAge(Duration.ZERO)
        .maxAge(Duration.ofMinutes(5));
    images(50, "old");
    node.otherData(750);
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofMinutes(6));
      images(100, "young"); // 90 %; 85 % without "old"
      assertThat(ids(gc.plan().victims())).containsExactly("old");
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("old");
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void need_thatOnlyAppearsAfterTheAgePart_isTheReportsNeed() {
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .highPercent(90)
        .lowPercent(80)
        .minAge(Duration.ZERO)
        .maxAge(Duration.ofMinutes(5));
    images(100, "old");
    node.otherData(400);
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofMinutes(6));
      node.faults().afterNext(Operation.REMOVE_IMAGE, () -> node.writeOtherData(500));
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.neededBytes()).hasValue(100);
      assertThat(report.missingBytes()).hasValue(100);
    }
  }

  // freeSpace and purge

  @Test
  void freeSpace_stopsAtItsOwnGoal_whateverTheUsage() {
    images(100, "a", "b", "c");
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.freeSpace(101);
      assertThat(removed(report)).containsExactly("a", "b");
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.neededBytes()).hasValue(101);
      assertThat(node.hasImage("c")).isTrue();
    }
  }

  @Test
  void freeSpace_ofNothing_isRefused() {
    try (ImageGcManager gc = collector(node).build()) {
      assertThatThrownBy(() -> gc.freeSpace(0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("bytes must be above 0, but is 0");
    }
  }

  @Test
  void freeSpace_ofTheLargestNumber_takesAllAndIsShort() {
    images(100, "a", "b");
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.freeSpace(Long.MAX_VALUE);
      assertThat(removed(report)).containsExactly("a", "b");
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
    }
  }

  @Test
  void purge_ofANodeWithoutUnusedImages_isNotNeeded() {
    images(100, "a");
    node.run("c", "a");
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(report.neededBytes()).isEmpty();
    }
  }

  @Test
  void purge_leavesWhatIsTooYoung() {
    images(100, "a");
    try (ImageGcManager gc = collector(node, LruGcPolicy.builder()).build()) {
      assertThat(reason(gc.deleteUnusedImages(), "a")).isEqualTo(Reason.TOO_YOUNG);
      node.clock().advance(Duration.ofMinutes(2));
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("a");
    }
  }

  // Disk numbers

  @Test
  void capacityZero_failsTheRoundAndIsToldOnce() {
    images(100, "a");
    node.faults().measureAs(stats -> FsStats.of(stats.path(), stats.measuredAt(), 0, 0));
    try (ImageGcManager gc = collector(node).listener(listener).build()) {
      assertThat(gc.garbageCollect().cause().orElseThrow())
          .isInstanceOf(InvalidCapacityException.class);
      assertThat(gc.deleteUnusedImages().outcome()).isEqualTo(Outcome.FAILED);
      assertThat(listener.events(GcEventType.INVALID_DISK_CAPACITY)).hasSize(1);
      assertThat(node.removalsAsked()).isEmpty();
      node.faults().heal();
      gc.garbageCollect();
      assertThat(listener.events(GcEventType.INVALID_DISK_CAPACITY))
          .extracting(event -> event.phase())
          .containsExactly(Phase.BEGAN, Phase.ENDED);
    }
  }

  @Test
  void unknownAvailable_isAnErrorNeverFull() {
    images(100, "a");
    node.faults()
        .measureAs(stats -> FsStats.builder(stats.path(), stats.measuredAt())
            .capacityBytes(1000)
            .build());
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.garbageCollect().cause().orElseThrow())
          .isInstanceOf(InvalidCapacityException.class);
      assertThat(node.removalsAsked()).isEmpty();
    }
  }

  // Policies and listeners that misbehave

  @Test
  void policy_thatThrowsOnAnImage_keepsThatImage() {
    images(100, "a", "b");
    GcPolicy policy = new TestPolicy() {
      @Override
      public Verdict verdict(ImageRecord image) {
        if (image.id().text().equals("a")) {
          throw new IllegalStateException("no idea");
        }
        return Verdict.mayGo();
      }
    };
    try (ImageGcManager gc = collector(node).policy(policy).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(reason(report, "a")).isEqualTo(Reason.POLICY_FAILED);
      assertThat(removed(report)).containsExactly("b");
      assertThat(report.problems()).singleElement().asString().contains("no idea");
    }
  }

  @Test
  void policy_thatThrowsAnError_keepsTheImageToo() {
    images(100, "a");
    GcPolicy policy = new TestPolicy() {
      @Override
      public Verdict verdict(ImageRecord image) {
        throw new NoClassDefFoundError("host/Rules");
      }
    };
    try (ImageGcManager gc = collector(node).policy(policy).build()) {
      assertThat(reason(gc.deleteUnusedImages(), "a")).isEqualTo(Reason.POLICY_FAILED);
    }
  }

  @Test
  void policy_thatKeepsAnImageWithTheReservesReason_keepsItAllTheSame() {
    images(100, "a");
    GcPolicy policy = new TestPolicy() {
      @Override
      public Verdict verdict(ImageRecord image) {
        return Verdict.stays(Reason.ENOUGH_FREED, "quota met");
      }
    };
    try (ImageGcManager gc = collector(node).policy(policy).build()) {
      gc.deleteUnusedImages();
      assertThat(node.removalsAsked()).isEmpty();
    }
  }

  @Test
  void problems_ofCallsWithoutAReport_areNotThoseOfTheNextRound() {
    images(100, "a");
    listener.failWith(new IllegalStateException("boom"));
    node.faults().failNext(Operation.LIST_IMAGES, new UnreachableException("down"));
    try (ImageGcManager gc = collector(node).listener(listener).build()) {
      assertThatThrownBy(gc::detectImages).isInstanceOf(UnreachableException.class);
      listener.heal();
      assertThat(gc.deleteUnusedImages().problems()).isEmpty();
    }
  }

  @Test
  void policy_withoutThresholdsOrOrder_failsTheRoundNotTheCollector() {
    images(100, "a");
    TestPolicy policy = new TestPolicy();
    try (ImageGcManager gc = collector(node).policy(policy).build()) {
      policy.thresholdsFail = true;
      assertThat(gc.garbageCollect().cause().orElseThrow()).isInstanceOf(PolicyException.class);
      policy.thresholdsFail = false;
      policy.orderFails = true;
      images(100, "b");
      assertThat(gc.deleteUnusedImages().cause().orElseThrow()).isInstanceOf(PolicyException.class);
      policy.orderFails = false;
      assertThat(gc.deleteUnusedImages().outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void listener_thatThrows_isContainedAndReported() {
    images(100, "a");
    listener.failWith(new IllegalStateException("no disk for my log"));
    try (ImageGcManager gc = collector(node).listener(listener).build()) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(removed(report)).containsExactly("a");
      assertThat(report.problems())
          .isNotEmpty()
          .allSatisfy(problem -> assertThat(problem).contains("no disk for my log"));
    }
  }

  @Test
  void engine_thatBreaksItsContract_failsTheRound() {
    try (ImageGcManager gc = collector(node).build()) {
      node.faults().failNext(Operation.LIST_IMAGES, new IllegalStateException("bug"));
      assertThatThrownBy(gc::plan)
          .isInstanceOf(ProtocolException.class)
          .hasMessageContaining("the engine broke its contract when asked to list images");
    }
  }

  // Cost

  @Test
  void cost_ofARoundWithKTries_isOneImageListAndKPlusOneContainerLists() {
    images(100, "a", "b", "c", "d");
    node.otherData(550);
    node.faults().failRemovals("a", RemovalResult.of(RemovalOutcome.FAILED, "stuck"));
    try (ImageGcManager gc = collector(node).build()) {
      gc.garbageCollect();
      assertThat(node.removalsAsked()).containsExactly("a", "b", "c");
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(1);
      assertThat(node.calls(Operation.LIST_CONTAINERS)).isEqualTo(4);
      assertThat(node.calls(Operation.REMOVE_IMAGE)).isEqualTo(3);
    }
  }

  // The cached list

  @Test
  void images_areLargestFirst_andListedAgainAfter30Seconds() {
    node.image("small").size(10).add();
    node.image("large").size(30).add();
    node.image("b-equal").size(20).add();
    node.image("a-equal").size(20).add();
    node.image("unknown").size(100).unknownSize().add();
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.images())
          .extracting((Image image) -> image.id().text())
          .containsExactly("large", "a-equal", "b-equal", "small", "unknown");
      node.clock().advance(ImageListCache.MAX_AGE);
      gc.images();
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(1);
      node.clock().advance(Duration.ofNanos(1));
      gc.images();
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(2);
    }
  }

  // Life cycle

  @Test
  void calls_afterClose_areRefused() {
    ImageGcManager gc = collector(node).build();
    gc.close();
    gc.close();
    assertThatThrownBy(gc::garbageCollect).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> gc.freeSpace(1)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(gc::deleteUnusedImages).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(gc::detectImages).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(gc::plan).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(gc::images).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(gc::start).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void builder_withoutEngineOrDisk_namesWhatIsMissing() {
    assertThatThrownBy(() -> ImageGcManager.builder().fsStats(node.fsStats()).build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("runtime must be set");
    assertThatThrownBy(() -> ImageGcManager.builder().runtime(node.runtime()).build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("fsStats must be set");
  }

  @Test
  void builder_refusesImpossibleDurations() {
    assertThatThrownBy(() -> ImageGcManager.builder().maxWait(Duration.ofSeconds(-1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxWait must be zero or more, but is PT-1S");
    assertThatThrownBy(() -> ImageGcManager.builder().collectionInterval(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("collectionInterval must be above zero, but is PT0S");
    assertThatThrownBy(() -> ImageGcManager.builder().jitter(Duration.ofDays(200_000)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("jitter must be at most 292 years");
  }

  private void images(long size, String... ids) {
    for (String id : ids) {
      node.image(id).size(size).add();
    }
  }

  private static class TestPolicy implements GcPolicy {
    boolean thresholdsFail;
    boolean orderFails;

    @Override
    public GcThresholds thresholds() {
      if (thresholdsFail) {
        throw new IllegalStateException("thresholds");
      }
      return GcThresholds.builder().minAge(Duration.ZERO).build();
    }

    @Override
    public Verdict verdict(ImageRecord image) {
      return Verdict.mayGo();
    }

    @Override
    public Comparator<ImageRecord> evictionOrder() {
      return (a, b) -> {
        if (orderFails) {
          throw new IllegalStateException("order");
        }
        return a.id().compareTo(b.id());
      };
    }
  }
}
