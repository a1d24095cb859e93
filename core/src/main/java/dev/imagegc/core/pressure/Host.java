/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.DiskConditionListener;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.PolicyException;
import dev.imagegc.api.PressureShortfall;
import dev.imagegc.api.PressureShortfallHandler;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.internal.BoundedCalls;
import dev.imagegc.core.internal.Events;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The host's functions, each with a deadline of its own. That one throws or is late is told, and ends nothing. */
final class Host {
  private final DiskConditionListener conditionListener;
  private final PressureShortfallHandler shortfallHandler;
  private final Consumer<? super PressureReport> passListener;
  private final @Nullable Supplier<GcThresholds> imageThresholds;
  private final Deadlines deadlines;
  private final Events events;
  private final BoundedCalls conditionCalls;
  private final BoundedCalls shortfallCalls;
  private final BoundedCalls passCalls;
  private final BoundedCalls policyCalls;
  private final Set<NodeFs> untold = EnumSet.noneOf(NodeFs.class);
  private volatile @Nullable Thread hearing; // of the pass listener

  Host(
      DiskConditionListener conditionListener,
      PressureShortfallHandler shortfallHandler,
      Consumer<? super PressureReport> passListener,
      @Nullable Supplier<GcThresholds> imageThresholds,
      Deadlines deadlines,
      GcClock clock,
      Events events) {
    this.conditionListener = conditionListener;
    this.shortfallHandler = shortfallHandler;
    this.passListener = passListener;
    this.imageThresholds = imageThresholds;
    this.deadlines = deadlines;
    this.events = events;
    this.conditionCalls = new BoundedCalls("the condition listener", clock, ProtocolException::new);
    this.shortfallCalls = new BoundedCalls("the shortfall handler", clock, ProtocolException::new);
    this.passCalls = new BoundedCalls("the pass listener", clock, ProtocolException::new);
    this.policyCalls = new BoundedCalls("the image policy", clock, PolicyException::new);
  }

  /** Returns what image collection goes by; empty if the host does not say. */
  Optional<GcThresholds> imageThresholds() {
    if (imageThresholds == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          policyCalls.call("tell its thresholds", deadlines.measure(), imageThresholds::get));
    } catch (GcException e) {
      events.problem("thresholds", e.getMessage());
      return Optional.empty();
    }
  }

  /**
   * Tells the conditions that have changed. A host that misses an end would take the filesystem for one under pressure for ever:
   * it is told until it has taken it.
   */
  void conditions(List<DiskCondition> changed, List<DiskCondition> current) {
    changed.forEach(condition -> untold.add(condition.filesystem()));
    for (DiskCondition condition : current) {
      if (untold.contains(condition.filesystem())
          && contained(
              conditionCalls,
              "take a condition",
              deadlines.listener(),
              () -> conditionListener.onCondition(condition))) {
        untold.remove(condition.filesystem());
      }
    }
  }

  /** Hands over what is short. */
  void shortfall(PressureShortfall shortfall) {
    contained(
        shortfallCalls,
        "take a shortfall",
        deadlines.measure(),
        () -> shortfallHandler.onShortfall(shortfall));
  }

  /** Tells the report of a pass, unless the listener itself asked for it and would wait for itself. */
  void passEnded(PressureReport report) {
    if (!isHearing()) {
      tell(report);
    }
  }

  /** Whether the calling thread is the pass listener's, for which a pass waits. */
  boolean isHearing() {
    return Thread.currentThread() == hearing;
  }

  /** One at a time, also on a thread that was interrupted: the pass may have failed for that. */
  private synchronized void tell(PressureReport report) {
    String what = "take a report";
    try {
      passCalls.callEvenIfInterrupted(what, deadlines.listener(), () -> {
        hearing = Thread.currentThread();
        try {
          passListener.accept(report);
        } finally {
          hearing = null;
        }
        return true;
      });
    } catch (CancelledException e) {
      // The manager is closed, or this thread is wanted elsewhere.
    } catch (GcException e) {
      failed(what, e);
    }
  }

  /** Returns whether all went well. */
  private boolean contained(BoundedCalls calls, String what, Duration deadline, Runnable call) {
    try {
      return calls.call(what, deadline, () -> {
        call.run();
        return true;
      });
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) {
      failed(what, e);
      return false;
    }
  }

  private void failed(String what, GcException e) {
    Throwable thrown = e.getCause() == null ? e : e.getCause();
    events.problem(what + ":" + thrown.getClass().getName(), e.getMessage());
    Pass.LOG.debug("the host failed to {}", what, thrown);
  }

  void close() {
    conditionCalls.close();
    shortfallCalls.close();
    passCalls.close();
    policyCalls.close();
  }
}
