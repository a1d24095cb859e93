/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.List;

/**
 * Hears what the collector does.
 *
 * <p>Events arrive one at a time, in order, on a thread of the collector, while the round, the save of history or the watch that
 * they come from waits for at most a short deadline: hand longer work to a thread of your own. What a listener throws is contained, logged once per kind, and named
 * in {@link GcReport#problems()}; while a call of it is stuck, it misses events.
 */
@FunctionalInterface
public interface GcListener {
  /**
   * Hears of one event.
   *
   * @param event what happened
   */
  void onEvent(GcEvent event);

  /**
   * Returns a listener that ignores everything.
   *
   * @return the listener
   */
  static GcListener noop() {
    return event -> {};
  }

  /**
   * Returns a listener that tells several, in order. One that throws does not keep the event from those after it; what the
   * first one threw is thrown at the end, with the rest as suppressed.
   *
   * @param listeners the listeners
   * @return the listener
   */
  static GcListener composite(GcListener... listeners) {
    List<GcListener> all = List.of(listeners);
    return event -> {
      RuntimeException first = null;
      for (GcListener listener : all) {
        try {
          listener.onEvent(event);
        } catch (RuntimeException e) {
          if (first == null) {
            first = e;
          } else if (e != first) {
            first.addSuppressed(e);
          }
        }
      }
      if (first != null) {
        throw first;
      }
    };
  }
}
