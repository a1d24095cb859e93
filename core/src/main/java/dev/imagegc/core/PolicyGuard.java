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

/** The host's {@link GcPolicy}, whose faults keep an image or end a round, but never the collector. */
final class PolicyGuard {
  private final GcPolicy policy;
  private final Events events;

  PolicyGuard(GcPolicy policy, Events events) {
    this.policy = policy;
    this.events = events;
  }

  GcThresholds thresholds() {
    try {
      return Objects.requireNonNull(policy.thresholds(), "thresholds() returned null");
    } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
      throw new PolicyException("the policy has no thresholds: " + e, e);
    }
  }

  /** A policy that throws keeps the image it was asked about: the safe direction. */
  Verdict verdict(ImageRecord record) {
    try {
      return Objects.requireNonNull(policy.verdict(record), "verdict() returned null");
    } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
      String message = "the policy failed on image " + Planner.name(record.image()) + ": " + e;
      events.problem("policy:" + e.getClass().getName(), message);
      return Verdict.stays(Reason.POLICY_FAILED, message);
    }
  }

  Comparator<ImageRecord> order() {
    Comparator<ImageRecord> order;
    try {
      order = Objects.requireNonNull(policy.evictionOrder(), "evictionOrder() returned null");
    } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
      throw new PolicyException("the policy has no eviction order: " + e, e);
    }
    return (a, b) -> {
      try {
        return order.compare(a, b);
      } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
        throw new PolicyException("the policy's eviction order failed: " + e, e);
      }
    };
  }
}
