/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.GcException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Leaves references alone for a while whose transfer failed: for twice as long after each failure, up to a bound. Remembers
 * no more than {@link #MOST} of them, and none that has long been over. Used under its owner's lock.
 */
final class PullBackOff {
  static final int MOST = 1000;

  /** Failures in a row of one reference. */
  record Failing(int times, long until, GcException cause) {}

  private final Duration first;
  private final Duration longest;
  /** In the order of the last failure. */
  private final Map<String, Failing> failing = new LinkedHashMap<>();

  PullBackOff(Duration first, Duration longest) {
    this.first = first;
    this.longest = longest;
  }

  /** Returns what keeps a reference from being tried now, or null. */
  @Nullable
  Failing active(String reference, long now) {
    Failing known = failing.get(reference);
    return known != null && now - known.until() < 0 ? known : null;
  }

  /** Takes a failure down, and returns what keeps the reference from being tried until when. */
  Failing failed(String reference, GcException cause, long now) {
    failing.values().removeIf(known -> isForgotten(known, now));
    Failing before = failing.remove(reference);
    int times = before == null ? 1 : before.times() + 1;
    if (failing.size() == MOST) {
      failing.remove(failing.keySet().iterator().next());
    }
    Failing failure = new Failing(times, now + pause(times).toNanos(), cause);
    failing.put(reference, failure);
    return failure;
  }

  void succeeded(String reference) {
    failing.remove(reference);
  }

  int size() {
    return failing.size();
  }

  /** Who has not been tried for so long after the end of a pause begins anew. */
  private boolean isForgotten(Failing known, long now) {
    return now - known.until() >= longest.toNanos();
  }

  private Duration pause(int times) {
    Duration pause = first;
    for (int i = 1; i < times && pause.compareTo(longest) < 0; i++) {
      pause = pause.multipliedBy(2);
    }
    return pause.compareTo(longest) < 0 ? pause : longest;
  }
}
