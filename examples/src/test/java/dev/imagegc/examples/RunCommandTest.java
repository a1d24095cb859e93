/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.core.FileRecordStore;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60) // guards against a hang, measures nothing
class RunCommandTest {
  @TempDir
  Path directory;

  private final FakeNode node = FakeNode.withDisk(1000);
  private @Nullable RunningAgent agent;

  @AfterEach
  void stop() {
    if (agent != null) {
      agent.close();
    }
  }

  @Test
  void run_json_isOneObjectARoundUntilStopped() throws Exception {
    node.image("a").tag("a:1").size(300).add();
    node.fillTo(90);
    RunningAgent run = start("--json", "--interval", "1s", "--min-age", "0s");

    JsonObject first = json(run.take());
    JsonObject second = json(run.take());

    assertThat(first.get("kind").getAsString()).isEqualTo("collect");
    assertThat(first.get("outcome").getAsString()).isEqualTo("DONE");
    assertThat(second.get("outcome").getAsString()).isEqualTo("NOT_NEEDED");
    assertThat(run.stop()).isEqualTo(0);
    assertThat(node.hasImage("a")).isFalse();
  }

  @Test
  void run_engineThatComesBack_isCollectedAgain() throws Exception {
    node.image("a").tag("a:1").size(300).add();
    node.fillTo(90);
    node.faults().failAlways(Operation.LIST_CONTAINERS, new UnreachableException("gone fishing"));
    RunningAgent run = start("--json", "--interval", "1s", "--min-age", "0s");

    JsonObject failed = json(run.take());
    node.faults().heal();
    JsonObject next = json(run.take());
    while (next.get("outcome").getAsString().equals("FAILED")) {
      next = json(run.take());
    }

    assertThat(failed.get("error").getAsString()).isEqualTo("gone fishing");
    assertThat(next.get("outcome").getAsString()).isEqualTo("DONE");
    assertThat(run.stop()).isEqualTo(0);
  }

  @Test
  void run_text_isALineForARoundThatIsNews() throws Exception {
    RunningAgent run = start("--interval", "1s", "--min-age", "0s");
    String idle = run.take();
    node.image("a").tag("a:1").size(300).add();
    node.fillTo(90);
    String acted = run.take(); // however many idle rounds there were in between

    assertThat(idle).contains("COLLECT NOT_NEEDED");
    assertThat(acted)
        .contains("COLLECT DONE")
        .contains("removed 1 of 1 images; predicted 300 B, exact by layers");
    assertThat(run.stop()).isEqualTo(0);
  }

  @Test
  void run_limit_endsARoundWithAnExplanationAndTheNextGoesOn() throws Exception {
    node.image("a").tag("a:1").size(300).add();
    node.image("b").tag("b:1").size(300).add();
    node.fillTo(100);
    RunningAgent run = start(
        "--interval",
        "1s",
        "--min-age",
        "0s",
        "--high",
        "60",
        "--low",
        "10",
        "--max-removals",
        "1");
    String first = run.take();
    run.awaitLine("limit of removals");
    String second = run.awaitLine("COLLECT");

    assertThat(run.err()).contains("a round every 1s, which ends at 1 removal; end with");
    assertThat(first).contains("COLLECT SHORT").contains("removed 1 of 2 images");
    assertThat(second).contains("removed 1 of 1 images");
    assertThat(run.stop()).isEqualTo(0);
  }

  @Test
  void run_removalThatCostsNames_isWarnedAbout() throws Exception {
    node.image("a").tag("a:1").size(300).add();
    node.fillTo(90);
    node.faults()
        .failRemovals(
            "a", RemovalResult.of(RemovalOutcome.FAILED, "no").withLostReferences(List.of("a:1")));
    RunningAgent run = start("--json", "--interval", "1s", "--min-age", "0s");
    JsonObject round = json(run.take());
    run.stop();

    assertThat(run.err()).contains("warning: image a stays but lost its names [a:1]\n");
    assertThat(round.get("problems")).hasToString("[\"image a stays but lost its names [a:1]\"]");
  }

