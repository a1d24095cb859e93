/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ImmutableList;
import com.google.common.math.LongMath;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.HeldBytes;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One round, in the direction that data flows: measure, observe, remember, plan, sweep, report. Used by one thread at a
 * time; keeps nothing between rounds but what {@link RecordBook} and {@link Events} keep.
 */
final class Round {
  private static final Logger LOG = LoggerFactory.getLogger(ImageGcManager.class);

  private final Engine engine;
  private final Meter meter;
  private final PolicyGuard policy;
  private final RecordBook book;
  private final History history;
  private final Events events;
  private final Timeline timeline;
  private final GcClock clock;
  private final Duration detectionInterval;
  private final BooleanSupplier closing;
  private @Nullable Instant lastCollection; // when a round last acted on ages

  Round(
      Engine engine,
      Meter meter,
      GcPolicy policy,
      RecordBook book,
      History history,
      Events events,
      Timeline timeline,
      GcClock clock,
      Duration detectionInterval,
      BooleanSupplier closing) {
    this.engine = engine;
    this.meter = meter;
    this.policy = new PolicyGuard(policy, events);
    this.book = book;
    this.history = history;
    this.events = events;
    this.timeline = timeline;
    this.clock = clock;
    this.detectionInterval = detectionInterval;
    this.closing = closing;
  }

  /** What was observed, with the one reading of the clock that the rest of the round uses. */
  private record Observed(NodeView view, Instant now) {}

  /** Observes and remembers. */
  void detect() {
    events.drainProblems(); // of a call that had no report to put them in
    try {
      history.load();
      observe();
      events.ended(GcEventType.DETECTION_FAILED, "images and containers are listed again");
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) {
      events.began(GcEventType.DETECTION_FAILED, e.getMessage(), e, null);
      throw e;
    }
  }

  /** Decides without acting; always observes. */
  GcPlan plan(BiFunction<GcThresholds, Disk, Goal> goalAt) {
    events.drainProblems();
    history.load();
    GcThresholds thresholds = policy.thresholds();
    Disk disk = meter.measure();
    return plan(goalAt.apply(thresholds, disk), thresholds, disk, observe());
  }

  /** Acts. Trouble with the engine, the disk or the policy is in the report, with what was done before. */
  GcReport act(Operation operation, BiFunction<GcThresholds, Disk, Goal> goalAt) {
    long startNanos = clock.nanoTime();
    GcReport.Builder report = GcReport.builder(operation, clock.instant());
    events.drainProblems();
    try {
      history.load();
      act(report, goalAt);
    } catch (GcException e) {
      report.outcome(Outcome.FAILED, e);
    }
    report.duration(Duration.ofNanos(clock.nanoTime() - startNanos));
    return conclude(report);
  }

  private void act(GcReport.Builder report, BiFunction<GcThresholds, Disk, Goal> goalAt) {
    GcThresholds thresholds = policy.thresholds();
    Disk start = meter.measure();
    report.before(start.stats(), start.usagePercent()).after(start.stats(), start.usagePercent());
    Goal goal = goalAt.apply(thresholds, start);
    if (!goal.isTriggered(start) && !mayBeDueByAge(goal, thresholds)) {
      report.neededBytes(0).missingBytes(0);
      return; // nothing needed, nothing due: the engine is not asked
    }
    Observed observed = observe();
    GcPlan plan = plan(goal, thresholds, start, observed);
    if (goal.collectsByAge()) {
      lastCollection = observed.now();
    }
    plan.neededBytes()
        .ifPresent(report::neededBytes); // unless the sweep, which measures again, finds another
    plan.predictedBytes().ifPresent(report::predictedBytes);
    report.accounting(plan.accounting());

    Sweep sweep = new Sweep(plan, goal, start, engine, meter, book, timeline, events, closing);
    try {
      sweep.run();
      List<ImageDecision> decisions = sweep.decisions(Reason.ENOUGH_FREED, "");
      report.decisions(decisions);
      judge(report, goal, sweep, decisions);
    } catch (GcException e) {
      report.decisions(sweep.decisions(Reason.NOT_REACHED, "the round ended before its turn"));
      throw e;
    } finally {
      report
          .freedBytes(sweep.freedBytes())
          .after(sweep.disk().stats(), sweep.disk().usagePercent());
      history.save();
    }
  }

  private Observed observe() {
    NodeView view = engine.observe();
    Instant now = timeline.now();
    book.merge(view, now);
    history.save();
    return new Observed(view, now);
  }

