/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/** When a transfer came to which stage, in elapsed time. Thread-safe. */
final class Stages {
  /** In the order in which a transfer goes through them; it may end in any. */
  enum Stage {
    SLOT,
    RATE,
    TRANSFER,
    DONE
  }

  // All guarded by this.
  private final Map<Stage, Long> begun = new EnumMap<>(Stage.class);
  private final Map<Stage, Long> ended = new EnumMap<>(Stage.class);
  private Stage current = Stage.SLOT;

  Stages(long now) {
    begun.put(current, now);
  }

  /** Says that a stage begins now, and the one before it ends. */
  synchronized void enter(Stage stage, long now) {
    ended.put(current, now);
    begun.put(stage, now);
    current = stage;
  }

  synchronized boolean reached(Stage stage) {
    return begun.containsKey(stage);
  }

  /** Returns how long a stage has lasted. */
  synchronized Duration spent(Stage stage, long now) {
    Long begin = begun.get(stage);
    return begin == null ? Duration.ZERO : spent(stage, begin, now);
  }

  /** Returns how long a stage has lasted for somebody who came later. */
  synchronized Duration spent(Stage stage, long from, long now) {
    Long begin = begun.get(stage);
    if (begin == null) {
      return Duration.ZERO;
    }
    long since = begin - from < 0 ? from : begin;
    return Duration.ofNanos(Math.max(0, ended.getOrDefault(stage, now) - since));
  }
}
