/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.core.FileRecordStore;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60) // guards against a hang, measures nothing
class RunCommandTest {
  @TempDir
  Path directory;

  private final FakeNode node = FakeNode.withDisk(1000);
  private final StopSignal signal = new StopSignal();
  private final LineQueue out = new LineQueue();
  private final StringWriter err = new StringWriter();

  @AfterEach
  void stop() {
    signal.ask();
  }

  @Test
  void run_json_isOneObjectARoundUntilStopped() throws Exception {
    node.image("a").tag("a:1").size(300).add();
    node.fillTo(90);
    CompletableFuture<Integer> exitCode = start("--json", "--interval", "1s", "--min-age", "0s");

    JsonObject first = json(out.take());
    JsonObject second = json(out.take());
    signal.ask();

    assertThat(first.get("kind").getAsString()).isEqualTo("collect");
    assertThat(first.get("outcome").getAsString()).isEqualTo("DONE");
    assertThat(second.get("outcome").getAsString()).isEqualTo("NOT_NEEDED");
    assertThat(exitCode.get()).isEqualTo(0);
    assertThat(node.hasImage("a")).isFalse();
  }

  @Test
  void run_engineThatComesBack_isCollectedAgain() throws Exception {
    node.image("a").tag("a:1").size(300).add();
    node.fillTo(90);
    node.faults().failAlways(Operation.LIST_CONTAINERS, new UnreachableException("gone fishing"));
    CompletableFuture<Integer> exitCode = start("--json", "--interval", "1s", "--min-age", "0s");

    JsonObject failed = json(out.take());
    node.faults().heal();
    JsonObject next = json(out.take());
    while (next.get("outcome").getAsString().equals("FAILED")) {
      next = json(out.take());
    }
    signal.ask();

    assertThat(failed.get("error").getAsString()).isEqualTo("gone fishing");
    assertThat(next.get("outcome").getAsString()).isEqualTo("DONE");
    assertThat(exitCode.get()).isEqualTo(0);
  }

  @Test
  void run_text_isALineForARoundThatIsNews() throws Exception {
    CompletableFuture<Integer> exitCode = start("--interval", "1s", "--min-age", "0s");
    String idle = out.take();
    node.image("a").tag("a:1").size(300).add();
    node.fillTo(90);
    String acted = out.take(); // however many idle rounds there were in between
    signal.ask();

    assertThat(idle).contains("COLLECT NOT_NEEDED");
    assertThat(acted)
        .contains("COLLECT DONE")
        .contains("removed 1 of 1 images; predicted 300 B, exact by layers");
    assertThat(exitCode.get()).isEqualTo(0);
  }

  @Test
  void run_limit_endsARoundWithAnExplanationAndTheNextGoesOn() throws Exception {
    node.image("a").tag("a:1").size(300).add();
    node.image("b").tag("b:1").size(300).add();
    node.fillTo(100);
    CompletableFuture<Integer> exitCode = start(
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
    String first = out.take();
    awaitLine("limit of removals");
    String second = awaitLine("COLLECT");
    signal.ask();

    assertThat(err.toString()).contains("a round every 1s, which ends at 1 removal; end with");
    assertThat(first).contains("COLLECT SHORT").contains("removed 1 of 2 images");
    assertThat(second).contains("removed 1 of 1 images");
    assertThat(exitCode.get()).isEqualTo(0);
  }

  @Test
  void run_removalThatCostsNames_isWarnedAbout() throws Exception {
    node.image("a").tag("a:1").size(300).add();
    node.fillTo(90);
    node.faults()
        .failRemovals(
            "a", RemovalResult.of(RemovalOutcome.FAILED, "no").withLostReferences(List.of("a:1")));
    CompletableFuture<Integer> exitCode = start("--json", "--interval", "1s", "--min-age", "0s");
    JsonObject round = json(out.take());
    signal.ask();
    exitCode.get();

    assertThat(err.toString()).contains("warning: image a stays but lost its names [a:1]\n");
    assertThat(round.get("problems")).hasToString("[\"image a stays but lost its names [a:1]\"]");
  }

  @Test
  void run_globThatMatchesNothing_isWarnedAboutOnce() throws Exception {
    node.image("a").tag("a:1").size(10).add();
    CompletableFuture<Integer> exitCode =
        start("--json", "--interval", "1s", "--keep", "a", "--keep", "typo");
    for (int round = 0; round < 3; round++) {
      out.take();
    }
    signal.ask();
    exitCode.get();

    assertThat(err.toString().lines().filter(line -> line.startsWith("warning: ")))
        .containsExactly("warning: the policy's rule keep 'typo' has matched no image");
  }

  @Test
  void run_stateOwnedByAnother_isBusyAtOnce() throws Exception {
    Path state = directory.resolve("state");
    try (FileRecordStore owner = FileRecordStore.open(state)) {
      CompletableFuture<Integer> exitCode = start("--json", "--state", state.toString());

      assertThat(exitCode.get()).isEqualTo(6);
      assertThat(json(out.take()).get("outcome").getAsString()).isEqualTo("BUSY");
      assertThat(owner.load()).isEmpty();
    }
  }

  private CompletableFuture<Integer> start(String... options) {
    Console console = new Console(new PrintWriter(out), new PrintWriter(err));
    String[] args = Stream.concat(Stream.of("run"), Stream.of(options)).toArray(String[]::new);
    return CompletableFuture.supplyAsync(
        () -> Agent.commandLine(AgentRun.connector(node), console, () -> signal).execute(args),
        task -> new Thread(task, "agent").start());
  }

  private String awaitLine(String words) throws InterruptedException {
    String line = out.take();
    while (!line.contains(words)) {
      line = out.take();
    }
    return line;
  }

  private static JsonObject json(String line) {
    return JsonParser.parseString(line).getAsJsonObject();
  }

  /** What was printed, line by line, for a test to wait for. */
  private static final class LineQueue extends Writer {
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final StringBuilder line = new StringBuilder();

    @Override
    public void write(char[] buffer, int offset, int length) {
      for (char c : new String(buffer, offset, length).toCharArray()) {
        if (c == '\n') {
          lines.add(line.toString());
          line.setLength(0);
        } else {
          line.append(c);
        }
      }
    }

    String take() throws InterruptedException {
      String next = lines.poll(30, TimeUnit.SECONDS);
      if (next == null) {
        throw new AssertionError("nothing was printed");
      }
      return next;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