  private GcPlan plan(Goal goal, GcThresholds thresholds, Disk disk, Observed observed) {
    return new Planner(
            book.records(),
            observed.view().users(),
            thresholds,
            policy::verdict,
            policy.order(),
            observed.now())
        .plan(goal, disk);
  }

  /**
   * Whether it is worth looking for images that maxAge makes due: none is known to have become due since the last round that
   * looked, but what is not known yet is looked for in every detection interval.
   */
  private boolean mayBeDueByAge(Goal goal, GcThresholds thresholds) {
    if (!goal.collectsByAge() || thresholds.maxAge().isEmpty()) {
      return false;
    }
    Instant now = timeline.now();
    Instant last = lastCollection;
    return last == null
        || Duration.between(last, now).compareTo(detectionInterval) >= 0
        || book.records().stream()
            .anyMatch(record -> Planner.isDueByAge(record, thresholds, now)
                && !Planner.isDueByAge(record, thresholds, last));
  }

  private static void judge(
      GcReport.Builder report, Goal goal, Sweep sweep, List<ImageDecision> images) {
    long missing =
        goal.countsBytes() && sweep.triggered() ? Math.max(0, goal.missing(sweep.disk())) : 0;
    if (goal.countsBytes()) {
      report.neededBytes(sweep.neededBytes()).missingBytes(missing);
    }
    if (missing > 0) {
      report.outcome(Outcome.SHORT).held(held(images));
      otherData(images, sweep.disk()).ifPresent(report::otherDataBytes);
      return;
    }
    boolean tried = images.stream().anyMatch(image -> !image.decision().equals(Decision.KEPT));
    boolean needed = goal.countsBytes() && sweep.triggered();
    report.outcome(needed || tried ? Outcome.DONE : Outcome.NOT_NEEDED);
  }

  /** Which reasons hold how much, largest first. */
  private static List<HeldBytes> held(List<ImageDecision> images) {
    Map<Reason, List<ImageDecision>> byReason = images.stream()
        .filter(Round::isStillThere)
        .collect(Collectors.groupingBy(ImageDecision::reason));
    return byReason.entrySet().stream()
        .map(
            entry -> HeldBytes.of(entry.getKey(), entry.getValue().size(), sizes(entry.getValue())))
        .sorted(Comparator.comparingLong((HeldBytes sum) -> sum.bytes().orElse(Long.MAX_VALUE))
            .reversed()
            .thenComparing(sum -> sum.reason().code()))
        .toList();
  }

  private static OptionalLong otherData(List<ImageDecision> images, Disk disk) {
    OptionalLong sizes = sizes(images.stream().filter(Round::isStillThere).toList());
    return sizes.isPresent()
        ? OptionalLong.of(Math.max(0, disk.capacity() - disk.available() - sizes.getAsLong()))
        : OptionalLong.empty();
  }

  private static boolean isStillThere(ImageDecision image) {
    return !image.decision().equals(Decision.REMOVED) && !image.decision().equals(Decision.GONE);
  }

  private static OptionalLong sizes(List<ImageDecision> images) {
    if (images.stream().anyMatch(image -> image.image().sizeBytes().isEmpty())) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(images.stream()
        .mapToLong(image -> image.image().sizeBytes().orElseThrow())
        .reduce(0, LongMath::saturatedAdd));
  }

  /** Says what the report means for the states that last, and logs it. */
  private GcReport conclude(GcReport.Builder builder) {
    GcReport report = builder.problems(events.drainProblems()).build();
    if (report.outcome().equals(Outcome.FAILED)) {
      GcException cause = report.cause().orElseThrow();
      events.began(GcEventType.IMAGE_GC_FAILED, cause.getMessage(), cause, report);
    } else {
      events.ended(GcEventType.IMAGE_GC_FAILED, "a round ended as " + report.outcome());
    }
    if (report.operation().equals(Operation.COLLECT)) {
      if (report.outcome().equals(Outcome.SHORT)) {
        events.began(
            GcEventType.FREE_DISK_SPACE_FAILED, Sentences.notEnoughFreed(report), null, report);
      } else if (!report.outcome().equals(Outcome.FAILED)) {
        events.ended(GcEventType.FREE_DISK_SPACE_FAILED, "a round ended as " + report.outcome());
      }
    }
    log(report);
    events.happened(GcEventType.ROUND_FINISHED, Sentences.summary(report), null, report);
    List<String> late = events.drainProblems();
    return late.isEmpty()
        ? report
        : builder.problems(concat(report.problems(), late)).build();
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
