/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ArrayListMultimap;
import com.google.common.collect.ListMultimap;
import com.google.common.math.LongMath;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.RoundLimit;
import dev.imagegc.api.Verdict;
import dev.imagegc.core.internal.Disk;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Events;
import dev.imagegc.core.internal.Settling;
import dev.imagegc.core.internal.Timeline;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Carries plans out, one image at a time: announce it, so that nobody leases it now; is it still unused, under no leased name, and
 * old enough? remove; measure; enough? stop. The prediction only says which images to try; when to stop, the disk says. When all
 * victims are gone and something is missing, or one of them stays where bytes are the goal, there is a new plan for the rest. What
 * was done is kept even if the sweep ends with an exception.
 */
final class Sweep {
  /** What a sweep works with; the same for every round. */
  record Tools(
      Engine engine,
      Meter meter,
      RecordBook book,
      Leases leases,
      BackOff backOff,
      Timeline timeline,
      GcClock clock,
      Events events,
      RoundLimits limits,
      Future<?> closing) {}

  private final Tools tools;
  private final GcPlan plan;
  private final Goal goal;
  private final Planner planner;
  private final long startNanos;

  /** Every image, in the order of the first plan. */
  private final Map<ImageId, ImageDecision> decisions = new LinkedHashMap<>();
  /** What became of those that were tried, in that order. */
  private final Map<ImageId, Decision> tried = new LinkedHashMap<>();

  private final ListMultimap<ImageId, ImageId> children = ArrayListMultimap.create();
  private Disk disk;
  private Goal.Target target = Goal.Target.NONE;
  private long neededBytes;
  private long neededInodes;
  private long freedBytes;
  private long pendingBytes; // predicted for what is removed, but not back yet
  private int removals;
  private @Nullable RoundLimit stoppedBy;

  Sweep(Tools tools, GcPlan plan, Goal goal, Disk start, Planner planner, long startNanos) {
    this.tools = tools;
    this.plan = plan;
    this.goal = goal;
    this.disk = start;
    this.planner = planner;
    this.startNanos = startNanos;
    for (ImageDecision decision : plan.decisions()) {
      decisions.put(decision.image().id(), decision);
      decision
          .image()
          .parent()
          .ifPresent(parent -> children.put(parent, decision.image().id()));
    }
  }

  /** Removes what age makes due, measures, and goes on until the goal is reached or nothing is left. */
  void run() {
    Disk start = disk;
    removeByAge();
    target = goal.target(disk);
    if (target == Goal.Target.NONE) {
      return;
    }
    neededBytes = Math.max(target.missing(start), target.missing(disk));
    neededInodes = Math.max(target.missingInodes(start), target.missingInodes(disk));
    List<ImageDecision> victims = victims(plan, goal.reason());
    int plans = 1;
    while (!isOver()) {
      boolean carriedOut = removeUntilReached(victims) && !victims.isEmpty();
      if (carriedOut && !isOver()) {
        settle(target);
      }
      if (isOver()) {
        return;
      }
      GcPlan rest = planner.planRest(goal, target, withPending(), tried);
      adopt(rest);
      victims = rest.victims();
      if (pendingBytes == 0 && rest.victims().isEmpty()) {
        return;
      }
      if (victims.isEmpty()) {
        settle(target); // what was promised may never come: then there is another plan without it
      }
      // An inode goal has no prediction that could be missed: it is measured image by image.
      if (carriedOut && target.missing(disk) > 0 && ++plans > tools.limits().plans()) {
        stoppedBy = RoundLimit.PLANS;
      }
    }
  }

  private void removeByAge() {
    List<ImageDecision> byAge = victims(plan, Reason.MAX_AGE);
    for (ImageDecision victim : byAge) {
      if (isAtLimit()) {
        break;
      }
      tryToRemove(victim);
    }
    if (!byAge.isEmpty()) {
      disk = tools.meter().measure();
      if (stoppedBy == null) {
        settle(later -> 1); // until all is back: a disk that only looks full calls for nothing
      }
    }
  }

