/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.core.FileRecordStore;
import dev.imagegc.testkit.ContainerSpec;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** status on a fake node, through the command line; with and without an agent that runs. */
@Timeout(60) // guards against a hang, measures nothing
class StatusCommandTest {
  @TempDir
  Path directory;

  private final FakeNode node = FakeNode.withDisk(1000).withDedicatedImageFs(4000);
  private Path state = Path.of(".");

  @BeforeEach
  void makeState() throws IOException {
    state = Files.createDirectory(directory.resolve("state"));
  }

  // One look

  @Test
  void text_saysHowTheNodeIs_inSentencesAndTables() {
    fill();
    AgentRun run = AgentRun.on(
        node,
        "status",
        "--min-age",
        "0s",
        "--collect-containers",
        "--containers-per-unit",
        "0",
        "--pressure-hard",
        "imagefs.available<12%");

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).isEqualTo("""
          The node, in one look at 2026-01-01T00:00:00Z without a running agent

          FILESYSTEM   CAPACITY  AVAILABLE  USED   INODES  FREE INODES  SPACE  PATH
          imagefs        1000 B      100 B   90%  unknown      unknown  OUT    /fake/images
          nodefs        3.9 KiB    3.9 KiB    0%      500          500  OUT    /fake/root
          containerfs    1000 B      100 B   90%  unknown      unknown         /fake/containers

          THRESHOLDS
          imagefs     images go from 85% down to 80%
          imagefs     pressure at imagefs.available<12%
          imagefs     out of disk space below 256.0 MiB
          nodefs      out of disk space below 256.0 MiB

          DiskPressure on imagefs since 2026-01-01T00:00:00Z, last seen at 2026-01-01T00:00:00Z:
            imagefs.available is 100 B, below 120 B (12%)

          Images: 3; a round now would remove 1 (PLANNED)
          DECISION  COUNT  EXCLUSIVE  REASON
          PLANNED       1      300 B  SPACE
          KEPT          1      200 B  ENOUGH_FREED
          KEPT          1      100 B  IN_USE

          Containers: 2; a pass now would remove 1 (PLANNED)
          DECISION  COUNT  REASON
          PLANNED       1  OVER_UNIT_LIMIT
          KEPT          1  RUNNING

          History: 3 images on record
          Engine's events: only a running agent hears them
        """);
  }

  @Test
  void text_isNoWiderThanATerminal() {
    fill();
    node.rootDisk().fillTo(95);
    node.faults()
        .failAlways(
            Operation.MEASURE_CONTAINERS,
            new UnreachableException("the disk is gone, and so ".repeat(12) + "it goes"));
    AgentRun run = AgentRun.on(
        node,
        "status",
        "--pressure",
        "--pressure-soft",
        "nodefs.inodesFree<99%,containerfs.available<10%",
        "--pressure-soft-grace",
        "nodefs.inodesFree=1m30s,containerfs.available=2h",
        "--pressure-min-reclaim",
        "imagefs.available=30%,nodefs.available=100Mi");

    assertThat(run.out())
        .contains("Settings contradict each other: threshold imagefs.available<15% (hard)")
        .contains("containerfs cannot be measured: the disk is gone")
        .contains("Disk pressure: not known is containerfs.available")
        .contains("nodefs       soft pressure at nodefs.inodesFree<99% for 1m30s")
        .contains("Trouble that lasts, oldest first:")
        .containsPattern("Z  SignalUnknown +the threshold of containerfs.available is not watched");
    assertThat(run.out().lines()).allMatch(line -> line.length() <= 120, "at most 120 wide");
    assertThat(run.out().lines()).allMatch(line -> line.equals(line.stripTrailing()));
  }

  @Test
  void text_ofAnEmptyNode_saysWhatIsOff() {
    AgentRun run = AgentRun.on(node, "status", "--high", "100", "--low", "100");

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.out())
        .contains("Disk pressure: not watched, there is no threshold for it")
        .contains("Images: 0; a round now would remove none (NOT_NEEDED)")
        .contains("Containers: not collected")
        .contains("History: 0 images on record")
        .doesNotContain("images go", "pressure at", "DECISION", "Trouble", "Last rounds");
  }

  @Test
  void text_withoutPressure_saysSo() {
    node.rootDisk().inodes(100);
    assertThat(AgentRun.on(node, "status", "--pressure").out()).contains("Disk pressure: none\n");
  }

  @Test
  void words_ofAnEngine_doNotSteerATerminal() {
    node.faults()
        .failAlways(Operation.LIST_IMAGES, new UnreachableException("no \u001b[2Jengine\n  here"));
    assertThat(AgentRun.on(node, "status").out())
        .contains("Images: not known (FAILED): no  [2Jengine   here\n")
        .doesNotContain("\u001b");
  }

  @Test
  void look_touchesNothing() {
    fill();
    node.rootDisk().fillTo(99);

    AgentRun.on(
        node,
        "status",
        "--min-age",
        "0s",
        "--collect-unowned-containers",
        "--containers-per-unit",
        "0",
        "--pressure");

    assertThat(node.removalsAsked()).isEmpty();
    assertThat(node.containerRemovalsAsked()).isEmpty();
  }

  @Test
  void json_hasEveryFieldOnce_inTheirOrder_andCanBeReadBack() {
    fill();
    AgentRun run = AgentRun.on(
        node, "status", "--json", "--min-age", "0s", "--collect-containers", "--pressure");

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.err()).isEmpty();
    JsonObject json = run.json(); // refuses a name that is there twice
    assertThat(json.keySet()).containsExactlyElementsOf(names(StatusJson.class));
    assertThat(object(json, "filesystems").keySet())
        .containsExactlyElementsOf(names(StatusJson.FilesystemJson.class));
    assertThat(json.getAsJsonObject("images").keySet())
        .containsExactlyElementsOf(names(StatusJson.DecisionsJson.class));
    assertThat(object(json.getAsJsonObject("images"), "decisions").keySet())
        .containsExactlyElementsOf(names(StatusJson.DecisionJson.class));
    assertThat(object(json, "conditions").keySet())
        .containsExactlyElementsOf(names(StatusJson.ConditionJson.class));
    assertThat(json.getAsJsonObject("watch").keySet())
        .containsExactlyElementsOf(names(StatusJson.WatchJson.class));
    assertThat(StatusJson.parse(run.out()).orElseThrow()).hasToString(run.out().strip());
  }

  @Test
  void json_hasTheNumbers_andNullForWhatIsUnknown() {
    fill();
    AgentRun run = AgentRun.on(
        node, "status", "--json", "--min-age", "0s", "--pressure-hard", "imagefs.available<12%");
    StatusJson status = StatusJson.parse(run.out()).orElseThrow();

    assertThat(status.schema()).isEqualTo(1);
    assertThat(status.kind()).isEqualTo("status");
    assertThat(status.at()).isEqualTo("2026-01-01T00:00:00Z");
    assertThat(status.agent()).isFalse();
    assertThat(status.filesystems())
        .extracting(StatusJson.FilesystemJson::kind)
        .containsExactly("imagefs", "nodefs", "containerfs");
    StatusJson.FilesystemJson images = status.filesystems().get(0);
    assertThat(images.path()).isEqualTo("/fake/images");
    assertThat(images.capacityBytes()).isEqualTo(1000);
    assertThat(images.availableBytes()).isEqualTo(100);
    assertThat(images.inodes()).isNull();
    assertThat(images.source()).isEqualTo("the fake node");
    assertThat(images.error()).isNull();
    assertThat(images.thresholds())
        .containsExactly(
            "images go from 85% down to 80%",
            "pressure at imagefs.available<12%", "out of disk space below 256.0 MiB");
    assertThat(images.space()).isEqualTo("OUT");
    assertThat(images.spaceThresholdBytes()).isEqualTo(256 << 20);
    assertThat(status.filesystems().get(2).space()).isNull(); // of images and root only
    assertThat(status.filesystems().get(2).spaceThresholdBytes()).isNull();
    assertThat(status.filesystems().get(1).inodesFree()).isEqualTo(500);
    assertThat(status.images().outcome()).isEqualTo("PLANNED");
    assertThat(status.images().count()).isEqualTo(3);
    assertThat(status.images().decisions().get(0))
        .isEqualTo(new StatusJson.DecisionJson("PLANNED", "SPACE", 1, 300L));
    assertThat(status.containers()).isNull();
    assertThat(status.conditions()).hasSize(1);
    assertThat(status.conditions().get(0).pressure()).isTrue();
    assertThat(status.conditions().get(0).hardSignals()).containsExactly("imagefs.available");
    assertThat(status.watch().state()).isEqualTo("OFF");
    assertThat(status.remembered()).isEqualTo(3);
    assertThat(status.contradictions()).isEmpty();
  }

  @Test
  void json_ofAnotherRelease_orOfNobody_isNotUnderstood() {
    assertThat(StatusJson.parse("{\"schema\":2}")).isEmpty();
    assertThat(StatusJson.parse("not json")).isEmpty();
    assertThat(StatusJson.parse("")).isEmpty();
  }

  @Test
  void engineThatIsDown_exitsWithFour_andShowsWhatIsKnown() {
    fill();
    node.stopEngine();

    AgentRun run = AgentRun.on(node, "status", "--collect-containers");

    assertThat(run.exitCode()).isEqualTo(4);
    assertThat(run.out())
        .contains("Images: not known (FAILED): ")
        .contains("Containers: not known (FAILED): ")
        .containsPattern("imagefs +1000 B +100 B +90%");
    AgentRun json = AgentRun.on(node, "status", "--json");
    assertThat(json.exitCode()).isEqualTo(4);
    StatusJson status = StatusJson.parse(json.out()).orElseThrow();
    assertThat(status.images().outcome()).isEqualTo("FAILED");
    assertThat(status.images().error()).isNotBlank();
    assertThat(status.images().decisions()).isEmpty();
  }

  @Test
  void diskThatCannotBeMeasured_exitsWithFour_andShowsWhatIsKnown() {
    fill();
    node.faults().failAlways(Operation.MEASURE, new UnreachableException("the disk is gone"));

    AgentRun run = AgentRun.on(node, "status", "--pressure");

    assertThat(run.exitCode()).isEqualTo(4);
    assertThat(run.out())
        .containsPattern("imagefs +unknown +unknown +unknown +unknown +unknown +UNKNOWN\n")
        .contains("  imagefs cannot be measured: the disk is gone\n")
        .contains("imagefs     images go from 85% down to 80%")
        .contains("Images: not known (FAILED): the disk is gone")
        .containsPattern("nodefs +3.9 KiB +3.9 KiB +0% +500 +500 +OUT +/fake/root");
    StatusJson status =
        StatusJson.parse(AgentRun.on(node, "status", "--json").out()).orElseThrow();
    assertThat(status.filesystems().get(0).error()).isEqualTo("the disk is gone");
    assertThat(status.filesystems().get(0).capacityBytes()).isNull();
    assertThat(status.filesystems().get(0).space()).isEqualTo("UNKNOWN");
  }

  // With --state

  @Test
  void state_whereNoAgentRuns_isLookedAtOnce_withItsHistory() {
    fill();
    AgentRun.on(node, "plan", "--state", state.toString());

    StatusJson status = askWith(state);

    assertThat(status.agent()).isFalse();
    assertThat(status.remembered()).isEqualTo(3);
    assertThat(state.resolve("status.sock")).doesNotExist();
  }

  @Test
  void state_ofAnAgentThatWasKilled_isLookedAtOnce() throws IOException {
    StatusSocketTest.leaveSocketBehind(state);

    assertThat(askWith(state).agent()).isFalse();
  }

  @Test
  void state_ofAnAgentThatHangs_isBusyAfterTheTimeout_andSaysWhoHasNotAnswered() throws Exception {
    try (ServerSocketChannel hanging = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      hanging.bind(UnixDomainSocketAddress.of(state.resolve("status.sock")));
      AgentRun run =
          AgentRun.on(node, "status", "--json", "--state", state.toString(), "--timeout", "1s");

      assertThat(run.exitCode()).isEqualTo(6);
      assertThat(run.errorLines())
          .containsExactly(
              "error: the agent that runs with --state " + state + " has not answered within 1s");
      assertThat(run.out()).isEmpty();
    }
  }

  @Test
  void state_ofAnotherCollector_isBusy() {
    try (FileRecordStore owner = FileRecordStore.open(state)) {
      AgentRun run = AgentRun.on(node, "status", "--json", "--state", state.toString());

      assertThat(run.exitCode()).isEqualTo(6);
      assertThat(run.errorLines()).hasSize(1);
      assertThat(run.out()).isEmpty();
      assertThat(owner.load()).isEmpty();
    }
  }

  @Test
  void state_ofARunningAgent_isItsOwnAnswer_withRoundsAndTrouble() throws Exception {
    fill();
    node.faults().failRemovals("a", RemovalResult.of(RemovalOutcome.FAILED, "it is stuck"));
    try (RunningAgent agent = RunningAgent.on(
        node,
        "--json",
        "--state",
        state.toString(),
        "--interval",
        "1s",
        "--min-age",
        "0s",
        "--collect-containers",
        "--containers-per-unit",
        "0",
        "--pressure")) {
      agent.awaitLine("\"kind\":\"containers\"");
      agent.awaitLine("\"kind\":\"collect\"");

      StatusJson status = askWith(state);
      assertThat(status.agent()).isTrue();
      assertThat(status.containers()).isNotNull(); // although this command was not told to
      assertThat(status.watch().state()).isNotEqualTo("OFF");
      assertThat(status.rounds())
          .extracting(StatusJson.EventJson::type)
          .contains("ContainerGCFinished", "RoundFinished");
      assertThat(status.troubles())
          .extracting(StatusJson.EventJson::type)
          .contains("ImageRemovalFailed");

      AgentRun text = AgentRun.on(node, "status", "--state", state.toString());
      assertThat(text.exitCode()).isEqualTo(0);
      assertThat(text.out())
          .startsWith("  The node, as the running agent saw it at 2026-")
          .contains("Engine's events: ")
          .contains("Last rounds, newest first:\n")
          .containsPattern("(?m)^  2026-\\S+Z  container collection DONE: removed 1 ")
          .containsPattern("(?m)^  2026-\\S+Z  ImageRemovalFailed  ");
      assertThat(text.out().lines()).allMatch(line -> line.length() <= 120, "at most 120 wide");
    }
    assertThat(askWith(state).agent()).isFalse(); // it has ended, and so has its socket
  }

  @Test
  void state_ofARunningAgentWhoseEngineIsDown_isAnsweredAllTheSame() throws Exception {
    fill();
    node.stopEngine();
    try (RunningAgent agent =
        RunningAgent.on(node, "--json", "--state", state.toString(), "--interval", "1s")) {
      agent.awaitLine("FAILED");
      StatusJson status = askWith(state);
      assertThat(status.agent()).isTrue();
      assertThat(status.images().outcome()).isEqualTo("FAILED");
    }
  }

  @Test
  void manyAtOnce_areAllAnsweredByARunningAgent() throws Exception {
    fill();
    try (RunningAgent agent =
        RunningAgent.on(node, "--json", "--state", state.toString(), "--interval", "1s")) {
      agent.awaitLine("collect");
      List<CompletableFuture<StatusJson>> answers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        CompletableFuture<StatusJson> answer = new CompletableFuture<>();
        answers.add(answer);
        new Thread(() -> answer.complete(askWith(state)), "asks").start();
      }
      for (CompletableFuture<StatusJson> answer : answers) {
        assertThat(answer.get().agent()).isTrue();
      }
    }
  }

  private StatusJson askWith(Path directory) {
    AgentRun run = AgentRun.on(node, "status", "--json", "--state", directory.toString());
    return StatusJson.parse(run.out()).orElseThrow(() -> new AssertionError("no status: " + run));
  }

  /** The fields of a record, in their order. */
  private static List<String> names(Class<? extends Record> type) {
    return Arrays.stream(type.getRecordComponents())
        .map(component -> component.getName())
        .toList();
  }

  private static JsonObject object(JsonObject json, String array) {
    JsonElement first = json.getAsJsonArray(array).get(0);
    return first.getAsJsonObject();
  }

  /** "a" goes first, "b" may go, "c" is in use by "r"; "e" has ended; 900 of 1000 bytes are used. */
  private void fill() {
    Instant now = node.clock().instant();
    node.rootDisk().inodes(500);
    node.image("a").tag("a:1").builtAt(now.minusSeconds(20)).size(300).add();
    node.image("b").tag("b:1").builtAt(now.minusSeconds(10)).size(200).add();
    node.image("c").tag("c:1").size(100).add();
    ofAPod("r").image("c").state(ContainerState.RUNNING).add();
    ofAPod("e").state(ContainerState.EXITED).add();
    node.imageDisk().fillTo(90);
  }

  private ContainerSpec ofAPod(String id) {
    return node.container(id)
        .label("io.kubernetes.pod.uid", "pod")
        .label("io.kubernetes.container.name", "main")
        .createdAt(Instant.ofEpochSecond(1));
  }
}
