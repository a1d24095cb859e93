/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets one call at a time work on a node. A second call waits for a bounded time; one that is equal to the running one
 * gets that one's result instead of working again. A thread that works may run further calls as part of its work. Thread-safe.
 *
 * <p>Every collector has one of its own. A host that puts several together for one node, or has work of its own that must not
 * interleave with them (pruning a build cache, say), gives them the same one; {@code dev.imagegc.core.node.NodeGc} does.
 */
public final class SingleWriter {
  /**
   * A kind of call.
   *
   * @param <T> the type of its result
   */
  public static final class Kind<T> {
    private final String name;
    private final Class<T> result;
    private final boolean joins;

    private Kind(String name, Class<T> result, boolean joins) {
      this.name = Objects.requireNonNull(name, "name");
      this.result = Objects.requireNonNull(result, "result");
      this.joins = joins;
    }

    /**
     * Returns a kind of call each of which does its own work. Only the same object is the same kind.
     *
     * @param name what runs, for those who wait for it
     * @param result the type of its result
     * @param <T> the type of its result
     * @return the kind
     */
    public static <T> Kind<T> of(String name, Class<T> result) {
      return new Kind<>(name, result, false);
    }

    /**
     * Returns a kind of call that gets the result of one of the same kind that is running.
     *
     * @param name what runs, for those who wait for it
     * @param result the type of its result
     * @param <T> the type of its result
     * @return the kind
     */
    public static <T> Kind<T> joining(String name, Class<T> result) {
      return new Kind<>(name, result, true);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private record Turn(
      Kind<?> kind, Thread worker, Instant since, CompletableFuture<Object> result) {}

  private final GcClock clock;
  private @Nullable Turn running; // guarded by this

  private SingleWriter(GcClock clock) {
    this.clock = Objects.requireNonNull(clock, "clock");
  }

  /**
   * Returns a writer that tells time by the machine.
   *
   * @return the writer
   */
  public static SingleWriter create() {
    return create(SystemGcClock.instance());
  }

  /**
   * Returns a writer.
   *
   * @param clock tells how long calls wait
   * @return the writer
   */
  public static SingleWriter create(GcClock clock) {
    return new SingleWriter(clock);
  }

  /**
   * Does the work when nobody else works, or returns the result of an equal call that is at work. Called by the thread that is
   * working, it does the work at once: it is a part of that.
   *
   * @param kind what is to be done
   * @param maxWait how long to wait for another call to end, zero or more
   * @param work does it; may throw
   * @param <T> the type of its result
   * @return the result
   * @throws BusyException if another call worked for longer than this one may wait
   * @throws CancelledException if the waiting thread was interrupted
   */
  public <T> T run(Kind<T> kind, Duration maxWait, Supplier<T> work) {
    Durations.notNegative("maxWait", maxWait);
    if (isHeldByThisThread()) {
      return work.get();
    }
    long started = clock.nanoTime();
    Turn mine = take(kind);
    while (mine == null) {
      Turn other = running();
      if (other != null) {
        awaitEnd(other, maxWait, maxWait.minusNanos(clock.nanoTime() - started));
        if (kind.joins && kind == other.kind()) {
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

  /**
   * Returns whether the calling thread is the one that works.
   *
   * @return whether what it runs now is a part of its work
   */
  public boolean isHeldByThisThread() {
    Turn current = running();
    return current != null && current.worker() == Thread.currentThread();
  }

  /**
   * Waits until nobody works but the calling thread.
   *
   * @param atMost for how long, zero or more
   * @return whether that came about
   * @throws InterruptedException if the waiting thread was interrupted
   */
  public boolean awaitIdle(Duration atMost) throws InterruptedException {
    Durations.notNegative("atMost", atMost);
    Turn other = running();
    return other == null
        || other.worker() == Thread.currentThread() // it would wait for itself
        || clock.await(other.result(), atMost);
  }

  /** Takes the place if it is free. */
  private synchronized @Nullable Turn take(Kind<?> kind) {
    if (running != null) {
      return null;
    }
    running = new Turn(kind, Thread.currentThread(), clock.instant(), new CompletableFuture<>());
    return running;
  }

  private synchronized @Nullable Turn running() {
    return running;
  }

  /** Frees the place, before those who wait for the result hear of it. */
  private synchronized void release() {
    running = null;
  }

  private void awaitEnd(Turn other, Duration maxWait, Duration atMost) {
    try {
      if (!clock.await(other.result(), atMost)) {
        throw new BusyException(other.kind() + " has been running since " + other.since()
            + "; waited " + Durations.text(maxWait) + " for it");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("interrupted while waiting for " + other.kind() + " to end", e);
    }
  }

  private static <T> T resultOf(Kind<T> kind, Turn other) {
    try {
      return kind.result.cast(other.result().join());
    } catch (CompletionException e) {
      if (e.getCause() instanceof GcException known) {
        throw known;
      }
      throw new IllegalStateException(other.kind() + ", which was joined, failed", e.getCause());
    }
  }
}
