/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.BootTime;
import dev.imagegc.api.GcClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A clock that stands still until a test moves it. Wall time, elapsed time and uptime are counted separately and start at
 * values that have nothing to do with each other, so code that mixes them shows it.
 *
 * <p>{@link #await} is virtual as well: it waits for the future for as long as it takes, and never gives up because real time
 * has passed. It gives up when virtual time has reached its deadline, and virtual time moves in two ways:
 *
 * <ul>
 *   <li>the test moves it, from another thread, or a slow call of a {@link FakeNode} does;
 *   <li>a call of a {@link FakeNode} hangs. As nothing can happen then but a deadline, time skips to the earliest deadline
 *       of all waiting threads. A hanging call that was interrupted, even in vain, no longer makes time skip: whoever
 *       waited for it has gone on without it. After a skip, a waiter with a later deadline leaves the first one a moment to
 *       cancel what it gave up.
 * </ul>
 *
 * Time skips even if some other thread is about to finish what is waited for. To hold a call up while a test does something
 * else, let a hook of {@link Faults} block.
 *
 * <p>Thread-safe.
 */
public final class TestClock implements GcClock {
  private static final Instant FIRST_INSTANT = Instant.parse("2026-01-01T00:00:00Z");
  private static final long FIRST_NANO = 123_456_789_000L;
  private static final Duration FIRST_UPTIME = Duration.ofHours(1);
  private static final int PATIENCE_MILLIS = 30_000;
  private static final int POLLS_TO_REACT = 1000; // a millisecond each

  // A monitor and not a Lock: wait() clears a thread's interrupt flag while it holds the monitor,
  // so that others see either
  // the flag or what the thread has done about it.
  private final Object lock = new Object();
  private final List<Waiter> waiters = new ArrayList<>();
  private final List<HungCall> hungCalls = new ArrayList<>();
  private Instant wall = FIRST_INSTANT;
  private long nano = FIRST_NANO;
  private Duration uptime = FIRST_UPTIME;
  private int boot = 1;
  private boolean tellsBootTime = true;
  private @Nullable Future<?> lastSkippedFor;
  private int pollsLeftToReact;

  /** Creates a clock at 2026-01-01T00:00:00Z, one hour after the machine's first boot. */
  public TestClock() {}

  @Override
  public Instant instant() {
    synchronized (lock) {
      return wall;
    }
  }

  @Override
  public long nanoTime() {
    synchronized (lock) {
      return nano;
    }
  }

  /** Returns "boot-1" and the uptime, unless a test has changed that. */
  @Override
  public Optional<BootTime> bootTime() {
    synchronized (lock) {
      return tellsBootTime ? Optional.of(BootTime.of("boot-" + boot, uptime)) : Optional.empty();
    }
  }

  /**
   * Lets time pass: wall time, elapsed time and uptime.
   *
   * @param duration how much, zero or more
   */
  public void advance(Duration duration) {
    refuseNegative(duration);
    synchronized (lock) {
      pass(duration);
    }
  }

  /**
   * Sets the wall clock without letting time pass, as an administrator does.
   *
   * @param duration how far; negative sets it back
   */
  public void jumpWall(Duration duration) {
    synchronized (lock) {
      wall = wall.plus(duration);
    }
  }

  /**
   * Reboots the machine: time passes, the uptime starts at zero, and the boot gets a new id.
   *
   * @param downtime how long the machine was off, zero or more
   */
  public void reboot(Duration downtime) {
    refuseNegative(downtime);
    synchronized (lock) {
      pass(downtime);
      uptime = Duration.ZERO;
      boot++;
    }
  }

  /**
   * Makes this the clock of a machine that tells no boot time.
   *
   * @return this clock
   */
  public TestClock withoutBootTime() {
    synchronized (lock) {
      tellsBootTime = false;
    }
    return this;
  }

  /**
   * Waits until a future is done, or virtual time has reached the deadline; see the class comment.
   *
   * @param future what to wait for
   * @param atMost the longest wait in virtual time; zero or less does not wait
   * @return whether the future is done
   * @throws InterruptedException if the waiting thread is interrupted
   */
  @Override
  public boolean await(Future<?> future, Duration atMost) throws InterruptedException {
    if (future.isDone() || atMost.isZero() || atMost.isNegative()) {
      return future.isDone();
    }
    Waiter waiter = register(future, atMost);
    try {
      while (!isDoneWithinAMillisecond(future)) {
        if (isOver(waiter)) {
          return future.isDone();
        }
      }
      return true;
    } finally {
      synchronized (lock) {
        waiters.remove(waiter);
      }
    }
  }

  /** Moves the clock on at once, unless what ends the wait early is done. */
  @Override
  public void pause(Future<?> wakeUp, Duration atMost) {
    if (!wakeUp.isDone() && !atMost.isNegative()) {
      advance(atMost);
    }
  }

  /**
   * Blocks until a number of threads wait in {@link #await}: to move the clock when they do, and not before.
   *
   * @param threads how many, at least
   * @throws AssertionError if that does not happen within 30 seconds of real time, or the thread is interrupted
   */
  public void awaitWaiters(int threads) {
    for (int i = 0; i < PATIENCE_MILLIS && !Thread.currentThread().isInterrupted(); i++) {
      synchronized (lock) {
        if (waiters.size() >= threads) {
          return;
        }
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
    throw new AssertionError("not as many as " + threads + " threads wait on the clock");
  }

  /**
   * Hangs the calling thread until it is released or, unless it is stubborn, interrupted. An interrupt leaves the thread's flag
   * set.
   *
   * @return whether it was released
   */
  boolean hang(Object owner, boolean stubborn) {
    HungCall call = new HungCall(owner, Thread.currentThread());
    synchronized (lock) {
      hungCalls.add(call);
      while (!call.released && (stubborn || !call.abandoned)) {
        try {
          lock.wait();
        } catch (InterruptedException e) {
          call.abandoned = true;
        }
      }
      hungCalls.remove(call);
    }
    if (call.abandoned) {
      Thread.currentThread().interrupt();
    }
    return call.released;
  }

  /** Lets every call go on that hangs for an owner. */
  void release(Object owner) {
    synchronized (lock) {
      for (HungCall call : hungCalls) {
        call.released |= call.owner == owner;
      }
      lock.notifyAll();
    }
  }

  /** Returns how many calls hang, abandoned ones included. */
  int hungCalls() {
    synchronized (lock) {
      return hungCalls.size();
    }
  }

  private Waiter register(Future<?> future, Duration atMost) {
    synchronized (lock) {
      Waiter waiter = new Waiter(future, Math.addExact(nano, atMost.toNanos()));
      waiters.add(waiter);
      return waiter;
    }
  }

  /** Really waits, but so briefly that a change of the clock is noticed soon: a Future cannot be waited for together with it. */
  private static boolean isDoneWithinAMillisecond(Future<?> future) throws InterruptedException {
    try {
      future.get(1, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return future.isDone();
    } catch (ExecutionException | CancellationException e) {
      return true; // done, in its own way
    }
    return true;
  }

  private boolean isOver(Waiter waiter) {
    synchronized (lock) {
      if (nano < waiter.deadline && isNext(waiter) && callsHang() && !lastWaiterMayReact()) {
        pass(Duration.ofNanos(waiter.deadline - nano));
        lastSkippedFor = waiter.future;
        pollsLeftToReact = POLLS_TO_REACT;
      }
      return nano >= waiter.deadline;
    }
  }

  private boolean callsHang() {
    return hungCalls.stream().anyMatch(HungCall::counts);
  }

  /** Whether the waiter for whom time has skipped last may be about to cancel what it gave up. */
  private boolean lastWaiterMayReact() {
    return lastSkippedFor != null && !lastSkippedFor.isDone() && pollsLeftToReact-- > 0;
  }

  private boolean isNext(Waiter waiter) {
    return waiters.stream()
        .noneMatch(other -> other.deadline < waiter.deadline && !other.future.isDone());
  }

  private void pass(Duration duration) {
    wall = wall.plus(duration);
    nano = Math.addExact(nano, duration.toNanos());
    uptime = uptime.plus(duration);
  }

  private static void refuseNegative(Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException("duration must not be negative, but is " + duration
          + "; to set the wall clock back use jumpWall");
    }
  }

  private record Waiter(Future<?> future, long deadline) {}

  private static final class HungCall {
    private final Object owner;
    private final Thread thread;
    private boolean released;
    private boolean abandoned;

    private HungCall(Object owner, Thread thread) {
      this.owner = owner;
      this.thread = thread;
    }

    /** Whether somebody may still be waiting for it. */
    private boolean counts() {
      return !released && !abandoned && !thread.isInterrupted();
    }
  }
}
