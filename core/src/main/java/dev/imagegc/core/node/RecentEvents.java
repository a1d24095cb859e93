/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.node;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.core.internal.BoundedCalls;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Passes the events of several collectors on to one listener, one at a time as it is used to, and keeps what a status display
 * shows: the last rounds, and the states that last. A listener that hangs costs its deadline once for all of them together; while
 * it is stuck, events are kept and not passed on. Thread-safe.
 */
final class RecentEvents implements GcListener {
  private static final Set<GcEventType> ROUND_ENDS = Set.of(
      GcEventType.ROUND_FINISHED,
      GcEventType.CONTAINER_GC_FINISHED,
      GcEventType.DISK_PRESSURE_HANDLED);

  private final GcListener listener;
  private final Duration deadline;
  private final BoundedCalls listenerCalls;
  private final int most;
  private final ReentrantLock oneAtATime = new ReentrantLock(true);
  private final Deque<GcEvent> rounds = new ArrayDeque<>(); // guarded by this, the newest first
  private final Map<String, GcEvent> lasting = new LinkedHashMap<>(); // guarded by this

  RecentEvents(GcListener listener, Duration deadline, GcClock clock, int most) {
    this.listener = listener;
    this.deadline = deadline;
    this.listenerCalls = new BoundedCalls("the listener", clock, ProtocolException::new);
    this.most = most;
  }

  @Override
  public void onEvent(GcEvent event) {
    keep(event);
    try {
      oneAtATime.lockInterruptibly(); // whoever calls gives up after a deadline
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("the listener was busy with another event", e);
    }
    try {
      listenerCalls.call("take the event " + event.type(), deadline, () -> {
        listener.onEvent(event);
        return true;
      });
    } finally {
      oneAtATime.unlock();
    }
  }

  void close() {
    listenerCalls.close();
  }

  private synchronized void keep(GcEvent event) {
    if (event.phase() == GcEvent.Phase.BEGAN) {
      lasting.put(subject(event), event);
    } else if (event.phase() == GcEvent.Phase.ENDED) {
      lasting.remove(subject(event));
    }
    if (ROUND_ENDS.contains(event.type())) {
      if (isIdle(event)) { // of those that found the same and removed nothing, the newest is enough
        rounds.removeIf(older -> isIdle(older) && kind(older).equals(kind(event)));
      }
      rounds.addFirst(event);
      while (rounds.size() > most) {
        rounds.removeLast();
      }
    }
  }

  private static boolean isIdle(GcEvent event) {
    return !event.type().equals(GcEventType.DISK_PRESSURE_HANDLED)
        && (event.report().filter(round -> round.removed().isEmpty()).isPresent()
            || event.containerReport().filter(pass -> pass.removed().isEmpty()).isPresent());
  }

  private static List<Object> kind(GcEvent event) {
    return List.of(
        event.type(),
        event.report().map(GcReport::operation),
        event.report().map(GcReport::outcome),
        event.containerReport().map(ContainerGcReport::outcome));
  }

  /** What a state is about: some are of one image or of one container. */
  private static String subject(GcEvent event) {
    String image = event.decision().map(one -> one.image().id().text()).orElse("");
    String container =
        event.containerDecision().map(one -> one.container().id()).orElse("");
    return event.type() + " " + image + " " + container;
  }

  /** The last rounds, the newest first. */
  synchronized List<GcEvent> rounds() {
    return new ArrayList<>(rounds);
  }

  /** The states that last, the oldest first. */
  synchronized List<GcEvent> lasting() {
    return new ArrayList<>(lasting.values());
  }
}
