/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.ImageSpec;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** What holds for every plan, on random nodes whose images share layers. */
class PlanPropertiesTest {
  private static final String[] OPTIONS = {"--json", "--min-age", "0s", "--low", "40"};
  private static final int LAYERS = 15;

  @Test
  void plan_anyNode_hasEveryImageAndItsCreditsAreThePrediction() {
    Random random = new Random(1);
    for (int i = 0; i < 200; i++) {
      FakeNode node = node(random, true);

      JsonObject plan = run(node, "plan");

      assertThat(images(plan)).hasSameSizeAs(node.imageIds());
      assertThat(credits(plan, "PLANNED"))
          .as("%s", plan)
          .isEqualTo(plan.get("predictedBytes").getAsLong());
      assertThat(credits(plan, "KEPT")).isZero();
    }
  }

  @Test
  void collect_layersKnown_removesWhatThePlanSaidAndFreesItToTheByte() {
    Random random = new Random(2);
    for (int i = 0; i < 200; i++) {
      FakeNode node = node(random, false);

      JsonObject plan = run(node, "plan");
      JsonObject round = run(node, "collect");

      assertThat(ids(round, "REMOVED")).as("%s", plan).isEqualTo(ids(plan, "PLANNED"));
      assertThat(round.get("freedBytes"))
          .isEqualTo(round.get("predictedBytes"))
          .isEqualTo(plan.get("predictedBytes"));
      assertThat(images(round, "REMOVED"))
          .allSatisfy(image ->
              assertThat(image.get("measuredBytes")).isEqualTo(image.get("creditedBytes")));
    }
  }

  /** Images with layers from a small pool, some in use; 95 % of the disk are used. */
  private static FakeNode node(Random random, boolean hidesLayers) {
    FakeNode node = FakeNode.withDisk(1000);
    for (int i = 1 + random.nextInt(12); i > 0; i--) {
      ImageSpec image = node.image("i" + i)
          .tag("i" + i + ":1")
          .builtAt(node.clock().instant().minusSeconds(random.nextInt(5)));
      random
          .ints(1 + random.nextInt(4), 0, LAYERS)
          .distinct()
          .forEach(layer -> image.layer("layer" + layer, 3L * layer));
      if (hidesLayers && random.nextInt(4) == 0) {
        image.unknownLayers();
      }
      image.add();
      if (random.nextInt(4) == 0) {
        node.run("c" + i, "i" + i);
      }
    }
    node.fillTo(95);
    return node;
  }

  private static JsonObject run(FakeNode node, String command) {
    String[] args = Stream.concat(Stream.of(command), Stream.of(OPTIONS)).toArray(String[]::new);
    return AgentRun.on(node, args).json();
  }

  private static List<JsonObject> images(JsonObject round) {
    return StreamSupport.stream(round.getAsJsonArray("images").spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .toList();
  }

  private static List<JsonObject> images(JsonObject round, String decision) {
    return images(round).stream()
        .filter(image -> image.get("decision").getAsString().equals(decision))
        .toList();
  }

  private static List<String> ids(JsonObject round, String decision) {
    return images(round, decision).stream()
        .map(image -> image.get("id").getAsString())
        .toList();
  }

  private static long credits(JsonObject round, String decision) {
    return images(round, decision).stream()
        .mapToLong(image -> image.get("creditedBytes").getAsLong())
        .sum();
  }
}
