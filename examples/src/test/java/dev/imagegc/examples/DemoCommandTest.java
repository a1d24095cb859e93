/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.testkit.FakeNode;
import org.junit.jupiter.api.Test;

class DemoCommandTest {
  private final FakeNode untouched = FakeNode.withDisk(1000);

  @Test
  void demo_showsEachReasonAndEndsDone() {
    AgentRun run = AgentRun.on(untouched, "demo");

    assertThat(run.exitCode()).isEqualTo(0);
    assertThat(run.out())
        .contains("The plan", "The round", "The node after")
        .contains(
            "PLANNED", "REMOVED", "IN_USE", "PROTECTED", "TOO_YOUNG", "ENOUGH_FREED", "NO_GAIN")
        .contains("DONE: removed 3 of 9 images.");
    assertThat(run.err()).isEmpty();
    assertThat(untouched.calls()).isEmpty();
  }

  @Test
  void demo_isWhatRunsWithoutACommand_andAlwaysTheSame() {
    assertThat(AgentRun.on(untouched)).isEqualTo(AgentRun.on(untouched, "demo"));
  }

  @Test
  void demo_sharedLayers_areInNoPredictionAndTheDiskAgrees() {
    String out = AgentRun.on(untouched, "demo").out();

    assertThat(out)
        .containsPattern("PLANNED +10.7 GiB +2.0 GiB +10.7 GiB +2.0 GiB +11d .*/ml/train:3 +SPACE")
        .containsPattern("REMOVED +10.7 GiB +2.0 GiB +2.0 GiB +11d .*/ml/train:3 +SPACE")
        .contains("predicted: 4.3 GiB, exact by layers.")
        .contains("Freed             4.3 GiB, measured")
        .doesNotContain("listed size");
  }

  @Test
  void demo_tables_haveOnlyTheWordsOfAReasonBeyond125Columns() {
    String out = AgentRun.on(untouched, "demo").out();

    assertThat(out.lines().map(line -> line.replaceFirst("(?<= [A-Z_]{6,20}): .*", "")))
        .anyMatch(line -> line.endsWith("PROTECTED"))
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(125));
  }

  @Test
  void demo_fitsATerminalExceptForTheTables() {
    String prose = AgentRun.on(untouched, "demo").out().split("\n\n  #", 2)[0];

    assertThat(prose.lines())
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(100));
  }
}