  /** The last measurement. */
  Disk disk() {
    return disk;
  }

  /** What the round had to reach once the removals by age were done. */
  Goal.Target target() {
    return target;
  }

  /** What was missing at the start or, if that is more, after the removals by age; 0 if the goal was not called for. */
  long neededBytes() {
    return Math.max(0, neededBytes);
  }

  long neededInodes() {
    return Math.max(0, neededInodes);
  }

  long freedBytes() {
    return freedBytes;
  }

  Optional<RoundLimit> stoppedBy() {
    return Optional.ofNullable(stoppedBy);
  }

  /**
   * What became of every image: first those that were tried, in that order, then the others in the order of the first plan.
   * Victims that were not tried stay, for the given reason.
   */
  List<ImageDecision> decisions(Reason untried, String detail) {
    Set<ImageId> order = new LinkedHashSet<>(tried.keySet());
    order.addAll(decisions.keySet());
    return order.stream()
        .map(id -> Objects.requireNonNull(decisions.get(id)))
        .map(decision -> isUntried(decision, untried)
            ? decision.toBuilder()
                .decided(Decision.KEPT, untried, detail)
                .creditedBytes(0)
                .build()
            : decision)
        .toList();
  }

  /** A round that did not come to its end has not freed enough either. */
  private static boolean isUntried(ImageDecision decision, Reason untried) {
    return decision.decision().equals(Decision.PLANNED)
        || (decision.reason().equals(Reason.ENOUGH_FREED) && !untried.equals(Reason.ENOUGH_FREED));
  }

  private static List<ImageDecision> victims(GcPlan plan, Reason reason) {
    return plan.victims().stream()
        .filter(victim -> victim.reason().equals(reason))
        .toList();
  }

  /** Takes over what a new plan says of the images that were not tried yet. */
  private void adopt(GcPlan rest) {
    for (ImageDecision decision : rest.decisions()) {
      if (!tried.containsKey(decision.image().id())) {
        decisions.put(decision.image().id(), decision);
      }
    }
  }

  /** Returns whether all of them went; ends early if the goal or a limit is reached. */
  private boolean removeUntilReached(List<ImageDecision> victims) {
    boolean allWent = true;
    for (ImageDecision victim : victims) {
      if (isOver() || isAtLimit()) {
        break;
      }
      ImageId id = victim.image().id();
      if (planner.isInVain(id)) {
        continue; // what it would have freed is held by one that stayed
      }
      if (!tryToRemove(victim)) {
        planner.stays(id);
        allWent = false;
      }
    }
    return allWent;
  }

  private boolean isOver() {
    return stoppedBy != null || target.isReached(disk);
  }

  private boolean isAtLimit() {
    RoundLimits limits = tools.limits();
    if (removals >= limits.removals()) {
      stoppedBy = RoundLimit.REMOVALS;
    } else if (freedBytes >= limits.bytes()) {
      stoppedBy = RoundLimit.BYTES;
    } else if (tools.clock().nanoTime() - startNanos >= limits.time().toNanos()) {
      stoppedBy = RoundLimit.TIME;
    }
    return stoppedBy != null;
  }

  /** Returns whether it went, or did not have to. */
  private boolean tryToRemove(ImageDecision planned) {
    Image image = planned.image();
    if (tools.closing().isDone()) {
      throw closed();
    }
    ImageId child = childThatStayed(image);
    if (child != null) {
      decide(
          planned,
          Decision.KEPT,
          Reason.HAS_CHILDREN,
          "image " + child.shortText() + " was built on it and stayed");
      return false;
    }
    Verdict leased = tools.leases().beginRemoval(planned.record());
    if (leased.reason().isPresent()) {
      return stays(planned, leased);
    }
    try {
      return removeAnnounced(planned);
    } finally {
      tools.leases().endRemoval(decisionOn(image));
    }
  }

