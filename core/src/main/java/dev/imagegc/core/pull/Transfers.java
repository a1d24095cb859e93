/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import dev.imagegc.api.PullOutcome;
import dev.imagegc.core.internal.Durations;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The transfers that are under way, at most one for each reference, and the back-off of those that failed. Thread-safe. */
final class Transfers {
  private static final Logger LOG = LoggerFactory.getLogger(ImagePullManager.class);

  /** A transfer, or else what keeps it from being begun. */
  record Joined(@Nullable Transfer transfer, PullBackOff.@Nullable Failing refusal) {}

  private final Transfer.Tools tools;
  private final GcClock clock;
  private final PullBackOff backOff; // guarded by this, as is what follows
  private final Map<String, Transfer> underWay = new HashMap<>();

  Transfers(Transfer.Tools tools, PullBackOff backOff) {
    this.tools = tools;
    this.clock = tools.settings().clock();
    this.backOff = backOff;
  }

  /** Returns what keeps a reference from being pulled now. A transfer that is under way may be joined in any case. */
  synchronized Optional<PullBackOff.Failing> refusal(String reference) {
    return underWay.containsKey(reference)
        ? Optional.empty()
        : Optional.ofNullable(backOff.active(reference, clock.nanoTime()));
  }

  /** Joins the transfer that is under way, or begins one, unless it is too early. Whoever has joined leaves it once. */
  synchronized Joined join(String reference) {
    Optional<PullBackOff.Failing> refusal = refusal(reference);
    if (refusal.isPresent()) {
      return new Joined(null, refusal.get());
    }
    Transfer transfer = underWay.get(reference);
    if (transfer == null) {
      transfer = new Transfer(reference, tools, this);
      tools.calls().run(transfer);
      underWay.put(reference, transfer);
    }
    transfer.count(1);
    return new Joined(transfer, null);
  }

  /** Says that a request wants a transfer no more. When nobody does, it is broken off; nobody can join it then. */
  void leave(Transfer transfer) {
    boolean unwanted;
    synchronized (this) {
      unwanted = transfer.count(-1) == 0 && underWay.remove(transfer.reference(), transfer);
    }
    if (unwanted) {
      transfer.giveUp();
    }
  }

  /** Takes down how a transfer ended, before those who wait for it hear of it. */
  void ended(Transfer transfer, Transfer.End how) {
    PullBackOff.Failing failure;
    synchronized (this) {
      boolean wanted = underWay.remove(transfer.reference(), transfer);
      failure = wanted ? remember(transfer, how) : null;
    }
    log(transfer, how, failure);
    transfer.end().complete(how);
  }

  /** Only what says something about the reference counts: not that others were in the way, or the caller gave up. */
  private PullBackOff.@Nullable Failing remember(Transfer transfer, Transfer.End how) {
    GcException cause = how.cause();
    if (how.outcome().equals(PullOutcome.PULLED)) {
      backOff.succeeded(transfer.reference());
    } else if (cause != null
        && (how.outcome().equals(PullOutcome.FAILED)
            || how.outcome().equals(PullOutcome.TIMED_OUT))) {
      return backOff.failed(transfer.reference(), cause, clock.nanoTime());
    }
    return null;
  }

  private void log(Transfer transfer, Transfer.End how, PullBackOff.@Nullable Failing failure) {
    if (how.outcome().equals(PullOutcome.PULLED)) {
      LOG.info(
          "pulled {} in {}",
          transfer.reference(),
          Durations.text(transfer.stages().spent(Stages.Stage.TRANSFER, clock.nanoTime())));
    } else if (failure != null && failure.times() == 1) {
      LOG.warn(
          "cannot pull {}, now trying less and less often: {}", transfer.reference(), message(how));
    } else {
      LOG.debug("did not pull {}: {} {}", transfer.reference(), how.outcome(), message(how));
    }
  }

  private static String message(Transfer.End how) {
    return how.cause() == null ? "" : how.cause().getMessage();
  }
}
