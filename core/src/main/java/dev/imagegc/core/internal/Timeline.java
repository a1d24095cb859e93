/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.internal;

import dev.imagegc.api.GcClock;
import java.time.Instant;

/**
 * The collector's own time: the wall clock as it was at the start, carried on by elapsed time. It never jumps, so a wall
 * clock that is set makes no image older or younger.
 */
public final class Timeline {
  private final GcClock clock;
  private final Instant start;
  private final long startNanos;

  public Timeline(GcClock clock) {
    this.clock = clock;
    this.start = clock.instant();
    this.startNanos = clock.nanoTime();
  }

  public Instant now() {
    return start.plusNanos(clock.nanoTime() - startNanos);
  }
}
