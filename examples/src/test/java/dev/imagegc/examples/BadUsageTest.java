/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static java.io.Writer.nullWriter;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.imagegc.testkit.FakeNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.reflect.AnnotatedElement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

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
        mistake("'--high': 'much' is not a whole number of up to 9 digits", "--high", "much"),
        mistake("'--high': '85.5' is not a whole number of up to 9 digits", "--high", "85.5"),
        mistake("'--high': '' is not a whole number of up to 9 digits", "--high", ""),
        mistake(
            "'--max-removals': '9999999999' is not a whole number of up to 9 digits",
            "--max-removals",
            "9999999999"),
        mistake("'--state': '' is not a path: it must not be empty", "--state", ""),
        mistake("'--image-fs': ' ' is not a path: it must not be empty", "--image-fs", " "),
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
        mistake(
            "'--max-removals': 'few' is not a whole number of up to 9 digits",
            "--max-removals",
            "few"),
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

  static Stream<Arguments> mistakesOnContainersAndPressure() {
    return Stream.of(
        mistake(
            "--container-min-age must come with --collect-containers", "--container-min-age", "5m"),
        mistake(
            "--containers-per-unit must come with --collect-containers",
            "--containers-per-unit",
            "2"),
        mistake("--max-containers must come with --collect-containers", "--max-containers", "2"),
        mistake(
            "--container-interval must come with --collect-containers",
            "--container-interval",
            "5m"),
        mistake(
            "--container-interval must be above zero, but is 0s",
            "--collect-containers",
            "--container-interval",
            "off"),
        mistake(
            "'--containers-per-unit': 'few' is not a whole number of up to 9 digits",
            "--collect-containers",
            "--containers-per-unit",
            "few"),
        mistake(
            "'--max-containers': '1.5' is not a whole number of up to 9 digits",
            "--collect-containers",
            "--max-containers",
            "1.5"),
        mistake(
            "'--container-min-age': '-5s' must not be negative",
            "--collect-containers",
            "--container-min-age",
            "-5s"),
        mistake(
            "--pressure-hard: threshold 'imagefs.free<10%': there is no signal 'imagefs.free';"
                + " it must be one of ",
            "--pressure-hard", "imagefs.free<10%"),
        mistake(
            "--pressure-hard: 'imagefs.available' is no threshold: it must be a signal, '<' and an amount",
            "--pressure-hard",
            "imagefs.available"),
        mistake(
            "--pressure-hard: threshold 'imagefs.available<lots': 'lots' is no amount:"
                + " it must be a quantity as Kubernetes writes it",
            "--pressure-hard",
            "imagefs.available<lots"),
        mistake(
            "--pressure-hard: threshold 'imagefs.available<101%': '101%' must be from 0% to 100%",
            "--pressure-hard", "imagefs.available<101%"),
        mistake(
            "--pressure-hard: threshold imagefs.available<0 must be above 0; 0% is off",
            "--pressure-hard", "imagefs.available<0"),
        mistake(
            "--pressure-hard: there must be one hard threshold of imagefs.available, but there are"
                + " imagefs.available<10% and imagefs.available<20%",
            "--pressure-hard", "imagefs.available<10%,imagefs.available<20%"),
        mistake(
            "--pressure-soft imagefs.available<20% must come with"
                + " --pressure-soft-grace imagefs.available=DURATION above zero",
            "--pressure-soft", "imagefs.available<20%"),
        mistake(
            "--pressure-soft imagefs.available<20% must come with"
                + " --pressure-soft-grace imagefs.available=DURATION above zero",
            "--pressure-soft",
            "imagefs.available<20%",
            "--pressure-soft-grace",
            "imagefs.available=off"),
        mistake(
            "--pressure-soft: threshold 'x<20%': there is no signal 'x'",
            "--pressure-soft", "x<20%"),
        mistake(
            "--pressure-soft: there must be one soft threshold of imagefs.available",
            "--pressure-soft",
            "imagefs.available<10%,imagefs.available<20%",
            "--pressure-soft-grace",
            "imagefs.available=1m"),
        mistake(
            "--pressure-soft-grace nodefs.available has no --pressure-soft",
            "--pressure",
            "--pressure-soft-grace",
            "nodefs.available=1m"),
        mistake(
            "--pressure-soft-grace: there is no signal 'memory.available'; it must be one of",
            "--pressure-soft-grace",
            "memory.available=1m"),
        mistake(
            "--pressure-soft-grace imagefs.available: '5' is not a duration like 90s",
            "--pressure-soft-grace",
            "imagefs.available=5"),
        mistake(
            "--pressure-soft-grace must be a signal, '=' and a value, but is 'imagefs.available'",
            "--pressure-soft-grace",
            "imagefs.available"),
        mistake(
            "--pressure-soft-grace must be there once for imagefs.available, but is 1m and 2m",
            "--pressure-soft",
            "imagefs.available<10%",
            "--pressure-soft-grace",
            "imagefs.available=1m,imagefs.available=2m"),
        mistake(
            "--pressure-min-reclaim must be there once for imagefs.available, but is 1Gi and 5%",
            "--pressure",
            "--pressure-min-reclaim",
            "imagefs.available=1Gi",
            "--pressure-min-reclaim",
            "imagefs.available=5%"),
        mistake(
            "--pressure-min-reclaim imagefs.available: 'much' is no amount",
            "--pressure",
            "--pressure-min-reclaim",
            "imagefs.available=much"),
        mistake(
            "--pressure-min-reclaim imagefs.available: '-1' must not be negative",
            "--pressure",
            "--pressure-min-reclaim",
            "imagefs.available=-1"),
        mistake(
            "--pressure-min-reclaim: there is no signal 'disk'; it must be one of",
            "--pressure",
            "--pressure-min-reclaim",
            "disk=1Gi"),
        mistake(
            "--pressure-min-reclaim containerfs.available has no threshold",
            "--pressure",
            "--pressure-min-reclaim",
            "containerfs.available=1Gi"),
        mistake(
            "--pressure-transition must come with --pressure, --pressure-hard or --pressure-soft",
            "--pressure-transition",
            "1m"),
        mistake(
            "--pressure-interval must come with --pressure, --pressure-hard or --pressure-soft",
            "--pressure-interval",
            "1m"),
        mistake(
            "--pressure-interval must be above zero, but is 0s",
            "--pressure",
            "--pressure-interval",
            "0s"),
        mistake(
            "'--pressure-transition': '-5s' must not be negative",
            "--pressure",
            "--pressure-transition",
            "-5s"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mistakesOnContainersAndPressure")
  void runAndStatus_mistake_getsOneSentence_andNothingIsOpened(String sentence, String[] options) {
    Path state = directory.resolve("state");
    for (String command : List.of("run", "status")) {
      String[] args = Stream.concat(
              Stream.of(command, "--state", state.toString()), Stream.of(options))
          .toArray(String[]::new);

      AgentRun run = AgentRun.on(node, args);

      assertThat(run.exitCode()).isEqualTo(2);
      assertThat(run.errorLines()).hasSize(1).first().asString().contains(sentence);
      assertThat(run.err())
          .endsWith("Try 'imagegc-agent " + command + " --help'.\n")
          .doesNotContain("\tat ");
      assertThat(run.out()).isEmpty();
      assertThat(node.calls()).isEmpty();
      assertThat(state).doesNotExist();
    }
  }

  @Test
  void defaultsOfPressure_canBeReplacedAndSwitchedOffOneByOne() {
    AgentRun run = AgentRun.on(
        node,
        "status",
        "--pressure",
        "--pressure-hard",
        "imagefs.available<1Gi,nodefs.inodesFree<0%");

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.out()).contains("imagefs.available<1Gi").doesNotContain("15%");
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
  @ValueSource(strings = {"demo", "plan", "status", "collect", "purge", "run"})
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
  @ValueSource(strings = {"plan", "status", "collect", "purge", "run"})
  void help_ofCommandsForANode_namesEveryOption(String command) {
    assertThat(AgentRun.on(node, command, "--help").out())
        .contains("--host", "--image-fs", "--high", "--low", "--min-age", "--max-age", "--keep")
        .contains("--inodes-high", "--inodes-low", "--max-removals", "--max-bytes", "--time-budget")
        .contains("--collect-without-gain", "--keep-cache-if-in-vain", "--grace")
        .contains("--keep-label", "--keep-newest", "--own", "--collect-after")
        .contains("--state", "--json", "--timeout", "--verbose", "--help");
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "run"})
  void help_ofCommandsForAllOfANode_namesTheirOptionsToo(String command) {
    assertThat(AgentRun.on(node, command, "--help").out())
        .contains("--collect-containers", "--collect-unowned-containers", "--container-min-age")
        .contains("--containers-per-unit", "--max-containers", "--container-interval")
        .contains("--pressure", "--pressure-hard", "--pressure-soft", "--pressure-soft-grace")
        .contains("--pressure-min-reclaim", "--pressure-transition", "--pressure-interval")
        .contains("--root-fs", "--container-fs");
  }

  @Test
  void help_hasNoTextThatCannotBeFormatted() {
    Console nowhere = new Console(new PrintWriter(nullWriter()), new PrintWriter(nullWriter()));
    Agent.commandLine(AgentRun.connector(node), nowhere, StopSignal::new)
        .getSubcommands()
        .values()
        .stream()
        .flatMap(command -> command.getCommandSpec().options().stream())
        .flatMap(option -> rawDescription(option).stream())
        .forEach(
            words -> assertThatCode(() -> words.formatted()).as(words).doesNotThrowAnyException());
  }

  /** As it stands in the source; the option itself gives it formatted, or as it is if that fails. */
  private static List<String> rawDescription(OptionSpec option) {
    return option.userObject() instanceof AnnotatedElement field
        ? List.of(field.getAnnotation(Option.class).description())
        : List.of();
  }

  @Test
  void help_ofTheAgent_namesEveryCommand() {
    assertThat(AgentRun.on(node, "--help").out())
        .contains("demo", "plan", "status", "collect", "purge", "run");
  }
}
