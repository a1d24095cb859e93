/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcListener;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A listener that remembers every event, and throws if it is told to. Thread-safe. */
public final class RecordingListener implements GcListener {
  private static final int PATIENCE_SECONDS = 30;

  private final List<GcEvent> events = new CopyOnWriteArrayList<>();
  private final Map<GcEventType, BlockingQueue<GcEvent>> notAwaited = new ConcurrentHashMap<>();
  private volatile @Nullable RuntimeException failure;

  /** Creates a listener that has heard nothing. */
  public RecordingListener() {}

  @Override
  public void onEvent(GcEvent event) {
    events.add(event);
    notAwaited(event.type()).add(event);
    RuntimeException toThrow = failure;
    if (toThrow != null) {
      throw toThrow;
    }
  }

  /**
   * Returns all events so far.
   *
   * @return an unchanging list, the oldest event first
   */
  public List<GcEvent> events() {
    return List.copyOf(events);
  }

  /**
   * Returns the events of one type so far.
   *
   * @param type the type
   * @return an unchanging list, the oldest event first
   */
  public List<GcEvent> events(GcEventType type) {
    return events.stream().filter(event -> event.type().equals(type)).toList();
  }

  /**
   * Returns the types of all events so far.
   *
   * @return one type for each event, the oldest first
   */
  public List<GcEventType> types() {
    return events.stream().map(GcEvent::type).toList();
  }

  /**
   * Blocks until there is an event of a type that no earlier call of this method has returned: for rounds that run on other
   * threads.
   *
   * @param type the type
   * @return the event
   * @throws AssertionError if there is none within 30 seconds of real time, or the thread is interrupted
   */
  public GcEvent await(GcEventType type) {
    try {
      GcEvent event = notAwaited(type).poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (event == null) {
        throw new AssertionError(
            "no event " + type + " within " + PATIENCE_SECONDS + " seconds, but " + events);
      }
      return event;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting for event " + type, e);
    }
  }

  /** Forgets all events. */
  public void clear() {
    events.clear();
    notAwaited.clear();
  }

  /**
   * Makes the listener throw on every event, after it has remembered it, until {@link #heal}.
   *
   * @param toThrow what to throw
   */
  public void failWith(RuntimeException toThrow) {
    failure = Objects.requireNonNull(toThrow, "toThrow");
  }

  /** Ends {@link #failWith}. */
  public void heal() {
    failure = null;
  }

  private BlockingQueue<GcEvent> notAwaited(GcEventType type) {
    return notAwaited.computeIfAbsent(type, unused -> new LinkedBlockingQueue<>());
  }
}
