/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import dev.imagegc.api.PullProgress;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Hears the progress of one pull, and notes what no pull may tell. */
final class ProgressLog implements Consumer<PullProgress> {
  private final BlockingQueue<String> breaches = new LinkedBlockingQueue<>();
  private final AtomicBoolean isTelling = new AtomicBoolean();
  private volatile @Nullable PullProgress last;

  @Override
  public void accept(PullProgress next) {
    if (!isTelling.compareAndSet(false, true)) {
      breaches.add("two things are told at once");
    }
    PullProgress before = last;
    if (before != null && next.transferredBytes() < before.transferredBytes()) {
      breaches.add(next + " follows " + before);
    }
    if (next.totalBytes().orElse(Long.MAX_VALUE) < next.transferredBytes()) {
      breaches.add("more has come than comes in all: " + next);
    }
    last = next;
    isTelling.set(false);
  }

  /** Returns what was told that must not be. */
  List<String> breaches() {
    return List.copyOf(breaches);
  }
}
