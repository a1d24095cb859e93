/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Decision;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Failures, limits, ages, late engines and writers all at once, against what a report says of itself. */
class ReportsPropertyTest {
  @Property(tries = 800)
  void reports_agreeWithThemselves_whateverGoesWrong(@ForAll long seed) {
    round(seed);
  }

  private static void round(long seed) {
    Random random = new Random(seed);
    FakeNode node = FakeNode.withDisk(20_000);
    int images = 2 + random.nextInt(14);
    for (int i = 0; i < images; i++) {
      add(node, random, "image-" + i);
    }
    for (String id : node.imageIds()) {
      switch (random.nextInt(12)) {
        case 0 -> node.faults().failRemovals(id, RemovalResult.of(RemovalOutcome.FAILED, "busy"));
        case 1 -> node.faults().failRemovals(id, RemovalResult.of(RemovalOutcome.IN_USE, "secret"));
        case 2 ->
          node.faults().failRemovals(id, RemovalResult.of(RemovalOutcome.HAS_CHILDREN, "secret"));
        case 3 -> node.faults().failRemovals(id, RemovalResult.of(RemovalOutcome.UNKNOWN, "?"));
        default -> {}
      }
    }
    if (random.nextInt(3) == 0) {
      node.freesSpaceAfter(Duration.ofSeconds(random.nextInt(25)));
    }
    boolean writes = random.nextInt(4) == 0;
    if (writes) {
      node.faults()
          .afterEach(
              FakeNode.Operation.REMOVE_IMAGE,
              () -> node.writeOtherData(Math.min(50, node.availableBytes())));
    }
    RoundLimits.Builder limits = RoundLimits.builder();
    if (random.nextInt(3) == 0) {
      limits.removals(1 + random.nextInt(4));
    }
    if (random.nextInt(4) == 0) {
      limits.plans(1 + random.nextInt(3));
    }
    boolean aged = random.nextInt(3) == 0;
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().highPercent(85).lowPercent(70).minAge(Duration.ZERO);
    if (aged) {
      policy.maxAge(Duration.ofDays(1));
    }
    if (random.nextInt(5) == 0) {
      policy.collectsInVain(false);
    }
    try (ImageGcManager gc = collector(node, policy).limits(limits.build()).build()) {
      gc.detectImages();
      if (aged) {
        node.clock().advance(Duration.ofDays(2));
        add(node, random, "young");
      }
      int room = (int) node.availableBytes();
      node.otherData(
          random.nextBoolean()
              ? room - random.nextInt(Math.min(3500, room))
              : random.nextInt(room));
      long before = node.availableBytes();
      var containers = node.runtime().listContainers();
      GcReport report = gc.garbageCollect();
      List<String> asked = node.removalsAsked();
      assertThat(new HashSet<>(asked)).as("asked twice " + asked).hasSize(asked.size());
      assertThat(report.decisions().stream().map(d -> d.image().id()).distinct().count())
          .as("decisions")
          .isEqualTo(report.decisions().size());
      for (var container : containers) {
        container.images().forEach(id -> assertThat(asked).as("in use").doesNotContain(id.text()));
      }
      if (report.decisions().isEmpty()) {
        return;
      }
      long need = 20_000L * 30 / 100 - node.availableBytes();
      boolean full = 100 - node.availableBytes() * 100 / 20_000 >= 85;
      if (full && !report.outcome().equals(Outcome.FAILED)) {
        assertThat(report.missingBytes().orElse(-1)).as("missing while full").isEqualTo(need);
      }
      if (report.outcome().equals(Outcome.DONE)) {
        assertThat(report.missingBytes().orElse(-1)).as("done").isEqualTo(0);
        assertThat(full).as("done though full").isFalse();
      }
      if (report.missingBytes().orElse(0) > 0) {
        assertThat(report.neededBytes().orElse(0)).as("needed").isPositive();
        if (!writes) {
          assertThat(report.neededBytes().orElse(0) - report.missingBytes().orElse(0))
              .as("needed - missing <= freed")
              .isLessThanOrEqualTo(report.freedBytes());
        }
      }
      if (!writes) {
        assertThat(report.freedBytes()).as("freed").isEqualTo(node.availableBytes() - before);
      }
      for (ImageDecision image : report.decisions()) {
        assertThat(image.decision()).as("planned is left").isNotEqualTo(Decision.PLANNED);
        if (image.decision().equals(Decision.KEPT)) {
          assertThat(image.creditedBytes().orElse(0)).as("kept but credited").isZero();
        }
        boolean there = node.hasImage(image.image().id().text());
        if (image.decision().equals(Decision.REMOVED)) {
          assertThat(there).as("removed but there").isFalse();
        }
      }
      long held = report.held().stream().mapToLong(sum -> sum.bytes().orElse(0)).sum();
      if (report.outcome().equals(Outcome.SHORT) && !report.held().isEmpty()) {
        assertThat(held + report.otherDataBytes().orElse(0)).as("held").isEqualTo(node.usedBytes());
        assertThat(report.explanation()).as("explanation").isNotBlank();
      }
      if (report.outcome().equals(Outcome.SHORT) && report.stoppedBy().isEmpty()) {
        assertThat(report.decisions())
            .as("short, but reserve left")
            .noneMatch(d -> d.reason().equals(dev.imagegc.api.Reason.ENOUGH_FREED));
      }
    }
  }

