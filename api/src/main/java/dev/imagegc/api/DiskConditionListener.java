/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/**
 * The host's sink for disk pressure. It is told of a condition when it begins, when other signals or other kinds of thresholds
 * make it, and when it ends; what stays as it is is not repeated.
 *
 * <p>Conditions arrive one at a time, in order, on a thread of the collector that waits for at most a short deadline. What a
 * listener throws is contained and named in the report. A condition that it did not take, because it threw or was late, is told
 * again in the next pass, as it is then; while a call of it is stuck, it misses what is between.
 */
@FunctionalInterface
public interface DiskConditionListener {
  /**
   * Hears of a condition that has begun, changed or ended.
   *
   * @param condition what it is now; {@link DiskCondition#isUnderPressure()} is false when it has ended
   */
  void onCondition(DiskCondition condition);

  /**
   * Returns a listener that ignores everything.
   *
   * @return the listener
   */
  static DiskConditionListener noop() {
    return condition -> {};
  }
}
