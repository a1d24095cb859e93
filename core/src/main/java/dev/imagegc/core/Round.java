/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ImmutableList;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import dev.imagegc.core.internal.Disk;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One round, in the direction that data flows: measure, observe, remember, plan, sweep, report. Used by one thread at a
 * time; keeps nothing between rounds but what its tools keep, and when it last acted on ages.
 */
final class Round {
  private static final Logger LOG = LoggerFactory.getLogger(ImageGcManager.class);

  private final Sweep.Tools tools;
  private final PolicyGuard policy;
  private final History history;
  private final Duration detectionInterval;
  private final UnmatchedRules unmatchedRules;
  private @Nullable Instant lastCollection; // when a round last acted on ages

  Round(Sweep.Tools tools, PolicyGuard policy, History history, Duration detectionInterval) {
    this.tools = tools;
    this.policy = policy;
    this.history = history;
    this.detectionInterval = detectionInterval;
    this.unmatchedRules = new UnmatchedRules(policy, tools.events());
  }

  /** Observes and remembers. */
  void detect() {
    tools.events().drainProblems(); // of a call that had no report to put them in
    try {
      history.load();
      observe();
      tools.book().releaseUsers();
      unmatchedRules.show(tools.book()::records);
      tools.events().ended(GcEventType.DETECTION_FAILED, "images and containers are listed again");
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) {
      tools.events().began(GcEventType.DETECTION_FAILED, e.getMessage(), e, null);
      throw e;
    }
  }

  /** Decides without acting; always observes. */
  GcPlan plan(BiFunction<GcThresholds, Disk, Goal> goalAt) {
    tools.events().drainProblems();
    history.load();
    GcThresholds thresholds = policy.thresholds();
    Disk disk = tools.meter().measure();
    Goal goal = goalAt.apply(thresholds, disk);
    Instant now = observe();
    return planner(thresholds, now).plan(goal, disk);
  }

  /** Acts. Trouble with the engine, the disk or the policy is in the report, with what was done before. */
  GcReport act(Operation operation, BiFunction<GcThresholds, Disk, Goal> goalAt) {
    long startNanos = tools.clock().nanoTime();
    Instant startedAt = tools.clock().instant();
    GcReport.Builder report = GcReport.builder(operation, startedAt);
    tools.events().drainProblems();
    tools.events().roundBegan(operation, startedAt);
    try {
      history.load();
      act(report, goalAt, startNanos);
    } catch (GcException e) {
      report.outcome(Outcome.FAILED, e);
    }
    unmatchedRules.report();
    report.duration(Duration.ofNanos(tools.clock().nanoTime() - startNanos));
    try {
      return conclude(report);
    } finally {
      tools.events().roundEnded();
    }
  }

  private void act(
      GcReport.Builder report, BiFunction<GcThresholds, Disk, Goal> goalAt, long startNanos) {
    GcThresholds thresholds = policy.thresholds();
    Disk start = tools.meter().measure();
    report.before(start.stats(), start.usagePercent()).after(start.stats(), start.usagePercent());
    Goal goal = goalAt.apply(thresholds, start);
    if (goal.target(start) == Goal.Target.NONE && !mayBeDueByAge(goal, thresholds)) {
      report.neededBytes(0).missingBytes(0);
      if (goal.countsInodes() && start.inodesUsagePercent().isPresent()) {
        report.neededInodes(0).missingInodes(0);
      }
      return; // nothing needed, nothing due: the engine is not asked
    }
    Instant now = observe();
    Planner planner = planner(thresholds, now);
    GcPlan plan = planner.plan(goal, start);
    // Unless the sweep, which measures again, finds another need.
    plan.neededBytes().ifPresent(report::neededBytes);
    plan.neededInodes().ifPresent(report::neededInodes);
    plan.predictedBytes().ifPresent(report::predictedBytes);
    report.accounting(plan.accounting());

    Sweep sweep = new Sweep(tools, plan, goal, start, planner, startNanos);
    try {
      sweep.run();
    } catch (GcException e) {
      report.decisions(sweep.decisions(Reason.NOT_REACHED, "the round ended before its turn"));
      throw e;
    } finally {
      report
          .freedBytes(sweep.freedBytes())
          .after(sweep.disk().stats(), sweep.disk().usagePercent());
      history.noteTrouble();
    }
    if (goal.collectsByAge() && sweep.stoppedBy().isEmpty()) {
      lastCollection = now; // else some that are due may be left
    }
    judge(report, goal, thresholds, sweep);
  }

  /** Lists and remembers; returns the one reading of the clock that belongs to it. */
  private Instant observe() {
    Instant began = tools.timeline().now();
    NodeView view = tools.engine().observe();
    Instant now = tools.timeline().now();
    tools.book().merge(view, began, now);
    tools.leases().settle(image -> tools.book().image(image) != null);
    tools.backOff().review(tools.book()::image);
    history.refresh();
    return now;
  }

  /** Prepares the plans of a round from what is known now. */
  private Planner planner(GcThresholds thresholds, Instant now) {
    Collection<ImageRecord> images = tools.book().records();
    Planner planner = new Planner(
        tools.book().inventory(),
        thresholds,
        unlessLeased(policy.verdicts(images)),
        image -> tools.backOff().verdict(image, now),
        policy.order(),
        now);
    tools.book().arrange(planner.order());
    tools.book().releaseUsers();
    unmatchedRules.tell(images);
    return planner;
  }

