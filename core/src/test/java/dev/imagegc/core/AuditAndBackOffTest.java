/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcEvent.Phase;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.core.internal.Sizes;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** words, audit, messages of back-off. */
class AuditAndBackOffTest {
  private final FakeNode node = FakeNode.withDisk(1000);

  @Test
  void bytesThatRoundUp_getTheNextUnit() {
    assertThat(Sizes.text(1024L * 1024 - 1)).isEqualTo("1.0 MiB");
  }

  @Test
  void auditOfARoundForInodes_saysHowManyWereNeededAndAreMissing() {
    node.image("a").size(100).add();
    node.faults().measureAs(stats -> stats.toBuilder().inodes(1000, 10).build());
    List<String> lines = new ArrayList<>();
    LruGcPolicy.Builder policy = LruGcPolicy.builder().minAge(Duration.ZERO).inodesPercent(90, 85);
    try (ImageGcManager gc =
        collector(node, policy).listener(new JsonAuditListener(lines::add)).build()) {
      gc.garbageCollect();
    }
    assertThat(lines.get(lines.size() - 1)).contains("\"missingInodes\":140");
  }

  @Test
  void removalWhoseAnswerCameTooLate_hasAnAuditLine() {
    node.image("a").size(200).add();
    node.otherData(750);
    List<String> lines = new ArrayList<>();
    node.faults().afterNext(FakeNode.Operation.REMOVE_IMAGE, () -> {
      throw new TimedOutException("no answer"); // but it is gone
    });
    try (ImageGcManager gc =
        collector(node).listener(new JsonAuditListener(lines::add)).build()) {
      gc.garbageCollect();
      gc.garbageCollect();
      gc.detectImages();
    }
    assertThat(node.hasImage("a")).isFalse();
    assertThat(lines).anyMatch(line -> line.contains("\"image\":\"a\""));
  }

  @Test
  void backOffEnds_whenTheImageIsInUseAtThePlan_asItDoesWhenThatIsFoundLater() {
    node.image("a").size(200).add();
    node.otherData(750);
    RecordingListener listener = new RecordingListener();
    node.faults().failNextRemoval("a", RemovalResult.of(RemovalOutcome.FAILED, "busy"));
    try (ImageGcManager gc = collector(node).listener(listener).build()) {
      gc.garbageCollect();
      node.run("c1", "a");
      node.clock().advance(Duration.ofDays(30));
      gc.garbageCollect();
      assertThat(listener.events(GcEventType.IMAGE_REMOVAL_FAILED))
          .anyMatch(event -> event.phase().equals(Phase.ENDED));
    }
  }
}
