/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The same thing measured in every round.
 *
 * @param values one for each round, at least one
 */
record Series(List<Double> values) {

  double median() {
    return median(values);
  }

  /** The middle value, or the mean of the two in the middle. */
  static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int size = sorted.size();
    return (sorted.get((size - 1) / 2) + sorted.get(size / 2)) / 2;
  }

  /** Each round by itself, so that what slows a whole round does not count. */
  Series dividedBy(Series that) {
    return new Series(IntStream.range(0, values.size())
        .mapToObj(round -> values.get(round) / that.values.get(round))
        .toList());
  }

  Series dividedBy(double divisor) {
    return new Series(values.stream().map(value -> value / divisor).toList());
  }

  /** The median, and the range if there is one. */
  String text() {
    double least = values.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    double most = values.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    return values.size() == 1
        ? number(median())
        : number(median()) + " (" + number(least) + "–" + number(most) + ")";
  }

  /** Three digits that count. */
  static String number(double value) {
    int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }
}
