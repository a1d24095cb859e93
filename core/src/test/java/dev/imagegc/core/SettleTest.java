/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcReport;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** An engine that frees late. */
class SettleTest {
  private static final Duration SETTLE = Duration.ofSeconds(10);

  private final FakeNode node = FakeNode.withDisk(100_000);

  @Test
  void imagesThatFailInBetween_doNotMakeTheRoundWaitForEachOfThem() {
    for (int i = 0; i < 400; i++) {
      String id = String.format("i%03d", i);
      node.image(id).size(100).add();
      if (i % 2 == 1) {
        node.faults().failRemovals(id, RemovalResult.of(RemovalOutcome.FAILED, "busy"));
      }
    }
    node.otherData(55_000); // 95,000 used, need 15,000: 150 images
    node.freesSpaceAfter(Duration.ofDays(1));
    RoundLimits limits = RoundLimits.builder().plans(2).settleTime(SETTLE).build();
    try (ImageGcManager gc = collector(node).limits(limits).build()) {
      GcReport report = gc.garbageCollect();
      // Two plans: two times to settle, and a third before the first plan would be generous.
      assertThat(report.duration()).isLessThanOrEqualTo(SETTLE.multipliedBy(3));
    }
  }

  @Test
  void imageThatIsGoneAlready_isNotWaitedFor_norCreditedWithWhatOthersFree() {
    node.image("a").size(10_000).add();
    node.image("b").size(10_000).add();
    node.otherData(75_000); // 95,000 used, need 15,000
    node.freesSpaceAfter(Duration.ZERO); // this engine may be late, but is not
    node.faults().failNextRemoval("a", RemovalResult.of(RemovalOutcome.GONE, ""));
    try (ImageGcManager gc =
        collector(node).limits(RoundLimits.builder().settleTime(SETTLE).build()).build()) {
      node.clock(); // "a" was removed by somebody else, whose room was there before
      GcReport report = gc.garbageCollect();
      assertThat(report.duration()).isEqualTo(Duration.ZERO);
    }
  }

  @Test
  void engineThatCannotSayWhetherItFreesLater_doesNotFailTheRound() {
    node.image("a").layer("a", 5_000, 20_000).add();
    node.image("b").size(15_000).add();
    node.otherData(75_000); // 95,000 used, need 15,000
    var runtime = node.runtime();
    var broken = new dev.imagegc.api.Runtime() {
      @Override
      public java.util.List<dev.imagegc.api.Image> listImages() {
        return runtime.listImages();
      }

      @Override
      public java.util.List<dev.imagegc.api.Container> listContainers() {
        return runtime.listContainers();
      }

      @Override
      public RemovalResult removeImage(dev.imagegc.api.Image image) {
        return runtime.removeImage(image);
      }

      @Override
      public boolean freesSpaceLater() {
        throw new IllegalStateException("no idea");
      }
    };
    try (ImageGcManager gc = collector(node).runtime(broken).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(removed(report)).containsExactly("a", "b");
    }
  }

  @Test
  void roundWhoseTimeIsOver_doesNotSettle() {
    node.image("a").size(10_000).add();
    node.image("b").size(10_000).add();
    node.otherData(75_000); // 95,000 used, need 15,000
    node.freesSpaceAfter(Duration.ofDays(1));
    RoundLimits limits = RoundLimits.builder()
        .time(Duration.ofSeconds(1))
        .settleTime(Duration.ofMinutes(10))
        .build();
    try (ImageGcManager gc = collector(node).limits(limits).build()) {
      // No removal may begin after a second, so there is nothing to wait for.
      assertThat(gc.garbageCollect().duration()).isLessThanOrEqualTo(Duration.ofSeconds(2));
    }
  }

  @Test
  void freedBytesOfARoundByAge_countWhatComesBackLate() {
    node.image("old").size(10_000).add();
    node.freesSpaceAfter(Duration.ofSeconds(1));
    LruGcPolicy.Builder aged =
        LruGcPolicy.builder().minAge(Duration.ZERO).maxAge(Duration.ofDays(1));
    try (ImageGcManager gc = collector(node, aged).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofDays(2));
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("old");
      assertThat(report.freedBytes()).isEqualTo(10_000); // as a purge says of the same image
    }
  }
}