  /** Looks once more whether it may go and is to go: only now, after the announcement, see {@link Leases}. */
  private boolean removeAnnounced(ImageDecision planned) {
    Container user = tools.engine().userOf(planned.image().id());
    if (user != null) {
      return staysInUse(planned, NodeView.describe(user));
    }
    disk = tools.meter().measure();
    if (!planned.reason().equals(Reason.MAX_AGE) && target.isReached(disk)) {
      return true; // somebody else made room
    }
    Verdict late;
    try {
      late = whatIsNew(planned);
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) { // perhaps of this image alone
      failed(planned, Reason.REMOVAL_FAILED, "its names are not known: " + e.getMessage());
      return false;
    }
    return late.reason().isPresent() ? stays(planned, late) : remove(planned);
  }

  private boolean staysInUse(ImageDecision planned, String detail) {
    tools.book().used(planned.image().id(), tools.timeline().now());
    decide(planned, Decision.KEPT, Reason.IN_USE, detail);
    tools.backOff().ended(planned, "is in use");
    return false;
  }

  private boolean stays(ImageDecision planned, Verdict why) {
    decide(planned, Decision.KEPT, why.reason().orElseThrow(), why.detail());
    return false;
  }

  /** Whether the image stays for what happened since the plan: it was leased by a new name, used, or pulled again. */
  private Verdict whatIsNew(ImageDecision planned) {
    Verdict leased = leasedByNewName(planned.image());
    TrackedImage tracked = tools.book().image(planned.image().id());
    return leased.reason().isPresent() || tracked == null
        ? leased
        : planner.verdictOnAges(tracked.record(), tools.timeline().now());
  }

  /**
   * A pull of a leased name may have ended with an image that was here already, under other names. Asked also while no name is
   * leased, because one may be before the removal has ended.
   */
  private Verdict leasedByNewName(Image image) {
    return tools
        .engine()
        .namesOf(image.id())
        .map(names -> tools.leases().verdictOnNames(image.id(), names))
        .orElse(Verdict.mayGo());
  }

  private @Nullable ImageId childThatStayed(Image image) {
    for (ImageId child : children.get(image.id())) {
      Decision decision = Objects.requireNonNull(decisions.get(child)).decision();
      if (!decision.equals(Decision.REMOVED) && !decision.equals(Decision.GONE)) {
        return child;
      }
    }
    return null;
  }

  private boolean remove(ImageDecision planned) {
    Image image = planned.image();
    long before = disk.available();
    RemovalResult result;
    removals++;
    try {
      result = tools.engine().remove(image);
    } catch (GcException e) {
      failed(planned, Reason.OUTCOME_UNKNOWN, e.getMessage());
      if (e instanceof CancelledException) {
        throw e;
      }
      disk = tools.meter().measure();
      return false;
    }
    RemovalOutcome outcome = result.outcome();
    boolean gone = outcome.equals(RemovalOutcome.REMOVED) || outcome.equals(RemovalOutcome.GONE);
    if (gone) {
      tools.book().forget(image.id(), tools.timeline().now());
      decide(
          planned,
          outcome.equals(RemovalOutcome.REMOVED) ? Decision.REMOVED : Decision.GONE,
          planned.reason(),
          result.detail().isEmpty() ? planned.detail() : result.detail());
      tools.backOff().ended(planned, "is gone");
    } else if (outcome.equals(RemovalOutcome.IN_USE)) {
      staysInUse(planned, result.detail());
    } else if (outcome.equals(RemovalOutcome.HAS_CHILDREN)) {
      decide(planned, Decision.KEPT, Reason.HAS_CHILDREN, result.detail());
    } else {
      boolean unknown = outcome.equals(RemovalOutcome.UNKNOWN);
      failed(planned, unknown ? Reason.OUTCOME_UNKNOWN : Reason.REMOVAL_FAILED, result.detail());
    }
    if (!result.lostReferences().isEmpty()) {
      lostReferences(image, result);
    }
    try {
      disk = tools.meter().measure();
      if (gone) {
        long freed = Math.max(0, disk.available() - before);
        freedBytes = LongMath.saturatedAdd(freedBytes, freed);
        if (outcome.equals(RemovalOutcome.REMOVED)) { // what was gone before is back already
          pendingBytes = LongMath.saturatedAdd(
              pendingBytes, Math.max(0, planned.creditedBytes().orElse(0) - freed));
        }
        decisions.put(
            image.id(), decisionOn(image).toBuilder().measuredBytes(freed).build());
      }
    } finally { // also if it could not be measured
      if (outcome.equals(RemovalOutcome.REMOVED)) {
        tellRemoved(decisionOn(image));
      }
    }
    return gone;
  }

