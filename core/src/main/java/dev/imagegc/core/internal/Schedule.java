/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.internal;

import com.google.common.math.LongMath;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs pieces of work again and again. A scheduler, which may be the host's, only gives the beat; the work itself, which may
 * wait for an engine, is done on one daemon thread of the collector, so that the pieces do not compete. The period counts from
 * the end of one run to the start of the next, plus a random part of the jitter.
 *
 * <p>Work that must not wait for these is done once, after a delay, on a {@link #lane}.
 */
public final class Schedule {
  private static final Logger LOG = LoggerFactory.getLogger(Schedule.class);

  private final ScheduledExecutorService beat;
  private final boolean ownsBeat;
  private final ExecutorService worker;
  private final ThreadFactory daemons;
  private final List<ExecutorService> lanes = new ArrayList<>(); // guarded by this
  private final Duration jitter;
  private final RandomGenerator random;
  private final Map<Runnable, ScheduledFuture<?>> next = new HashMap<>(); // guarded by this
  private final Set<ScheduledFuture<?>> pendingOnce = new HashSet<>(); // guarded by this
  private boolean stopped; // guarded by this

  public Schedule(
      @Nullable ScheduledExecutorService hostBeat, Duration jitter, RandomGenerator random) {
    this.daemons = new ThreadFactoryBuilder()
        .setDaemon(true)
        .setNameFormat("imagegc-timer-%d")
        .build();
    this.beat = hostBeat == null ? Executors.newSingleThreadScheduledExecutor(daemons) : hostBeat;
    this.ownsBeat = hostBeat == null;
    this.worker = Executors.newSingleThreadExecutor(daemons);
    this.jitter = jitter;
    this.random = random;
  }

  /** Runs the work at once and then every interval, until {@link #stop()}. */
  public void start(Duration interval, Runnable work) {
    submit(interval, work);
  }

  /** Returns a daemon thread of its own for work that must not wait for other work; it ends with {@link #stop()}. */
  public synchronized Executor lane() {
    ExecutorService lane = Executors.newSingleThreadExecutor(daemons);
    lanes.add(lane);
    return lane;
  }

  /** Runs the work once, after a delay; returns whether it will, unless {@link #stop()} comes first. */
  public synchronized boolean once(Duration delay, Executor lane, Runnable work) {
    if (stopped) {
      return false;
    }
    try {
      pendingOnce.removeIf(Future::isDone);
      if (delay.isZero()) {
        submitOnce(lane, work);
      } else {
        pendingOnce.add(
            beat.schedule(() -> submitOnce(lane, work), delay.toNanos(), TimeUnit.NANOSECONDS));
      }
      return true;
    } catch (RejectedExecutionException e) {
      LOG.warn("the host's scheduler refuses work", e);
      return false;
    }
  }

  private static void submitOnce(Executor lane, Runnable work) {
    try {
      lane.execute(() -> {
        try {
          work.run();
        } catch (RuntimeException e) {
          LOG.warn("a scheduled run failed", e);
        }
      });
    } catch (RejectedExecutionException e) {
      // stopped between the beat and the work
    }
  }

  /** Starts nothing any more and interrupts nothing: what runs ends by itself. */
  public void stop() {
    synchronized (this) {
      stopped = true;
      next.values().forEach(future -> future.cancel(false));
      pendingOnce.forEach(future -> future.cancel(false));
      lanes.forEach(ExecutorService::shutdown);
    }
    worker.shutdown();
    if (ownsBeat) {
      beat.shutdown();
    }
  }

  private void submit(Duration interval, Runnable work) {
    submitOnce(worker, () -> {
      try {
        work.run();
      } finally {
        scheduleNext(interval, work);
      }
    });
  }

  private synchronized void scheduleNext(Duration interval, Runnable work) {
    if (stopped) {
      return;
    }
    long extra = jitter.isZero() ? 0 : random.nextLong(LongMath.saturatedAdd(jitter.toNanos(), 1));
    long delay = LongMath.saturatedAdd(interval.toNanos(), extra);
    try {
      next.put(work, beat.schedule(() -> submit(interval, work), delay, TimeUnit.NANOSECONDS));
    } catch (RejectedExecutionException e) {
      LOG.warn("the host's scheduler refuses work: periodic runs end here", e);
    }
  }
}
