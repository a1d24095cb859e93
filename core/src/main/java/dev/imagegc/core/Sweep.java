/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ArrayListMultimap;
import com.google.common.collect.ListMultimap;
import com.google.common.math.LongMath;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Carries a plan out, one image at a time: is it still unused? remove; measure; enough? stop. The plan's prediction plays no
 * part here, only the disk does. What was done is kept even if the sweep ends with an exception.
 */
final class Sweep {
  private final GcPlan plan;
  private final Goal goal;
  private final Engine engine;
  private final Meter meter;
  private final RecordBook book;
  private final Timeline timeline;
  private final Events events;
  private final BooleanSupplier closing;

  private final Map<ImageId, ImageDecision> decisions = new LinkedHashMap<>();
  private final ListMultimap<ImageId, ImageId> children = ArrayListMultimap.create();
  private Disk disk;
  private long neededBytes;
  private boolean triggered;
  private long freedBytes;

  Sweep(
      GcPlan plan,
      Goal goal,
      Disk start,
      Engine engine,
      Meter meter,
      RecordBook book,
      Timeline timeline,
      Events events,
      BooleanSupplier closing) {
    this.plan = plan;
    this.goal = goal;
    this.disk = start;
    this.neededBytes = goal.isTriggered(start) ? goal.missing(start) : 0;
    this.engine = engine;
    this.meter = meter;
    this.book = book;
    this.timeline = timeline;
    this.events = events;
    this.closing = closing;
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
    List<ImageDecision> inOrder = new ArrayList<>();
    boolean anyByAge = false;
    for (ImageDecision victim : plan.victims()) {
      if (victim.reason().equals(Reason.MAX_AGE)) {
        anyByAge = true;
        tryToRemove(victim, Reason.MAX_AGE);
      } else {
        inOrder.add(victim);
      }
    }
    if (anyByAge) {
      disk = meter.measure();
    }
    triggered = goal.isTriggered(disk);
    if (!triggered) {
      return;
    }
    neededBytes = Math.max(neededBytes, goal.missing(disk));
    inOrder.addAll(plan.reserve());
    for (ImageDecision next : inOrder) {
      if (goal.missing(disk) <= 0) {
        return;
      }
      tryToRemove(next, goal.reason());
    }
  }

  /** The last measurement. */
  Disk disk() {
    return disk;
  }

  /** What was missing at the start or, if that is more, after the removals by age; 0 if the goal was not called for. */
  long neededBytes() {
    return triggered ? neededBytes : 0;
  }

  /** Whether the goal was called for once the removals by age were done. */
  boolean triggered() {
    return triggered;
  }

  long freedBytes() {
    return freedBytes;
  }

  /** What became of every image. Victims that were not tried stay: because enough was freed, or for the given reason. */
  List<ImageDecision> decisions(Reason untried, String detail) {
    return decisions.values().stream()
        .map(decision -> decision.decision().equals(Decision.PLANNED)
            ? decision.toBuilder().decided(Decision.KEPT, untried, detail).build()
            : decision)
        .toList();
  }

  private void tryToRemove(ImageDecision planned, Reason reason) {
    Image image = planned.image();
    if (closing.getAsBoolean()) {
      throw new CancelledException("the collector was closed during the round");
    }
    ImageId child = childThatStayed(image);
    if (child != null) {
      decide(
          planned,
          Decision.KEPT,
          Reason.HAS_CHILDREN,
          "image " + child.shortText() + " was built on it and stayed");
      return;
    }
    Container user = engine.users().get(image.id());
    if (user != null) {
      book.markUsed(image.id(), timeline.now());
      decide(planned, Decision.KEPT, Reason.IN_USE, NodeView.describe(user));
      return;
    }
    disk = meter.measure();
    if (!reason.equals(Reason.MAX_AGE) && goal.missing(disk) <= 0) {
      return; // somebody else made room
    }
    remove(planned, reason);
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

  private void remove(ImageDecision planned, Reason reason) {
    Image image = planned.image();
    long before = disk.available();
    RemovalResult result;
    try {
      result = engine.remove(image);
    } catch (GcException e) {
      failed(planned, Reason.OUTCOME_UNKNOWN, e.getMessage());
      if (e instanceof CancelledException) {
        throw e;
      }
      disk = meter.measure();
      return;
    }
    RemovalOutcome outcome = result.outcome();
    boolean gone = outcome.equals(RemovalOutcome.REMOVED) || outcome.equals(RemovalOutcome.GONE);
    if (gone) {
      book.forget(image.id());
      decide(
          planned,
          outcome.equals(RemovalOutcome.REMOVED) ? Decision.REMOVED : Decision.GONE,
          reason,
          result.detail());
    } else if (outcome.equals(RemovalOutcome.IN_USE)) {
      book.markUsed(image.id(), timeline.now());
      decide(planned, Decision.KEPT, Reason.IN_USE, result.detail());
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
      disk = meter.measure();
      if (gone) {
        long freed = Math.max(0, disk.available() - before);
        freedBytes = LongMath.saturatedAdd(freedBytes, freed);
        decisions.put(
            image.id(), decisionOn(image).toBuilder().measuredBytes(freed).build());
      }
    } finally { // also if it could not be measured
      if (outcome.equals(RemovalOutcome.REMOVED)) {
        tellRemoved(decisionOn(image));
      }
    }
  }

  private void tellRemoved(ImageDecision removed) {
    String freed = removed.measuredBytes().isPresent()
        ? "freed " + removed.measuredBytes().getAsLong() + " bytes"
        : "what it freed could not be measured";
    events.happened(
        GcEventType.IMAGE_REMOVED,
        "removed image " + Planner.name(removed.image()) + " (" + removed.reason() + "), " + freed,
        removed,
        null);
  }

  private void decide(ImageDecision planned, Decision decision, Reason reason, String detail) {
    decisions.put(
        planned.image().id(),
        planned.toBuilder().decided(decision, reason, detail).build());
  }

  private void failed(ImageDecision planned, Reason reason, String detail) {
    decide(planned, Decision.FAILED, reason, detail);
    events.happened(
        GcEventType.IMAGE_REMOVAL_FAILED,
        "could not remove image " + Planner.name(planned.image()) + ": " + detail,
        decisionOn(planned.image()),
        null);
  }

  private void lostReferences(Image image, RemovalResult result) {
    String message = "image " + image.id() + " stays but lost its names " + result.lostReferences();
    events.problem("lost references", message);
    events.happened(GcEventType.IMAGE_REMOVAL_FAILED, message, decisionOn(image), null);
  }

  private ImageDecision decisionOn(Image image) {
    return Objects.requireNonNull(decisions.get(image.id()));
  }
}
