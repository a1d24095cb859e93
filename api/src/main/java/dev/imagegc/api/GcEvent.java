/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Something that happened in the collector, or a state that began or ended. A state that lasts is told once when it begins
 * and once when it ends, not every round.
 */
public final class GcEvent {
  /** Whether an event is a moment or one end of a state. */
  public enum Phase {
    /** It happened. */
    HAPPENED,
    /** A state began and lasts until the event with {@link #ENDED}. */
    BEGAN,
    /** A state that had begun is over. */
    ENDED
  }

  private final GcEventType type;
  private final Phase phase;
  private final Instant at;
  private final String message;
  private final @Nullable Operation operation;
  private final @Nullable Instant roundStartedAt;
  private final @Nullable ImageDecision decision;
  private final @Nullable GcReport report;
  private final @Nullable ContainerDecision containerDecision;
  private final @Nullable ContainerGcReport containerReport;
  private final @Nullable Throwable cause;

  private GcEvent(Builder builder) {
    this.type = builder.type;
    this.phase = builder.phase;
    this.at = builder.at;
    this.message = builder.message;
    this.operation = builder.operation;
    this.roundStartedAt = builder.roundStartedAt;
    this.decision = builder.decision;
    this.report = builder.report;
    this.containerDecision = builder.containerDecision;
    this.containerReport = builder.containerReport;
    this.cause = builder.cause;
  }

  /**
   * Starts an event.
   *
   * @param type what it tells
   * @param phase a moment, or one end of a state
   * @param at when, by the wall clock
   * @param message a sentence for people
   * @return a builder; not thread-safe
   */
  public static Builder builder(GcEventType type, Phase phase, Instant at, String message) {
    return new Builder(type, phase, at, message);
  }

  /**
   * Returns what the event tells.
   *
   * @return the type
   */
  public GcEventType type() {
    return type;
  }

  /**
   * Returns whether it is a moment or one end of a state.
   *
   * @return the phase
   */
  public Phase phase() {
    return phase;
  }

  /**
   * Returns when it happened, by the wall clock.
   *
   * @return the time
   */
  public Instant at() {
    return at;
  }

  /**
   * Returns what happened, for people.
   *
   * @return a sentence
   */
  public String message() {
    return message;
  }

  /**
   * Returns the call during which it happened.
   *
   * @return the operation, if it was a call that acts
   */
  public Optional<Operation> operation() {
    return Optional.ofNullable(operation);
  }

  /**
   * Returns when the call began during which it happened: the same as {@link GcReport#startedAt()}, so that the events of one
   * round and its report can be put together.
   *
   * @return the time, if it was a call that acts
   */
  public Optional<Instant> roundStartedAt() {
    return Optional.ofNullable(roundStartedAt);
  }

  /**
   * Returns the image that the event is about.
   *
   * @return the image and its decision, if the event is about one image
   */
  public Optional<ImageDecision> decision() {
    return Optional.ofNullable(decision);
  }

  /**
   * Returns the report that the event belongs to.
   *
   * @return the report, if a call has ended with this event
   */
  public Optional<GcReport> report() {
    return Optional.ofNullable(report);
  }

  /**
   * Returns the container that the event is about.
   *
   * @return the container and its decision, if the event is about one container
   */
  public Optional<ContainerDecision> containerDecision() {
    return Optional.ofNullable(containerDecision);
  }

  /**
   * Returns the report of container collection that the event belongs to.
   *
   * @return the report, if a pass has ended with this event
   */
  public Optional<ContainerGcReport> containerReport() {
    return Optional.ofNullable(containerReport);
  }

  /**
   * Returns what was caught.
   *
   * @return the cause, if there is one
   */
  public Optional<Throwable> cause() {
    return Optional.ofNullable(cause);
  }

  @Override
  public String toString() {
    return type + (phase == Phase.HAPPENED ? "" : " " + phase) + ": " + message;
  }

  /** Builds a {@link GcEvent}. Not thread-safe. */
  public static final class Builder {
    private final GcEventType type;
    private final Phase phase;
    private final Instant at;
    private final String message;
    private @Nullable Operation operation;
    private @Nullable Instant roundStartedAt;
    private @Nullable ImageDecision decision;
    private @Nullable GcReport report;
    private @Nullable ContainerDecision containerDecision;
    private @Nullable ContainerGcReport containerReport;
    private @Nullable Throwable cause;

    private Builder(GcEventType type, Phase phase, Instant at, String message) {
      this.type = Objects.requireNonNull(type, "type");
      this.phase = Objects.requireNonNull(phase, "phase");
      this.at = Objects.requireNonNull(at, "at");
      this.message = Objects.requireNonNull(message, "message");
    }

    /**
     * Says during which call it happened.
     *
     * @param newOperation the call
     * @param startedAt when it began, by the wall clock
     * @return this builder
     */
    public Builder round(Operation newOperation, Instant startedAt) {
      operation = Objects.requireNonNull(newOperation, "newOperation");
      roundStartedAt = Objects.requireNonNull(startedAt, "startedAt");
      return this;
    }

    /**
     * Sets {@link GcEvent#decision()}.
     *
     * @param newDecision the image and its decision
     * @return this builder
     */
    public Builder decision(ImageDecision newDecision) {
      decision = Objects.requireNonNull(newDecision, "newDecision");
      return this;
    }

    /**
     * Sets {@link GcEvent#report()}.
     *
     * @param newReport the report
     * @return this builder
     */
    public Builder report(GcReport newReport) {
      report = Objects.requireNonNull(newReport, "newReport");
      return this;
    }

    /**
     * Sets {@link GcEvent#containerDecision()}.
     *
     * @param newDecision the container and its decision
     * @return this builder
     */
    public Builder containerDecision(ContainerDecision newDecision) {
      containerDecision = Objects.requireNonNull(newDecision, "newDecision");
      return this;
    }

    /**
     * Sets {@link GcEvent#containerReport()}.
     *
     * @param newReport the report
     * @return this builder
     */
    public Builder containerReport(ContainerGcReport newReport) {
      containerReport = Objects.requireNonNull(newReport, "newReport");
      return this;
    }

    /**
     * Sets {@link GcEvent#cause()}.
     *
     * @param throwable what was caught, or null
     * @return this builder
     */
    public Builder cause(@Nullable Throwable throwable) {
      cause = throwable;
      return this;
    }

    /**
     * Returns the event.
     *
     * @return an immutable event
     */
    public GcEvent build() {
      return new GcEvent(this);
    }
  }
}
