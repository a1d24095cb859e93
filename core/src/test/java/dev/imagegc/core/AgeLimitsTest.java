/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcEvent.Phase;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.RoundLimit;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A round whose limit ends it among the removals by age. */
class AgeLimitsTest {
  private final FakeNode node = FakeNode.withDisk(1000);
  private final LruGcPolicy.Builder aged = LruGcPolicy.builder()
      .highPercent(90)
      .lowPercent(80)
      .minAge(Duration.ZERO)
      .maxAge(Duration.ofDays(1));

  @Test
  void limitAmongAgeRemovals_doesNotHideTheNeed() {
    for (String id : new String[] {"a", "b", "c"}) {
      node.image(id).size(10).add();
    }
    node.otherData(960); // 990 used, need 190 whatever goes by age
    RoundLimits limits = RoundLimits.builder().removals(1).build();
    try (ImageGcManager gc = collector(node, aged).limits(limits).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofDays(2));
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a");
      assertThat(report.stoppedBy()).contains(RoundLimit.REMOVALS);
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.missingBytes()).hasValue(180);
      assertThat(report.neededBytes()).hasValue(190);
    }
  }

  @Test
  void limitAmongAgeRemovals_doesNotEndTheAlarmOfAFullDisk() {
    RecordingListener listener = new RecordingListener();
    node.otherData(960);
    RoundLimits limits = RoundLimits.builder().removals(1).build();
    try (ImageGcManager gc =
        collector(node, aged).limits(limits).listener(listener).build()) {
      gc.garbageCollect();
      assertThat(listener.events(GcEventType.FREE_DISK_SPACE_FAILED)).hasSize(1); // began
      node.image("a").size(10).add();
      node.image("b").size(10).add();
      gc.detectImages();
      node.clock().advance(Duration.ofDays(2));
      gc.garbageCollect();
      assertThat(listener.events(GcEventType.FREE_DISK_SPACE_FAILED))
          .noneMatch(event -> event.phase().equals(Phase.ENDED));
    }
  }

  @Test
  void limitAmongAgeRemovals_ofADiskThatIsNotFull_isNotToldAsMissingSpace() {
    for (String id : new String[] {"a", "b", "c"}) {
      node.image(id).size(10).add();
    }
    RoundLimits limits = RoundLimits.builder().removals(1).build();
    try (ImageGcManager gc = collector(node, aged).limits(limits).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofDays(2));
      GcReport report = gc.garbageCollect();
      assertThat(report.explanation())
          .doesNotContain("not enough space could be freed")
          .doesNotContain("needed 0 B");
    }
  }

  @Test
  void nextRound_goesOnWithWhatIsDueByAge() {
    for (String id : new String[] {"a", "b", "c"}) {
      node.image(id).size(10).add();
    }
    RoundLimits limits = RoundLimits.builder().removals(1).build();
    try (ImageGcManager gc = collector(node, aged).limits(limits).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofDays(2));
      assertThat(removed(gc.garbageCollect())).containsExactly("a");
      node.clock().advance(Duration.ofMinutes(1));
      assertThat(removed(gc.garbageCollect())).containsExactly("b");
    }
  }

  @Test
  void oneNewPlan_isNotCountedForAgeRemovalsThatWerePlannedToBeEnough() {
    node.image("old").size(150).add();
    try (ImageGcManager gc =
        collector(node, aged).limits(RoundLimits.builder().plans(1).build()).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofDays(2));
      node.image("spare").size(150).add();
      node.otherData(620); // 920 used, need 120; by age "old" is enough, but is in use in the end
      gc.detectImages();
      node.faults()
          .beforeNext(
              FakeNode.Operation.LIST_CONTAINERS,
              () -> node.faults()
                  .beforeNext(FakeNode.Operation.LIST_CONTAINERS, () -> node.run("c1", "old")));
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("spare");
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }
}
