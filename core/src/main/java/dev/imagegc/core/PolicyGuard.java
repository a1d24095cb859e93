/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.PolicyException;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import dev.imagegc.core.internal.Events;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.BiPredicate;
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

  /**
   * Returns what gives the policy's word on an image, and then the host's, which can hold an image back, but not make it due.
   *
   * @param all every image of the node
   */
  Function<ImageRecord, Verdict> verdicts(Collection<ImageRecord> all) {
    Function<ImageRecord, Verdict> judge = judge(all);
    return record -> {
      Verdict verdict = verdict("the policy", judge, record);
      if (verdict.reason().isPresent()) {
        return verdict;
      }
      Verdict word = verdict("the veto", veto, record);
      return word.reason().isPresent() ? word : verdict;
    };
  }

  /** Whether the policy's word on one of the images passes a test; also if it throws, because a plan then tells of it. */
  boolean anyVerdict(Collection<ImageRecord> all, BiPredicate<ImageRecord, Verdict> test) {
    try {
      Function<ImageRecord, Verdict> judge = policy.verdicts(all);
      return all.stream().anyMatch(record -> test.test(record, judge.apply(record)));
    } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
      return true;
    }
  }

  /** A policy without verdicts keeps every image. */
  private Function<ImageRecord, Verdict> judge(Collection<ImageRecord> all) {
    try {
      return Objects.requireNonNull(policy.verdicts(all), "the answer is null");
    } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
      Verdict stays = Verdict.stays(Reason.POLICY_FAILED, failed("has no verdicts", e));
      return record -> stays;
    }
  }

  /** Whether the policy's verdicts, and not only its maxAge, make images due. */
  boolean makesDue() {
    try {
      return policy.makesDue();
    } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
      failed("cannot say whether it makes images due", e);
      return false;
    }
  }

  /** The rules that no image matched that was in a call of {@link #verdicts}. */
  List<String> unmatchedRules() {
    try {
      return List.copyOf(policy.unmatchedRules());
    } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
      failed("cannot say which rules matched nothing", e);
      return List.of();
    }
  }

  private String failed(String how, Throwable e) {
    String message = "the policy " + how + ": " + e;
    events.problem("the policy " + how + ":" + e.getClass().getName(), message);
    return message;
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