  /** The disk as it will be when an engine that frees late has freed what it promised. */
  private Disk withPending() {
    return pendingBytes > 0 && freesSpaceLater()
        ? disk.withAvailable(LongMath.saturatedAdd(disk.available(), pendingBytes))
        : disk;
  }

  /** Waits, within its bound, for what an engine frees late: judging at once would take images for nothing. */
  private void settle(Goal.Target enough) {
    if (pendingBytes > 0 && !enough.isReached(disk) && freesSpaceLater()) {
      Duration timeLeft = tools.limits().time().minusNanos(tools.clock().nanoTime() - startNanos);
      long negligible = pendingBytes / 100; // a promise is seldom kept to the byte
      Settling.await(
          tools.clock(),
          tools.closing(),
          Durations.shorter(tools.limits().settleTime(), timeLeft),
          () -> pendingBytes <= negligible || enough.isReached(disk),
          this::takeBack);
    }
    pendingBytes = 0; // the next plan starts from what the disk says
  }

  /** Measures what has come back. */
  private void takeBack() {
    if (tools.closing().isDone()) {
      throw closed();
    }
    Disk later = tools.meter().measure();
    long cameBack = Math.max(0, Math.min(pendingBytes, later.available() - disk.available()));
    freedBytes = LongMath.saturatedAdd(freedBytes, cameBack);
    pendingBytes -= cameBack;
    disk = later;
  }

  private boolean freesSpaceLater() {
    try {
      return tools.engine().freesSpaceLater();
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) {
      tools.events().problem("frees space later", e.getMessage());
      return false;
    }
  }

  private static CancelledException closed() {
    return new CancelledException("the collector was closed during the round");
  }

  private void tellRemoved(ImageDecision removed) {
    String freed = removed.measuredBytes().isPresent()
        ? "freed " + removed.measuredBytes().getAsLong() + " bytes"
        : "what it freed could not be measured";
    tools
        .events()
        .happened(
            GcEventType.IMAGE_REMOVED,
            "removed image " + Planner.name(removed.image()) + " (" + removed.reason() + "), "
                + freed,
            removed,
            null);
  }

  private void decide(ImageDecision planned, Decision decision, Reason reason, String detail) {
    tried.put(planned.image().id(), decision);
    ImageDecision.Builder decided = planned.toBuilder().decided(decision, reason, detail);
    if (decision.equals(Decision.KEPT)) {
      decided.creditedBytes(0);
    }
    decisions.put(planned.image().id(), decided.build());
  }

  private void failed(ImageDecision planned, Reason reason, String detail) {
    decide(planned, Decision.FAILED, reason, detail);
    tools.backOff().failed(decisionOn(planned.image()), tools.timeline().now());
  }

  private void lostReferences(Image image, RemovalResult result) {
    String message = "image " + image.id() + " stays but lost its names " + result.lostReferences();
    tools.events().problem("lost references", message);
    tools.events().happened(GcEventType.REFERENCES_LOST, message, decisionOn(image), null);
  }

  private ImageDecision decisionOn(Image image) {
    return Objects.requireNonNull(decisions.get(image.id()));
  }
}