  @Test
  void run_globThatMatchesNothing_isWarnedAboutOnce() throws Exception {
    node.image("a").tag("a:1").size(10).add();
    RunningAgent run = start("--json", "--interval", "1s", "--keep", "a", "--keep", "typo");
    for (int round = 0; round < 3; round++) {
      run.take();
    }
    run.stop();

    assertThat(run.err().lines().filter(line -> line.startsWith("warning: ")))
        .containsExactly("warning: the policy's rule keep 'typo' has matched no image");
  }

  @Test
  void run_stateOwnedByAnother_isBusyAtOnce() throws Exception {
    Path state = directory.resolve("state");
    try (FileRecordStore owner = FileRecordStore.open(state)) {
      RunningAgent run = start("--json", "--state", state.toString());

      assertThat(run.exitCode()).isEqualTo(6);
      assertThat(json(run.take()).get("outcome").getAsString()).isEqualTo("BUSY");
      assertThat(owner.load()).isEmpty();
    }
  }

  @Test
  void run_withContainers_removesThem_andPrintsALine() throws Exception {
    fillWithPressure();
    RunningAgent run = start(
        "--interval",
        "1s",
        "--min-age",
        "0s",
        "--collect-containers",
        "--containers-per-unit",
        "0");
    String line = run.awaitLine("container collection");

    assertThat(run.stop()).isEqualTo(0);
    assertThat(line).matches("2026-\\S+Z container collection DONE: removed 1 .*");
    assertThat(node.containerIds()).isEmpty();
  }

  @Test
  void run_withContainers_json_isAnObjectOfItsOwnKind() throws Exception {
    fillWithPressure();
    RunningAgent run =
        start("--json", "--interval", "1s", "--collect-containers", "--containers-per-unit", "0");
    JsonObject line = json(run.awaitLine("\"kind\":\"containers\""));

    assertThat(run.stop()).isEqualTo(0);
    assertThat(line.keySet())
        .containsExactly("schema", "kind", "at", "outcome", "removed", "failed", "message");
    assertThat(line.get("outcome").getAsString()).isEqualTo("DONE");
    assertThat(line.get("removed")).hasToString("[\"c\"]");
    assertThat(line.get("failed")).hasToString("[]");
    assertThat(line.get("schema").getAsInt()).isEqualTo(1);
    assertThat(line.get("at").getAsString()).startsWith("2026-");
    assertThat(line.get("message").getAsString())
        .startsWith("container collection DONE: removed 1 ");
  }

  @Test
  void run_withoutContainers_leavesThemAlone() throws Exception {
    fillWithPressure();
    RunningAgent run = start(
        "--json",
        "--interval",
        "1s",
        "--min-age",
        "0s",
        "--pressure-hard",
        "imagefs.available<200");
    run.awaitLine("\"kind\":\"pressure\"");

    assertThat(run.stop()).isEqualTo(0);
    assertThat(node.containerRemovalsAsked()).isEmpty();
    assertThat(node.hasImage("a")).isTrue(); // its container holds it
  }

  @Test
  void run_withPressure_tellsWhenItBegins_whatWasDone_andWhenItIsOver() throws Exception {
    fillWithPressure();
    RunningAgent run = start(
        "--interval",
        "1h",
        "--high",
        "100",
        "--min-age",
        "0s",
        "--collect-containers",
        "--containers-per-unit",
        "0",
        "--container-interval",
        "1h",
        "--pressure-hard",
        "imagefs.available<200",
        "--pressure-transition",
        "0s",
        "--pressure-interval",
        "1s");
    String begun = run.awaitLine("DiskPressure");
    String handled = run.awaitLine("disk pressure");
    String over = run.awaitLine("DiskPressure");

    assertThat(run.stop()).isEqualTo(0);
    assertThat(begun)
        .matches("2026-\\S+Z DiskPressure on imagefs: imagefs.available is 100 B, below 200 B.*");
    assertThat(handled)
        .matches("2026-\\S+Z disk pressure DONE: imagefs.available 100 B -> 400 B, removed .*");
    assertThat(over)
        .matches("2026-\\S+Z DiskPressure on imagefs is over: imagefs is not under pressure .*");
    assertThat(node.hasImage("a")).isFalse();
  }

