/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void toString_columns_areAsWideAsTheirWidestCell() {
    Table table = new Table("NAME", ">SIZE", "WHY").row("app:1", "7", "x").row("a", "1234567", "");

    assertThat(table).hasToString("""
          NAME      SIZE  WHY
          app:1        7  x
          a      1234567
        """);
  }

  @Test
  void toString_columnThatIsEmptyEverywhere_isLeftOut() {
    assertThat(new Table("A", "B", "C").row("1", "", "3")).hasToString("  A  C\n  1  3\n");
  }

  @Test
  void row_controlCharacters_doNotReachTheTerminal() {
    assertThat(new Table("A").row("bad\u001b[31m\nname")).hasToString("  A\n  bad [31m name\n");
  }

  @Test
  void row_ofAnotherWidth_isRefused() {
    assertThatThrownBy(() -> new Table("A", "B").row("1"))
        .hasMessage("a row must have 2 cells, but has 1");
  }
}
