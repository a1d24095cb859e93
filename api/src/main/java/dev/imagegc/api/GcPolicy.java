/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/**
 * Decides what may go and in which order; it never acts. {@code dev.imagegc.core.LruGcPolicy} is the ready-made one.
 *
 * <p>A policy narrows: it can keep an image, but it cannot release one that is in use, leased, pinned, too young, or within its
 * grace. It is read at the start of every round, so a host may change its answers at any time. Methods are called by the thread of
 * a round, one round at a time, must not block, and should give equal answers to equal questions. A policy that throws keeps the
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
   * Returns what gives the verdicts of one round. A policy whose rules compare images, or that tells {@link
   * #unmatchedRules()}, overrides it; the others need not.
   *
   * <p>Asked once at the start of a round or plan, and at other times when the collector wants to know which rules match or
   * what is due; the function is then asked as {@link #verdict(ImageRecord)} is. If this throws, no image goes.
   *
   * @param all every image of the node, also those in use or pinned; in no particular order, not changed later
   * @return {@link #verdict(ImageRecord)}, unless overridden
   */
  default Function<ImageRecord, Verdict> verdicts(Collection<ImageRecord> all) {
    return this::verdict;
  }

  /**
   * Says whether verdicts of this policy may be {@linkplain Verdict#dueAfter(java.time.Duration, String) due after} a time.
   * Only then, or with {@link GcThresholds#maxAge()}, does a threshold round look for what is due while there is space.
   *
   * @return false, unless overridden
   */
  default boolean makesDue() {
    return false;
  }

  /**
   * Returns the rules that have matched none of the images that {@link #verdicts} was given since the policy was made:
   * probably typing errors. The collector tells each of them once, after it has shown the policy at least one image.
   *
   * @return the rules in words, each as the host knows it; none, unless overridden
   */
  default List<String> unmatchedRules() {
    return List.of();
  }

  /**
   * Returns the order in which images go, first one first. The collector settles ties by first sight, then build time
   * (unknown last), then id, so that equal nodes give equal plans.
   *
   * @return a comparator that is consistent for the length of a round
   */
  Comparator<ImageRecord> evictionOrder();
}
