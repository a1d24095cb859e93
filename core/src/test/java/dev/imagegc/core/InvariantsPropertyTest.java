/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.ids;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Outcome;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** What holds for every node: layers shared in every way, parents, containers in every state, pins, rules and ages. */
class InvariantsPropertyTest {
  private static final List<ContainerState> STATES = List.of(
      ContainerState.CREATED, ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.EXITED);
  private static final Duration MIN_AGE = Duration.ofMinutes(2);

  @Property(tries = 300)
  void nothingThatIsHeldBack_isEverAskedToGo(@ForAll long seed) {
    RandomNode random = new RandomNode(seed);
    try (ImageGcManager gc = random.collector()) {
      act(gc, random.random);
      assertThat(random.node.removalsAsked()).doesNotContainAnyElementsOf(random.untouchable);
      assertThat(random.node.imageIds()).containsAll(random.untouchable);
      for (String id : random.untouchable) {
        assertThat(random.node.references(id)).isEqualTo(List.of(id + ":1"));
      }
    }
  }

  @Property(tries = 300)
  void freedBytes_areTheDifferenceOfTheDisk(@ForAll long seed) {
    RandomNode random = new RandomNode(seed);
    try (ImageGcManager gc = random.collector()) {
      long before = random.node.availableBytes();
      GcReport report = act(gc, random.random);
      assertThat(report.freedBytes()).isEqualTo(random.node.availableBytes() - before);
      assertThat(report.filesystemDifferenceBytes()).hasValue(report.freedBytes());
    }
  }

  @Property(tries = 300)
  void round_removesThePlannedOrder_cutShortOrCarriedOn(@ForAll long seed) {
    RandomNode random = new RandomNode(seed);
    try (ImageGcManager gc = random.collector()) {
      GcPlan plan = gc.plan();
      List<String> order = new ArrayList<>(ids(plan.victims()));
      order.addAll(ids(plan.reserve()));
      GcReport report = gc.garbageCollect();
      List<String> asked = random.node.removalsAsked();
      assertThat(order.subList(0, asked.size())).isEqualTo(asked);
      if (report.outcome().equals(Outcome.NOT_NEEDED)) {
        assertThat(report.decisions()).isEmpty(); // the engine was not asked
      } else {
        assertThat(ids(report.decisions())).isEqualTo(ids(plan.decisions()));
      }
    }
  }

  @Property(tries = 300)
  void round_endsAtItsGoal_andTheLastRemovalWasNeeded(@ForAll long seed) {
    RandomNode random = new RandomNode(seed);
    try (ImageGcManager gc = random.collector()) {
      GcReport report = gc.garbageCollect();
      long capacity = report.filesystemAfter().orElseThrow().capacityBytes().orElseThrow();
      long goal = capacity / 100 * 20;
      if (report.outcome().equals(Outcome.DONE)) {
        assertThat(random.node.availableBytes()).isGreaterThanOrEqualTo(goal);
        long last = report.removed().isEmpty()
            ? 0
            : report.removed().get(report.removed().size() - 1).measuredBytes().orElseThrow();
        assertThat(random.node.availableBytes() - last).isLessThan(goal);
      } else if (report.outcome().equals(Outcome.SHORT)) {
        assertThat(report.missingBytes()).hasValue(goal - random.node.availableBytes());
        assertThat(report.decisions(Decision.PLANNED)).isEmpty();
      } else {
        assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
        assertThat(random.node.removalsAsked()).isEmpty();
      }
    }
  }

  @Property(tries = 200)
  void plan_isEqualForEqualNodes_whateverTheOrderOfTheListing(@ForAll long seed) {
    RandomNode one = new RandomNode(seed);
    RandomNode other = new RandomNode(seed);
    other.node.faults().shuffleListings(seed);
    try (ImageGcManager a = one.collector();
        ImageGcManager b = other.collector()) {
      assertThat(b.plan().decisions()).isEqualTo(a.plan().decisions());
    }
  }

  private static GcReport act(ImageGcManager gc, Random random) {
    return switch (random.nextInt(3)) {
      case 0 -> gc.garbageCollect();
      case 1 -> gc.freeSpace(1 + random.nextInt(5_000));
      default -> gc.deleteUnusedImages();
    };
  }

  /** A node and its collector, which has seen the older half of the images two minutes before. */
  private static final class RandomNode {
    final Random random;
    final FakeNode node = FakeNode.withDisk(10_000);
    final Set<String> untouchable = new HashSet<>();
    private final Map<String, String> parentOf = new HashMap<>();
    private final ImageGcManager manager;

    RandomNode(long seed) {
      random = new Random(seed);
      manager = Nodes.collector(
              node,
              LruGcPolicy.builder()
                  .highPercent(85)
                  .lowPercent(80)
                  .minAge(MIN_AGE)
                  .keep("kept-*:1"))
          .build();
      int images = 2 + random.nextInt(10);
      int seenBefore = random.nextInt(images);
      for (int i = 0; i < images; i++) {
        if (i == seenBefore) {
          manager.detectImages();
          node.clock().advance(MIN_AGE);
        }
        addImage(i, i >= seenBefore);
      }
      long used = node.usedBytes();
      if (used < 10_000) {
        node.otherData(random.nextInt((int) (10_000 - used) + 1));
      }
    }

    ImageGcManager collector() {
      return manager;
    }

    private void addImage(int number, boolean young) {
      boolean kept = random.nextInt(6) == 0;
      String id = (kept ? "kept-" : "image-") + number;
      var image = node.image(id).tag(id + ":1");
      List<String> parents = node.imageIds();
      String parent = parents.isEmpty() || random.nextInt(3) > 0
          ? null
          : parents.get(random.nextInt(parents.size()));
      if (parent != null) {
        image.parent(parent);
      }
      for (int layer = random.nextInt(4); layer >= 0; layer--) {
        int name = random.nextInt(8);
        image.layer("layer-" + name, 40L * (name + 1));
      }
      boolean pinned = random.nextInt(8) == 0;
      if (pinned) {
        image.pinned("by the engine");
      }
      image.add();
      boolean used = random.nextInt(4) == 0;
      if (used) {
        var container =
            node.container("container-" + number).state(STATES.get(random.nextInt(STATES.size())));
        (random.nextBoolean() ? container.image(id) : container.mount(id)).add();
      }
      if (kept || pinned || used || young) {
        untouchable.add(id);
        if (parent != null) {
          keepWithAncestors(parent);
        }
      }
      parentOf.put(id, parent == null ? "" : parent);
    }

    private void keepWithAncestors(String id) {
      for (String at = id; !at.isEmpty(); at = parentOf.get(at)) {
        untouchable.add(at);
      }
    }
  }
}
