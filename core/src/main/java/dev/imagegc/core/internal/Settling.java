/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.internal;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcClock;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;

/** Waits for space that an engine frees late: in short steps, so that the wait ends soon after there is enough. */
public final class Settling {
  private static final Duration STEP = Duration.ofMillis(500);

  private Settling() {}

  /**
   * Waits.
   *
   * @param wakeUp ends a step early when it is done; {@code afterStep} must throw then
   * @param longest how long at most; zero or less does not wait
   * @param isEnough asked before each step
   * @param afterStep measures; what it throws ends the wait
   * @throws CancelledException if the waiting thread was interrupted
   */
  public static void await(
      GcClock clock,
      Future<?> wakeUp,
      Duration longest,
      BooleanSupplier isEnough,
      Runnable afterStep) {
    long start = clock.nanoTime();
    Duration left = longest;
    while (left.compareTo(Duration.ZERO) > 0 && !isEnough.getAsBoolean()) {
      try {
        clock.pause(wakeUp, Durations.shorter(left, STEP));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CancelledException("interrupted while waiting for the engine to free space", e);
      }
      afterStep.run();
      left = longest.minusNanos(clock.nanoTime() - start);
    }
  }
}
