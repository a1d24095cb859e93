/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcListener;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Remembers what a one-shot command should say beside its result. Thread-safe. */
final class Warnings implements GcListener {
  private static final Set<GcEventType> TOLD = Set.of(
      GcEventType.HISTORY_LOST,
      GcEventType.STORE_FAILED,
      GcEventType.AVAILABLE_CLAMPED,
      GcEventType.RULE_UNMATCHED);

  private final Queue<String> sentences = new ConcurrentLinkedQueue<>();

  @Override
  public void onEvent(GcEvent event) {
    if (TOLD.contains(event.type()) && event.phase() != GcEvent.Phase.ENDED) {
      sentences.add(event.message());
    }
  }

  /** Adds what a report names, unless an event told it before. */
  void addProblems(List<String> problems) {
    for (String problem : problems) {
      if (sentences.stream().noneMatch(sentence -> sentence.contains(problem))) {
        sentences.add(problem);
      }
    }
  }

  void tell(Console console) {
    sentences.forEach(console::warn);
  }
}
