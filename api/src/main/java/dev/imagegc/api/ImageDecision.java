/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What a plan intends, or a round did, with one image, why, and the bytes it comes to. */
public final class ImageDecision {
  private static final long UNKNOWN = -1;

  private final ImageRecord record;
  private final Decision decision;
  private final Reason reason;
  private final String detail;
  private final @Nullable Instant decidedAt;
  private final long exclusiveBytes;
  private final long reclaimableBytes;
  private final long creditedBytes;
  private final long measuredBytes;

  private ImageDecision(Builder builder) {
    this.record = builder.record;
    this.decision = builder.decision;
    this.reason = builder.reason;
    this.detail = builder.detail;
    this.decidedAt = builder.decidedAt;
    this.exclusiveBytes = builder.exclusiveBytes;
    this.reclaimableBytes = builder.reclaimableBytes;
    this.creditedBytes = builder.creditedBytes;
    this.measuredBytes = builder.measuredBytes;
  }

  /**
   * Starts a decision without numbers.
   *
   * @param record the image and what is remembered of it
   * @param decision what is intended or was done
   * @param reason why
   * @return a builder; not thread-safe
   */
  public static Builder builder(ImageRecord record, Decision decision, Reason reason) {
    return new Builder(record, decision, reason);
  }

  /**
   * Returns the image and what is remembered of it.
   *
   * @return the record at the start of the round
   */
  public ImageRecord record() {
    return record;
  }

  /**
   * Returns the image.
   *
   * @return the image as listed at the start of the round
   */
  public Image image() {
    return record.image();
  }

  /**
   * Returns what is intended or was done.
   *
   * @return the decision
   */
  public Decision decision() {
    return decision;
  }

  /**
   * Returns why, for programs.
   *
   * @return the reason
   */
  public Reason reason() {
    return reason;
  }

  /**
   * Returns why, for people: the container that holds the image, the rule that protects it, the engine's error.
   *
   * @return words, possibly empty
   */
  public String detail() {
    return detail;
  }

  /**
   * Returns how long ago the collector first saw the image, at the time of the decision.
   *
   * @return zero or more, or empty if the decision has no time
   */
  public Optional<Duration> age() {
    return Optional.ofNullable(decidedAt).map(at -> since(record.firstDetected(), at));
  }

  /**
   * Returns how long ago the image was last seen in use, at the time of the decision.
   *
   * @return zero or more, or empty if it was never seen in use or the decision has no time
   */
  public Optional<Duration> unusedFor() {
    return Optional.ofNullable(decidedAt)
        .flatMap(at -> record.lastUsed().map(used -> since(used, at)));
  }

  private static Duration since(Instant then, Instant now) {
    return then.isBefore(now) ? Duration.between(then, now) : Duration.ZERO;
  }

  /**
   * Returns the bytes that no other image holds, nor a container of another image: what removing this one alone, once it is
   * not in use, frees.
   *
   * @return the bytes, or empty if the layers are not known
   */
  public OptionalLong exclusiveBytes() {
    return optional(exclusiveBytes);
  }

  /**
   * Returns the bytes of this image's layers whose every holder may go: what comes back with it if all that may go goes.
   *
   * @return the bytes, 0 for an image that must stay, or empty if its layers are not known
   */
  public OptionalLong reclaimableBytes() {
    return optional(reclaimableBytes);
  }

  /**
   * Returns this image's share of the plan's prediction, in plan order: the layers that no image still has once this one is
   * gone, or its listed size if its layers are not known.
   *
   * @return the bytes, 0 for an image that the plan keeps, or empty if unknown
   */
  public OptionalLong creditedBytes() {
    return optional(creditedBytes);
  }

  /**
   * Returns by how much the available bytes of the filesystem rose over this removal: right after minus right before, at
   * least 0.
   *
   * @return the bytes, or empty if the image did not go, or it could not be measured
   */
  public OptionalLong measuredBytes() {
    return optional(measuredBytes);
  }

  /**
   * Returns a builder that holds this decision's values.
   *
   * @return a builder; not thread-safe
   */
  public Builder toBuilder() {
    Builder builder = new Builder(record, decision, reason);
    builder.detail = detail;
    builder.decidedAt = decidedAt;
    builder.exclusiveBytes = exclusiveBytes;
    builder.reclaimableBytes = reclaimableBytes;
    builder.creditedBytes = creditedBytes;
    builder.measuredBytes = measuredBytes;
    return builder;
  }

