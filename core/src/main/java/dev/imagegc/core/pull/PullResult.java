/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.GcException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Lease;
import dev.imagegc.api.PullOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What came of a request for an image. If there is an image, the result holds it: no collector takes it away until {@link
 * #close()}, or until the grace of {@link ImagePullManager.Builder#grace} is over. Close the result once the container exists,
 * or the lease alone; it is one and the same. Thread-safe.
 */
public final class PullResult implements AutoCloseable {
  private static final long UNKNOWN = -1;

  private final String requested;
  private final String reference;
  private final PullOutcome outcome;
  private final @Nullable GcException cause;
  private final @Nullable ImageId imageId;
  private final @Nullable Lease lease;
  private final @Nullable Instant backOffUntil;
  private final int transfers;
  private final long transferredBytes; // or UNKNOWN
  private final Duration transferTime;
  private final Duration waitedForRemoval;
  private final Duration waitedForSlot;
  private final Duration waitedForRate;

  private PullResult(Builder builder, PullOutcome outcome) {
    this.requested = builder.requested;
    this.reference = builder.reference;
    this.outcome = outcome;
    this.cause = builder.cause;
    this.imageId = builder.imageId;
    this.lease = builder.lease;
    this.backOffUntil = builder.backOffUntil;
    this.transfers = builder.transfers;
    this.transferredBytes = builder.transferredBytes;
    this.transferTime = builder.transferTime;
    this.waitedForRemoval = builder.waitedForRemoval;
    this.waitedForSlot = builder.waitedForSlot;
    this.waitedForRate = builder.waitedForRate;
  }

  /**
   * Returns what was asked for, in the caller's words.
   *
   * @return the reference as it was handed in
   */
  public String requested() {
    return requested;
  }

  /**
   * Returns what was asked for, written in full, with the tag that engines assume where there is none.
   *
   * @return for instance {@code docker.io/library/app:latest}
   */
  public String reference() {
    return reference;
  }

  /**
   * Returns how it ended.
   *
   * @return the outcome
   */
  public PullOutcome outcome() {
    return outcome;
  }

  /**
   * Returns the image, which is leased.
   *
   * @return its id with {@link PullOutcome#PULLED} and {@link PullOutcome#PRESENT}, else empty
   */
  public Optional<ImageId> imageId() {
    return Optional.ofNullable(imageId);
  }

  /**
   * Returns the lease on the reference and on the image. Whoever needs the image for longer than the grace renews it.
   *
   * @return the lease if there is an image, else empty
   */
  public Optional<Lease> lease() {
    return Optional.ofNullable(lease);
  }

  /**
   * Returns why there is no image. With {@link PullOutcome#BACKING_OFF} this is what the last transfer failed with.
   *
   * @return the trouble; empty if there is an image, and with {@link PullOutcome#NOT_PRESENT}
   */
  public Optional<GcException> cause() {
    return Optional.ofNullable(cause);
  }

  /**
   * Returns until when a request that needs a transfer of this reference is answered with {@link PullOutcome#BACKING_OFF}.
   *
   * @return the wall time, or empty if the next request may try at once
   */
  public Optional<Instant> backOffUntil() {
    return Optional.ofNullable(backOffUntil);
  }

  /**
   * Returns how many transfers began for this request, those that it shared with others included.
   *
   * @return 0 if none was needed or allowed; more than 1 if the image was removed right after a transfer
   */
  public int transfers() {
    return transfers;
  }

  /**
   * Returns how much was transferred, as the engine told.
   *
   * @return compressed bytes, or empty if there was no transfer or the engine told nothing
   */
  public OptionalLong transferredBytes() {
    return transferredBytes == UNKNOWN ? OptionalLong.empty() : OptionalLong.of(transferredBytes);
  }

  /**
   * Returns how long the transfers took from their beginning, even if this request joined one later. No wait counts.
   *
   * @return zero if there was none
   */
  public Duration transferTime() {
    return transferTime;
  }

  /**
   * Returns how long this request waited for a removal of the very image to end.
   *
   * @return zero or more; includes the time that leasing takes in itself
   */
  public Duration waitedForRemoval() {
    return waitedForRemoval;
  }

  /**
   * Returns how long this request waited for other transfers to end.
   *
   * @return zero or more
   */
  public Duration waitedForSlot() {
    return waitedForSlot;
  }

  /**
   * Returns how long this request waited for the rate of pulls.
   *
   * @return zero or more
   */
  public Duration waitedForRate() {
    return waitedForRate;
  }

  /** Gives the image up, if there is one: closes the {@link #lease()}. Closing twice does nothing. */
  @Override
  public void close() {
    if (lease != null) {
      lease.close();
    }
  }

  @Override
  public String toString() {
    return "PullResult[" + reference + " " + outcome
        + (imageId == null ? "" : " " + imageId.shortText())
        + (cause == null ? "" : ": " + cause.getMessage())
        + (backOffUntil == null ? "" : ", backing off until " + backOffUntil) + "]";
  }

  /** Collects what is known of a request while it runs. Used by one thread. */
  static final class Builder {
    private final String requested;
    private final String reference;
    private @Nullable GcException cause;
    private @Nullable ImageId imageId;
    private @Nullable Lease lease;
    private @Nullable Instant backOffUntil;
    private int transfers;
    private long transferredBytes = UNKNOWN;
    private Duration transferTime = Duration.ZERO;
    private Duration waitedForRemoval = Duration.ZERO;
    private Duration waitedForSlot = Duration.ZERO;
    private Duration waitedForRate = Duration.ZERO;

    Builder(String requested, String reference) {
      this.requested = requested;
      this.reference = reference;
    }

    void waitedForRemoval(Duration time) {
      waitedForRemoval = waitedForRemoval.plus(time);
    }

    void waited(Duration forSlot, Duration forRate) {
      waitedForSlot = waitedForSlot.plus(forSlot);
      waitedForRate = waitedForRate.plus(forRate);
    }

    void transferred(Duration time, OptionalLong bytes) {
      transfers++;
      transferTime = transferTime.plus(time);
      if (bytes.isPresent()) {
        transferredBytes = Math.max(0, transferredBytes) + bytes.getAsLong();
      }
    }

    int transfers() {
      return transfers;
    }

    void backOffUntil(Instant until) {
      backOffUntil = until;
    }

    PullResult holding(PullOutcome outcome, ImageId image, Lease held) {
      imageId = image;
      lease = held;
      return new PullResult(this, outcome);
    }

    PullResult without(PullOutcome outcome, @Nullable GcException why) {
      cause = why;
      return new PullResult(this, outcome);
    }
  }
}
