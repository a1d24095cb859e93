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
    long started = clock.nanoTime();
    Turn mine = take(kind);
    while (mine == null) {
      Turn other = running();
      if (other != null) {
        awaitEnd(other, maxWait.minusNanos(clock.nanoTime() - started));
        if (kind.joins() && kind.equals(other.kind())) {
          return resultOf(kind, other);
        }
      }
      mine = take(kind);
    }
    try {
      T result = work.get();
      release();
      mine.result().complete(result);
      return result;
    } catch (RuntimeException | Error e) {
      release();
      mine.result().completeExceptionally(e);
      throw e;
    }
  }

  /** Waits until nobody works; says whether that came about. */
  boolean awaitIdle(Duration atMost) throws InterruptedException {
    Turn other = running();
    return other == null || clock.await(other.result(), atMost);
  }

  /** Takes the place if it is free. */
  private synchronized @Nullable Turn take(Kind<?> kind) {
    if (running != null) {
      return null;
    }
    running = new Turn(kind, clock.instant(), new CompletableFuture<>());
    return running;
  }

  private synchronized @Nullable Turn running() {
    return running;
  }

  /** Frees the place, before those who wait for the result hear of it. */
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
      throw new IllegalStateException(
          other.kind().name() + ", which was joined, failed", e.getCause());
    }
  }
}
