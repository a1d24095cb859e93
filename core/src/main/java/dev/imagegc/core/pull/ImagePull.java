/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.PullProgress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** A request for an image that is under way, or has ended. Thread-safe. */
public final class ImagePull {
  private static final Duration LONG = Duration.ofDays(1); // waited again and again

  private final Request request;
  private final GcClock clock;

  ImagePull(Request request, GcClock clock) {
    this.request = request;
    this.clock = clock;
  }

  /**
   * Returns what is asked for, written in full.
   *
   * @return for instance {@code docker.io/library/app:latest}
   */
  public String reference() {
    return request.reference();
  }

  /**
   * Returns what came of it. Never waits.
   *
   * @return the result, always the same one, or empty while it is under way
   */
  public Optional<PullResult> result() {
    return Optional.ofNullable(request.result().getNow(null));
  }

  /**
   * Waits for what comes of it. That the time is over does not end the request.
   *
   * @param atMost for how long; zero or less does not wait
   * @return the result, or empty if it is still under way
   * @throws CancelledException if the waiting thread was interrupted; its flag stays set, the request goes on
   */
  public Optional<PullResult> await(Duration atMost) {
    try {
      clock.await(request.result(), atMost);
      return result();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("interrupted while waiting for " + reference(), e);
    }
  }

  /**
   * Returns the result as a stage, for hosts that do not want to wait. It never completes exceptionally; what is attached to it
   * without an executor runs on a thread of the pulls.
   *
   * @return a new stage
   */
  public CompletionStage<PullResult> completion() {
    return request.result().minimalCompletionStage();
  }

  /**
   * Returns how far the transfer has come.
   *
   * @return what the engine told last, or empty if there is no transfer or it told nothing
   */
  public Optional<PullProgress> progress() {
    return request.progress();
  }

  /**
   * Gives the request up. It ends soon with {@link dev.imagegc.api.PullOutcome#CANCELLED} and without a lease; the transfer goes
   * on if another request wants it, else it is broken off. If it has ended already, nothing happens; a result with an image has
   * to be closed as always.
   *
   * @return whether it is given up, now or earlier; false if it had ended otherwise
   */
  public boolean cancel() {
    return request.cancel();
  }

  /** Waits for the end; an interrupt cancels the request and is kept. */
  PullResult awaitOrCancel() {
    boolean interrupted = false;
    boolean done = false;
    while (!done) {
      try {
        done = clock.await(request.result(), LONG);
      } catch (InterruptedException e) {
        interrupted = true;
        cancel();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return request.result().join();
  }

  @Override
  public String toString() {
    return "ImagePull[" + reference() + " "
        + result().map(PullResult::outcome).map(Object::toString).orElse("under way") + "]";
  }
}
