/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.PolicyException;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import java.util.Comparator;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;

/** The host's {@link GcPolicy} and veto, whose faults keep an image or end a round, but never the collector. */
final class PolicyGuard {
  private final GcPolicy policy;
  private final Function<ImageRecord, Verdict> veto;
  private final Events events;

  PolicyGuard(GcPolicy policy, Function<ImageRecord, Verdict> veto, Events events) {
    this.policy = policy;
    this.veto = veto;
    this.events = events;
  }

  GcThresholds thresholds() {
    return ask("has no thresholds", policy::thresholds);
  }

  /** The policy's word, and then the host's. */
  Verdict verdict(ImageRecord record) {
    Verdict verdict = verdict("the policy", policy::verdict, record);
    return verdict.reason().isPresent() ? verdict : verdict("the veto", veto, record);
  }

  /** Who throws keeps the image that was asked about: the safe direction. */
  private Verdict verdict(String who, Function<ImageRecord, Verdict> judge, ImageRecord record) {
    try {
      return Objects.requireNonNull(judge.apply(record), "the answer is null");
    } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
      String message = who + " failed on image " + Planner.name(record.image()) + ": " + e;
      events.problem(who + ":" + e.getClass().getName(), message);
      return Verdict.stays(Reason.POLICY_FAILED, message);
    }
  }

  Comparator<ImageRecord> order() {
    Comparator<ImageRecord> order = ask("has no eviction order", policy::evictionOrder);
    return (a, b) -> {
      try {
        return order.compare(a, b);
      } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
        throw new PolicyException("the policy's eviction order failed: " + e, e);
      }
    };
  }

  private static <T> T ask(String failure, Supplier<T> question) {
    try {
      return Objects.requireNonNull(question.get(), "the answer is null");
    } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
      throw new PolicyException("the policy " + failure + ": " + e, e);
    }
  }
}
