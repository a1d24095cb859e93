/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageGoingException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Lease;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullOutcome;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One request for one reference, on a thread of its own.
 *
 * <p>The order is what protects the image. First the reference is leased, then looked up: were it the other way round, a
 * collector could take the image after it was seen and before it is leased. With the lease in hand, whatever image has the name
 * stays, so one that is seen is safe. If there is none, it is pulled and looked up again, because it may have been removed by
 * others than the collector. The name can still move to another image, so the image itself is leased as well, and looked at
 * once more under that lease; if it has gone in between, all begins again.
 */
final class Request implements Runnable {
  private static final int MOST_TRANSFERS = 3;
  private static final int MOST_ROUNDS = 6; // an image that is seen may go without a transfer, too

  /** Ends a request without an image. */
  private static final class Over extends Exception {
    private static final long serialVersionUID = 1;

    private final transient PullOutcome outcome;
    private final transient @Nullable GcException why;

    Over(PullOutcome outcome, @Nullable GcException why) {
      super(null, null, false, false);
      this.outcome = outcome;
      this.why = why;
    }
  }

  private final String reference;
  private final PullPolicy policy;
  private final Settings settings;
  private final Calls calls;
  private final Transfers transfers;
  private final Consumer<Request> atEnd;
  private final PullResult.Builder known;
  private final CompletableFuture<PullResult> result = new CompletableFuture<>();
  /** True if it was cancelled, false if it had come to an end before that: whoever is first decides. */
  private final CompletableFuture<Boolean> cancelled = new CompletableFuture<>();

  private @Nullable RenewedLease name; // these two used by its thread only
  private @Nullable Lease image;
  private volatile @Nullable Transfer transfer;

  Request(
      String requested,
      String reference,
      PullPolicy policy,
      Settings settings,
      Calls calls,
      Transfers transfers,
      Consumer<Request> atEnd) {
    this.reference = reference;
    this.policy = policy;
    this.settings = settings;
    this.calls = calls;
    this.transfers = transfers;
    this.atEnd = atEnd;
    this.known = new PullResult.Builder(requested, reference);
  }

  String reference() {
    return reference;
  }

  CompletableFuture<PullResult> result() {
    return result;
  }

  Optional<PullProgress> progress() {
    Transfer current = transfer;
    return current == null ? Optional.empty() : current.progress();
  }

  /** Gives it up, unless it has its image or has ended already; says which. */
  boolean cancel() {
    return cancelled.complete(true) || cancelled.join();
  }

  /** Ends it before it began. */
  void refuse(BusyException why) {
    result.complete(known.without(PullOutcome.BUSY, why));
  }

  @Override
  public void run() {
    PullResult end;
    try {
      end = work();
    } catch (Over e) {
      end = known.without(e.outcome, e.why);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      end = known.without(PullOutcome.CANCELLED, cancellation());
    } catch (GcException e) {
      end = known.without(PullOutcome.FAILED, e);
    } catch (RuntimeException | Error e) {
      end = known.without(
          PullOutcome.FAILED,
          new ProtocolException("the request for " + reference + " came to nothing: " + e, e));
    }
    if (end.lease().isEmpty()) {
      release();
      end = cancelled.complete(false) || !cancelled.join()
          ? end
          : known.without(PullOutcome.CANCELLED, cancellation());
    }
    atEnd.accept(this);
    result.complete(end);
  }

  private PullResult work() throws Over, InterruptedException {
    if (policy == PullPolicy.ALWAYS) {
      refuseWhileBackingOff();
    }
    boolean mayBeThere = policy != PullPolicy.ALWAYS;
    for (int round = 0; round < MOST_ROUNDS; round++) {
      leaseName();
      Optional<ImageId> found = mayBeThere ? lookUp() : Optional.empty();
      if (found.isPresent()) {
        if (holds(found.get())) {
          return finished(found.get());
        }
      } else if (policy == PullPolicy.NEVER) {
        throw new Over(PullOutcome.NOT_PRESENT, null);
      } else {
        transfer();
      }
      mayBeThere = true;
    }
    throw new Over(
        PullOutcome.FAILED,
        new PullException("image " + reference + " was removed whenever it had been seen"));
  }

  private void leaseName() throws Over, InterruptedException {
    if (name != null) {
      if (name.keep()) {
        return;
      }
      RenewedLease.close(name.lease());
    }
    Lease granted = lease(
        "the leases for one on " + reference,
        () -> settings.leases().lease(reference, settings.grace(), settings.maxRemovalWait()));
    name = new RenewedLease(settings.leases(), reference, settings.grace(), granted);
  }

  private Optional<ImageId> lookUp() throws Over, InterruptedException {
    Optional<Image> found = ask(
        "the engine to look up " + reference,
        settings.lookupDeadline(),
        () -> settings.lookup().findImage(reference),
        unwanted -> {});
    return found.map(Image::id);
  }

  /** Leases an image that was seen, and says whether it is there still. */
  private boolean holds(ImageId id) throws Over, InterruptedException {
    Lease lease = lease(
        "the leases for one on " + id,
        () -> settings.leases().lease(id, settings.grace(), settings.maxRemovalWait()));
    image = lease;
    boolean there = ask(
            "the engine to look up " + id,
            settings.lookupDeadline(),
            () -> settings.lookup().findImage(id),
            unwanted -> {})
        .isPresent();
    if (there && RenewedLease.renew(lease, settings.grace()) && name != null && name.keep()) {
      return true;
    }
    image = null;
    RenewedLease.close(lease);
    return false;
  }