  private Function<ImageRecord, Verdict> unlessLeased(Function<ImageRecord, Verdict> verdicts) {
    Function<ImageRecord, Verdict> leases = tools.leases().verdicts();
    return image -> {
      Verdict leased = leases.apply(image);
      return leased.reason().isPresent() ? leased : verdicts.apply(image);
    };
  }

  /**
   * Whether it is worth looking for images that maxAge or the policy's verdicts make due: none is known to have become due
   * since the last round that looked, but what is not known yet is looked for in every detection interval.
   */
  private boolean mayBeDueByAge(Goal goal, GcThresholds thresholds) {
    if (!goal.collectsByAge()) {
      return false;
    }
    boolean byVerdict = policy.makesDue();
    if (thresholds.maxAge().isEmpty() && !byVerdict) {
      return false;
    }
    Instant now = tools.timeline().now();
    Instant last = lastCollection;
    if (last == null || Duration.between(last, now).compareTo(detectionInterval) >= 0) {
      return true;
    }
    Collection<ImageRecord> images = tools.book().records();
    BiPredicate<ImageRecord, Verdict> becameDue =
        (image, verdict) -> verdict.reason().isEmpty()
            && Planner.isDueByAge(image, verdict, thresholds, now)
            && (Planner.idleSince(image).isAfter(last)
                || !Planner.isDueByAge(image, verdict, thresholds, last));
    return byVerdict
        ? policy.anyVerdict(images, becameDue)
        : images.stream().anyMatch(image -> becameDue.test(image, Verdict.mayGo()));
  }

  private void judge(GcReport.Builder report, Goal goal, GcThresholds thresholds, Sweep sweep) {
    Goal.Target target = sweep.target();
    boolean needed = goal.countsBytes() && target != Goal.Target.NONE;
    boolean reached = !needed || target.isReached(sweep.disk());
    List<ImageDecision> images = sweep.decisions(
        sweep.stoppedBy().isPresent() ? Reason.LIMIT : Reason.ENOUGH_FREED,
        sweep
            .stoppedBy()
            .map(limit -> "the round ended at its limit of " + limit)
            .orElse(""));
    report.decisions(images);
    if (goal.countsBytes()) {
      report.neededBytes(sweep.neededBytes());
      report.missingBytes(reached ? 0 : Math.max(0, target.missing(sweep.disk())));
      if (goal.countsInodes() && sweep.disk().inodesUsagePercent().isPresent()) {
        report.neededInodes(sweep.neededInodes());
        report.missingInodes(reached ? 0 : Math.max(0, target.missingInodes(sweep.disk())));
      }
    }
    sweep.stoppedBy().ifPresent(report::stoppedBy);
    if (!reached || sweep.stoppedBy().isPresent()) {
      Shortfall shortfall = Shortfall.of(tools.book().inventory(), images);
      report.outcome(Outcome.SHORT).held(shortfall.held());
      shortfall.otherDataBytes(sweep.disk()).ifPresent(report::otherDataBytes);
      report.explanation(Sentences.notEnoughFreed(report.build(), shortfall.isExact(), thresholds));
      return;
    }
    boolean tried = images.stream().anyMatch(image -> !image.decision().equals(Decision.KEPT));
    report.outcome(needed || tried ? Outcome.DONE : Outcome.NOT_NEEDED);
  }

  /** Says what the report means for the states that last, and logs it. */
  private GcReport conclude(GcReport.Builder builder) {
    GcReport report = builder.problems(tools.events().drainProblems()).build();
    if (report.outcome().equals(Outcome.FAILED)) {
      GcException cause = report.cause().orElseThrow();
      tools.events().began(GcEventType.IMAGE_GC_FAILED, cause.getMessage(), cause, report);
    } else {
      tools.events().ended(GcEventType.IMAGE_GC_FAILED, "a round ended as " + report.outcome());
    }
    if (report.operation().equals(Operation.COLLECT)) {
      if (report.outcome().equals(Outcome.SHORT) && isMissing(report)) {
        tools
            .events()
            .began(GcEventType.FREE_DISK_SPACE_FAILED, report.explanation(), null, report);
      } else if (!report.outcome().equals(Outcome.FAILED)) {
        tools
            .events()
            .ended(GcEventType.FREE_DISK_SPACE_FAILED, "a round ended as " + report.outcome());
      }
    }
    log(report);
    tools.events().happened(GcEventType.ROUND_FINISHED, Sentences.summary(report), null, report);
    List<String> late = tools.events().drainProblems();
    return late.isEmpty()
        ? report
        : builder.problems(concat(report.problems(), late)).build();
  }

  /** A limit may have ended a round that only had ages to act on. */
  private static boolean isMissing(GcReport report) {
    return report.missingBytes().orElse(0) > 0 || report.missingInodes().orElse(0) > 0;
  }

  /** One line for a round that acted; each image only for those who want to know. */
  private static void log(GcReport report) {
    if (report.decisions().stream().anyMatch(image -> !image.decision().equals(Decision.KEPT))) {
      LOG.info("{}", Sentences.summary(report));
    }
    if (LOG.isDebugEnabled()) {
      report.decisions().forEach(image -> LOG.debug("{}", image));
    }
  }

  private static List<String> concat(List<String> first, List<String> second) {
    return ImmutableList.<String>builder().addAll(first).addAll(second).build();
  }
}
