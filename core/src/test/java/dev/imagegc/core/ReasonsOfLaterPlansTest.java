/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.find;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcReport;
import dev.imagegc.api.Outcome;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What is said of why an image went. */
class ReasonsOfLaterPlansTest {
  private final FakeNode node = FakeNode.withDisk(1000);

  @Test
  void victimOfASecondPlan_saysWhatCalledForTheRound_notInodes() {
    node.image("a").layer("a", 50, 150).add(); // frees less than it says
    node.image("b").size(100).add();
    node.otherData(760); // 910 used, need 110; 86 % when "a" is gone
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("a", "b");
      assertThat(find(report.removed(), "a").detail()).isEqualTo("usage is 91%, highPercent is 90");
      assertThat(find(report.removed(), "b").detail())
          .doesNotContain("inodes")
          .contains("highPercent is 90");
    }
  }

  @Test
  void victimOfASecondPlanForInodes_saysInodes_withTheirUsageAtTheStart() {
    node.image("a").size(100).add();
    node.image("b").size(100).add();
    node.faults()
        .measureAs(stats -> stats.toBuilder()
            .inodes(1000, 1000 - 910 + 40 * (2 - node.imageIds().size()))
            .build());
    LruGcPolicy.Builder policy = LruGcPolicy.builder().minAge(Duration.ZERO).inodesPercent(90, 85);
    try (ImageGcManager gc = collector(node, policy).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(find(report.removed(), "b").detail())
          .isEqualTo("usage of inodes is 91%, inodesHighPercent is 90");
    }
  }

  @Test
  void inodesThatBecomeUnknownInMidRound_areNotEnough() {
    node.image("a").size(100).add();
    node.image("b").size(100).add();
    boolean[] unknown = new boolean[1];
    node.faults()
        .measureAs(
            stats -> unknown[0] ? stats : stats.toBuilder().inodes(1000, 10).build());
    node.faults().afterNext(FakeNode.Operation.REMOVE_IMAGE, () -> unknown[0] = true);
    LruGcPolicy.Builder policy = LruGcPolicy.builder().minAge(Duration.ZERO).inodesPercent(90, 85);
    try (ImageGcManager gc = collector(node, policy).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isNotEqualTo(Outcome.DONE); // nobody knows that it was reached
    }
  }

  @Test
  void inodesThatCanBeHad_areNotInVain_becauseBytesAre() {
    node.image("a").size(50).add();
    node.otherData(930); // 980 used, need 180 bytes: in vain
    node.faults()
        .measureAs(stats -> stats.toBuilder()
            .inodes(1000, 50 + 500 * (1 - node.imageIds().size()))
            .build());
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .highPercent(90)
        .lowPercent(80)
        .minAge(Duration.ZERO)
        .inodesPercent(90, 85)
        .collectsInVain(false);
    try (ImageGcManager gc = collector(node, policy).build()) {
      assertThat(removed(gc.garbageCollect())).containsExactly("a");
    }
  }
}
