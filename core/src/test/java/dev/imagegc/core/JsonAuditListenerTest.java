/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JsonAuditListenerTest {
  private final FakeNode node = FakeNode.withDisk(1000);
  private final List<String> lines = new ArrayList<>();
  private final JsonAuditListener audit = new JsonAuditListener(lines::add);

  @Test
  void removal_isALineThatSaysWhyItWentAndHowMuchCameBack() {
    node.image("app")
        .tag("app:1")
        .layer("base", 40)
        .layer("app", 100)
        .builtAt(node.clock().instant())
        .add();
    node.image("base").tag("base:1").layer("base", 40).add();
    node.otherData(770); // 910 used, need 110
    try (ImageGcManager gc = collector(node).listener(audit).build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofHours(1));
      gc.garbageCollect();
    }
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0))
        .isEqualTo("{\"audit\":1,\"event\":\"removed\",\"at\":\"2026-01-01T01:00:00Z\","
            + "\"round\":\"2026-01-01T01:00:00Z\",\"operation\":\"COLLECT\",\"image\":\"app\","
            + "\"references\":[\"app:1\"],\"reason\":\"SPACE\","
            + "\"detail\":\"usage is 91%, highPercent is 90\",\"sizeBytes\":140,\"exclusiveBytes\":100,"
            + "\"reclaimableBytes\":140,\"creditedBytes\":100,\"measuredBytes\":100,"
            + "\"firstDetected\":\"2026-01-01T00:00:00Z\",\"lastUsed\":null,\"ageSeconds\":3600,"
            + "\"unusedForSeconds\":null}");
    assertThat(lines.get(2))
        .isEqualTo(
            "{\"audit\":1,\"event\":\"round\",\"at\":\"2026-01-01T01:00:00Z\","
                + "\"round\":\"2026-01-01T01:00:00Z\",\"operation\":\"COLLECT\",\"outcome\":\"DONE\","
                + "\"filesystem\":\"/fake/images\",\"capacityBytes\":1000,\"availableBytesBefore\":90,"
                + "\"availableBytesAfter\":230,\"usagePercentBefore\":91,\"usagePercentAfter\":77,"
                + "\"neededBytes\":110,\"missingBytes\":0,\"neededInodes\":null,\"missingInodes\":null,\"accounting\":\"LAYERS\",\"predictedBytes\":140,"
                + "\"freedBytes\":140,\"filesystemDifferenceBytes\":140,\"removed\":2,\"gone\":0,\"failed\":0,\"kept\":0,"
                + "\"stoppedBy\":null,\"explanation\":\"\",\"cause\":null,\"problems\":[],\"durationMillis\":0}");
  }

  @Test
  void roundThatFailed_isALineWithItsCause_andOneWithNothingToDoIsNone() {
    try (ImageGcManager gc = collector(node).listener(audit).build()) {
      gc.garbageCollect();
      assertThat(lines).isEmpty();
      node.faults().failNext(FakeNode.Operation.MEASURE, new UnreachableException("no disk"));
      gc.garbageCollect();
    }
    JsonObject line = JsonParser.parseString(lines.get(0)).getAsJsonObject();
    assertThat(line.get("outcome").getAsString()).isEqualTo("FAILED");
    assertThat(line.get("cause").getAsString()).contains("no disk");
    assertThat(line.get("neededBytes").isJsonNull()).isTrue();
    assertThat(line.get("filesystem").isJsonNull()).isTrue();
  }

  @Test
  void hostileNames_stayOnOneLine_andWhatTheyAre() {
    String name = "a\"b\\c\n\t\u0001\u2028\u0085é:1";
    node.image("app").tag(name).size(10).add();
    node.image("stuck").tag("stuck:1").size(10).add();
    node.faults().failRemovals("stuck", RemovalResult.of(RemovalOutcome.FAILED, "bu\nsy"));
    try (ImageGcManager gc = collector(node).listener(audit).build()) {
      gc.deleteUnusedImages();
    }
    assertThat(lines).hasSize(3).allSatisfy(line -> {
      assertThat(line.lines()).hasSize(1);
      assertThat(line).doesNotContain("\u2028").doesNotContain("\u0085");
    });
    JsonObject removed = JsonParser.parseString(lines.get(0)).getAsJsonObject();
    assertThat(removed.get("references").getAsJsonArray().get(0).getAsString()).isEqualTo(name);
    JsonObject round = JsonParser.parseString(lines.get(2)).getAsJsonObject();
    assertThat(round.get("failed").getAsInt()).isEqualTo(1);
  }
}
