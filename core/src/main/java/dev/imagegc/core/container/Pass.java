/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.api.WorkloadView;
import dev.imagegc.core.container.ContainerPlanner.Inhabitants;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Events;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One pass: lists, plans, removes. Containers are listed before the host is asked for its workloads: one that is made in between
 * is not taken for deleted, because none of its containers is listed.
 */
final class Pass {
  private static final Logger LOG = LoggerFactory.getLogger(ContainerGcManager.class);

  /** An engine that leaves so many calls of one pass without an answer will not do better with the next container. */
  private static final int MOST_WITHOUT_ANSWER = 3;

  /** What all passes of a collector have in common. */
  record Tools(
      ContainerEngine engine,
      Host host,
      Ages ages,
      Failures failures,
      ContainerGcPolicy policy,
      Duration timeBudget,
      GcClock clock,
      Events events,
      Future<?> closing) {}

  private final Tools tools;
  private final boolean forSpace;
  private final long startNanos;
  private final ContainerGcReport.Builder report;
  private List<ContainerDecision> decisions = List.of(); // the plan, each replaced when it was done
  private long planned; // how many were to go, those that are left alone for now included
  private int withoutAnswer;

  Pass(Tools tools, boolean forSpace) {
    this.tools = tools;
    this.forSpace = forSpace;
    this.startNanos = tools.clock().nanoTime();
    this.report = ContainerGcReport.builder(tools.clock().instant());
    tools.events().drainProblems();
  }

  /**
   * Says what {@link #act()} would do.
   *
   * @throws GcException if the engine could not be asked
   */
  ContainerGcReport plan() {
    observe();
    return finished(report.outcome(planned == 0 ? Outcome.NOT_NEEDED : Outcome.PLANNED));
  }

  /** Acts. Trouble with the engine is in the report, with what was done before. */
  ContainerGcReport act() {
    try {
      tools.failures().review(observe());
      sweep();
      report.outcome(outcome());
    } catch (GcException e) {
      for (int i = 0; i < decisions.size(); i++) {
        if (isPlanned(decisions.get(i))) {
          decide(i, Decision.KEPT, ContainerReason.NOT_REACHED, "the pass ended before its turn");
        }
      }
      report.outcome(Outcome.FAILED, e);
    }
    return conclude(finished(report));
  }

  private ContainerGcReport finished(ContainerGcReport.Builder builder) {
    List<ContainerDecision> ordered = new ArrayList<>();
    decisions.stream().filter(container -> !isKept(container)).forEach(ordered::add);
    decisions.stream().filter(Pass::isKept).forEach(ordered::add);
    return builder
        .decisions(ordered)
        .duration(Duration.ofNanos(tools.clock().nanoTime() - startNanos))
        .problems(tools.events().drainProblems().stream().distinct().toList())
        .build();
  }

  private static boolean isPlanned(ContainerDecision container) {
    return container.decision().equals(Decision.PLANNED);
  }

  private static boolean isKept(ContainerDecision container) {
    return container.decision().equals(Decision.KEPT);
  }

  // Observe and plan

  private List<Container> observe() {
    long began = tools.clock().nanoTime();
    List<Container> listed = tools.engine().listContainers();
    Map<String, Duration> ages = tools.ages().of(listed, began);
    WorkloadView workloads = tools.host().workloads();
    decisions = new ArrayList<>(
        new ContainerPlanner(tools.policy(), workloads, forSpace, tools.host()::lease)
            .plan(tools.host().members(listed, ages)));
    decisions.sort(Comparator.comparingInt(this::turn));
    planned = decisions.stream().filter(Pass::isPlanned).count();
    leaveAloneWhatFailed();
    return listed;
  }

  private void leaveAloneWhatFailed() {
    for (int i = 0; i < decisions.size(); i++) {
      if (isPlanned(decisions.get(i))) {
        Optional<String> why = tools.failures().backingOff(decisions.get(i).container());
        if (why.isPresent()) {
          decide(i, Decision.KEPT, ContainerReason.BACKING_OFF, why.get());
        }
      }
    }
  }

