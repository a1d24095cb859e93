/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcPlan;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Reason;
import dev.imagegc.core.ImageGcManager;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Both sides of a ratio look at the same node and come to the same conclusions. */
class SameNodeTest {
  private static final int IMAGES = 2000;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bothSides_sameNode_sameImagesAreInUse(boolean mounts) {
    NodeModel model = new NodeModel(IMAGES, IMAGES, mounts);
    Set<String> expected = model.usesIn(NodeModel.ROUNDS - 1).stream()
        .flatMap(uses -> uses.stream().map(model::imageId))
        .collect(Collectors.toSet());

    assertThat(KubeletPass.of(model, mounts).detect()).isEqualTo(expected);
    try (ImageGcManager gc = CannedNode.collectorOf(model)) {
      Set<String> inUse = gc.plan().decisions().stream()
          .filter(image -> image.reason().equals(Reason.IN_USE))
          .map(image -> image.image().id().text())
          .collect(Collectors.toSet());
      assertThat(inUse).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bothSides_oneByteMissing_oneOfTheLongestUnusedGoes(boolean mounts) {
    NodeModel model = new NodeModel(IMAGES, IMAGES, mounts);
    Set<String> longestUnused = longestUnused(model);

    assertThat(KubeletPass.of(model, mounts).freeSpace(1, Duration.ZERO))
        .hasSize(1)
        .isSubsetOf(longestUnused);
    try (ImageGcManager gc = CannedNode.collectorOf(model)) {
      GcPlan plan = gc.plan();
      assertThat(plan.neededBytes()).hasValue(1);
      assertThat(plan.victims())
          .hasSize(1)
          .extracting((ImageDecision victim) -> victim.image().id().text())
          .isSubsetOf(longestUnused);
    }
  }

  /** By what the model did, not by what anybody remembers: those with the lowest last use and, among them, first sight. */
  private static Set<String> longestUnused(NodeModel model) {
    TreeMap<Integer, Set<Integer>> byKey = new TreeMap<>();
    for (int image = 0; image < IMAGES; image++) {
      byKey.computeIfAbsent(key(-1, image, model), key -> new HashSet<>()).add(image);
    }
    for (int round = 0; round < NodeModel.ROUNDS; round++) {
      int listed = model.listedIn(round);
      Set<Integer> used = model.usesIn(round).stream()
          .flatMap(uses -> uses.stream())
          .filter(image -> image < listed)
          .collect(Collectors.toSet());
      byKey.values().forEach(images -> images.removeAll(used));
      for (int image : used) {
        byKey.computeIfAbsent(key(round, image, model), key -> new HashSet<>()).add(image);
      }
    }
    byKey.values().removeIf(Set::isEmpty);
    assertThat(byKey.size()).as("keys to sort by").isGreaterThan(NodeModel.ROUNDS);
    return byKey.firstEntry().getValue().stream().map(model::imageId).collect(Collectors.toSet());
  }

  /** Sorts by the round of the last use, -1 for none, and then by the round of first sight. */
  private static int key(int lastUsed, int image, NodeModel model) {
    int first = 0;
    while (image >= model.listedIn(first)) {
      first++;
    }
    return lastUsed * NodeModel.ROUNDS + first;
  }
}