  private static void add(FakeNode node, Random random, String id) {
    var image = node.image(id).tag(id + ":1");
    List<String> others = node.imageIds();
    if (!others.isEmpty() && random.nextInt(4) == 0) {
      image.parent(others.get(random.nextInt(others.size())));
    }
    for (int layer = random.nextInt(6); layer > 0; layer--) {
      int name = random.nextInt(10);
      image.layer("layer-" + name, 70L * name);
    }
    if (random.nextInt(2) == 0) {
      image.size(10 + random.nextInt(900));
    }
    if (random.nextInt(8) == 0) {
      image.pinned("by the engine");
    }
    image.add();
    if (random.nextInt(4) == 0) {
      node.container("container-of-" + id).image(id).add();
    }
  }

  @Property(tries = 150)
  void longRunningCollector_plansAsAFreshOne(@ForAll long seed) {
    Random random = new Random(seed);
    FakeNode node = FakeNode.withDisk(60_000);
    add(node, random, "first");
    node.otherData(5_000);

    try (ImageGcManager gc = collector(node).build()) {
      for (int change = 0; change < 25; change++) {
        List<String> ids = node.imageIds();
        boolean isFree = false;
        if (!ids.isEmpty() && random.nextBoolean()) {
          String id = ids.get(random.nextInt(ids.size()));
          isFree = node.runtime().listContainers().stream()
                  .noneMatch(c -> c.images().stream().anyMatch(i -> i.text().equals(id)))
              && node.runtime().listImages().stream()
                  .noneMatch(i -> i.parent().filter(p -> p.text().equals(id)).isPresent());
          if (isFree) {
            node.deleteImage(id);
          }
        }
        if (!isFree) {
          node.otherData(0);
          add(node, random, "i" + change);
        }
        node.fillTo(95);
        var plan = gc.plan();
        try (ImageGcManager fresh = collector(node).build()) {
          var other = fresh.plan();
          assertThat(plan.decisions().stream().map(Object::toString).toList())
              .as("seed " + seed)
              .isEqualTo(other.decisions().stream().map(Object::toString).toList());
          for (int i = 0; i < plan.decisions().size(); i++) {
            ImageDecision a = plan.decisions().get(i);
            ImageDecision b = other.decisions().get(i);
            assertThat(List.of(a.exclusiveBytes(), a.reclaimableBytes(), a.creditedBytes()))
                .as("seed " + seed)
                .isEqualTo(List.of(b.exclusiveBytes(), b.reclaimableBytes(), b.creditedBytes()));
          }
        }
      }
    }
  }
}
