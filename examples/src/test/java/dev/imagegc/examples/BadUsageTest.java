/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.testkit.FakeNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each mistake of a user: exit code 2, one sentence with option, value and rule, nothing on standard output. */
class BadUsageTest {
  @TempDir
  Path directory;

  private final FakeNode node = FakeNode.withDisk(1000);

  static Stream<Arguments> mistakes() {
    return Stream.of(
        mistake("--high must be from 0 to 100, but is 101", "--high", "101"),
        mistake("--high must be from 0 to 100, but is -1", "--high", "-1"),
        mistake("--low must be from 0 to 100, but is -1", "--low", "-1"),
        mistake("--low must not be above --high, but 80 is above 50", "--high", "50"),
        mistake("--low must not be above --high, but 90 is above 85", "--low", "90"),
        mistake("'--high': 'much' is not an int", "--high", "much"),
        mistake("'--min-age': '-5s' must not be negative", "--min-age", "-5s"),
        mistake(
            "'--min-age': '5' is not a duration like 90s, 2m, 1h30m, 7d, or off", "--min-age", "5"),
        mistake("'--max-age': '999999d' must be at most 292 years", "--max-age", "999999d"),
        mistake("--timeout must be above zero and at most 1d, but is 0s", "--timeout", "off"),
        mistake("--timeout must be above zero and at most 1d, but is 25h", "--timeout", "25h"),
        mistake("--inodes-high must be from 0 to 100, but is 101", "--inodes-high", "101"),
        mistake("--inodes-low must be from 0 to 100, but is -1", "--inodes-low", "-1"),
        mistake(
            "--inodes-low must not be above --inodes-high, but 91 is above 90",
            "--inodes-high",
            "90",
            "--inodes-low",
            "91"),
        mistake(
            "--inodes-low must come with --inodes-high below 100, but is 70 alone",
            "--inodes-low",
            "70"),
        mistake("--max-removals must be at least 1, but is 0", "--max-removals", "0"),
        mistake("--max-removals must be at least 1, but is -3", "--max-removals", "-3"),
        mistake("'--max-removals': 'few' is not an int", "--max-removals", "few"),
        mistake("--max-bytes must be at least 1, but is 0", "--max-bytes", "0GiB"),
        mistake("--max-bytes must be at least 1, but is -1", "--max-bytes", "-1"),
        mistake(
            "'--max-bytes': '2GB' is not a size like 1048576, 500MiB or 2GiB",
            "--max-bytes",
            "2GB"),
        mistake("--time-budget must be above zero, but is 0s", "--time-budget", "off"),
        mistake("'--time-budget': '-5s' must not be negative", "--time-budget", "-5s"),
        mistake("--keep: keep glob 'app[12]' must not contain '['", "--keep", "app[12]"),
        mistake("--keep: keep glob must not be empty", "--keep", ""),
        mistake("--keep: keep glob 'a***' must not contain more than two *", "--keep", "a***"),
        mistake("--keep must not match every name, but '**' does", "--keep", "**"),
        mistake("--own must not match every name, but '**/*' does", "--own", "**/*"),
        mistake(
            "--collect-after must not match every name, but '**' does", "--collect-after", "**=1h"),
        mistake("--own: reference glob 'a b' must not contain ' '", "--own", "a b"),
        mistake(
            "--keep-label: label must be key or key=value with a key without white space, but is '=yes'",
            "--keep-label",
            "=yes"),
        mistake(
            "--collect-after must be GLOB=DURATION, such as 'ci/**=2h', but is 'ci/**'",
            "--collect-after",
            "ci/**"),
        mistake(
            "--collect-after must be GLOB=DURATION, such as 'ci/**=2h', but is 'ci/**=off'",
            "--collect-after",
            "ci/**=off"),
        mistake("--collect-after: '5' is not a duration like 90s", "--collect-after", "ci/**=5"),
        mistake("--collect-after: reference glob must not be empty", "--collect-after", "=1h"),
        mistake(
            "--keep-newest must be N or GLOB=N with N from 1, but is '0'", "--keep-newest", "0"),
        mistake(
            "--keep-newest must be N or GLOB=N with N from 1, but is 'app=-1'",
            "--keep-newest",
            "app=-1"),
        mistake("--keep-newest: keepNewest glob must not be empty", "--keep-newest", "=2"),
        mistake("'--grace': '-5s' must not be negative", "--grace", "-5s"),
        mistake("Unknown option: '--hihg=80'", "--hihg=80"),
        mistake("Missing required parameter for option '--state'", "--state"),
        mistake("should be specified only once", "--high", "90", "--high", "91"),
        mistake("Unmatched argument at index 1: 'now'", "now"));
  }

