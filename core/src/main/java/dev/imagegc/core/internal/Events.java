/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.internal;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEvent.Phase;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Operation;
import dev.imagegc.api.ProtocolException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Tells the log and the listener what happens: a state that lasts is told when it begins and when it ends. Contains what
 * the listener does wrong, and collects trouble for the report of the running call. Thread-safe: the listener hears of one event
 * at a time, and those of threads that run no round belong to none.
 */
public final class Events {
  private final GcListener listener;
  private final BoundedCalls listenerCalls;
  private final Duration deadline;
  private final GcClock clock;
  private final Logger log;
  private final Set<GcEventType> lasting = new HashSet<>();
  private final Set<String> loggedKinds = new HashSet<>();
  private final List<String> problems = new ArrayList<>();
  private @Nullable CurrentRound round;

  private record CurrentRound(Operation operation, Instant startedAt, Thread thread) {}

  public Events(GcListener listener, Duration deadline, GcClock clock, Logger log) {
    this.listener = listener;
    this.listenerCalls = new BoundedCalls("the listener", clock, ProtocolException::new);
    this.deadline = deadline;
    this.clock = clock;
    this.log = log;
  }

  /** From now on events belong to a call that acts. */
  public synchronized void roundBegan(Operation operation, Instant startedAt) {
    round = new CurrentRound(operation, startedAt, Thread.currentThread());
  }

  public synchronized void roundEnded() {
    round = null;
  }

  public synchronized void happened(
      GcEventType type, String message, @Nullable ImageDecision image, @Nullable GcReport report) {
    GcEvent.Builder event = event(type, Phase.HAPPENED, message);
    if (image != null) {
      event.decision(image);
    }
    if (report != null) {
      event.report(report).cause(report.cause().orElse(null));
    }
    tell(event.build());
  }

  /** A state is there: says so if it was not there before. */
  public synchronized void began(
      GcEventType type, String message, @Nullable Throwable cause, @Nullable GcReport report) {
    if (lasting.add(type)) {
      log.warn("{}: {}", type, message);
      GcEvent.Builder event = event(type, Phase.BEGAN, message).cause(cause);
      if (report != null) {
        event.report(report);
      }
      tell(event.build());
    }
  }

  /** A state is not there: says so if it was there before. */
  public synchronized void ended(GcEventType type, String message) {
    if (lasting.remove(type)) {
      log.info("{} is over: {}", type, message);
      tell(event(type, Phase.ENDED, message).build());
    }
  }

  /** What is done by timer has ended: it is a state if it does not run because others are at work for too long. */
  public void doneByTimer(GcEventType busy, Optional<GcException> cause) {
    cause
        .filter(BusyException.class::isInstance)
        .ifPresentOrElse(
            e -> began(busy, e.getMessage(), e, null), () -> ended(busy, "its turn has come"));
  }

  /** A state of one image began; whoever calls keeps that it did. */
  public synchronized void imageBegan(GcEventType type, String message, ImageDecision image) {
    log.warn("{}: {}", type, message);
    tell(event(type, Phase.BEGAN, message).decision(image).build());
  }

  /** A state of one image ended. */
  public synchronized void imageEnded(GcEventType type, String message, ImageDecision image) {
    log.info("{} is over: {}", type, message);
    tell(event(type, Phase.ENDED, message).decision(image).build());
  }

  /** Something happened to one container. */
  public synchronized void happened(GcEventType type, String message, ContainerDecision container) {
    tell(event(type, Phase.HAPPENED, message).containerDecision(container).build());
  }

  /** A pass of container collection ended. */
  public synchronized void happened(GcEventType type, String message, ContainerGcReport report) {
    tell(event(type, Phase.HAPPENED, message)
        .containerReport(report)
        .cause(report.cause().orElse(null))
        .build());
  }

  /** A state of one container began; whoever calls keeps that it did. */
  public synchronized void containerBegan(
      GcEventType type, String message, ContainerDecision container) {
    log.warn("{}: {}", type, message);
    tell(event(type, Phase.BEGAN, message).containerDecision(container).build());
  }

  /** A state of one container ended. */
  public synchronized void containerEnded(
      GcEventType type, String message, ContainerDecision container) {
    log.info("{} is over: {}", type, message);
    tell(event(type, Phase.ENDED, message).containerDecision(container).build());
  }

  private GcEvent.Builder event(GcEventType type, Phase phase, String message) {
    GcEvent.Builder event = GcEvent.builder(type, phase, clock.instant(), message);
    return round == null || round.thread() != Thread.currentThread()
        ? event
        : event.round(round.operation(), round.startedAt());
  }

  /** Trouble that was told already: only for the report of the running call. */
  public synchronized void note(String message) {
    problems.add(message);
  }

  /** Trouble that does not end a call: for its report, and once per kind for the log. */
  public synchronized void problem(String kind, String message) {
    problems.add(message);
    if (loggedKinds.add(kind)) {
      log.warn("{} (logged once; later ones are in the reports)", message);
    }
  }

  /** Returns and forgets the problems since the last call. */
  public synchronized List<String> drainProblems() {
    List<String> drained = List.copyOf(problems);
    problems.clear();
    return drained;
  }

  public void close() {
    listenerCalls.close();
  }

  private void tell(GcEvent event) {
    try {
      listenerCalls.callEvenIfInterrupted("take the event " + event.type(), deadline, () -> {
        listener.onEvent(event);
        return true;
      });
    } catch (CancelledException e) {
      // The collector is closed, or this thread is wanted elsewhere.
    } catch (GcException e) {
      Throwable thrown = e.getCause() == null ? e : e.getCause();
      problem("listener:" + thrown.getClass().getName(), e.getMessage());
      log.debug("What the listener threw", thrown);
    }
  }
}
