/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Comparator;

/**
 * Decides what may go and in which order; it never acts. {@code dev.imagegc.core.LruGcPolicy} is the ready-made one.
 *
 * <p>A policy narrows: it can keep an image, but it cannot release one that is in use, pinned, or too young. It is read
 * at the start of every round, so a host may change its answers at any time. Methods are called by the thread of a round,
 * one round at a time, must not block, and should give equal answers to equal questions. A policy that throws keeps the
 * image it was asked about ({@link Reason#POLICY_FAILED}), or ends the round if it has no thresholds or order.
 */
public interface GcPolicy {
  /**
   * Returns the thresholds and ages of the next round.
   *
   * @return the thresholds
   */
  GcThresholds thresholds();

  /**
   * Says whether an image may go. It is asked for every image that is not in use or pinned.
   *
   * @param image an image of the node, with what is remembered of it
   * @return the verdict
   */
  Verdict verdict(ImageRecord image);

  /**
   * Returns the order in which images go, first one first. The collector settles ties by first sight, then build time
   * (unknown last), then id, so that equal nodes give equal plans.
   *
   * @return a comparator that is consistent for the length of a round
   */
  Comparator<ImageRecord> evictionOrder();
}