  private static Arguments mistake(String sentence, String... options) {
    return Arguments.of(sentence, options);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mistakes")
  void collect_mistake_getsOneSentence(String sentence, String[] options) {
    String[] args = Stream.concat(Stream.of("collect"), Stream.of(options)).toArray(String[]::new);

    AgentRun run = AgentRun.on(node, args);

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errorLines()).hasSize(1).first().asString().contains(sentence);
    assertThat(run.err()).endsWith("Try 'imagegc-agent collect --help'.\n").doesNotContain("\tat ");
    assertThat(run.out()).isEmpty();
    assertThat(node.calls()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "0s"})
  void run_withoutInterval_isRefused(String interval) {
    AgentRun run = AgentRun.on(node, "run", "--json", "--interval", interval);

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errorLines()).containsExactly("error: --interval must be above zero, but is 0s");
    assertThat(run.out()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ssh://host", "npipe:////./pipe/docker", "unix://", "tcp://", "what is this"})
  void plan_hostThatCannotBe_isRefused(String host) {
    AgentRun run = AgentRun.of(Connector::docker, "plan", "--json", "--host", host);

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errorLines()).hasSize(1).first().asString().contains("host");
    assertThat(run.out()).isEmpty();
  }

  @Test
  void plan_stateInADirectoryThatDoesNotExist_isRefused() {
    Path state = directory.resolve("missing/state");

    AgentRun run = AgentRun.on(node, "plan", "--json", "--state", state.toString());

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errorLines())
        .hasSize(1)
        .first()
        .asString()
        .contains("--state")
        .contains(state.toString());
    assertThat(run.out()).isEmpty();
  }

  @Test
  void plan_stateThatIsAFile_isRefused_andTheFileIsLeftAlone() throws IOException {
    Path state = Files.writeString(directory.resolve("state"), "a file");

    AgentRun run = AgentRun.on(node, "plan", "--json", "--state", state.toString());

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errorLines())
        .hasSize(1)
        .first()
        .asString()
        .contains(
            "--state: state directory " + state + " cannot be used: it is a file, not a directory");
    assertThat(run.out()).isEmpty();
    assertThat(state).hasContent("a file");
  }

  @Test
  void noSuchCommand_isRefused() {
    AgentRun run = AgentRun.on(node, "colect");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.errorLines()).hasSize(1);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void demo_json_isNotAnOption() {
    assertThat(AgentRun.on(node, "demo", "--json").exitCode()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"demo", "plan", "collect", "purge", "run"})
  void help_ofEveryCommand_isOnStandardOutputAndListsTheExitCodes(String command) {
    AgentRun run = AgentRun.on(node, command, "--help");

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.out())
        .startsWith("Usage: imagegc-agent " + command)
        .contains("Exit codes:")
        .contains("6   busy");
    assertThat(run.err()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"plan", "collect", "purge", "run"})
  void help_ofCommandsForANode_namesEveryOption(String command) {
    assertThat(AgentRun.on(node, command, "--help").out())
        .contains("--host", "--image-fs", "--high", "--low", "--min-age", "--max-age", "--keep")
        .contains("--inodes-high", "--inodes-low", "--max-removals", "--max-bytes", "--time-budget")
        .contains("--collect-without-gain", "--keep-cache-if-in-vain", "--grace")
        .contains("--keep-label", "--keep-newest", "--own", "--collect-after")
        .contains("--state", "--json", "--timeout", "--verbose", "--help");
  }

  @Test
  void help_ofTheAgent_namesEveryCommand() {
    assertThat(AgentRun.on(node, "--help").out())
        .contains("demo", "plan", "collect", "purge", "run");
  }
}
