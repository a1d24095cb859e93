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
import java.util.function.Supplier;

/** The host's {@link GcPolicy}, whose faults keep an image or end a round, but never the collector. */
final class PolicyGuard {
  private final GcPolicy policy;
  private final Events events;

  PolicyGuard(GcPolicy policy, Events events) {
    this.policy = policy;
    this.events = events;
  }

  GcThresholds thresholds() {
    return ask("has no thresholds", policy::thresholds);
  }

  /** A policy that throws keeps the image it was asked about: the safe direction. */
  Verdict verdict(ImageRecord record) {
    try {
      return ask("failed on image " + Planner.name(record.image()), () -> policy.verdict(record));
    } catch (PolicyException e) {
      events.problem(
          "policy:" + Objects.requireNonNull(e.getCause()).getClass().getName(), e.getMessage());
      return Verdict.stays(Reason.POLICY_FAILED, e.getMessage());
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
