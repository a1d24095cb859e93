/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.internal;

import com.google.common.util.concurrent.ThreadFactoryBuilder;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Every call to one foreign object (an engine, a disk measure, a listener, a store), each with a deadline: on a daemon
 * thread, interrupted when it is late and then left alone. While such an abandoned call is still stuck, further calls
 * fail at once, so threads do not pile up behind a peer that hangs. Thread-safe.
 */
public final class BoundedCalls {
  /** Real time that an interrupted call has to unwind before it counts as stuck. */
  private static final long GRACE_MILLIS = 1000;

  /** Says what it means that the foreign object threw something that its contract does not name. */
  @FunctionalInterface
  public interface BrokenContract {
    GcException describe(String message, Throwable thrown);
  }

  private final String subject;
  private final GcClock clock;
  private final BrokenContract brokenContract;
  private final ExecutorService workers;
  private final Set<Call<?>> stuck = ConcurrentHashMap.newKeySet(); // abandoned and not ended

  public BoundedCalls(String subject, GcClock clock, BrokenContract brokenContract) {
    this.subject = subject;
    this.clock = clock;
    this.brokenContract = brokenContract;
    this.workers = Executors.newCachedThreadPool(new ThreadFactoryBuilder()
        .setDaemon(true)
        .setNameFormat("imagegc-" + subject.replace(' ', '-') + "-%d")
        .build());
  }

  /**
   * Calls and waits for the result, which must not be null.
   *
   * @throws GcException what the call threw, or that it was late, stuck, interrupted or broke its contract
   */
  public <T> T call(String what, Duration deadline, Callable<T> body) {
    for (Call<?> earlier : stuck) {
      throw new UnreachableException(subject + " is not asked to " + what + ": an earlier call to "
          + earlier.what + " is still stuck");
    }
    Call<T> call = new Call<>(what, body);
    try {
      workers.execute(call);
      if (!clock.await(call, deadline)) {
        abandon(call);
        throw new TimedOutException(
            subject + " did not " + what + " within " + Durations.text(deadline));
      }
      return call.get();
    } catch (InterruptedException e) {
      abandon(call);
      Thread.currentThread().interrupt();
      throw new CancelledException("interrupted while waiting for " + subject + " to " + what, e);
    } catch (CancellationException | RejectedExecutionException e) {
      throw new CancelledException("closed while waiting for " + subject + " to " + what, e);
    } catch (ExecutionException e) {
      Throwable thrown = Objects.requireNonNull(e.getCause());
      if (thrown instanceof GcException known) {
        throw known;
      }
      throw brokenContract.describe(
          subject + " broke its contract when asked to " + what + ": " + thrown, thrown);
    }
  }

  /** As {@link #call}, but is made even if the calling thread is already interrupted, whose flag is kept. */
  public <T> T callEvenIfInterrupted(String what, Duration deadline, Callable<T> body) {
    boolean interrupted = Thread.interrupted();
    try {
      return call(what, deadline, body);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Interrupts what is running and refuses what comes. */
  public void close() {
    workers.shutdownNow();
  }

  /** Interrupts a call, and leaves it alone if it does not end at once. */
  private void abandon(Call<?> call) {
    stuck.add(call);
    call.cancel(true);
    boolean interrupted = Thread.interrupted();
    try {
      if (call.ended.await(GRACE_MILLIS, TimeUnit.MILLISECONDS)) {
        stuck.remove(call);
      }
    } catch (InterruptedException e) {
      interrupted = true;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** A call that knows when its body has really ended, which a cancelled future does not. */
  private final class Call<T> extends FutureTask<T> {
    private final String what;
    private final CountDownLatch ended = new CountDownLatch(1);

    Call(String what, Callable<T> body) {
      super(() -> {
        T result = body.call();
        if (result == null) {
          throw new NullPointerException("returned null");
        }
        return result;
      });
      this.what = what;
    }

    @Override
    public void run() {
      try {
        super.run();
      } finally {
        ended.countDown();
        stuck.remove(this);
      }
    }
  }
}
