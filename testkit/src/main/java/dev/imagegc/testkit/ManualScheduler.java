/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A scheduler that runs tasks only inside {@link #advance}, on the calling thread, in the order in which they are due, and
 * moves a {@link TestClock} along.
 *
 * <p>As with the JDK's scheduler, a periodic task ends when it throws, {@link #shutdown} cancels periodic tasks and keeps those
 * that run once, and a task without a delay is due at once, which here means at the next {@code advance}. {@link #invokeAll}
 * and {@link #invokeAny}, which wait for tasks, are not supported.
 *
 * <p>Thread-safe.
 */
public final class ManualScheduler implements ScheduledExecutorService {
  private final TestClock clock;
  private final Object lock = new Object();
  private final List<Task<?>> tasks = new ArrayList<>();
  private long lastSequence;
  private boolean shutdown;

  /**
   * Creates a scheduler without tasks.
   *
   * @param clock the clock that says what is due, and that {@link #advance} moves
   */
  public ManualScheduler(TestClock clock) {
    this.clock = Objects.requireNonNull(clock, "clock");
  }

  /**
   * Lets time pass and runs every task that becomes due, each at its time. Tasks that are due already run first. If a task moves
   * the clock itself, those after it may run late, as they would in real life.
   *
   * @param duration how much time, zero or more; zero runs what is due now
   */
  public void advance(Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException("duration must not be negative, but is " + duration);
    }
    long end = Math.addExact(clock.nanoTime(), duration.toNanos());
    for (Task<?> task = next(end); task != null; task = next(end)) {
      moveClockTo(task.due);
      task.run();
    }
    moveClockTo(end);
  }

  /**
   * Returns how many tasks wait to be run; a periodic task is one.
   *
   * @return the number
   */
  public int pendingCount() {
    return pendingDelays().size();
  }

  /**
   * Returns in what time each waiting task is due, the next one first.
   *
   * @return the delays; negative for tasks that are overdue
   */
  public List<Duration> pendingDelays() {
    synchronized (lock) {
      long now = clock.nanoTime();
      return tasks.stream()
          .sorted()
          .map(task -> Duration.ofNanos(task.due - now))
          .toList();
    }
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
    return add(new Task<>(Executors.callable(command), unit.toNanos(delay), Repeat.NEVER, 0));
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
    return add(new Task<>(callable, unit.toNanos(delay), Repeat.NEVER, 0));
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable command, long initialDelay, long period, TimeUnit unit) {
    return addPeriodic(command, initialDelay, Repeat.AT_RATE, period, unit);
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable command, long initialDelay, long delay, TimeUnit unit) {
    return addPeriodic(command, initialDelay, Repeat.WITH_DELAY, delay, unit);
  }

  @Override
  public void execute(Runnable command) {
    var unused =
        schedule(command, 0, TimeUnit.NANOSECONDS); // what it throws is lost, as in any executor
  }

  @Override
  public <T> Future<T> submit(Callable<T> task) {
    return schedule(task, 0, TimeUnit.NANOSECONDS);
  }

  @Override
  public <T> Future<T> submit(Runnable task, T result) {
    return schedule(Executors.callable(task, result), 0, TimeUnit.NANOSECONDS);
  }

  @Override
  public Future<?> submit(Runnable task) {
    return schedule(task, 0, TimeUnit.NANOSECONDS);
  }

  @Override
  public void shutdown() {
    List<Task<?>> periodic;
    synchronized (lock) {
      shutdown = true;
      periodic = tasks.stream().filter(task -> task.repeat != Repeat.NEVER).toList();
    }
    periodic.forEach(task -> task.cancel(false));
  }

  @Override
  public List<Runnable> shutdownNow() {
    synchronized (lock) {
      shutdown = true;
      List<Runnable> neverRun = List.copyOf(tasks);
      tasks.clear();
      return neverRun;
    }
  }

  /** Does what {@link #shutdownNow} does. On JDK 19 and later this is {@code ExecutorService.close()}, which would wait. */
  public void close() {
    shutdownNow();
  }

  @Override
  public boolean isShutdown() {
    synchronized (lock) {
      return shutdown;
    }
  }

  @Override
  public boolean isTerminated() {
    synchronized (lock) {
      return shutdown && tasks.isEmpty();
    }
  }

  /** Returns {@link #isTerminated()} at once: nothing would run while it waits. */
  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    return isTerminated();
  }

  /** Not supported: throws {@link UnsupportedOperationException}. */
  @Override
  public <T> List<Future<T>> invokeAll(Collection<? extends Callable<T>> callables) {
    throw unsupported("invokeAll");
  }

  /** Not supported: throws {@link UnsupportedOperationException}. */
  @Override
  public <T> List<Future<T>> invokeAll(
      Collection<? extends Callable<T>> callables, long timeout, TimeUnit unit) {
    throw unsupported("invokeAll");
  }

  /** Not supported: throws {@link UnsupportedOperationException}. */
  @Override
  public <T> T invokeAny(Collection<? extends Callable<T>> callables) {
    throw unsupported("invokeAny");
  }

  /** Not supported: throws {@link UnsupportedOperationException}. */
  @Override
  public <T> T invokeAny(Collection<? extends Callable<T>> callables, long timeout, TimeUnit unit) {
    throw unsupported("invokeAny");
  }

  private static UnsupportedOperationException unsupported(String method) {
    return new UnsupportedOperationException(
        "ManualScheduler runs tasks only in advance(), so it has no " + method);
  }

  private ScheduledFuture<?> addPeriodic(
      Runnable command, long initialDelay, Repeat repeat, long period, TimeUnit unit) {
    if (period <= 0) {
      throw new IllegalArgumentException("period must be positive, but is " + period);
    }
    return add(new Task<>(
        Executors.callable(command), unit.toNanos(initialDelay), repeat, unit.toNanos(period)));
  }

  private <V> Task<V> add(Task<V> task) {
    synchronized (lock) {
      if (shutdown) {
        throw new RejectedExecutionException("the scheduler is shut down");
      }
      task.sequence = ++lastSequence;
      tasks.add(task);
      return task;
    }
  }

  /** Takes the next task that is due at a time or before. */
  private @Nullable Task<?> next(long nano) {
    synchronized (lock) {
      Task<?> next = tasks.stream()
          .filter(task -> task.due <= nano)
          .min(Comparator.naturalOrder())
          .orElse(null);
      tasks.remove(next);
      return next;
    }
  }

  private void moveClockTo(long nano) {
    clock.advance(Duration.ofNanos(Math.max(0, nano - clock.nanoTime())));
  }

  private enum Repeat {
    NEVER,
    AT_RATE,
    WITH_DELAY
  }

  private final class Task<V> extends FutureTask<V> implements ScheduledFuture<V> {
    private final Repeat repeat;
    private final long period;
    private long due;
    private long sequence;

    private Task(Callable<V> callable, long delay, Repeat repeat, long period) {
      super(callable);
      this.due = Math.addExact(clock.nanoTime(), Math.max(0, delay));
      this.repeat = repeat;
      this.period = period;
    }

    @Override
    public void run() {
      if (repeat == Repeat.NEVER) {
        super.run();
      } else if (runAndReset()) {
        synchronized (lock) {
          due = (repeat == Repeat.AT_RATE ? due : clock.nanoTime()) + period;
          if (!shutdown) {
            tasks.add(this);
          }
        }
      }
    }

    @Override
    protected void done() {
      synchronized (lock) {
        tasks.remove(this);
      }
    }

    @Override
    public long getDelay(TimeUnit unit) {
      synchronized (lock) {
        return unit.convert(due - clock.nanoTime(), TimeUnit.NANOSECONDS);
      }
    }

    @Override
    public int compareTo(Delayed other) {
      if (other instanceof Task<?> that && due == that.due) {
        return Long.compare(sequence, that.sequence);
      }
      return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
    }
  }
}
