/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.ids;
import static dev.imagegc.core.Nodes.reason;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Decision;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.HeldBytes;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Layer;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Verdict;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Why the disk is still full, in bytes and in words. High is 90 %, low 80 %, on a disk of 1000 bytes. */
class ShortfallTest {
  private static final String BEGIN =
      "not enough space could be freed on image filesystem /fake/images ";

  private final FakeNode node = FakeNode.withDisk(1000);
  private final RecordingListener listener = new RecordingListener();

  @Test
  void imagesInUse_pinned_protected_vetoed_andTooYoung_areEachHeldWithTheirBytes() {
    node.image("used").size(310).add();
    node.run("c1", "used");
    node.image("pinned").size(120).pinned("by the engine").add();
    node.image("kept").tag("kept:1").size(90).add();
    node.image("vetoed").size(60).add();
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .highPercent(90)
        .lowPercent(80)
        .minAge(Duration.ofMinutes(10))
        .keep("kept:*");
    try (ImageGcManager gc = collector(node, policy)
        .listener(listener)
        .veto(image -> image.id().text().equals("vetoed")
            ? Verdict.stays(Reason.of("WARM_POOL"), "")
            : Verdict.mayGo())
        .build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofMinutes(10));
      node.image("young").size(150).add();
      node.otherData(200); // 930 used, need 130
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.held())
          .extracting(HeldBytes::toString)
          .containsExactly(
              "IN_USE: 1 images, 310 bytes",
              "TOO_YOUNG: 1 images, 150 bytes",
              "PINNED: 1 images, 120 bytes",
              "PROTECTED: 1 images, 90 bytes",
              "WARM_POOL: 1 images, 60 bytes");
      assertThat(report.otherDataBytes()).hasValue(200);
      assertThat(report.explanation())
          .isEqualTo(BEGIN
              + "(93% of 1000 B used): freed 0 B, needed 130 B, missing 130 B; held: "
              + "310 B by 1 image in use, 150 B by 1 image too young yet, 120 B by 1 image pinned, "
              + "90 B by 1 image protected, 60 B by 1 image kept because of WARM_POOL, "
              + "200 B by data that is not images");
      assertThat(listener.events(GcEventType.FREE_DISK_SPACE_FAILED))
          .singleElement()
          .satisfies(event -> assertThat(event.message()).isEqualTo(report.explanation()));
    }
  }

  @Test
  void failedImages_areHeldByTheirFailure() {
    node.image("stuck").size(150).add();
    node.otherData(780); // 930 used
    node.faults().failRemovals("stuck", RemovalResult.of(RemovalOutcome.FAILED, "busy"));
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.garbageCollect().explanation())
          .contains("held: 150 B by 1 image that could not be removed, 780 B by data");
      assertThat(gc.garbageCollect().explanation())
          .contains("150 B by 1 image left alone after a failed removal");
    }
  }

  @Test
  void sharedLayer_countsOnce_forTheStrongestReason() {
    node.image("used").layer("base", 300).layer("used", 10).add();
    node.run("c1", "used");
    node.image("pinned")
        .layer("base", 300)
        .layer("pinned", 20)
        .pinned("by the engine")
        .add();
    node.otherData(600); // 930 used
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.held())
          .extracting(HeldBytes::toString)
          .containsExactly("IN_USE: 1 images, 310 bytes", "PINNED: 1 images, 20 bytes");
      assertThat(report.otherDataBytes()).hasValue(600);
    }
  }

  @Test
  void parentOfAnImageThatIsTooYoung_isHeldBecauseOfTheChild() {
    node.image("base").tag("base:1").size(200).add();
    LruGcPolicy.Builder policy = LruGcPolicy.builder().minAge(Duration.ofMinutes(10));
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofMinutes(10));
      node.image("child").tag("child:1").parent("base").size(30).add();
      node.otherData(700);
      GcReport report = gc.garbageCollect();
      assertThat(report.held())
          .extracting(HeldBytes::toString)
          .containsExactly("TOO_YOUNG: 1 images, 230 bytes", "HAS_CHILDREN: 1 images, 0 bytes");
      assertThat(report.explanation()).contains("held: 230 B by 1 image too young yet, 700 B");
    }
  }

  @Test
  void reclaimableButNotAllowedYet_isSaid_whenALimitEndsTheRound() {
    node.image("a").size(50).add();
    node.image("b").size(100).add();
    node.otherData(800); // 950 used, need 150
    RoundLimits limits = RoundLimits.builder().removals(1).build();
    try (ImageGcManager gc = collector(node).limits(limits).build()) {
      assertThat(gc.garbageCollect().explanation())
          .isEqualTo(BEGIN
              + "(95% of 1000 B used): freed 50 B, needed 150 B, missing 100 B; held: "
              + "100 B by 1 image that may go, but not within the limits of the round, "
              + "800 B by data that is not images; the round ended at its limit of removals");
    }
  }

  @Test
  void unknownSizes_areUnknown_notNothing() {
    node.image("used").size(310).unknownSize().unknownLayers().add();
    node.run("c1", "used");
    node.otherData(600);
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.garbageCollect();
      assertThat(report.otherDataBytes()).isEmpty();
      assertThat(report.explanation())
          .contains("held: an unknown number of bytes by 1 image in use")
          .doesNotContain("data that is not images");
    }
  }

  // All that may go would not be enough

  @Test
  void whenNothingWouldBeEnough_theRoundStillCollects_byDefault() {
    node.image("a").size(50).add();
    node.otherData(890); // 940 used, need 140
    try (ImageGcManager gc = collector(node).build()) {
      GcPlan plan = gc.plan();
      assertThat(plan.shortfallBytes()).hasValue(90);
      assertThat(removed(gc.garbageCollect())).containsExactly("a");
    }
  }

  @Test
  void whenNothingWouldBeEnough_thePolicyMayKeepTheCache_andTheRoundSaysSo() {
    node.image("a").size(50).add();
    node.image("b").layer("base", 30).add();
    node.image("c").layer("base", 30).add();
    node.otherData(860); // 940 used, need 140
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .highPercent(90)
        .lowPercent(80)
        .minAge(Duration.ZERO)
        .collectsInVain(false);
    try (ImageGcManager gc = collector(node, policy).build()) {
      assertThat(ids(gc.plan().victims())).isEmpty();
      GcReport report = gc.garbageCollect();
      assertThat(node.removalsAsked()).isEmpty();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(reason(report, "a")).isEqualTo(Reason.IN_VAIN);
      assertThat(reason(report, "c")).isEqualTo(Reason.IN_VAIN);
      assertThat(report.explanation())
          .contains("held: 80 B by 3 images that may go, 860 B by data that is not images")
          .contains("; what may go would not be enough, so the policy keeps it");
      assertThat(removed(gc.freeSpace(500))).containsExactly("a", "b", "c"); // it was asked for
    }
  }

  @Test
  void whenItWouldBeEnough_thatPolicyCollects() {
    node.image("a").size(150).add();
    node.otherData(790); // 940 used, need 140
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .highPercent(90)
        .lowPercent(80)
        .minAge(Duration.ZERO)
        .collectsInVain(false);
    try (ImageGcManager gc = collector(node, policy).build()) {
      assertThat(removed(gc.garbageCollect())).containsExactly("a");
    }
  }

  // A high threshold that cannot be kept

  @Test
  void otherDataAboveHigh_isNamed_asAThresholdThatCanNeverBeKept() {
    node.image("a").size(20).add();
    node.otherData(930);
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.garbageCollect().explanation())
          .endsWith(
              "930 B by data that is not images; all that may go was predicted to free 20 B; without any image the filesystem is 93% used: "
                  + "highPercent 90 can never be kept there; raise it, or give images a filesystem of their own");
    }
  }

  @Test
  void imagesThatCannotGo_withOtherDataAboveHigh_areNamedToo() {
    node.image("a").size(20).add();
    node.image("used").size(300).add();
    node.run("c1", "used");
    node.otherData(620);
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.garbageCollect().explanation())
          .endsWith(
              "620 B by data that is not images; all that may go was predicted to free 20 B; with nothing but the images in use, pinned or "
                  + "protected the filesystem is 92% used: highPercent 90 can never be kept there; raise it, "
                  + "or give images a filesystem of their own");
    }
  }

  @Test
  void highThatCanBeKept_isNotBlamed() {
    node.image("a").size(20).add();
    node.image("used").size(250).add();
    node.run("c1", "used");
    node.otherData(640); // 910 used; 890 stay, which is below high
    try (ImageGcManager gc = collector(node).build()) {
      assertThat(gc.garbageCollect().explanation())
          .endsWith("640 B by data that is not images; all that may go was predicted to free 20 B");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "IN_USE, PINNED",
    "PINNED, LEASED",
    "LEASED, PROTECTED",
    "PROTECTED, NOT_OWNED",
    "NOT_OWNED, KEPT_NEWEST",
    "KEPT_NEWEST, POLICY_FAILED",
    "POLICY_FAILED, HOSTS_OWN",
    "HOSTS_OWN, TOO_YOUNG",
    "TOO_YOUNG, RECENTLY_USED",
    "RECENTLY_USED, REMOVAL_FAILED"
  })
  void layerOfTwoImages_isHeldByTheStrongerReason(String stronger, String weaker) {
    for (List<String> reasons : List.of(List.of(stronger, weaker), List.of(weaker, stronger))) {
      RecordBook book = new RecordBook();
      List<Image> images = IntStream.of(0, 1)
          .mapToObj(i -> Image.builder(ImageId.of("image-" + i))
              .layers(List.of(Layer.of("shared", 10)))
              .build())
          .toList();
      book.merge(new NodeView(images, List.of()), Instant.EPOCH, Instant.EPOCH);
      List<ImageDecision> decisions = IntStream.of(0, 1)
          .mapToObj(i -> ImageDecision.builder(
                  ImageRecord.of(images.get(i), Instant.EPOCH),
                  Decision.KEPT,
                  Reason.of(reasons.get(i)))
              .build())
          .toList();
      assertThat(Shortfall.of(book.inventory(), decisions).held())
          .extracting(HeldBytes::toString)
          .containsExactly(stronger + ": 1 images, 10 bytes", weaker + ": 1 images, 0 bytes");
    }
  }
}
