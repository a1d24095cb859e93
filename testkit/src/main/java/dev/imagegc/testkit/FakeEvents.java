/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.GcException;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.RuntimeEventSource;
import dev.imagegc.testkit.FakeNode.Operation;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The events of a {@link FakeNode}, and what goes wrong with them: lost, doubled and late events, and streams that end, as a
 * test scripts them. {@link Faults#heal} ends what was scripted here as well.
 *
 * <p>Events are told right after the change, on the thread that made it and without a lock, one at a time and in the order of
 * the changes: when a method of the node returns, its events have been told. Only if another thread is telling events at that
 * moment, or a listener itself changes the node, they are left to whoever is at it. What a listener throws comes out of the
 * method that changed the node.
 *
 * <p>Thread-safe.
 */
public final class FakeEvents implements RuntimeEventSource {
  private final FakeNode node;
  private final Object lock = new Object();
  private final Set<Stream> open = new LinkedHashSet<>();
  private final Deque<Runnable> outbox = new ArrayDeque<>();
  private final Deque<Runnable> heldBack = new ArrayDeque<>();
  private boolean delivering;
  private boolean holds;
  private boolean stripsImages;
  private int toLose;
  private int toDouble;
  private @Nullable GcException refusal;

  FakeEvents(FakeNode node) {
    this.node = node;
  }

  /** Opens a stream: {@link Operation#SUBSCRIBE}. What the node does from then on is told. */
  @Override
  public Subscription subscribe(RuntimeEventListener listener) {
    Objects.requireNonNull(listener, "listener");
    return node.subscribe(() -> open(listener));
  }

  private Subscription open(RuntimeEventListener listener) {
    synchronized (lock) {
      if (refusal != null) {
        throw refusal;
      }
      Stream stream = new Stream(listener);
      open.add(stream);
      return stream;
    }
  }

  /**
   * Returns how many streams are open.
   *
   * @return the number
   */
  public int openStreams() {
    synchronized (lock) {
      return open.size();
    }
  }

  /**
   * Ends all streams that are open now. Events that were held back are lost. New streams can be opened.
   *
   * @param cause what the listeners are told
   */
  public void cut(GcException cause) {
    end(cause);
    deliver();
  }

  /**
   * Makes opening a stream fail until {@link #allow}. Open streams stay; to end them as well, {@link #cut} them afterwards.
   *
   * @param cause what {@link #subscribe} throws
   */
  public void refuse(GcException cause) {
    Objects.requireNonNull(cause, "cause");
    synchronized (lock) {
      refusal = cause;
    }
  }

  /** Ends what {@link #refuse} began. */
  public void allow() {
    synchronized (lock) {
      refusal = null;
    }
  }

  /**
   * Loses the next events: no stream tells them.
   *
   * @param events how many, 0 or more
   */
  public void loseNext(int events) {
    synchronized (lock) {
      toLose = atLeastZero(events);
    }
  }

  /**
   * Tells each of the next events twice. Those that are lost do not count.
   *
   * @param events how many, 0 or more
   */
  public void doubleNext(int events) {
    synchronized (lock) {
      toDouble = atLeastZero(events);
    }
  }

  /** Holds events back from now on, until {@link #release}. */
  public void hold() {
    synchronized (lock) {
      holds = true;
    }
  }

  /** Tells the events that were held back, in their order, and holds none back from now on. */
  public void release() {
    synchronized (lock) {
      holds = false;
      outbox.addAll(heldBack);
      heldBack.clear();
    }
    deliver();
  }

  /** Takes the image's id out of every event from now on, so that at most its name is told. */
  public void stripImages() {
    synchronized (lock) {
      stripsImages = true;
    }
  }

  void heal() {
    synchronized (lock) {
      refusal = null;
      toLose = 0;
      toDouble = 0;
      stripsImages = false;
    }
    release();
  }

  /** Notes an event for all streams that are open now; {@link #deliver} tells it. */
  void happened(RuntimeEvent event) {
    synchronized (lock) {
      if (toLose > 0) {
        toLose--;
        return;
      }
      RuntimeEvent told = stripsImages ? withoutImage(event) : event;
      note(told);
      if (toDouble > 0) {
        toDouble--;
        note(told);
      }
    }
  }

  private void note(RuntimeEvent event) {
    Deque<Runnable> box = holds ? heldBack : outbox;
    open.forEach(stream -> box.add(() -> stream.tell(event)));
  }

  /** Notes the end of all streams that are open now; {@link #deliver} tells it. */
  void end(GcException cause) {
    Objects.requireNonNull(cause, "cause");
    synchronized (lock) {
      heldBack.clear();
      open.forEach(stream -> outbox.add(() -> stream.end(cause)));
      open.clear();
    }
  }

  /** Tells what was noted, unless somebody is at it. Not to be called under a lock. */
  void deliver() {
    synchronized (lock) {
      if (delivering) {
        return;
      }
      delivering = true;
    }
    for (Runnable next = next(); next != null; next = next()) {
      deliver(next);
    }
  }

  private void deliver(Runnable next) {
    boolean told = false;
    try {
      next.run();
      told = true;
    } finally {
      if (!told) { // the listener threw
        synchronized (lock) {
          delivering = false;
        }
      }
    }
  }

  /** Takes what is to be told next; if there is nothing, the next change finds nobody at it. */
  private @Nullable Runnable next() {
    synchronized (lock) {
      Runnable next = outbox.poll();
      delivering = next != null;
      return next;
    }
  }

  private static int atLeastZero(int events) {
    if (events < 0) {
      throw new IllegalArgumentException("events must be 0 or more, but is " + events);
    }
    return events;
  }

  private static RuntimeEvent withoutImage(RuntimeEvent event) {
    RuntimeEvent.Builder copy = RuntimeEvent.builder(event.type());
    event.reference().ifPresent(copy::reference);
    event.container().ifPresent(copy::container);
    return copy.build();
  }

  private final class Stream implements Subscription {
    private final RuntimeEventListener listener;
    private volatile boolean closed;

    private Stream(RuntimeEventListener listener) {
      this.listener = listener;
    }

    private void tell(RuntimeEvent event) {
      if (!closed) {
        listener.onEvent(event);
      }
    }

    private void end(GcException cause) {
      if (!closed) {
        listener.onEnd(cause);
      }
    }

    @Override
    public void close() {
      closed = true;
      synchronized (lock) {
        open.remove(this);
      }
    }
  }
}