  /** Those that could not be removed before come after the others of their kind, or they might keep them waiting for good. */
  private int turn(ContainerDecision decision) {
    if (!isPlanned(decision)) {
      return 4;
    }
    return (decision.reason().equals(ContainerReason.SANDBOX_UNUSED) ? 2 : 0)
        + (tools.failures().isFailing(decision.container()) ? 1 : 0);
  }

  // Sweep

  private void sweep() {
    for (int i = 0; i < decisions.size(); i++) {
      if (isPlanned(decisions.get(i))) {
        if (tools.closing().isDone()) {
          throw new CancelledException("the collector was closed during the pass");
        }
        if (isOutOfTime()) {
          decide(
              i,
              Decision.KEPT,
              ContainerReason.LIMIT,
              "the pass ended at its time budget of " + Durations.text(tools.timeBudget()));
          continue;
        }
        if (decisions.get(i).reason().equals(ContainerReason.SANDBOX_UNUSED)) {
          sweepSandbox(i);
        } else {
          sweepContainer(i);
        }
      }
    }
  }

  /** Others wait for their turn on the node meanwhile. */
  private boolean isOutOfTime() {
    return tools.clock().nanoTime() - startNanos >= tools.timeBudget().toNanos();
  }

  private void sweepContainer(int i) {
    Container container = decisions.get(i).container();
    if (Member.isNeverStarted(container)) {
      Optional<String> leased = tools.host().lease(container);
      if (leased.isPresent()) {
        decide(i, Decision.KEPT, ContainerReason.LEASED, leased.get());
        return;
      }
    }
    if (Member.isOfUnknownState(container)) {
      sweepUnknown(i);
    } else {
      remove(i);
    }
  }

  /** Stops a container first, of which the engine did not know whether it runs, unless it has found out meanwhile. */
  private void sweepUnknown(int i) {
    String id = decisions.get(i).container().id();
    Container now = tools.engine().listContainers().stream()
        .filter(container -> container.id().equals(id))
        .findFirst()
        .orElse(null);
    if (now == null) {
      gone(i, "it was gone when its turn came");
    } else if (!Member.isRemovable(now)) {
      decide(i, Decision.KEPT, ContainerReason.RUNNING, "its state is " + now.state() + " now");
    } else if (Member.isNeverStarted(now)) { // has more time, and perhaps a lease
      decide(
          i,
          Decision.KEPT,
          ContainerReason.TOO_YOUNG,
          "it turned out to be never started; the next pass decides");
    } else {
      try {
        tools.engine().stop(now);
      } catch (GcException e) {
        tools
            .failures()
            .failed(decide(i, Decision.KEPT, ContainerReason.STATE_UNKNOWN, couldNotStop(e)));
        goOnAfter(e);
        return;
      }
      remove(i);
    }
  }

  private static String couldNotStop(GcException e) {
    return "it could not be stopped first: " + e.getMessage();
  }

  /**
   * Removes a sandbox, unless it is used now: perhaps not all of its containers went, or somebody uses it again. One that is not
   * ready is stopped all the same: so the engine gives back what the sandbox holds beside its container.
   */
  private void sweepSandbox(int i) {
    Map<String, Member> now = new HashMap<>();
    tools
        .host()
        .members(tools.engine().listContainers(), Map.of())
        .forEach(member -> now.put(member.id(), member));
    Member sandbox = now.get(decisions.get(i).container().id());
    if (sandbox == null) {
      gone(i, "it was gone when its turn came");
      return;
    }
    Optional<String> use = Inhabitants.of(now.values()).use(sandbox);
    if (use.isPresent()) {
      decide(i, Decision.KEPT, ContainerReason.SANDBOX_IN_USE, use.get());
      return;
    }
    try {
      tools.engine().stop(sandbox.container());
    } catch (GcException e) {
      tools
          .failures()
          .failed(decide(i, Decision.FAILED, ContainerReason.REMOVAL_FAILED, couldNotStop(e)));
      goOnAfter(e);
      return;
    }
    remove(i);
  }

