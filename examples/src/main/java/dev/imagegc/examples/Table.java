/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Text in columns, each as wide as its widest cell. Columns whose heading begins with {@code >} are set to the right. */
final class Table {
  private final List<String> headings;
  private final List<Boolean> right;
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... headings) {
    this.right =
        List.of(headings).stream().map(heading -> heading.startsWith(">")).toList();
    this.headings = List.of(headings).stream()
        .map(heading -> heading.startsWith(">") ? heading.substring(1) : heading)
        .toList();
  }

  /** Adds a row, which must have a cell for every column. */
  Table row(String... cells) {
    if (cells.length != headings.size()) {
      throw new IllegalArgumentException(
          "a row must have " + headings.size() + " cells, but has " + cells.length);
    }
    rows.add(List.of(cells).stream().map(Human::clean).toList());
    return this;
  }

  @Override
  public String toString() {
    List<List<String>> lines = new ArrayList<>(List.of(headings));
    lines.addAll(rows);
    return lines.stream().map(line -> line(line, widths(lines))).collect(Collectors.joining());
  }

  private List<Integer> widths(List<List<String>> lines) {
    List<Integer> widths = new ArrayList<>();
    for (int column = 0; column < headings.size(); column++) {
      int index = column;
      widths.add(lines.stream().mapToInt(line -> line.get(index).length()).max().orElse(0));
    }
    return widths;
  }

  private String line(List<String> cells, List<Integer> widths) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < cells.size(); column++) {
      String cell = cells.get(column);
      String padding = " ".repeat(widths.get(column) - cell.length());
      line.append("  ").append(right.get(column) ? padding + cell : cell + padding);
    }
    return line.toString().stripTrailing() + "\n";
  }
}
