/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * All the time that the collector knows. A host uses {@code dev.imagegc.core.SystemGcClock}, which is the default; a test
 * uses the testkit's {@code TestClock}, in which nothing takes real time.
 *
 * <p>Wall time ({@link #instant()}) is only shown and stored; ages and intervals come from elapsed time ({@link
 * #nanoTime()}), so setting the wall clock never makes an image look older.
 */
public interface GcClock extends InstantSource {
  /** Returns the wall time. */
  @Override
  Instant instant();

  /**
   * Returns elapsed time since some fixed moment, as {@link System#nanoTime()} does: never backwards, only differences mean
   * something.
   *
   * @return nanoseconds
   */
  long nanoTime();

  /**
   * Returns which boot this is and for how long it has lasted: what makes times comparable across a restart of the process.
   *
   * @return the reading, or empty where the machine does not tell
   */
  default Optional<BootTime> bootTime() {
    return Optional.empty();
  }

  /**
   * Waits until a future is done, or for some time. What the future came to is not looked at.
   *
   * @param future what to wait for
   * @param atMost the longest wait; zero or less does not wait
   * @return whether the future is done
   * @throws InterruptedException if the waiting thread is interrupted
   */
  default boolean await(Future<?> future, Duration atMost) throws InterruptedException {
    try {
      future.get(Math.max(0, atMost.toNanos()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      return future.isDone();
    } catch (ExecutionException | CancellationException e) {
      return true; // done, in its own way
    }
    return true;
  }

  /**
   * Lets time pass for nothing but to wait. Unlike {@link #await}, which waits for others, a virtual clock moves itself on
   * here.
   *
   * @param wakeUp ends the wait early when it is done
   * @param atMost how long; zero or less does not wait
   * @throws InterruptedException if the waiting thread is interrupted
   */
  default void pause(Future<?> wakeUp, Duration atMost) throws InterruptedException {
    await(wakeUp, atMost);
  }
}