  private PullResult finished(ImageId id) throws Over {
    Lease onName = Objects.requireNonNull(name).lease();
    Lease onImage = Objects.requireNonNull(image);
    if (!cancelled.complete(false)) {
      throw new Over(PullOutcome.CANCELLED, cancellation());
    }
    return known.holding(
        known.transfers() == 0 ? PullOutcome.PRESENT : PullOutcome.PULLED,
        id,
        new ImageLease(onName, onImage));
  }

  private void transfer() throws Over, InterruptedException {
    if (known.transfers() == MOST_TRANSFERS) {
      throw new Over(
          PullOutcome.FAILED,
          new PullException("image " + reference + " was pulled " + MOST_TRANSFERS
              + " times and was gone each time: something else removes it"));
    }
    long since = now(); // before the transfer can begin
    Transfer.End end = await(join(), since);
    transfers.refusal(reference).ifPresent(this::note);
    if (!end.outcome().equals(PullOutcome.PULLED)) {
      throw new Over(end.outcome(), end.cause());
    }
  }

  private Transfer join() throws Over {
    Transfers.Joined joined = transfers.join(reference);
    if (joined.transfer() == null) {
      throw backingOff(Objects.requireNonNull(joined.refusal()));
    }
    return joined.transfer();
  }

  private Transfer.End await(Transfer joined, long since) throws Over, InterruptedException {
    transfer = joined;
    try {
      while (!await(joined.end(), settings.transferDeadline())) {
        checkWanted(); // a transfer bounds itself
      }
      return joined.end().join();
    } finally {
      transfers.leave(joined);
      takeDown(joined, since);
    }
  }

  private void takeDown(Transfer joined, long since) {
    long now = now();
    Stages stages = joined.stages();
    known.waited(
        stages.spent(Stages.Stage.SLOT, since, now), stages.spent(Stages.Stage.RATE, since, now));
    if (stages.reached(Stages.Stage.TRANSFER)) {
      known.transferred(
          stages.spent(Stages.Stage.TRANSFER, now),
          joined.progress().isEmpty()
              ? OptionalLong.empty()
              : OptionalLong.of(joined.progress().get().transferredBytes()));
    }
  }

  private void refuseWhileBackingOff() throws Over {
    Optional<PullBackOff.Failing> failing = transfers.refusal(reference);
    if (failing.isPresent()) {
      throw backingOff(failing.get());
    }
  }

  private Over backingOff(PullBackOff.Failing failing) {
    note(failing);
    return new Over(PullOutcome.BACKING_OFF, failing.cause());
  }

  private void note(PullBackOff.Failing failing) {
    known.backOffUntil(settings.clock().instant().plusNanos(failing.until() - now()));
  }

  private Lease lease(String what, Callable<Lease> body) throws Over, InterruptedException {
    long since = now();
    try {
      // The leases bound their wait themselves; this is for those that do not.
      return ask(
          what,
          settings.maxRemovalWait().plus(settings.lookupDeadline()),
          body,
          RenewedLease::close);
    } catch (ImageGoingException e) {
      throw new Over(PullOutcome.BUSY, e);
    } finally {
      known.waitedForRemoval(Duration.ofNanos(now() - since));
    }
  }

  /** Asks somebody who may take long, or for ever. */
  private <T> T ask(String what, Duration deadline, Callable<T> body, Consumer<T> unwanted)
      throws Over, InterruptedException {
    checkWanted();
    Calls.Call<T> call = calls.begin(what, body, unwanted);
    boolean done = false;
    try {
      done = await(call.decided(), deadline);
    } finally {
      if (!done) {
        call.giveUp();
      }
    }
    if (!done) {
      checkWanted();
      throw new TimedOutException(
          "asked " + what + ", no answer within " + Durations.text(deadline));
    }
    return call.result();
  }

  /** Waits until something is done, the caller gives up, or time is over; keeps the leases meanwhile. Says whether it is done. */
  private boolean await(CompletableFuture<?> future, Duration atMost) throws InterruptedException {
    CompletableFuture<?> wakeUp = CompletableFuture.anyOf(future, cancelled);
    Duration slice = settings.grace().dividedBy(3);
    long begin = now();
    Duration left = atMost;
    while (!settings.clock().await(wakeUp, left.compareTo(slice) < 0 ? left : slice)) {
      left = atMost.minusNanos(now() - begin);
      if (left.isZero() || left.isNegative()) {
        return future.isDone();
      }
      keepLeases();
    }
    return future.isDone();
  }

  private void keepLeases() {
    if (name != null) {
      name.keep();
    }
    if (image != null) {
      RenewedLease.renew(image, settings.grace());
    }
  }

  private void release() {
    if (image != null) {
      RenewedLease.close(image);
    }
    if (name != null) {
      RenewedLease.close(name.lease());
    }
  }

  private void checkWanted() throws Over {
    if (cancelled.isDone()) {
      throw new Over(PullOutcome.CANCELLED, cancellation());
    }
  }

  private GcException cancellation() {
    return new CancelledException("the request for " + reference + " was cancelled");
  }

  private long now() {
    return settings.clock().nanoTime();
  }
}
