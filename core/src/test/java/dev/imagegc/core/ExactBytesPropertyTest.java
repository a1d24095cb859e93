/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.ids;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Accounting;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Predicted bytes against a disk that stores each layer once, on nodes that share layers in every way. */
class ExactBytesPropertyTest {

  @Property(tries = 500)
  void predictedBytes_areWhatTheDiskGivesBack(@ForAll long seed) {
    FakeNode node = randomNode(seed);
    try (ImageGcManager gc = collector(node).build()) {
      seeTheNode(gc, node, seed);
      GcPlan plan = gc.plan();
      assertThat(plan.accounting()).isEqualTo(Accounting.LAYERS);
      assertThat(remove(node, ids(plan.victims())))
          .isEqualTo(plan.predictedBytes().orElseThrow());
    }
  }

  @Property(tries = 500)
  void exclusiveAndReclaimableBytes_areWhatTheDiskGivesBack(@ForAll long seed) {
    try (ImageGcManager gc = collector(randomNode(seed)).build()) {
      List<ImageDecision> decisions = gc.plan().decisions();
      List<String> mayGo = decisions.stream()
          .filter(image -> mayGo(image.reason()))
          .map(image -> image.image().id().text())
          .toList();
      long reclaimableByAll = remove(randomNode(seed), mayGo);
      long sum = 0;
      for (ImageDecision image : decisions) {
        String id = image.image().id().text();
        FakeNode unused = randomNode(seed);
        unused.runtime().listContainers().forEach(user -> unused.removeContainer(user.id()));
        assertThat(image.exclusiveBytes()).hasValue(remove(unused, List.of(id)));
        List<String> others = new ArrayList<>(mayGo);
        others.remove(id);
        if (mayGo.contains(id)) {
          // What only comes back because this one goes as well.
          assertThat(image.reclaimableBytes().orElseThrow())
              .isEqualTo(reclaimableByAll - remove(randomNode(seed), others));
        } else {
          assertThat(image.reclaimableBytes()).hasValue(0);
        }
        sum += image.creditedBytes().orElseThrow();
      }
      assertThat(sum).isEqualTo(gc.plan().predictedBytes().orElseThrow());
    }
  }

  @Property(tries = 500)
  void plan_isNoLongerThanNeeded(@ForAll long seed) {
    FakeNode node = randomNode(seed);
    try (ImageGcManager gc = collector(node).build()) {
      GcPlan plan = gc.plan();
      List<String> victims = ids(plan.victims());
      if (!victims.isEmpty()) {
        long withoutTheLast = remove(node, victims.subList(0, victims.size() - 1));
        assertThat(withoutTheLast).isLessThan(plan.neededBytes().orElseThrow());
      }
      for (ImageDecision victim : plan.victims()) {
        List<String> others = new ArrayList<>(victims);
        others.remove(victim.image().id().text());
        assertThat(remove(randomNode(seed), others))
            .as("what the plan frees without " + victim)
            .isLessThan(plan.predictedBytes().orElseThrow());
      }
    }
  }

  @Property(tries = 300)
  void reasons_coverEveryImage_andEqualNodesGetEqualPlans(@ForAll long seed) {
    FakeNode other = randomNode(seed);
    other.faults().shuffleListings(seed);
    try (ImageGcManager gc = collector(randomNode(seed)).build();
        ImageGcManager otherGc = collector(other).build()) {
      GcPlan plan = gc.plan();
      assertThat(ids(plan.decisions()))
          .containsExactlyInAnyOrderElementsOf(randomNode(seed).imageIds());
      assertThat(plan.decisions()).allSatisfy(image -> {
        assertThat(image.reason().code()).isNotBlank();
        assertThat(image.age()).isPresent();
      });
      assertThat(otherGc.plan().decisions()).isEqualTo(plan.decisions());
      assertThat(gc.plan().decisions())
          .isEqualTo(plan.decisions()); // also in the last plan's order
    }
  }

