/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.find;
import static dev.imagegc.core.Nodes.reason;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.HeldBytes;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rules and ages in rounds of a collector. */
class RulesOfARoundTest {
  private static final Duration HOUR = Duration.ofHours(1);

  private final FakeNode node = FakeNode.withDisk(1000);
  private final RecordingListener listener = new RecordingListener();
  private final LruGcPolicy.Builder policy =
      LruGcPolicy.builder().highPercent(90).lowPercent(80).minAge(Duration.ZERO);

  // Due after a time of its own

  @Test
  void collectAfter_mustBeExceeded_andNamesTheRule() {
    node.image("ci").tag("ci/a:1").size(10).add();
    node.image("app").tag("app:1").size(10).add();
    policy.collectAfter(ImageSelector.reference("ci/*"), HOUR);
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(HOUR);
      assertThat(removed(gc.garbageCollect())).isEmpty();
      node.clock().advance(Duration.ofNanos(1));
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).containsExactly("ci");
      assertThat(reason(report, "ci")).isEqualTo(Reason.MAX_AGE);
      assertThat(find(report.decisions(), "ci").detail())
          .isEqualTo("unused for 1h0.000000001s, collectAfter of 'ci/*' is 1h");
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void collectAfter_countsFromTheLastUse() {
    node.image("ci").tag("ci/a:1").size(10).add();
    node.run("c1", "ci");
    policy.collectAfter(ImageSelector.reference("ci/*"), HOUR);
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.clock().advance(HOUR.multipliedBy(5));
      gc.detectImages();
      node.removeContainer("c1");
      node.clock().advance(HOUR);
      assertThat(removed(gc.garbageCollect())).isEmpty();
      node.clock().advance(Duration.ofSeconds(1));
      assertThat(removed(gc.garbageCollect())).containsExactly("ci");
    }
  }

  @Test
  void collectWhenUnused_goesAtOnce_butNotWhatIsHeldBack() {
    for (String id : List.of("free", "used", "pinned", "vetoed", "kept")) {
      var image = node.image(id).tag(id + ":1").label("tmp", "1").size(10);
      (id.equals("pinned") ? image.pinned("by the engine") : image).add();
    }
    node.run("c1", "used");
    policy.collectWhenUnused(ImageSelector.label("tmp")).keep("kept");
    try (ImageGcManager gc = collector(node, policy)
        .veto(image -> image.id().text().equals("vetoed")
            ? Verdict.stays(Reason.of("MINE"), "")
            : Verdict.mayGo())
        .build()) {
      assertThat(removed(gc.garbageCollect())).containsExactly("free");
    }
  }

  @Test
  void minAgeAndGrace_holdBackWhatIsDueAtOnce() {
    node.image("young").tag("young:1").size(10).add();
    node.image("used").tag("used:1").size(10).add();
    node.run("c1", "used");
    policy.collectWhenUnused(ImageSelector.reference("*")).minAge(HOUR).grace(HOUR.multipliedBy(2));
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.removeContainer("c1");
      GcReport first = gc.garbageCollect();
      assertThat(reason(first, "young")).isEqualTo(Reason.TOO_YOUNG);
      assertThat(reason(first, "used")).isEqualTo(Reason.TOO_YOUNG);
      node.clock().advance(HOUR);
      GcReport second = gc.garbageCollect();
      assertThat(removed(second)).containsExactly("young");
      assertThat(reason(second, "used")).isEqualTo(Reason.RECENTLY_USED);
      assertThat(find(second.decisions(), "used").detail())
          .isEqualTo("last used 1h ago, grace is 2h");
      node.clock().advance(HOUR);
      assertThat(removed(gc.garbageCollect())).containsExactly("used");
    }
  }

  @Test
  void collectAfter_standsInThePlaceOfMaxAge_longerOrShorter() {
    node.image("sooner").tag("sooner:1").size(10).add();
    node.image("later").tag("later:1").size(10).add();
    node.image("other").tag("other:1").size(10).add();
    policy
        .maxAge(HOUR.multipliedBy(2))
        .collectAfter(ImageSelector.reference("sooner"), HOUR)
        .collectAfter(ImageSelector.reference("later"), HOUR.multipliedBy(3));
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      for (String due : List.of("sooner", "other", "later")) {
        node.clock().advance(HOUR.plusSeconds(1));
        assertThat(removed(gc.garbageCollect())).containsExactly(due);
      }
    }
  }

  @Test
  void dueByItsRule_isNoReasonToGoInOtherRounds_butNoObstacleEither() {
    node.image("old").tag("old:1").builtAt(node.clock().instant()).size(10).add();
    node.image("tmp")
        .tag("tmp:1")
        .builtAt(node.clock().instant().plusSeconds(1))
        .size(10)
        .add();
    policy.collectWhenUnused(ImageSelector.reference("tmp"));
    try (ImageGcManager gc = collector(node, policy).build()) {
      assertThat(removed(gc.freeSpace(5))).containsExactly("old");
      GcReport purge = gc.deleteUnusedImages();
      assertThat(reason(purge, "tmp")).isEqualTo(Reason.UNUSED);
    }
  }

  @Test
  void vetoThatWouldMakeAnImageDue_onlyLetsItGo() {
    node.image("a").tag("a:1").size(10).add();
    try (ImageGcManager gc = collector(node, policy.maxAge(HOUR))
        .veto(image -> Verdict.dueAfter(Duration.ZERO, "now"))
        .build()) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report)).isEmpty();
      assertThat(reason(report, "a")).isEqualTo(Reason.ENOUGH_FREED);
    }
  }

  @Test
  void belowTheThreshold_withoutRulesThatCollect_theEngineIsNotAsked() {
    node.image("a").tag("a:1").size(10).add();
    policy.keepNewest("a", 1).grace(HOUR).owns(ImageSelector.reference("a"));
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.garbageCollect();
      node.clock().advance(HOUR);
      gc.garbageCollect();
      assertThat(node.calls(Operation.LIST_IMAGES)).isZero();
    }
  }

  @Test
  void belowTheThreshold_theEngineIsAskedWhenSomethingBecameDue_orInEveryDetectionInterval() {
    node.image("ci").tag("ci/a:1").size(10).add();
    node.run("c1", "ci"); // so that it is due again and again
    policy.collectAfter(ImageSelector.reference("ci/*"), Duration.ofMinutes(2));
    try (ImageGcManager gc =
        collector(node, policy).detectionInterval(Duration.ofMinutes(10)).build()) {
      gc.garbageCollect();
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(1);
      node.clock().advance(Duration.ofMinutes(2));
      gc.garbageCollect();
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(1); // not due yet
      node.clock().advance(Duration.ofSeconds(1));
      gc.garbageCollect();
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(2); // due, but in use
      node.clock().advance(Duration.ofSeconds(1));
      gc.garbageCollect();
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(2);
      node.clock().advance(Duration.ofMinutes(10));
      gc.garbageCollect();
      assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(3);
    }
  }

  @Test
  void imageThatIsDueAtOnce_andWasDetectedSinceTheLastRound_isLookedFor() {
    policy.collectWhenUnused(ImageSelector.label("tmp"));
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.garbageCollect();
      node.clock().advance(Duration.ofSeconds(1));
      node.image("tmp").label("tmp", "1").size(10).add();
      gc.detectImages();
      assertThat(removed(gc.garbageCollect())).containsExactly("tmp");
    }
  }

  // Ages

  /** Hours; the image was first seen, and perhaps used, in hour 0. It is due by age from the first hour after which nothing holds it. */
  @ParameterizedTest
  @CsvSource({
    "1, 2, 3, true, 4", "1, 3, 2, true, 3", "2, 1, 3, true, 4", "2, 3, 1, true, 3",
    "3, 1, 2, true, 3", "3, 2, 1, true, 3", "1, 2, 3, false, 4", "1, 3, 2, false, 3",
    "2, 1, 3, false, 4", "2, 3, 1, false, 2", "3, 1, 2, false, 3", "3, 2, 1, false, 3"
  })
  void minAge_grace_andMaxAge_areIndependentInEveryOrder(
      int minAge, int grace, int maxAge, boolean used, int goesInHour) {
    node.image("a").tag("a:1").size(10).add();
    policy
        .minAge(HOUR.multipliedBy(minAge))
        .grace(HOUR.multipliedBy(grace))
        .maxAge(HOUR.multipliedBy(maxAge));
    if (used) {
      node.run("c1", "a");
    }
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      if (used) {
        node.removeContainer("c1");
      }
      for (int hour = 1; hour < goesInHour; hour++) {
        node.clock().advance(HOUR);
        assertThat(removed(gc.garbageCollect())).as("hour " + hour).isEmpty();
      }
      node.clock().advance(HOUR);
      assertThat(removed(gc.garbageCollect())).containsExactly("a");
    }
  }

  @Test
  void grace_holdsInEveryKindOfRound_andEndsOnTime() {
    node.image("a").size(950).add();
    node.run("c1", "a");
    try (ImageGcManager gc = collector(node, policy.grace(HOUR)).build()) {
      gc.detectImages();
      node.removeContainer("c1");
      node.clock().advance(HOUR.minusNanos(1));
      for (GcReport report :
          List.of(gc.garbageCollect(), gc.freeSpace(1), gc.deleteUnusedImages())) {
        assertThat(reason(report, "a")).isEqualTo(Reason.RECENTLY_USED);
      }
      node.clock().advance(Duration.ofNanos(1));
      assertThat(removed(gc.garbageCollect())).containsExactly("a");
    }
  }

  @Test
  void grace_isNoneForAnImageThatWasNeverUsed() {
    node.image("a").size(10).add();
    try (ImageGcManager gc = collector(node, policy.grace(HOUR)).build()) {
      assertThat(removed(gc.deleteUnusedImages())).containsExactly("a");
    }
  }

  // Why the disk is still full

  @Test
  void shortfall_namesWhatTheRulesHold_andAFullDiskThatTheyKeepFull() {
    node.image("new").tag("mine:1").size(500).add();
    node.image("foreign").tag("theirs:1").size(410).add();
    node.image("used").tag("mine/b:1").size(20).add();
    node.run("c1", "used");
    policy
        .owns(ImageSelector.reference("mine"), ImageSelector.reference("mine/*"))
        .keepNewest("mine", 1)
        .grace(HOUR);
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.removeContainer("c1");
      GcReport report = gc.garbageCollect();
      assertThat(report.held())
          .extracting(HeldBytes::toString)
          .containsExactly(
              "KEPT_NEWEST: 1 images, 500 bytes",
              "NOT_OWNED: 1 images, 410 bytes",
              "RECENTLY_USED: 1 images, 20 bytes");
      assertThat(report.explanation())
          .contains("500 B by 1 image kept as newest of a repository")
          .contains("410 B by 1 image not this collector's to collect")
          .contains("20 B by 1 image used a short time ago")
          .contains("with nothing but the images in use, pinned or kept by the policy's rules the"
              + " filesystem is 91% used: highPercent 90 can never be kept there");
    }
  }

  @Test
  void sharedLayer_isHeldByTheStrongerReason() {
    node.image("foreign").tag("theirs:1").layer("base", 100).size(1).add();
    node.image("young").tag("mine:1").layer("base", 100).size(1).add();
    node.image("used").tag("mine:2").layer("base", 100).size(1).add();
    node.run("c1", "used");
    policy.owns(ImageSelector.reference("mine")).grace(HOUR);
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      node.removeContainer("c1");
      node.otherData(850);
      GcReport report = gc.garbageCollect();
      assertThat(report.held())
          .extracting(HeldBytes::toString)
          .contains("NOT_OWNED: 1 images, 101 bytes", "RECENTLY_USED: 1 images, 1 bytes");
    }
  }

  // Rules that match nothing

  @Test
  void ruleThatMatchesNothing_isToldOnce_asEventAndInAReport() {
    node.image("a").tag("a:1").size(10).add();
    policy.keep("a").keep("typo").keepNewest("typo2", 1);
    try (ImageGcManager gc = collector(node, policy).listener(listener).build()) {
      GcReport first = gc.deleteUnusedImages();
      assertThat(first.problems())
          .containsExactly(
              "the policy's rule keep 'typo' has matched no image",
              "the policy's rule keepNewest 'typo2' has matched no image");
      assertThat(gc.deleteUnusedImages().problems()).isEmpty();
      assertThat(listener.events(GcEventType.RULE_UNMATCHED))
          .extracting(GcEvent::message)
          .containsExactlyElementsOf(first.problems());
      assertThat(listener.events(GcEventType.RULE_UNMATCHED))
          .allSatisfy(event -> assertThat(event.phase()).isEqualTo(GcEvent.Phase.HAPPENED));
    }
  }

  @Test
  void ruleThatMatchesNothing_isToldByADetectionOrPlanToo_andStandsInTheNextReport() {
    node.image("a").tag("a:1").size(10).add();
    node.run("c1", "a"); // so that it stays
    for (boolean plans : new boolean[] {false, true}) {
      listener.clear();
      try (ImageGcManager gc =
          collector(node, policy.keep("typo")).listener(listener).build()) {
        if (plans) {
          gc.plan();
        } else {
          gc.detectImages();
        }
        assertThat(listener.events(GcEventType.RULE_UNMATCHED)).isNotEmpty();
        assertThat(gc.garbageCollect().problems()).isNotEmpty();
        assertThat(gc.deleteUnusedImages().problems()).isEmpty();
      }
    }
  }

  @Test
  void ruleThatMatchesNothing_isNotTold_beforeThereIsAnImage() {
    try (ImageGcManager gc =
        collector(node, policy.keep("a")).listener(listener).build()) {
      gc.detectImages();
      gc.plan();
      gc.deleteUnusedImages();
      node.image("a").tag("a:1").size(10).add();
      gc.deleteUnusedImages();
      assertThat(listener.events(GcEventType.RULE_UNMATCHED)).isEmpty();
    }
  }

  @Test
  void ruleThatMatchesOnlyAnImageInUseOrPinned_isNotTold() {
    node.image("used").tag("used:1").size(10).add();
    node.run("c1", "used");
    node.image("pinned").tag("pinned:1").pinned("by the engine").size(10).add();
    policy.keep("used").keep("pinned");
    try (ImageGcManager gc = collector(node, policy).listener(listener).build()) {
      assertThat(gc.deleteUnusedImages().problems()).isEmpty();
      assertThat(listener.events(GcEventType.RULE_UNMATCHED)).isEmpty();
    }
  }

  // Policies that fail

  @Test
  void policyWithoutVerdicts_keepsEveryImage_andSaysSoOnce() {
    node.image("a").size(10).add();
    node.image("b").size(10).add();
    for (GcPolicy broken : List.<GcPolicy>of(
        new Broken() {
          @Override
          public Function<ImageRecord, Verdict> verdicts(Collection<ImageRecord> all) {
            throw new IllegalStateException("no idea");
          }
        },
        new Broken() {
          @Override
          @SuppressWarnings("NullAway")
          public Function<ImageRecord, Verdict> verdicts(Collection<ImageRecord> all) {
            return null;
          }
        })) {
      try (ImageGcManager gc = collector(node).policy(broken).build()) {
        GcReport report = gc.deleteUnusedImages();
        assertThat(removed(report)).isEmpty();
        assertThat(reason(report, "a")).isEqualTo(Reason.POLICY_FAILED);
        assertThat(reason(report, "b")).isEqualTo(Reason.POLICY_FAILED);
        assertThat(report.problems())
            .singleElement()
            .asString()
            .startsWith("the policy has no verdicts: ");
      }
    }
  }

  @Test
  void policyThatCannotTellItsRules_isContained() {
    node.image("a").size(10).add();
    GcPolicy broken = new Broken() {
      @Override
      public List<String> unmatchedRules() {
        throw new IllegalStateException("no idea");
      }

      @Override
      public boolean makesDue() {
        throw new IllegalStateException("no idea either");
      }
    };
    try (ImageGcManager gc = collector(node).policy(broken).build()) {
      assertThat(gc.garbageCollect().problems())
          .singleElement()
          .asString()
          .contains("no idea either");
      GcReport report = gc.deleteUnusedImages();
      assertThat(removed(report)).containsExactly("a");
      assertThat(report.problems()).singleElement().asString().endsWith("no idea");
    }
  }

  @Test
  void policyThatThrowsWhereDueImagesAreLookedFor_isToldByThePlanThatFollows() {
    node.image("a").size(10).add();
    GcPolicy broken = new Broken() {
      @Override
      public boolean makesDue() {
        return true;
      }

      @Override
      public Verdict verdict(ImageRecord image) {
        throw new IllegalStateException("no idea");
      }
    };
    try (ImageGcManager gc = collector(node).policy(broken).build()) {
      gc.garbageCollect();
      node.clock().advance(Duration.ofSeconds(1));
      GcReport report = gc.garbageCollect();
      assertThat(reason(report, "a")).isEqualTo(Reason.POLICY_FAILED);
      assertThat(report.problems()).hasSize(1);
    }
  }

  /** A policy that lets everything go, for what a test breaks. */
  private abstract static class Broken implements GcPolicy {
    @Override
    public GcThresholds thresholds() {
      return GcThresholds.builder().minAge(Duration.ZERO).build();
    }

    @Override
    public Verdict verdict(ImageRecord image) {
      return Verdict.mayGo();
    }

    @Override
    public Comparator<ImageRecord> evictionOrder() {
      return LruGcPolicy.ofDefaults().evictionOrder();
    }
  }
}
