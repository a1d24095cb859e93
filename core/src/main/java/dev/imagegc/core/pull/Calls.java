/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import com.google.common.util.concurrent.ThreadFactoryBuilder;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.UnreachableException;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Calls to foreign objects (an engine, leases, credentials), each on a daemon thread of its own, so that whoever waits for one
 * can give it up. A call that is given up is interrupted; those that do not mind are counted, and when there are too many of
 * them, no further ones are made. Thread-safe.
 */
final class Calls {
  private final ExecutorService threads = Executors.newCachedThreadPool(new ThreadFactoryBuilder()
      .setDaemon(true)
      .setNameFormat("imagegc-pull-%d")
      .build());
  private final Set<Call<?>> stuck = ConcurrentHashMap.newKeySet(); // given up and not ended
  private final int mostStuck;

  Calls(int mostStuck) {
    this.mostStuck = mostStuck;
  }

  /** Runs what bounds itself. */
  void run(Runnable own) {
    threads.execute(own);
  }

  /**
   * Begins a call.
   *
   * @param what what is asked of whom, for people: "the engine to look up app:1"
   * @param unwanted takes what the call returns after it was given up
   * @throws UnreachableException if too many earlier calls are stuck
   */
  <T> Call<T> begin(String what, Callable<T> body, Consumer<T> unwanted) {
    if (stuck.size() >= mostStuck) {
      throw new UnreachableException("not asking " + what + ": " + stuck.size()
          + " earlier calls were given up and are still stuck");
    }
    Call<T> call = new Call<>(what, new Remembering<>(body), unwanted);
    threads.execute(call);
    return call;
  }

  /** Interrupts what is running and refuses what comes. */
  void close() {
    threads.shutdownNow();
  }

  /** A call that knows when its body has really ended, which a cancelled future does not. */
  final class Call<T> extends FutureTask<T> {
    private final String what;
    private final Remembering<T> body;
    private final Consumer<T> unwanted;
    private final CompletableFuture<Boolean> decided = new CompletableFuture<>();
    private final CompletableFuture<Boolean> ended = new CompletableFuture<>();

    private Call(String what, Remembering<T> body, Consumer<T> unwanted) {
      super(body);
      this.what = what;
      this.body = body;
      this.unwanted = unwanted;
    }

    /** Done when there is a result, or the call is given up. */
    CompletableFuture<Boolean> decided() {
      return decided;
    }

    /** Has something done when the body runs no more, and never will. */
    void whenEnded(Runnable action) {
      CompletableFuture<Void> unused = ended.thenRun(action);
    }

    /** Interrupts the call and forgets about it. What it has come to, or comes to yet, is unwanted. */
    void giveUp() {
      stuck.add(this);
      boolean tooLate = !cancel(true);
      if (ended.isDone()) {
        stuck.remove(this);
      }
      if (tooLate) {
        discard();
      }
    }

    /**
     * Returns what came of a call that is decided and was not given up.
     *
     * @throws GcException what it threw, or that it broke its contract
     */
    T result() {
      try {
        return get();
      } catch (InterruptedException e) {
        throw new IllegalStateException("asked for a result before there is one", e);
      } catch (ExecutionException e) {
        Throwable thrown = Objects.requireNonNull(e.getCause());
        if (thrown instanceof GcException known) {
          throw known;
        }
        throw new ProtocolException(
            "asked " + what + ", which broke its contract: " + thrown, thrown);
      }
    }

    @Override
    public void run() {
      try {
        super.run();
        if (isCancelled()) {
          discard();
        }
      } finally {
        ended.complete(true);
        stuck.remove(this);
      }
    }

    @Override
    protected void done() {
      decided.complete(true);
    }

    private void discard() {
      T late = body.result;
      if (late != null) {
        unwanted.accept(late);
      }
    }
  }

  /** Keeps what a body returned, which a cancelled future does not. */
  private static final class Remembering<T> implements Callable<T> {
    private final Callable<T> body;
    private volatile @Nullable T result;

    Remembering(Callable<T> body) {
      this.body = body;
    }

    @Override
    public T call() throws Exception {
      result = Objects.requireNonNull(body.call(), "returned null");
      return result;
    }
  }
}
