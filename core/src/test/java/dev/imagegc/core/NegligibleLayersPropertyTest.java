/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.ids;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Plans of nodes with layers that are negligible beside what is needed, parents and ages. */
class NegligibleLayersPropertyTest {
  private static final long[] SIZES = {0, 1, 3, 7, 20, 900, 2500, 5000};

  @Property(tries = 1000)
  void plans_areExact_reachWhatCanBeReached_andRespectParents(@ForAll long seed) {
    plan(seed);
  }

  @Example
  void imageThatFreesNothingAnyMoreBecauseAnotherStays_isNotPlanned() {
    plan(-6510359502803484929L);
  }

  private static void plan(long seed) {
    FakeNode node = node(seed);
    boolean aged = seed % 3 == 0;
    LruGcPolicy.Builder policy =
        LruGcPolicy.builder().highPercent(90).lowPercent(80).minAge(Duration.ZERO);
    if (aged) {
      policy.maxAge(Duration.ofDays(1));
    }
    try (ImageGcManager gc = collector(node, policy).build()) {
      gc.detectImages();
      if (aged) {
        node.clock().advance(Duration.ofDays(2));
      }
      Random random = new Random(seed ^ 77);
      for (int i = 0; i < 4; i++) {
        add(node, random, "late-" + i);
      }
      long room = node.availableBytes();
      node.otherData(room - random.nextInt(9_999));
      GcPlan plan = gc.plan();
      long needed = plan.neededBytes().orElseThrow();
      long before = node.availableBytes();
      List<String> victims = ids(plan.victims());
      Set<String> gone = new HashSet<>();
      for (String victim : victims) {
        for (var image : node.runtime().listImages()) {
          if (image.parent().filter(p -> p.text().equals(victim)).isPresent()) {
            assertThat(gone).as("child first").contains(image.id().text());
          }
        }
        gone.add(victim);
      }
      long credited = 0;
      for (ImageDecision victim : plan.victims()) {
        credited += victim.creditedBytes().orElseThrow();
      }
      assertThat(plan.predictedBytes()).as("sum").hasValue(credited);
      long candidates = 0;
      for (ImageDecision image : plan.decisions()) {
        if (image.reason().equals(Reason.ENOUGH_FREED)) {
          candidates++;
        }
      }
      boolean wanted = plan.victims().stream().anyMatch(v -> v.reason().equals(Reason.SPACE));
      if (wanted && candidates > 0) {
        assertThat(plan.predictedBytes().orElseThrow())
            .as("reaches")
            .isGreaterThanOrEqualTo(needed);
      }
      GcReport report = gc.garbageCollect();
      assertThat(node.removalsAsked()).as("as planned").isEqualTo(victims);
      assertThat(node.availableBytes() - before).as("exact").isEqualTo(credited);
      if (report.outcome().equals(Outcome.SHORT)) {
        assertThat(
                report.held().stream().mapToLong(s -> s.bytes().orElseThrow()).sum()
                    + report.otherDataBytes().orElseThrow())
            .as("held")
            .isEqualTo(node.usedBytes());
        // Nothing that may go would free more.
        long now = node.availableBytes();
        for (ImageDecision image : report.decisions()) {
          if (image.reason().equals(Reason.NO_GAIN) || image.reason().equals(Reason.ENOUGH_FREED)) {
            if (node.hasImage(image.image().id().text())) {
              node.deleteImage(image.image().id().text());
            }
          }
        }
        assertThat(node.availableBytes()).as("short, but more could go").isEqualTo(now);
      }
    }
  }

  private static FakeNode node(long seed) {
    Random random = new Random(seed);
    FakeNode node = FakeNode.withDisk(100_000);
    int images = 2 + random.nextInt(12);
    for (int i = 0; i < images; i++) {
      add(node, random, "image-" + i);
    }
    return node;
  }

  private static void add(FakeNode node, Random random, String id) {
    var image = node.image(id).tag(id + ":1");
    List<String> others = node.imageIds();
    if (!others.isEmpty() && random.nextInt(3) == 0) {
      image.parent(others.get(random.nextInt(others.size())));
    }
    for (int layer = random.nextInt(4); layer > 0; layer--) {
      int name = random.nextInt(14);
      image.layer("layer-" + name, SIZES[name % SIZES.length]);
    }
    if (random.nextInt(2) == 0) {
      image.layer("own-" + id, SIZES[random.nextInt(SIZES.length)]);
    }
    if (random.nextInt(9) == 0) {
      image.pinned("by the engine");
    }
    image.add();
    if (random.nextInt(6) == 0) {
      node.container("container-of-" + id).image(id).add();
    }
  }
}
