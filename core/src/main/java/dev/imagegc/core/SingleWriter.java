/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets one call at a time work on the node. A second call waits for a bounded time; one that is equal to the running one
 * gets that one's result instead of working again. Thread-safe.
 */
final class SingleWriter {
  /** A kind of call, its type of result, and whether a call joins an equal one that is running. */
  record Kind<T>(String name, Class<T> result, boolean joins) {}

  private record Turn(Kind<?> kind, Instant since, CompletableFuture<Object> result) {}

  private final GcClock clock;
  private final Duration maxWait;
  private @Nullable Turn running; // guarded by this

  SingleWriter(GcClock clock, Duration maxWait) {
    this.clock = clock;
    this.maxWait = maxWait;
  }

  /**
   * Does the work when nobody else works, or returns the result of an equal call that is at work.
   *
   * @throws BusyException if another call worked for longer than this one may wait
   * @throws CancelledException if the waiting thread was interrupted
   */
  <T> T run(Kind<T> kind, Supplier<T> work) {
    Turn mine = new Turn(kind, clock.instant(), new CompletableFuture<>());
    long started = clock.nanoTime();
    for (Turn other = take(mine); other != null; other = take(mine)) {
      awaitEnd(other, maxWait.minusNanos(clock.nanoTime() - started));
      if (kind.joins() && kind.equals(other.kind())) {
        return resultOf(kind, other);
      }
    }
    try {
      T result = work.get();
      mine.result().complete(result);
      return result;
    } catch (Throwable t) {
      mine.result().completeExceptionally(t);
      throw t;
    } finally {
      release();
    }
  }

  /** Waits until nobody works; says whether that came about. */
  boolean awaitIdle(Duration atMost) throws InterruptedException {
    Turn other;
    synchronized (this) {
      other = running;
    }
    return other == null || clock.await(other.result(), atMost);
  }

  /** Takes the place, or returns who has it. */
  private synchronized @Nullable Turn take(Turn mine) {
    if (running == null || running.result().isDone()) {
      running = mine;
      return null;
    }
    return running;
  }

  private synchronized void release() {
    running = null;
  }

  private void awaitEnd(Turn other, Duration atMost) {
    try {
      if (!clock.await(other.result(), atMost)) {
        throw new BusyException(other.kind().name() + " has been running since " + other.since()
            + "; waited " + Durations.text(maxWait) + " for it");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException(
          "interrupted while waiting for " + other.kind().name() + " to end", e);
    }
  }

  private static <T> T resultOf(Kind<T> kind, Turn other) {
    try {
      return kind.result().cast(other.result().join());
    } catch (CompletionException e) {
      if (e.getCause() instanceof GcException known) {
        throw known;
      }
      throw e;
    }
  }
}