  @Test
  void run_withPressure_json_hasAnObjectForEach() throws Exception {
    fillWithPressure();
    RunningAgent run = start(
        "--json",
        "--interval",
        "1h",
        "--high",
        "100",
        "--min-age",
        "0s",
        "--collect-containers",
        "--containers-per-unit",
        "0",
        "--pressure-hard",
        "imagefs.available<200",
        "--pressure-transition",
        "0s",
        "--pressure-interval",
        "1s");
    JsonObject begun = json(run.awaitLine("\"kind\":\"condition\"")).getAsJsonObject("condition");
    JsonObject handled = json(run.awaitLine("\"kind\":\"pressure\""));
    JsonObject over = json(run.awaitLine("\"kind\":\"condition\"")).getAsJsonObject("condition");

    assertThat(run.stop()).isEqualTo(0);
    assertThat(begun.get("filesystem").getAsString()).isEqualTo("imagefs");
    assertThat(begun.get("pressure").getAsBoolean()).isTrue();
    assertThat(begun.get("hardSignals")).hasToString("[\"imagefs.available\"]");
    assertThat(handled.get("message").getAsString()).startsWith("disk pressure DONE: ");
    assertThat(over.get("pressure").getAsBoolean()).isFalse();
    assertThat(over.get("hardSignals")).hasToString("[]");
  }

  @Test
  void run_settingsThatContradict_areWarnedAboutOnce() throws Exception {
    RunningAgent run = start(
        "--json",
        "--interval",
        "1s",
        "--pressure",
        "--pressure-min-reclaim",
        "imagefs.available=10%");
    for (int round = 0; round < 3; round++) {
      run.awaitLine("collect");
    }
    run.stop();

    assertThat(run.err().lines().filter(line -> line.startsWith("warning: threshold ")))
        .hasSize(1)
        .first()
        .asString()
        .contains("imagefs.available<15%", "collection stops while pressure goes on");
  }

  @Test
  void run_stateTooDeepForASocket_isWarnedAbout_andTheAgentWorks() throws Exception {
    Path deep = Files.createDirectories(directory.resolve("d".repeat(120)));
    RunningAgent run = start("--json", "--interval", "1s", "--state", deep.toString());
    run.awaitLine("collect");

    assertThat(run.stop()).isEqualTo(0);
    Path socket = deep.resolve("status.sock");
    assertThat(run.err())
        .contains("warning: nobody can ask this agent for its status: no socket can be made at "
            + socket + ", " + socket.toString().length() + " characters: ");
  }

  @Test
  void run_inTheMiddleOfAHungCall_endsAllTheSame() throws Exception {
    fillWithPressure();
    node.faults().hangAlways(Operation.LIST_IMAGES);
    RunningAgent run = start("--json", "--interval", "1s", "--collect-containers", "--pressure");
    run.awaitLine("FAILED");

    assertThat(run.stop()).isEqualTo(0);
  }

  private RunningAgent start(String... options) {
    agent = RunningAgent.on(node, options);
    return agent;
  }

  private static JsonObject json(String line) {
    return RunningAgent.json(line);
  }

  /** Under disk pressure for as long as "a" is there; its ended container is of no unit's newest. */
  private void fillWithPressure() {
    node.image("a").tag("a:1").size(300).add();
    node.container("c")
        .image("a")
        .label("io.kubernetes.pod.uid", "pod")
        .label("io.kubernetes.container.name", "main")
        .state(ContainerState.EXITED)
        .createdAt(Instant.ofEpochSecond(1))
        .add();
    node.fillTo(90);
  }
}
