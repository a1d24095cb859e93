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
        .contains("PLANNED", "REMOVED", "IN_USE", "PROTECTED", "TOO_YOUNG", "ENOUGH_FREED")
        .contains("DONE: removed 3 of 8 images.");
    assertThat(run.err()).isEmpty();
    assertThat(untouched.calls()).isEmpty();
  }

  @Test
  void demo_isWhatRunsWithoutACommand_andAlwaysTheSame() {
    assertThat(AgentRun.on(untouched)).isEqualTo(AgentRun.on(untouched, "demo"));
  }

  @Test
  void demo_fitsATerminalExceptForTheTables() {
    String prose = AgentRun.on(untouched, "demo").out().split("\n\n  #", 2)[0];

    assertThat(prose.lines())
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(100));
  }
}
