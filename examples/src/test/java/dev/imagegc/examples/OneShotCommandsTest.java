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
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
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
        .contains("PLANNED: none of 3 images would be removed. Needed: 100 B; predicted: 0 B")
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

  @Test
  void plan_asText_showsWhatEachImageFreesAloneWithOthersAndInThisPlan() {
    node.image("a")
        .tag("a:1")
        .builtAt(builtBefore(20))
        .layer("base", 200)
        .layer("a", 100)
        .add();
    node.image("b")
        .tag("b:1")
        .builtAt(builtBefore(10))
        .layer("base", 200)
        .layer("b", 50)
        .add();
    node.image("c").tag("c:1").layer("c", 100).add();
    node.run("c1", "c");
    node.fillTo(90);
    node.clock().advance(Duration.ofHours(3));

    AgentRun run = AgentRun.on(node, "plan", "--min-age", "0s", "--low", "60");

    assertThat(run.out())
        .containsPattern(
            "# +DECISION +SIZE +EXCLUSIVE +RECLAIMABLE +PREDICTED +AGE +USED +IMAGE +REASON\n")
        .containsPattern("1 +PLANNED +300 B +100 B +300 B +100 B +0s +never +a:1 +SPACE\n")
        .containsPattern("2 +PLANNED +250 B +50 B +250 B +250 B +0s +never +b:1 +SPACE\n")
        .containsPattern(" +KEPT +100 B +100 B +0 B +0s +now +c:1 +IN_USE: container c1 ")
        .contains("PLANNED: 2 of 3 images would be removed."
            + " Needed: 300 B; predicted: 350 B, exact by layers.");
  }

  @Test
  void plan_layersUnknown_saysThatThePredictionIsAnUpperBound() {
    node.image("a")
        .tag("a:1")
        .layer("base", 200)
        .layer("a", 100)
        .unknownLayers()
        .add();
    node.fillTo(90);
    String[] plan = {"plan", "--min-age", "0s"};

    assertThat(oneLine(AgentRun.on(node, plan)))
        .containsPattern("1 PLANNED 300 B unknown unknown 300 B 0s never a:1 SPACE")
        .contains(
            "predicted: at most 300 B, by listed sizes (shared layers count in every image).");

    node.image("b").tag("b:1").layer("b", 10).add();
    assertThat(oneLine(AgentRun.on(node, plan)))
        .contains("partly by layers, partly by listed sizes (shared layers count in every image).");

    node.image("c").tag("c:1").layer("c", 10).unknownLayers().unknownSize().add();
    assertThat(oneLine(AgentRun.on(node, "purge", "--min-age", "0s")))
        .contains("Predicted unknown Freed");
  }

  @Test
  void plan_asJson_hasAgesAndLastUseOfTheHistory() {
    node.image("a").tag("a:1").size(100).add();
    node.image("b").tag("b:1").size(100).add();
    node.run("c1", "a");
    collectWithState();
    node.removeContainer("c1");
    node.clock().advance(Duration.ofHours(3));

    AgentRun run = AgentRun.on(node, "plan", "--json", "--state", state().toString());

    JsonObject a = image(run, "a");
    assertThat(a.get("ageSeconds").getAsLong()).isEqualTo(10_800);
    assertThat(a.get("unusedSeconds").getAsLong()).isEqualTo(10_800);
    assertThat(a.get("lastUsedAt").getAsString())
        .isEqualTo(node.clock().instant().minus(Duration.ofHours(3)).toString());
    JsonObject b = image(run, "b");
    assertThat(b.get("ageSeconds").getAsLong()).isEqualTo(10_800);
    assertThat(b.get("unusedSeconds").isJsonNull()).isTrue();
    assertThat(b.get("lastUsedAt").isJsonNull()).isTrue();
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
        .contains("Predicted         100 B, exact by layers")
        .contains("Freed             100 B, measured; the filesystem's own difference is 100 B")
        .containsPattern("1 +REMOVED +300 B +100 B +100 B +0s +never +a:1 +SPACE\n")
        .containsPattern("KEPT +500 B +0s +now +c:1 +IN_USE: container c1\\b")
        .contains("DONE: removed 1 of 2 images.");
  }

  @Test
  void collect_notEnough_exitsWithThreeAndSaysWhatHoldsTheRest() {
    fillWithThreeImages();
    node.run("c2", "a");
    node.run("c3", "b");

    AgentRun run = AgentRun.on(node, "collect", "--min-age", "0s");

    assertThat(run.exitCode()).isEqualTo(3);
    assertThat(oneLine(run))
        .contains("SHORT: removed 0 of 3 images.")
        .contains("freed 0 B, needed 100 B, missing 100 B")
        .contains("held: 700 B by 3 images in use, 200 B by data that is not images");
  }

  @Test
  void collect_failedRemovalThatDidNotMatter_exitsWithFive() {
    fillWithThreeImages();
    node.faults().failRemovals("a", RemovalResult.of(RemovalOutcome.FAILED, "disk on fire"));

    AgentRun run = AgentRun.on(node, "collect", "--json", "--min-age", "0s");

    assertThat(run.exitCode()).isEqualTo(5);
    assertThat(run.warnings()).isEmpty(); // the round says it, and backing off means nothing here
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

  @Test
  void collect_lessComesBackThanPredicted_showsBothForEachImage() {
    node.image("a").tag("a:1").layer("a", 300, 400).add(); // the engine tells more than there is
    node.fillTo(90);

    AgentRun run = AgentRun.on(node, "collect", "--min-age", "0s");

    assertThat(run.out())
        .contains("Predicted         400 B, exact by layers")
        .contains("Freed             300 B, measured")
        .containsPattern("1 +REMOVED +400 B +400 B +300 B +0s +never +a:1 +SPACE\n");
  }

  @Test
  void collect_notEnough_hasTheReasonsAsData() {
    fillWithThreeImages();
    node.run("c2", "a");
    node.run("c3", "b");

    JsonObject json = AgentRun.on(node, "collect", "--json", "--min-age", "0s").json();

    assertThat(json.get("outcome").getAsString()).isEqualTo("SHORT");
    assertThat(json.get("explanation").getAsString()).startsWith("not enough space could be freed");
    assertThat(json.get("missingBytes").getAsLong()).isEqualTo(100);
    assertThat(json.get("held"))
        .hasToString("[{\"reason\":\"IN_USE\",\"images\":3,\"bytes\":700}]");
    assertThat(json.get("otherDataBytes").getAsLong()).isEqualTo(200);
    assertThat(json.get("stoppedBy").isJsonNull()).isTrue();
  }

  @Test
  void collect_removalThatCostNames_isWarnedAboutOnceAndInTheProblems() {
    fillWithThreeImages();
    node.faults()
        .failRemovals(
            "a", RemovalResult.of(RemovalOutcome.FAILED, "no").withLostReferences(List.of("a:1")));

    AgentRun run = AgentRun.on(node, "collect", "--json", "--min-age", "0s");

    assertThat(run.warnings()).containsExactly("warning: image a stays but lost its names [a:1]");
    assertThat(run.json().get("problems"))
        .hasToString("[\"image a stays but lost its names [a:1]\"]");
  }

  // Limits

  @Test
  void collect_maxRemovals_endsThereAndTheNextOneGoesOn() {
    fillWithThreeImages();
    String[] options = {"--json", "--min-age", "0s", "--low", "40", "--max-removals", "1"};

    AgentRun first = AgentRun.on(node, with("collect", options));
    AgentRun second = AgentRun.on(node, with("collect", options));

    assertThat(first.exitCode()).isEqualTo(3);
    assertThat(first.json().get("outcome").getAsString()).isEqualTo("SHORT");
    assertThat(first.json().get("stoppedBy").getAsString()).isEqualTo("REMOVALS");
    assertThat(first.json().get("limits"))
        .hasToString("{\"removals\":1,\"bytes\":null,\"seconds\":null}");
    assertThat(decisions(first))
        .containsExactly("a REMOVED SPACE", "b KEPT LIMIT", "c KEPT IN_USE");
    assertThat(decisions(second)).isEmpty(); // usage is below the high threshold again
    assertThat(node.imageIds()).containsExactly("b", "c");
  }

  @Test
  void collect_maxBytes_endsWhenTheyAreFreed() {
    fillWithThreeImages();

    AgentRun run =
        AgentRun.on(node, "collect", "--min-age", "0s", "--low", "10", "--max-bytes", "300B");

    assertThat(run.exitCode()).isEqualTo(3);
    assertThat(run.out())
        .contains("Limits            300 B\n")
        .contains("Stopped by        the limit of bytes\n")
        .contains("SHORT: removed 1 of 3 images.\nnot enough space could be freed");
  }

  @Test
  void collect_timeBudget_beginsNoRemovalLater() {
    fillWithThreeImages();
    node.faults()
        .afterNext(Operation.REMOVE_IMAGE, () -> node.clock().advance(Duration.ofMinutes(1)));

    AgentRun run = AgentRun.on(
        node, "collect", "--json", "--min-age", "0s", "--low", "10", "--time-budget", "1m");

    assertThat(run.json().get("stoppedBy").getAsString()).isEqualTo("TIME");
    assertThat(node.removalsAsked()).containsExactly("a");
  }

  @Test
  void purge_maxRemovals_endsThere() {
    fillWithThreeImages();

    AgentRun run = AgentRun.on(node, "purge", "--json", "--min-age", "0s", "--max-removals", "1");

    assertThat(run.exitCode()).isEqualTo(3);
    assertThat(run.json().get("stoppedBy").getAsString()).isEqualTo("REMOVALS");
    assertThat(node.imageIds()).containsExactly("b", "c");
  }

  @Test
  void plan_withLimits_saysThatItIsMadeWithoutThem() {
    fillWithThreeImages();

    AgentRun run = AgentRun.on(
        node, "plan", "--max-removals", "1", "--max-bytes", "2GiB", "--time-budget", "90s");

    assertThat(run.out())
        .contains("Limits            1 removal, 2.0 GiB, 1m30s; this plan is made without them");
  }

  // Gain

  @Test
  void collect_imageThatFreesNothing_goesOnlyWithTheOption() {
    node.image("copy").tag("copy:1").builtAt(builtBefore(20)).layer("base", 100).add();
    node.image("used").tag("used:1").layer("base", 100).add();
    node.run("c1", "used");
    node.image("a").tag("a:1").builtAt(builtBefore(10)).layer("a", 300).add();
    node.fillTo(90);

    assertThat(decisions(AgentRun.on(node, "plan", "--json", "--min-age", "0s")))
        .containsExactly("a PLANNED SPACE", "copy KEPT NO_GAIN", "used KEPT IN_USE");
    assertThat(decisions(
            AgentRun.on(node, "collect", "--json", "--min-age", "0s", "--collect-without-gain")))
        .containsExactly("copy REMOVED SPACE", "a REMOVED SPACE", "used KEPT IN_USE");
  }

  @Test
  void collect_needThatCannotBeMet_keepsTheCacheOnlyWithTheOption() {
    node.image("a").tag("a:1").size(50).add();
    node.fillTo(90);
    String[] options = {"--json", "--min-age", "0s", "--keep-cache-if-in-vain"};

    AgentRun plan = AgentRun.on(node, with("plan", options));
    AgentRun round = AgentRun.on(node, with("collect", options));

    assertThat(plan.exitCode()).isEqualTo(3);
    assertThat(decisions(plan)).containsExactly("a KEPT IN_VAIN");
    assertThat(round.exitCode()).isEqualTo(3);
    assertThat(decisions(round)).containsExactly("a KEPT IN_VAIN");
    assertThat(decisions(AgentRun.on(node, "collect", "--json", "--min-age", "0s")))
        .containsExactly("a REMOVED SPACE");
  }

  // Inodes

  @Test
  void collect_fullOfInodes_startsARoundAndSaysHowMany() {
    fillInodes();
    node.image("a").tag("a:1").size(100).add();
    String[] options = {"--min-age", "0s", "--inodes-high", "90", "--inodes-low", "70"};

    AgentRun plan = AgentRun.on(node, with("plan", options));
    AgentRun round = AgentRun.on(node, with("collect", options));

    assertThat(plan.exitCode()).isEqualTo(0);
    assertThat(plan.out())
        .contains("Inodes            100, 5 free (a round starts at 90% used and goes down to 70%)")
        .contains("Need              25 inodes")
        .contains("Needed: 25 inodes; predicted: 100 B, exact by layers.");
    assertThat(round.exitCode()).isEqualTo(0);
    assertThat(round.out())
        .contains("Inodes            100, 5 free before, 55 after (")
        .contains("DONE: removed 1 of 1 image.");
  }

  @Test
  void plan_inodesLowNotGiven_isFiveBelowHigh() {
    fillInodes();
    AgentRun plan = AgentRun.on(node, "plan", "--inodes-high", "90");

    assertThat(plan.out())
        .contains("90% used and goes down to 85%")
        .contains("Need              10 inodes");
    assertThat(plan.exitCode()).isEqualTo(3); // there is no image that could go
  }

  @Test
  void collect_asJson_hasInodesWhereTheyAreKnown() {
    fillInodes();
    node.image("a").tag("a:1").size(100).add();

    JsonObject json = AgentRun.on(
            node, "collect", "--json", "--min-age", "0s", "--inodes-high", "90")
        .json();

    assertThat(json.get("neededInodes").getAsLong()).isEqualTo(10);
    assertThat(json.get("missingInodes").getAsLong()).isZero();
    JsonObject filesystem = json.getAsJsonObject("filesystem");
    assertThat(filesystem.get("inodes").getAsLong()).isEqualTo(100);
    assertThat(filesystem.get("inodesFreeBefore").getAsLong()).isEqualTo(5);
    assertThat(filesystem.get("inodesFreeAfter").getAsLong()).isEqualTo(55);
  }

  @Test
  void inodesHigh_whereNobodyCountsInodes_isWarnedAbout() {
    AgentRun run = AgentRun.on(node, "plan", "--inodes-high", "90");

    assertThat(run.warnings())
        .containsExactly(
            "warning: --inodes-high has no effect: how many inodes /fake/images has is not known");
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
            "warning: the policy's rule keep 'typo' has matched no image",
            "warning: the policy's rule keep 'x/**' has matched no image");
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

    assertThat(run.warnings())
        .containsExactly("warning: the policy's rule keep 'typo' has matched no image");
  }

  @Test
  void keep_engineAway_isNotCheckedAgainstNothing() {
    node.faults().failAlways(Operation.LIST_IMAGES, new UnreachableException("no engine here"));

    assertThat(AgentRun.on(node, "plan", "--keep", "a").warnings()).isEmpty();
    assertThat(AgentRun.on(node, "collect", "--keep", "a").warnings()).isEmpty();
  }

  // Protection and classes

  @Test
  void purge_withRules_keepsWhatTheyHoldBackAndSaysWhich() {
    node.image("labelled").tag("app:1").label("keep", "yes").size(1).add();
    node.image("old").tag("db:1").builtAt(builtBefore(20)).size(1).add();
    node.image("new").tag("db:2").builtAt(builtBefore(10)).size(1).add();
    node.image("foreign").tag("other/app:1").size(1).add();

    String[] options = {
      "--min-age",
      "0s",
      "--keep-label",
      "keep=yes",
      "--keep-newest",
      "1",
      "--own",
      "app",
      "--own",
      "db"
    };
    AgentRun run = AgentRun.on(node, with("purge", with("--json", options)));

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(decisions(run))
        .containsExactlyInAnyOrder(
            "old REMOVED UNUSED",
            "labelled KEPT PROTECTED",
            "new KEPT KEPT_NEWEST",
            "foreign KEPT NOT_OWNED");
    assertThat(image(run, "new").get("detail").getAsString())
        .isEqualTo("the newest of docker.io/library/db");
    assertThat(oneLine(AgentRun.on(node, with("plan", options))))
        .contains("PROTECTED: protected by label 'keep=yes'")
        .contains("KEPT_NEWEST: the newest of docker.io/library/db")
        .contains("NOT_OWNED: its name 'other/app:1' is not owned");
  }

  @Test
  void keepNewest_withGlob_keepsThatManyOfEachMatchingRepository() {
    for (int i = 1; i <= 3; i++) {
      node.image("app" + i).tag("app:" + i).builtAt(builtBefore(i)).size(1).add();
      node.image("db" + i).tag("db:" + i).builtAt(builtBefore(i)).size(1).add();
    }

    AgentRun.on(node, "purge", "--min-age", "0s", "--keep-newest", "app=2");

    assertThat(node.imageIds()).containsExactlyInAnyOrder("app1", "app2");
  }

  @Test
  void collectAfter_collectsBelowTheThreshold_whatWasUnusedForLonger() {
    node.image("ci").tag("ci/a:1").size(1).add();
    node.image("tmp").tag("tmp/a:1").size(1).add();
    node.image("app").tag("app:1").size(1).add();
    String[] options = {
      "--json",
      "--min-age",
      "0s",
      "--state",
      state().toString(),
      "--collect-after",
      "ci/**=2h",
      "--collect-after",
      "tmp/**=0s"
    };

    AgentRun first = AgentRun.on(node, with("collect", options));
    node.clock().advance(Duration.ofHours(3));
    AgentRun second = AgentRun.on(node, with("collect", options));

    assertThat(decisions(first)).contains("tmp REMOVED MAX_AGE", "ci KEPT ENOUGH_FREED");
    assertThat(decisions(second)).containsExactly("ci REMOVED MAX_AGE", "app KEPT ENOUGH_FREED");
    assertThat(image(second, "ci").get("detail").getAsString())
        .isEqualTo("unused for 3h, collectAfter of 'ci/**' is 2h");
  }

  @Test
  void grace_leavesWhatWasJustUsedAlone() {
    node.image("a").tag("a:1").size(1).add();
    node.run("c1", "a");
    String[] options = {
      "--json", "--min-age", "0s", "--grace", "10m", "--state", state().toString()
    };
    AgentRun.on(node, with("purge", options));
    node.removeContainer("c1");
    node.clock().advance(Duration.ofMinutes(9));

    assertThat(decisions(AgentRun.on(node, with("purge", options))))
        .containsExactly("a KEPT RECENTLY_USED");
    node.clock().advance(Duration.ofMinutes(1));
    assertThat(decisions(AgentRun.on(node, with("purge", options))))
        .containsExactly("a REMOVED UNUSED");
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
  void state_thatIsDamaged_isSetAsideWithAWarningAndNoStackTrace() throws IOException {
    Files.createDirectory(state());
    Files.writeString(state().resolve("records"), "not history");
    node.image("a").tag("a:1").size(10).add();

    AgentRun run = collectWithState();

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.warnings()).hasSize(1).first().asString().contains("set aside");
    assertThat(run.err()).doesNotContain("\tat ");
    assertThat(state().resolve("records.damaged-1")).hasContent("not history");
  }

  // Faults of our own

  @Test
  void anyCommand_faultOfOurs_exitsWithOneAndAStackTrace() {
    AgentRun run = AgentRun.of(
        (options, disks) -> {
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

  private Instant builtBefore(int seconds) {
    return node.clock().instant().minusSeconds(seconds);
  }

  /** 100 inodes, of which 5 are free, and 50 more for each image that was removed. */
  private void fillInodes() {
    node.faults()
        .measureAs(stats ->
            stats.toBuilder().inodes(100, 5 + 50L * node.removalsAsked().size()).build());
  }

  private static String[] with(String command, String... options) {
    return Stream.concat(Stream.of(command), Stream.of(options)).toArray(String[]::new);
  }

  private static String oneLine(AgentRun run) {
    return run.out().replaceAll("\\s+", " ");
  }

  private static JsonObject image(AgentRun run, String id) {
    return StreamSupport.stream(run.json().getAsJsonArray("images").spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .filter(image -> image.get("id").getAsString().equals(id))
        .findFirst()
        .orElseThrow();
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
