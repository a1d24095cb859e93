/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import dev.imagegc.api.GcException;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;

/** Keeps what one stream tells, waits for it, and notes what no stream may do. One thread asks it. */
final class EventLog implements RuntimeEventListener {
  private final Duration patience;
  private final Duration slowness;
  private final Semaphore intruders = new Semaphore(0);
  private final BlockingQueue<RuntimeEvent> arriving = new LinkedBlockingQueue<>();
  private final BlockingQueue<GcException> ends = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> breaches = new LinkedBlockingQueue<>();
  private final AtomicBoolean isTelling = new AtomicBoolean();
  private final List<RuntimeEvent> seen = new ArrayList<>();

  EventLog(Duration patience) {
    this(patience, Duration.ZERO);
  }

  /** Creates a log that is not as quick as it should be, so that others have the time to break the rule of one at a time. */
  EventLog(Duration patience, Duration slowness) {
    this.patience = patience;
    this.slowness = slowness;
  }

  @Override
  public void onEvent(RuntimeEvent event) {
    told(() -> {
      if (!ends.isEmpty()) {
        breaches.add("an event follows the end: " + event);
      }
      arriving.add(event);
    });
  }

  @Override
  public void onEnd(GcException cause) {
    told(() -> {
      if (!ends.isEmpty()) {
        breaches.add("another end follows the end: " + cause);
      }
      ends.add(cause);
    });
  }

  private void told(Runnable what) {
    if (!isTelling.compareAndSet(false, true)) {
      breaches.add("two things are told at once");
      intruders.release();
    } else if (!slowness.isZero()) {
      awaitIntruder();
    }
    what.run();
    isTelling.set(false);
  }

  private void awaitIntruder() {
    try {
      if (intruders.tryAcquire(slowness.toMillis(), TimeUnit.MILLISECONDS)) {
        breaches.add("something else was told meanwhile");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the source ends its thread
    }
  }

  /** Waits until an event arrives that has not been waited for before, and skips others. */
  RuntimeEvent await(String what, Predicate<RuntimeEvent> which) throws InterruptedException {
    while (true) {
      RuntimeEvent next = arriving.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
      if (next == null) {
        throw new AssertionError("no event tells " + what + "; told were " + seen
            + (ends.isEmpty() ? "" : " and the end, " + ends));
      }
      seen.add(next);
      if (which.test(next)) {
        return next;
      }
    }
  }

  /** Waits until the stream ends. */
  void awaitEnd() throws InterruptedException {
    GcException end = ends.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
    if (end == null) {
      throw new AssertionError("the stream does not end");
    }
    ends.add(end);
  }

  /** Returns all events so far, in their order. */
  List<RuntimeEvent> seen() {
    arriving.drainTo(seen);
    return List.copyOf(seen);
  }

  boolean hasEnded() {
    return !ends.isEmpty();
  }

  /** Returns what was told that must not be. */
  List<String> breaches() {
    return List.copyOf(breaches);
  }
}
