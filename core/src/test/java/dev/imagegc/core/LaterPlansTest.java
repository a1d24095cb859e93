/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.find;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcReport;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Hostile: the code of main as it was at 06:17, uncommitted, after the first findings. */
class LaterPlansTest {
  private final FakeNode node = FakeNode.withDisk(1000);

  @Test
  void promisedBytesThatNeverCome_areMadeUpForFromTheReserve() {
    node.image("a").layer("a", 130, 100).add(); // frees more than it says
    node.image("b").layer("b", 0, 100).add(); // and this one nothing
    node.image("c").size(20).add(); // stays
    node.image("d").size(300).add(); // the reserve
    node.otherData(540); // 990 used
    node.freesSpaceAfter(Duration.ZERO);
    node.faults().failRemovals("c", RemovalResult.of(RemovalOutcome.FAILED, "busy"));
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report =
          gc.freeSpace(210); // "a", "b" and "c" by what is told; 230 with what is pending
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(removed(report)).containsExactly("a", "b", "d");
    }
  }

  @Test
  void manyVictimsThatStay_doNotTakeOthersAwayForNothing() {
    FakeNode large = FakeNode.withDisk(100_000);
    for (int i = 0; i < 60; i++) {
      String name = String.format("i%02d", i);
      large.image(name + "x").layer(name, 100).add();
      large.image(name + "y").layer(name, 100).add();
      large.faults().failRemovals(name + "x", RemovalResult.of(RemovalOutcome.FAILED, "busy"));
    }
    large.otherData(89_000); // 95,000 used, need 15,000: every pair frees 100, if it goes
    try (ImageGcManager gc = collector(large).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.freedBytes()).isZero();
      assertThat(removed(report)).isEmpty(); // they free nothing
    }
  }

  @Test
  void writerDuringRemovalsByAge_isNotToldAsInodes() {
    node.image("old").size(10).add();
    LruGcPolicy.Builder aged = LruGcPolicy.builder()
        .highPercent(90)
        .lowPercent(80)
        .minAge(Duration.ZERO)
        .maxAge(Duration.ofDays(1));
    try (ImageGcManager gc = collector(node, aged).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofDays(2));
      node.image("spare").size(200).add();
      node.otherData(600); // 810 used
      node.faults()
          .afterNext(FakeNode.Operation.REMOVE_IMAGE, () -> node.writeOtherData(150)); // 950
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("old", "spare");
      assertThat(find(report.removed(), "spare").detail()).doesNotContain("inodes");
    }
  }

  @Test
  void layerOfTwoSizes_givesEqualPlans_whateverTheOrderOfTheListing() {
    Image a = Image.builder(ImageId.of("a"))
        .sizeBytes(1)
        .layers(List.of(Layer.of("l", 10)))
        .build();
    Image b = Image.builder(ImageId.of("b"))
        .sizeBytes(1)
        .layers(List.of(Layer.of("l", 7)))
        .build();
    assertThat(predicted(List.of(a, b))).isEqualTo(predicted(List.of(b, a)));
  }

  private long predicted(List<Image> listing) {
    var runtime = new dev.imagegc.api.Runtime() {
      @Override
      public List<Image> listImages() {
        return listing;
      }

      @Override
      public List<dev.imagegc.api.Container> listContainers() {
        return List.of();
      }

      @Override
      public RemovalResult removeImage(Image image) {
        return RemovalResult.of(RemovalOutcome.REMOVED);
      }
    };
    FakeNode full = FakeNode.withDisk(1000);
    full.otherData(1000);
    try (ImageGcManager gc = collector(full).runtime(runtime).build()) {
      return gc.plan().predictedBytes().orElseThrow();
    }
  }
}