  private static OptionalLong optional(long value) {
    return value == UNKNOWN ? OptionalLong.empty() : OptionalLong.of(value);
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof ImageDecision that)) {
      return false;
    }
    return record.equals(that.record)
        && decision.equals(that.decision)
        && reason.equals(that.reason)
        && detail.equals(that.detail)
        && Objects.equals(decidedAt, that.decidedAt)
        && exclusiveBytes == that.exclusiveBytes
        && reclaimableBytes == that.reclaimableBytes
        && creditedBytes == that.creditedBytes
        && measuredBytes == that.measuredBytes;
  }

  @Override
  public int hashCode() {
    return record.hashCode();
  }

  @Override
  public String toString() {
    return decision + " " + record.image() + " " + reason
        + (detail.isEmpty() ? "" : " (" + detail + ")");
  }

  /** Builds an {@link ImageDecision}. Not thread-safe. */
  public static final class Builder {
    private final ImageRecord record;
    private Decision decision;
    private Reason reason;
    private String detail = "";
    private @Nullable Instant decidedAt;
    private long exclusiveBytes = UNKNOWN;
    private long reclaimableBytes = UNKNOWN;
    private long creditedBytes = UNKNOWN;
    private long measuredBytes = UNKNOWN;

    private Builder(ImageRecord record, Decision decision, Reason reason) {
      this.record = Objects.requireNonNull(record, "record");
      this.decision = Objects.requireNonNull(decision, "decision");
      this.reason = Objects.requireNonNull(reason, "reason");
    }

    /**
     * Changes what was decided.
     *
     * @param newDecision what is intended or was done
     * @param newReason why
     * @param newDetail why, for people; may be empty
     * @return this builder
     */
    public Builder decided(Decision newDecision, Reason newReason, String newDetail) {
      decision = Objects.requireNonNull(newDecision, "newDecision");
      reason = Objects.requireNonNull(newReason, "newReason");
      detail = Objects.requireNonNull(newDetail, "newDetail");
      return this;
    }

    /**
     * Sets {@link ImageDecision#detail()}.
     *
     * @param newDetail words for people; may be empty
     * @return this builder
     */
    public Builder detail(String newDetail) {
      detail = Objects.requireNonNull(newDetail, "newDetail");
      return this;
    }

    /**
     * Sets when it was decided, which {@link ImageDecision#age()} and {@link ImageDecision#unusedFor()} need.
     *
     * @param time on the time line of the record
     * @return this builder
     */
    public Builder decidedAt(Instant time) {
      decidedAt = Objects.requireNonNull(time, "time");
      return this;
    }

    /**
     * Sets {@link ImageDecision#reclaimableBytes()}.
     *
     * @param bytes the bytes, at least 0
     * @return this builder
     */
    public Builder reclaimableBytes(long bytes) {
      reclaimableBytes = notNegative("reclaimableBytes", bytes);
      return this;
    }

    /**
     * Sets {@link ImageDecision#exclusiveBytes()}.
     *
     * @param bytes the bytes, at least 0
     * @return this builder
     */
    public Builder exclusiveBytes(long bytes) {
      exclusiveBytes = notNegative("exclusiveBytes", bytes);
      return this;
    }

    /**
     * Sets {@link ImageDecision#creditedBytes()}.
     *
     * @param bytes the bytes, at least 0
     * @return this builder
     */
    public Builder creditedBytes(long bytes) {
      creditedBytes = notNegative("creditedBytes", bytes);
      return this;
    }

    /**
     * Sets {@link ImageDecision#measuredBytes()}.
     *
     * @param bytes the bytes, at least 0
     * @return this builder
     */
    public Builder measuredBytes(long bytes) {
      measuredBytes = notNegative("measuredBytes", bytes);
      return this;
    }

    private static long notNegative(String field, long bytes) {
      if (bytes < 0) {
        throw new IllegalArgumentException(field + " must be at least 0, but is " + bytes);
      }
      return bytes;
    }

    /**
     * Returns the decision.
     *
     * @return an immutable decision
     */
    public ImageDecision build() {
      return new ImageDecision(this);
    }
  }
}
