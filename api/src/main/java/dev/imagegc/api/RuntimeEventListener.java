/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** Hears the events of one {@link RuntimeEventSource.Subscription}. */
public interface RuntimeEventListener {
  /**
   * Hears of an event. Called one at a time, in the engine's order, on a thread of the source; must return quickly.
   *
   * @param event what happened
   */
  void onEvent(RuntimeEvent event);

  /**
   * Hears that the stream has ended by itself: the engine went away, or said something that is no event. No event follows.
   * Called at most once, and not because of {@link RuntimeEventSource.Subscription#close()}.
   *
   * @param cause why
   */
  void onEnd(GcException cause);
}
