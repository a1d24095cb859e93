/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Text in columns, each as wide as its widest cell. Columns whose heading begins with {@code >} are set to the right; those
 * that are empty in every row are left out.
 */
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
    List<Integer> widths =
        IntStream.range(0, headings.size()).map(this::width).boxed().toList();
    return Stream.concat(Stream.of(headings), rows.stream())
        .map(cells -> line(cells, widths))
        .collect(Collectors.joining());
  }

  /** 0 for a column without content. */
  private int width(int column) {
    int widest = rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
    return widest == 0 ? 0 : Math.max(widest, headings.get(column).length());
  }

  private String line(List<String> cells, List<Integer> widths) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < cells.size(); column++) {
      if (widths.get(column) > 0) {
        String cell = cells.get(column);
        String padding = " ".repeat(widths.get(column) - cell.length());
        line.append("  ").append(right.get(column) ? padding + cell : cell + padding);
      }
    }
    return line.toString().stripTrailing() + "\n";
  }
}