  @Property(tries = 500)
  void round_removesExactlyThePlannedVictims_andEndsAtOrBelowLow(@ForAll long seed) {
    FakeNode node = randomNode(seed);
    try (ImageGcManager gc = collector(node).build()) {
      GcPlan plan = gc.plan();
      GcReport report = gc.garbageCollect();
      assertThat(node.removalsAsked()).isEqualTo(ids(plan.victims()));
      assertThat(report.freedBytes()).isEqualTo(plan.predictedBytes().orElseThrow());
      if (report.outcome().equals(Outcome.DONE)) {
        assertThat(node.availableBytes()).isGreaterThanOrEqualTo(20_000 / 100 * 20);
      } else {
        assertThat(plan.shortfallBytes()).isEqualTo(report.missingBytes());
      }
    }
  }

  @Property(tries = 300)
  void heldBytesAndOtherData_addUpToWhatIsUsed(@ForAll long seed) {
    FakeNode node = randomNode(seed);
    try (ImageGcManager gc = collector(node).build()) {
      GcReport report = gc.freeSpace(20_000); // more than there is
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      long held =
          report.held().stream().mapToLong(sum -> sum.bytes().orElseThrow()).sum();
      assertThat(held + report.otherDataBytes().orElseThrow()).isEqualTo(node.usedBytes());
      assertThat(report.held().stream().mapToInt(sum -> sum.imageCount()).sum())
          .isEqualTo(node.imageIds().size());
    }
  }

  @Property(tries = 300)
  void index_staysExactWhileTheNodeChanges(@ForAll long seed) {
    FakeNode node = randomNode(seed);
    Random random = new Random(seed);
    try (ImageGcManager gc = collector(node).build()) {
      gc.detectImages();
      node.otherData(0);
      for (int change = 0; change < 8; change++) {
        List<String> images = node.imageIds();
        if (random.nextBoolean() && !images.isEmpty()) {
          // By force: containers go on holding the layers.
          node.deleteImage(images.get(random.nextInt(images.size())));
        } else {
          addImage(node, random, "later-" + change);
        }
        GcPlan plan = gc.plan();
        long before = node.availableBytes();
        GcReport report = gc.freeSpace(1 + random.nextInt(500));
        assertThat(plan.accounting()).isEqualTo(Accounting.LAYERS);
        assertThat(node.availableBytes() - before).isEqualTo(report.freedBytes());
        assertThat(report.predictedBytes()).hasValue(report.freedBytes());
      }
    }
  }

  private static boolean mayGo(Reason reason) {
    return Set.of(Reason.SPACE, Reason.ENOUGH_FREED, Reason.NO_GAIN).contains(reason);
  }

  /** Removes images as an engine does, and returns what that frees. */
  private static long remove(FakeNode node, List<String> ids) {
    long before = node.availableBytes();
    ids.forEach(node::deleteImage);
    return node.availableBytes() - before;
  }

  private static void seeTheNode(ImageGcManager gc, FakeNode node, long seed) {
    gc.detectImages();
    if (seed % 2 == 0) {
      node.clock().advance(Duration.ofMinutes(5));
      gc.detectImages();
    }
  }

  /** A node at a random usage, with up to 14 images of up to 6 of 10 layers, some of them empty. */
  private static FakeNode randomNode(long seed) {
    Random random = new Random(seed);
    FakeNode node = FakeNode.withDisk(20_000);
    int images = 1 + random.nextInt(14);
    for (int i = 0; i < images; i++) {
      addImage(node, random, "image-" + i);
    }
    node.otherData(random.nextInt((int) node.availableBytes() + 1));
    return node;
  }

  private static void addImage(FakeNode node, Random random, String id) {
    var image = node.image(id).tag(id + ":1");
    List<String> others = node.imageIds();
    if (!others.isEmpty() && random.nextInt(4) == 0) {
      image.parent(others.get(random.nextInt(others.size())));
    }
    for (int layer = random.nextInt(6); layer > 0; layer--) {
      int name = random.nextInt(10);
      image.layer("layer-" + name, 70L * name);
    }
    if (random.nextInt(3) == 0) {
      image.size(10 + random.nextInt(200));
    }
    if (random.nextInt(8) == 0) {
      image.pinned("by the engine");
    }
    image.add();
    if (random.nextInt(4) == 0) {
      node.container("container-of-" + id).image(id).add();
    }
  }
}
