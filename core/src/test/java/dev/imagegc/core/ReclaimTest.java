/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.find;
import static dev.imagegc.core.Nodes.reason;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.GcReport;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.api.Lease;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Rounds that are to reach so many available bytes or free inodes. */
class ReclaimTest {
  private static final Duration HOUR = Duration.ofHours(1);

  private final FakeNode node = FakeNode.withDisk(1000);
  private final LruGcPolicy.Builder policy =
      LruGcPolicy.builder().highPercent(90).lowPercent(80).minAge(Duration.ZERO);

  @Test
  void stopsAsSoonAsTheTargetIsMeasured_inPolicyOrder_andSaysWhy() {
    for (int i = 0; i < 4; i++) {
      node.image("image-" + i).size(100).add();
    }
    node.otherData(400); // 200 available
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      GcReport report = gc.reclaim(
          SpaceTarget.availableBytes(400).because("imagefs.available is 200 B, below 400 B"));
      assertThat(report.operation()).isEqualTo(dev.imagegc.api.Operation.RECLAIM);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(removed(report)).containsExactly("image-0", "image-1");
      assertThat(report.neededBytes()).hasValue(200);
      assertThat(report.missingBytes()).hasValue(0);
      assertThat(report.neededInodes()).isEmpty();
      assertThat(report.freedBytes()).isEqualTo(200);
      assertThat(find(report.removed(), "image-0").reason()).isEqualTo(Reason.SPACE);
      assertThat(find(report.removed(), "image-0").detail())
          .isEqualTo("imagefs.available is 200 B, below 400 B");
      assertThat(reason(report, "image-2")).isEqualTo(Reason.ENOUGH_FREED);
      assertThat(node.availableBytes()).isEqualTo(400);
    }
  }

  @Test
  void oneByteMore_takesOneImageMore() {
    for (int i = 0; i < 4; i++) {
      node.image("image-" + i).size(100).add();
    }
    node.otherData(400);
    try (ImageGcManager gc = collector(node, policy).build()) {
      assertThat(removed(gc.reclaim(SpaceTarget.availableBytes(401))))
          .containsExactly("image-0", "image-1", "image-2");
    }
  }

  @Test
  void roomThatIsThere_removesNothing_andAsksNoEngine_whateverMaxAgeMakesDue() {
    node.image("old").size(100).add();
    node.otherData(500);
    try (ImageGcManager gc = collector(node, policy.maxAge(HOUR)).build()) {
      gc.detectImages();
      node.clock().advance(HOUR.multipliedBy(2));
      int lists = node.calls(Operation.LIST_IMAGES);
      GcReport report = gc.reclaim(SpaceTarget.availableBytes(400));
      assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(report.neededBytes()).hasValue(0);
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(lists);
      assertThat(node.hasImage("old")).isTrue();
    }
  }

  @Test
  void dueByAge_isNoReasonHere_whenSpaceIsNeeded() {
    node.image("recent").size(300).add();
    node.image("due").size(100).add();
    node.otherData(500);
    try (ImageGcManager gc = collector(node, policy.maxAge(HOUR)).build()) {
      gc.detectImages();
      node.clock().advance(HOUR.multipliedBy(2));
      node.run("c", "recent");
      gc.detectImages();
      node.removeContainer("c");
      GcReport report = gc.reclaim(SpaceTarget.availableBytes(150));
      assertThat(removed(report)).containsExactly("due");
      assertThat(reason(report, "due")).isEqualTo(Reason.SPACE);
    }
  }

  @Test
  void inUsePinnedLeasedProtectedAndYoung_stay_andItIsShort() {
    node.image("used").tag("used:1").size(100).add();
    node.image("pinned").size(100).pinned("it is the pause image").add();
    node.image("leased").tag("leased:1").size(100).add();
    node.image("protected").tag("keep:1").size(100).add();
    node.image("free").size(100).add();
    node.container("c")
        .image("used")
        .state(dev.imagegc.api.ContainerState.EXITED)
        .add();
    policy.minAge(HOUR).protect(ImageSelector.reference("keep:*"), "");
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(HOUR);
      node.image("young").tag("young:1").size(100).add();
      try (Lease lease = gc.leases().lease("leased:1", HOUR)) {
        assertThat(lease).isNotNull();
        GcReport report = gc.reclaim(SpaceTarget.availableBytes(900));
        assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
        assertThat(removed(report)).containsExactly("free");
        assertThat(report.neededBytes()).hasValue(500);
        assertThat(report.missingBytes()).hasValue(400);
        assertThat(reason(report, "used")).isEqualTo(Reason.IN_USE);
        assertThat(reason(report, "pinned")).isEqualTo(Reason.PINNED);
        assertThat(reason(report, "leased")).isEqualTo(Reason.LEASED);
        assertThat(reason(report, "protected")).isEqualTo(Reason.PROTECTED);
        assertThat(reason(report, "young")).isEqualTo(Reason.TOO_YOUNG);
        assertThat(report.explanation()).contains("needed 500 B, missing 400 B");
      }
    }
  }

  @Test
  void inodes_areMeasuredImageByImage_andBytesAreNoGoal() {
    for (int i = 0; i < 4; i++) {
      node.image("image-" + i).size(100).add();
    }
    node.faults()
        .measureAs(stats -> stats.toBuilder()
            .inodes(1000, 90 + 40 * (4 - node.imageIds().size()))
            .build());
    try (ImageGcManager gc = collector(node, policy).build()) {
      GcReport report = gc.reclaim(SpaceTarget.inodesFree(150));
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(removed(report)).containsExactly("image-0", "image-1");
      assertThat(report.neededInodes()).hasValue(60);
      assertThat(report.missingInodes()).hasValue(0);
      assertThat(report.neededBytes()).hasValue(0);
    }
  }

  @Test
  void bothGoals_areReachedBoth() {
    for (int i = 0; i < 4; i++) {
      node.image("image-" + i).size(100).add();
    }
    node.faults()
        .measureAs(stats -> stats.toBuilder()
            .inodes(1000, 90 + 40 * (4 - node.imageIds().size()))
            .build());
    try (ImageGcManager gc = collector(node, policy).build()) { // 600 bytes, 90 inodes
      GcReport report =
          gc.reclaim(SpaceTarget.availableBytes(700).and(SpaceTarget.inodesFree(200)));
      assertThat(removed(report)).containsExactly("image-0", "image-1", "image-2");
      assertThat(report.neededBytes()).hasValue(100);
      assertThat(report.neededInodes()).hasValue(110);
    }
  }

  @Test
  void oneOfBothGoals_mayBeReachedAlready() {
    for (int i = 0; i < 4; i++) {
      node.image("image-" + i).size(100).add();
    }
    node.faults()
        .measureAs(stats -> stats.toBuilder()
            .inodes(1000, 190 + 40 * (4 - node.imageIds().size()))
            .build());
    try (ImageGcManager gc = collector(node, policy).build()) { // 600 bytes, 190 inodes
      GcReport inodes =
          gc.reclaim(SpaceTarget.availableBytes(500).and(SpaceTarget.inodesFree(200)));
      assertThat(removed(inodes)).containsExactly("image-0");
      assertThat(inodes.neededBytes()).hasValue(0);
      assertThat(inodes.neededInodes()).hasValue(10);
      GcReport bytes = gc.reclaim(SpaceTarget.availableBytes(800).and(SpaceTarget.inodesFree(200)));
      assertThat(removed(bytes)).containsExactly("image-1");
      assertThat(bytes.neededBytes()).hasValue(100);
      assertThat(bytes.neededInodes()).hasValue(0);
    }
  }

  @Test
  void unknownInodes_fail_andRemoveNothing() {
    node.image("app").size(100).add();
    node.faults().measureAs(stats -> stats.toBuilder().inodes(0, 0).build()); // btrfs
    try (ImageGcManager gc = collector(node, policy).build()) {
      GcReport report = gc.reclaim(SpaceTarget.inodesFree(150));
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause().orElseThrow())
          .isInstanceOf(InvalidCapacityException.class)
          .hasMessage("image filesystem /fake/images cannot be judged: its free inodes are unknown,"
              + " and 150 are wanted");
      assertThat(node.removalsAsked()).isEmpty();
    }
  }

  @Test
  void unknownInodes_areNoTroubleWhereBytesAreWanted() {
    node.image("app").size(100).add();
    node.otherData(850);
    try (ImageGcManager gc = collector(node, policy).build()) {
      assertThat(removed(gc.reclaim(SpaceTarget.availableBytes(100)))).containsExactly("app");
    }
  }

  @Test
  void targets_mustBeAboveZero() {
    assertThatThrownBy(() -> SpaceTarget.availableBytes(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("availableBytes must be above 0, but is 0");
    assertThatThrownBy(() -> SpaceTarget.inodesFree(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("inodesFree must be above 0, but is -1");
  }

  @Test
  void closedCollector_refuses() {
    ImageGcManager gc = collector(node, policy).build();
    gc.close();
    assertThatThrownBy(() -> gc.reclaim(SpaceTarget.availableBytes(1)))
        .isInstanceOf(IllegalStateException.class);
  }
}
