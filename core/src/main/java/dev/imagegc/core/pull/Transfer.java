/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullOutcome;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One transfer of one reference, for all requests that want it: waits for a slot, then for the rate, then pulls. The token is
 * taken last, so that only what really begins costs one.
 */
final class Transfer implements Runnable {
  /**
   * How it ended.
   *
   * @param cause why there is no image; null if it was pulled
   */
  record End(PullOutcome outcome, @Nullable GcException cause) {}

  /** What all transfers share. */
  record Tools(Settings settings, Slots slots, RateLimit rate, Calls calls) {}

  private final String reference;
  private final Tools tools;
  private final Transfers owner;
  private final Stages stages;
  private final CompletableFuture<End> end = new CompletableFuture<>();
  private final CompletableFuture<Boolean> givenUp = new CompletableFuture<>();
  private volatile @Nullable PullProgress progress;
  private volatile boolean over; // its time is
  private int requests; // guarded by the owner

  Transfer(String reference, Tools tools, Transfers owner) {
    this.reference = reference;
    this.tools = tools;
    this.owner = owner;
    this.stages = new Stages(now());
  }

  String reference() {
    return reference;
  }

  Stages stages() {
    return stages;
  }

  /** Done when the transfer has ended, however. */
  CompletableFuture<End> end() {
    return end;
  }

  Optional<PullProgress> progress() {
    return Optional.ofNullable(progress);
  }

  /** Counts those who want it, up or down, under the owner's lock. */
  int count(int difference) {
    requests += difference;
    return requests;
  }

  /** Breaks it off, because nobody wants it any more. */
  void giveUp() {
    givenUp.complete(true);
  }

  @Override
  public void run() {
    End how;
    try {
      how = inSlot();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      how = cancelled(e);
    } catch (GcException e) {
      how = new End(outcomeOf(e), e);
    } catch (RuntimeException | Error e) {
      how = new End(
          PullOutcome.FAILED,
          new PullException("pulling " + reference + " came to nothing: " + e, e));
    }
    stages.enter(Stages.Stage.DONE, now());
    owner.ended(this, how);
  }

  private End inSlot() throws InterruptedException {
    Slots.Slot slot = tools.slots().enter();
    boolean begun = false;
    try {
      if (!await(slot.granted(), settings().maxSlotWait())) {
        return givenUp.isDone() ? cancelled(null) : busy();
      }
      stages.enter(Stages.Stage.RATE, now());
      if (!tools.rate().take(givenUp)) {
        return givenUp.isDone() ? cancelled(null) : rateLimited();
      }
      stages.enter(Stages.Stage.TRANSFER, now());
      Calls.Call<Boolean> call =
          tools.calls().begin("the engine to pull " + reference, this::pull, done -> {});
      begun = true;
      return pulling(call, slot);
    } finally {
      if (!begun) {
        slot.leave();
      }
    }
  }

  /** A call that does not end although it was given up keeps its slot: the engine may still be at work for it. */
  private End pulling(Calls.Call<Boolean> call, Slots.Slot slot) throws InterruptedException {
    boolean done = false;
    try {
      done = await(call.decided(), settings().transferDeadline());
    } finally {
      if (done) {
        slot.leave();
      } else {
        over = true;
        slot.giveUp();
        call.giveUp();
        call.whenEnded(slot::leave);
      }
    }
    if (!done) {
      return givenUp.isDone() ? cancelled(null) : timedOut();
    }
    call.result();
    return new End(PullOutcome.PULLED, null);
  }

  private boolean pull() {
    Optional<RegistryCredentials> credentials = credentials();
    if (over || givenUp.isDone()) {
      throw new CancelledException("pulling " + reference + " was given up before it began");
    }
    settings().puller().pull(reference, credentials, heard -> progress = heard);
    return true;
  }

  /** What the host throws is kept as a cause but not repeated in words, as it may have secrets in it. */
  private Optional<RegistryCredentials> credentials() {
    Optional<RegistryCredentials> credentials;
    try {
      credentials = settings().credentials().credentialsFor(reference);
    } catch (RuntimeException | Error e) {
      throw new PullException(
          "no credentials for " + reference + ": the provider threw "
              + e.getClass().getName(),
          e);
    }
    if (credentials == null) {
      throw new PullException("no credentials for " + reference + ": the provider returned null");
    }
    return credentials;
  }

  /** Waits until something is done, this is given up, or time is over; says whether it is done. */
  private boolean await(CompletableFuture<?> future, Duration atMost) throws InterruptedException {
    settings().clock().await(CompletableFuture.anyOf(future, givenUp), atMost);
    return future.isDone();
  }

  private End busy() {
    return new End(
        PullOutcome.BUSY,
        new BusyException("no slot for pulling " + reference + " within "
            + Durations.text(settings().maxSlotWait()) + ": " + tools.slots().describe()));
  }

  private End rateLimited() {
    return new End(
        PullOutcome.RATE_LIMITED,
        new BusyException("pulling " + reference + " would exceed the rate of pulls"));
  }

  private End timedOut() {
    return new End(
        PullOutcome.TIMED_OUT,
        new TimedOutException("pulling " + reference + " did not end within "
            + Durations.text(settings().transferDeadline())));
  }

  private End cancelled(@Nullable InterruptedException cause) {
    return new End(
        PullOutcome.CANCELLED,
        new CancelledException("pulling " + reference + " was cancelled", cause));
  }

  private static PullOutcome outcomeOf(GcException thrown) {
    if (thrown instanceof TimedOutException) {
      return PullOutcome.TIMED_OUT;
    }
    return thrown instanceof CancelledException ? PullOutcome.CANCELLED : PullOutcome.FAILED;
  }

  private Settings settings() {
    return tools.settings();
  }

  private long now() {
    return tools.settings().clock().nanoTime();
  }
}