  private void remove(int i) {
    ContainerDecision planned = decisions.get(i);
    RemovalResult result;
    try {
      result = tools.engine().remove(planned.container());
    } catch (GcException e) {
      tools
          .failures()
          .failed(decide(i, Decision.FAILED, ContainerReason.OUTCOME_UNKNOWN, e.getMessage()));
      goOnAfter(e);
      return;
    }
    RemovalOutcome outcome = result.outcome();
    if (outcome.equals(RemovalOutcome.REMOVED)) {
      ContainerDecision removed = decide(i, Decision.REMOVED, planned.reason(), planned.detail());
      tools.failures().ended(removed, "is removed");
      tools
          .events()
          .happened(
              GcEventType.CONTAINER_REMOVED,
              "removed container " + Member.name(planned.container()) + ": " + planned.detail(),
              removed);
    } else if (outcome.equals(RemovalOutcome.GONE)) {
      gone(i, result.detail());
    } else if (outcome.equals(RemovalOutcome.IN_USE)) {
      tools
          .failures()
          .ended(decide(i, Decision.KEPT, ContainerReason.RUNNING, result.detail()), "is in use");
    } else {
      ContainerReason reason = outcome.equals(RemovalOutcome.UNKNOWN)
          ? ContainerReason.OUTCOME_UNKNOWN
          : ContainerReason.REMOVAL_FAILED;
      tools.failures().failed(decide(i, Decision.FAILED, reason, result.detail()));
    }
  }

  private void gone(int i, String detail) {
    tools.failures().ended(decide(i, Decision.GONE, decisions.get(i).reason(), detail), "is gone");
  }

  private ContainerDecision decide(
      int i, Decision decision, ContainerReason reason, String detail) {
    ContainerDecision decided = decisions.get(i).decided(decision, reason, detail);
    decisions.set(i, decided);
    return decided;
  }

  /**
   * Goes on after trouble with one container, if it was that container's trouble alone.
   *
   * @throws GcException if it is the engine's
   */
  private void goOnAfter(GcException trouble) {
    if (trouble instanceof CancelledException) {
      throw trouble;
    }
    if (trouble instanceof TimedOutException || trouble instanceof UnreachableException) {
      withoutAnswer++;
      if (withoutAnswer >= MOST_WITHOUT_ANSWER) {
        throw trouble;
      }
      tools.engine().listContainers(); // an engine that is away or hangs does not answer this
    }
  }

  // Report

  private Outcome outcome() {
    if (planned == 0) {
      return Outcome.NOT_NEEDED;
    }
    long gone = decisions.stream()
        .map(ContainerDecision::decision)
        .filter(decision -> decision.equals(Decision.REMOVED) || decision.equals(Decision.GONE))
        .count();
    return gone == planned ? Outcome.DONE : Outcome.SHORT;
  }

  /** Says what the report means for the state that lasts, tells of it, and logs it if it acted. */
  private ContainerGcReport conclude(ContainerGcReport finished) {
    if (finished.outcome().equals(Outcome.FAILED)) {
      GcException cause = finished.cause().orElseThrow();
      tools.events().began(GcEventType.CONTAINER_GC_FAILED, cause.getMessage(), cause, null);
    } else {
      tools
          .events()
          .ended(GcEventType.CONTAINER_GC_FAILED, "a pass ended as " + finished.outcome());
    }
    String summary = summary(finished);
    if (!finished.removed().isEmpty()) {
      LOG.info("{}", summary);
    }
    if (LOG.isDebugEnabled()) {
      finished.decisions().forEach(container -> LOG.debug("{}", container));
    }
    tools.events().happened(GcEventType.CONTAINER_GC_FINISHED, summary, finished);
    List<String> late = tools.events().drainProblems();
    if (late.isEmpty()) {
      return finished;
    }
    List<String> problems = new ArrayList<>(finished.problems());
    problems.addAll(late);
    return report.problems(problems).build();
  }

  private static String summary(ContainerGcReport report) {
    return "container collection " + report.outcome() + ": removed "
        + report.removed().size()
        + " of " + report.decisions().size() + " containers"
        + (report.failed().isEmpty()
            ? ""
            : ", failed to remove " + report.failed().size())
        + ", in " + Durations.text(report.duration())
        + report.cause().map(cause -> ": " + cause.getMessage()).orElse("");
  }
}
