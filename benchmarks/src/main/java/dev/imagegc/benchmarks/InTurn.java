/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * A few equal answers that are handed out one after the other, because an engine makes its answer anew each time, and its
 * time is not to be measured.
 */
final class InTurn<T> implements Supplier<T> {
  private static final int COUNT = 4;

  private final List<T> answers;
  private int next;

  private InTurn(List<T> answers) {
    this.answers = answers;
  }

  static <T> InTurn<T> of(Supplier<T> maker) {
    IntFunction<T> make = i -> maker.get();
    return new InTurn<>(IntStream.range(0, COUNT).mapToObj(make).toList());
  }

  @Override
  public T get() {
    next = (next + 1) % answers.size();
    return answers.get(next);
  }
}
