/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/**
 * The host's part in disk pressure: hears of what cannot be reclaimed by removing containers and images, and may stop or move
 * workloads. The library never does.
 *
 * <p>Called at the end of a pass, on a thread of the collector, while other calls on the node may run again and the next pass
 * waits: within a deadline, after which it is interrupted and left alone, so hand longer work to a thread of your own. It must not
 * ask for a pass itself. What it throws is contained and named in the report. While the shortfall lasts, it is told in every pass
 * that measured anew.
 */
@FunctionalInterface
public interface PressureShortfallHandler {
  /**
   * Hears of a filesystem that is short of room.
   *
   * @param shortfall what is missing, and what the host can rank
   */
  void onShortfall(PressureShortfall shortfall);

  /**
   * Returns a handler that does nothing.
   *
   * @return the handler
   */
  static PressureShortfallHandler noop() {
    return shortfall -> {};
  }
}
