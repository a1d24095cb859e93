/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.time.Duration;

/** A time that several requests share: each may take what those before it have left. Immutable. */
final class TimeLimit {
  private final long endNanos;

  private TimeLimit(long endNanos) {
    this.endNanos = endNanos;
  }

  /** Returns a limit that is over when this much time has passed. */
  static TimeLimit of(Duration duration) {
    return new TimeLimit(System.nanoTime() + duration.toNanos());
  }

  boolean isOver() {
    return leftNanos() <= 0;
  }

  /** What is left, and at least a nanosecond, so that it can be the deadline of a request. */
  Duration left() {
    return Duration.ofNanos(Math.max(1, leftNanos()));
  }

  private long leftNanos() {
    return endNanos - System.nanoTime();
  }
}
