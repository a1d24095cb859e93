/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.core.container.ContainerGcManager;
import dev.imagegc.core.container.ContainerGcPolicy;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JsonAuditOfContainersTest {
  private final FakeNode node = FakeNode.withDisk(1000);
  private final List<String> lines = new ArrayList<>();

  private ContainerGcManager collector() {
    return ContainerGcManager.builder()
        .runtime(node.runtime())
        .clock(node.clock())
        .listener(new JsonAuditListener(lines::add))
        .policy(ContainerGcPolicy.builder().maxPerUnit(0).build())
        .build();
  }

  private void dead(String id) {
    node.image("image-" + id).size(1).add();
    node.container(id)
        .name("shop-" + id)
        .image("image-" + id)
        .label("com.docker.compose.project", "shop")
        .label("com.docker.compose.container-number", "1")
        .label("com.docker.compose.service", "web")
        .state(ContainerState.EXITED)
        .createdAt(Instant.ofEpochSecond(7))
        .add();
  }

  @Test
  void removedContainer_isALineThatSaysWhy_andThePassIsOne() {
    dead("c");
    try (ContainerGcManager gc = collector()) {
      gc.collect();
      gc.collect(); // nothing to do: no line
    }
    assertThat(lines)
        .containsExactly(
            "{\"audit\":1,\"event\":\"containerRemoved\",\"at\":\"2026-01-01T00:00:00Z\","
                + "\"container\":\"c\",\"name\":\"shop-c\",\"images\":[\"image-c\"],"
                + "\"workload\":\"shop\",\"unit\":\"web\",\"state\":\"EXITED\","
                + "\"reason\":\"OVER_UNIT_LIMIT\","
                + "\"detail\":\"maxPerUnit is 0 and its unit shop/web has newer ones\","
                + "\"createdAt\":\"1970-01-01T00:00:07Z\",\"finishedAt\":\"2026-01-01T00:00:00Z\"}",
            "{\"audit\":1,\"event\":\"containerPass\",\"at\":\"2026-01-01T00:00:00Z\","
                + "\"startedAt\":\"2026-01-01T00:00:00Z\",\"outcome\":\"DONE\",\"removed\":1,\"gone\":0,"
                + "\"failed\":0,\"kept\":0,\"cause\":null,\"problems\":[],\"durationMillis\":0}");
  }

  @Test
  void containerThatCannotBeRemoved_isALineWhenThatBeginsAndWhenItEnds() {
    dead("c");
    node.faults()
        .failContainerRemovals("c", RemovalResult.of(RemovalOutcome.FAILED, "de\"vice\nbusy"));
    try (ContainerGcManager gc = collector()) {
      gc.collect();
      node.clock().advance(Duration.ofMinutes(1));
      gc.collect();
      node.removeContainer("c");
      gc.collect();
    }
    List<JsonObject> parsed = lines.stream()
        .map(line -> JsonParser.parseString(line).getAsJsonObject())
        .toList();
    assertThat(parsed)
        .extracting(line -> line.get("event").getAsString())
        .containsExactly(
            "containerFailing", "containerPass", "containerPass", "containerFailingEnded");
    assertThat(parsed.get(0).get("message").getAsString())
        .isEqualTo("could not remove container shop-c: de\"vice\nbusy; tried again after 1m at"
            + " the earliest");
    assertThat(parsed.get(0).get("reason").getAsString()).isEqualTo("REMOVAL_FAILED");
    assertThat(parsed.get(1).get("outcome").getAsString()).isEqualTo("SHORT");
    assertThat(parsed.get(1).get("failed").getAsInt()).isEqualTo(1);
    assertThat(lines).allSatisfy(line -> assertThat(line.lines()).hasSize(1));
  }
}
