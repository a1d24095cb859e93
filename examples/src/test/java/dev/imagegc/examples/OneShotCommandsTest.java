/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.core.FileRecordStore;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** plan, collect and purge on a fake node, through the command line. */
class OneShotCommandsTest {
  @TempDir
  Path directory;

  private final FakeNode node = FakeNode.withDisk(1000);

  // plan

  @Test
  void plan_fullDisk_listsEveryImageAndTouchesNothing() {
    fillWithThreeImages();

    AgentRun run = AgentRun.on(node, "plan", "--json", "--min-age", "0s");

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.json().get("outcome").getAsString()).isEqualTo("PLANNED");
    assertThat(decisions(run))
        .containsExactly("a PLANNED SPACE", "b KEPT ENOUGH_FREED", "c KEPT IN_USE");
    assertThat(node.removalsAsked()).isEmpty();
  }

  @Test
  void plan_belowTheThreshold_isNotNeededAndStillListsEveryImage() {
    node.image("a").tag("a:1").size(100).add();

    AgentRun run = AgentRun.on(node, "plan", "--json", "--min-age", "0s");

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.json().get("outcome").getAsString()).isEqualTo("NOT_NEEDED");
    assertThat(decisions(run)).containsExactly("a KEPT ENOUGH_FREED");
  }

  @Test
  void plan_needThatCannotBeMet_exitsWithThree() {
    fillWithThreeImages();

    AgentRun run = AgentRun.on(node, "plan"); // everything is too young

    assertThat(run.exitCode()).isEqualTo(3);
    assertThat(run.out())
        .contains("PLANNED: none of 3 images may be removed.")
        .contains("That is not enough: 100 B would still be missing.");
  }

  @Test
  void plan_asText_saysWhatOrderAndAgesMeanWithoutState() {
    fillWithThreeImages();

    AgentRun run = AgentRun.on(node, "plan");

    assertThat(run.out().replaceAll("\\s+", " "))
        .contains(
            "without history, so images go in the order of their build time, and minAge counts from now")
        .contains("with --min-age 2m nothing is old enough to go");
    assertThat(run.err()).isEmpty();
  }

  @Test
  void plan_asJson_saysItOnStandardError() {
    AgentRun run = AgentRun.on(node, "plan", "--json");

    assertThat(run.err()).contains("without history");
    assertThat(run.json().get("kind").getAsString()).isEqualTo("plan");
  }

  @Test
  void plan_withState_doesNotSayIt() {
    AgentRun run = AgentRun.on(node, "plan", "--state", state().toString());

    assertThat(run.out()).doesNotContain("without history");
    assertThat(run.err()).isEmpty();
  }

  // collect

  @Test
  void collect_fullDisk_removesDownToLow() {
    fillWithThreeImages();

    AgentRun run = AgentRun.on(node, "collect", "--json", "--min-age", "0s");

    JsonObject json = run.json();
    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(json.get("outcome").getAsString()).isEqualTo("DONE");
    assertThat(json.get("usagePercentAfter").getAsInt()).isEqualTo(60);
    assertThat(json.get("freedBytes").getAsLong()).isEqualTo(300);
    assertThat(decisions(run))
        .containsExactly("a REMOVED SPACE", "b KEPT ENOUGH_FREED", "c KEPT IN_USE");
    assertThat(node.imageIds()).containsExactly("b", "c");
  }

  @Test
  void collect_again_isNotNeeded() {
    fillWithThreeImages();
    AgentRun.on(node, "collect", "--min-age", "0s");

    AgentRun run = AgentRun.on(node, "collect", "--json", "--min-age", "0s");

    assertThat(run.json().get("outcome").getAsString()).isEqualTo("NOT_NEEDED");
    assertThat(node.imageIds()).containsExactly("b", "c");
  }

  @Test
  void collect_belowTheThreshold_stillNoticesAnEngineThatIsAway() {
    node.faults().failAlways(Operation.LIST_IMAGES, new UnreachableException("no engine here"));

    AgentRun run = AgentRun.on(node, "collect", "--json");

    assertThat(run.exitCode()).isEqualTo(4);
    assertThat(run.json().get("outcome").getAsString()).isEqualTo("FAILED");
    assertThat(run.json().get("error").getAsString()).isEqualTo("no engine here");
    assertThat(run.json().get("usagePercentBefore").getAsInt()).isEqualTo(0);
  }

  @Test
  void collect_aroundTheThreshold_listsImagesOnce() {
    AgentRun.on(node, "collect");
    assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(1);

    fillWithThreeImages();
    AgentRun.on(node, "collect", "--min-age", "0s");
    assertThat(node.calls(Operation.LIST_IMAGES)).isEqualTo(2);
  }

  @Test
  void collect_asText_showsPredictedBesideMeasured() {
    node.image("a").tag("a:1").layer("base", 200).layer("a", 100).add();
    node.image("c").tag("c:1").layer("base", 200).layer("c", 300).add();
    node.run("c1", "c");
    node.fillTo(90);

    AgentRun run = AgentRun.on(node, "collect", "--min-age", "0s");

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.out())
        .contains("Usage before      90% (a round starts at 85% and frees down to 80%)")
        .contains("Usage after       80%")
        .contains("Predicted         at most 300 B")
        .contains("Freed             100 B, measured; the filesystem's own difference is 100 B")
        .containsPattern("1 +REMOVED +SPACE +300 B +100 B +now +never +a:1")
        .containsPattern("KEPT +IN_USE +500 B +now +now +c:1 +container c1\\b")
        .contains("DONE: removed 1 of 2 images.");
  }

  @Test
  void collect_notEnough_exitsWithThreeAndSaysWhatHoldsTheRest() {
    fillWithThreeImages();
    node.run("c2", "a");
    node.run("c3", "b");

    AgentRun run = AgentRun.on(node, "collect", "--min-age", "0s");

    assertThat(run.exitCode()).isEqualTo(3);
    assertThat(run.out())
        .contains("SHORT: removed 0 of 3 images.")
        .contains("Still missing: 100 B.")
        .contains("held by 3 images IN_USE: 700 B")
        .contains("data that is not images: 200 B");
  }

  @Test
  void collect_failedRemovalThatDidNotMatter_exitsWithFive() {
    fillWithThreeImages();
    node.faults().failRemovals("a", RemovalResult.of(RemovalOutcome.FAILED, "disk on fire"));

    AgentRun run = AgentRun.on(node, "collect", "--json", "--min-age", "0s");

    assertThat(run.exitCode()).isEqualTo(5);
    assertThat(run.json().get("outcome").getAsString()).isEqualTo("DONE");
    assertThat(decisions(run))
        .containsExactly("a FAILED REMOVAL_FAILED", "b REMOVED SPACE", "c KEPT IN_USE");
  }

  @Test
  void collect_capacityZero_exitsWithFourAndRemovesNothing() {
    fillWithThreeImages();
    node.capacity(0);

    AgentRun run = AgentRun.on(node, "collect", "--json", "--min-age", "0s");

    assertThat(run.exitCode()).isEqualTo(4);
    assertThat(run.json().get("outcome").getAsString()).isEqualTo("FAILED");
    assertThat(run.errorLines()).hasSize(1);
    assertThat(node.removalsAsked()).isEmpty();
  }

  @Test
  void collect_engineFailsInMidRound_keepsWhatWasDone() {
    fillWithThreeImages();
    node.faults().afterNext(Operation.REMOVE_IMAGE, () -> {
      node.writeOtherData(300); // so that one removal is not enough
      node.faults().failAlways(Operation.LIST_CONTAINERS, new ProtocolException("half an answer"));
    });

    AgentRun run = AgentRun.on(node, "collect", "--json", "--min-age", "0s");

    assertThat(run.exitCode()).isEqualTo(4);
    assertThat(run.json().get("outcome").getAsString()).isEqualTo("FAILED");
    assertThat(run.json().get("error").getAsString()).isEqualTo("half an answer");
    assertThat(decisions(run)).contains("a REMOVED SPACE");
    assertThat(node.imageIds()).containsExactly("b", "c");
  }

  // purge

  @Test
  void purge_anyUsage_removesEverythingThatNothingHolds() {
    fillWithThreeImages();
    node.image("kept").tag("registry.example/base/os:1").size(1).add();

    AgentRun run =
        AgentRun.on(node, "purge", "--json", "--min-age", "off", "--keep", "registry.example/**");

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.json().get("kind").getAsString()).isEqualTo("purge");
    assertThat(run.json().get("neededBytes").isJsonNull()).isTrue();
    assertThat(decisions(run))
        .containsExactly(
            "a REMOVED UNUSED", "b REMOVED UNUSED", "kept KEPT PROTECTED", "c KEPT IN_USE");
    assertThat(node.imageIds()).containsExactly("c", "kept");
  }

  @Test
  void purge_defaultMinAge_leavesTheYoungAlone() {
    fillWithThreeImages();

    AgentRun run = AgentRun.on(node, "purge", "--json");

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.json().get("outcome").getAsString()).isEqualTo("NOT_NEEDED");
    assertThat(node.removalsAsked()).isEmpty();
  }

  // --keep

  @Test
  void keep_globThatMatchedNothing_isWarnedAbout() {
    fillWithThreeImages();

    AgentRun run = AgentRun.on(node, "plan", "--keep", "a", "--keep", "typo", "--keep", "x/**");

    assertThat(run.warnings())
        .containsExactly(
            "warning: --keep 'typo' matched no image", "warning: --keep 'x/**' matched no image");
  }

  @Test
  void keep_globOfAnImageInUse_isNoWarning() {
    fillWithThreeImages();

    assertThat(AgentRun.on(node, "plan", "--keep", "c:1").warnings()).isEmpty();
  }

  @Test
  void keep_globBelowTheThreshold_isCheckedAllTheSame() {
    node.image("a").tag("a:1").size(10).add();

    AgentRun run = AgentRun.on(node, "collect", "--keep", "a", "--keep", "typo");

    assertThat(run.warnings()).containsExactly("warning: --keep 'typo' matched no image");
  }

  @Test
  void keep_engineAway_isNotCheckedAgainstNothing() {
    node.faults().failAlways(Operation.LIST_IMAGES, new UnreachableException("no engine here"));

    assertThat(AgentRun.on(node, "plan", "--keep", "a").warnings()).isEmpty();
    assertThat(AgentRun.on(node, "collect", "--keep", "a").warnings()).isEmpty();
  }

  // --state

  @Test
  void state_usesSeenByOneShotCommands_giveTheOrder() {
    for (String id : List.of("x", "z", "y")) {
      node.image(id).tag(id + ":1").size(200).add();
    }
    for (String id :
        List.of("x", "y", "z")) { // neither the order of arrival nor of the ids' listing
      node.run("c", id);
      collectWithState();
      node.removeContainer("c");
      node.clock().advance(Duration.ofHours(1));
    }

    AgentRun run = AgentRun.on(
        node, "plan", "--json", "--state", state().toString(), "--high", "50", "--low", "0");

    assertThat(decisions(run)).startsWith("x PLANNED SPACE", "y PLANNED SPACE", "z PLANNED SPACE");
  }

  @Test
  void state_firstSeenInAnEarlierCommand_countsForMinAge() {
    fillWithThreeImages();
    collectWithState();
    node.clock().advance(Duration.ofMinutes(2));

    AgentRun run = collectWithState();

    assertThat(run.json().get("outcome").getAsString()).isEqualTo("DONE");
  }

  @Test
  void state_ownedByAnother_isBusy() {
    try (FileRecordStore owner = FileRecordStore.open(state())) {
      AgentRun run = collectWithState();

      assertThat(run.exitCode()).isEqualTo(6);
      assertThat(run.json().get("outcome").getAsString()).isEqualTo("BUSY");
      assertThat(run.errorLines()).hasSize(1);
      assertThat(owner.load()).isEmpty();
    }
  }

  @Test
  void state_damagedFile_isSetAsideWithAWarningAndNoStackTrace() throws IOException {
    Files.writeString(state(), "not a state file");
    node.image("a").tag("a:1").size(10).add();

    AgentRun run = collectWithState();

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.warnings()).hasSize(1).first().asString().contains("set aside");
    assertThat(run.err()).doesNotContain("\tat ");
    assertThat(directory.resolve("state.damaged-1")).hasContent("not a state file");
  }

  // Faults of our own

  @Test
  void anyCommand_faultOfOurs_exitsWithOneAndAStackTrace() {
    AgentRun run = AgentRun.of(
        options -> {
          throw new IllegalStateException("broken example");
        },
        "plan",
        "--json");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains("broken example").contains("\tat ");
  }

  /** "a" goes first, "b" may go, "c" is in use; 900 of 1000 bytes are used. */
  private void fillWithThreeImages() {
    node.image("a")
        .tag("a:1")
        .builtAt(node.clock().instant().minusSeconds(20))
        .size(300)
        .add();
    node.image("b")
        .tag("b:1")
        .builtAt(node.clock().instant().minusSeconds(10))
        .size(300)
        .add();
    node.image("c").tag("c:1").size(100).add();
    node.run("c1", "c");
    node.fillTo(90);
  }

  private AgentRun collectWithState() {
    return AgentRun.on(node, "collect", "--json", "--state", state().toString());
  }

  private Path state() {
    return directory.resolve("state");
  }

  /** What became of each image, in order: "id decision reason". */
  private static List<String> decisions(AgentRun run) {
    JsonArray images = run.json().getAsJsonArray("images");
    return StreamSupport.stream(images.spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .map(image -> image.get("id").getAsString() + " "
            + image.get("decision").getAsString() + " " + image.get("reason").getAsString())
        .toList();
  }
}
