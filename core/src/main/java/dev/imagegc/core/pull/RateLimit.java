/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.GcClock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Lets transfers begin no faster than a rate, in the order in which they came. Thread-safe. */
final class RateLimit {
  private final @Nullable TokenBucket bucket; // null: unlimited
  private final Slots line = new Slots(1); // only the first of those who wait looks at the bucket
  private final GcClock clock;
  private final Duration maxWait;

  RateLimit(@Nullable TokenBucket bucket, GcClock clock, Duration maxWait) {
    this.bucket = bucket;
    this.clock = clock;
    this.maxWait = maxWait;
  }

  /**
   * Takes a token, and waits for it as long as that is allowed; a wait that could only be in vain is not begun.
   *
   * @param givenUp ends the wait when it is done
   * @return whether there was one
   * @throws InterruptedException if the waiting thread is interrupted
   */
  boolean take(CompletableFuture<Boolean> givenUp) throws InterruptedException {
    if (bucket == null) {
      return true;
    }
    if (maxWait.isZero()) {
      return bucket.tryTake(clock.nanoTime()) == 0; // nobody waits, so nobody is overtaken
    }
    long end = clock.nanoTime() + maxWait.toNanos();
    Slots.Slot turn = line.enter();
    try {
      clock.await(CompletableFuture.anyOf(turn.granted(), givenUp), maxWait);
      return turn.granted().isDone() && takeInTurn(bucket, end, givenUp);
    } finally {
      turn.leave();
    }
  }

  private boolean takeInTurn(TokenBucket tokens, long end, CompletableFuture<Boolean> givenUp)
      throws InterruptedException {
    while (!givenUp.isDone()) {
      long now = clock.nanoTime();
      long missing = tokens.tryTake(now);
      if (missing == 0) {
        return true;
      }
      if (missing > end - now) {
        return false;
      }
      clock.pause(givenUp, Duration.ofNanos(missing));
    }
    return false;
  }
}
