/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What one call that acts did, why, and the bytes it came to, predicted and measured side by side. */
public final class GcReport {
  private final Operation operation;
  private final Outcome outcome;
  private final @Nullable GcException cause;
  private final Instant startedAt;
  private final Duration duration;
  private final @Nullable FsStats filesystemBefore;
  private final @Nullable FsStats filesystemAfter;
  private final @Nullable Integer usagePercentBefore;
  private final @Nullable Integer usagePercentAfter;
  private final @Nullable Long neededBytes;
  private final @Nullable Long missingBytes;
  private final @Nullable Long neededInodes;
  private final @Nullable Long missingInodes;
  private final @Nullable RoundLimit stoppedBy;
  private final String explanation;
  private final @Nullable Long predictedBytes;
  private final long freedBytes;
  private final Accounting accounting;
  private final List<ImageDecision> decisions;
  private final List<HeldBytes> held;
  private final @Nullable Long otherDataBytes;
  private final List<String> problems;

  private GcReport(Builder builder) {
    this.operation = builder.operation;
    this.outcome = builder.outcome;
    this.cause = builder.cause;
    this.startedAt = builder.startedAt;
    this.duration = builder.duration;
    this.filesystemBefore = builder.filesystemBefore;
    this.filesystemAfter = builder.filesystemAfter;
    this.usagePercentBefore = builder.usagePercentBefore;
    this.usagePercentAfter = builder.usagePercentAfter;
    this.neededBytes = builder.neededBytes;
    this.missingBytes = builder.missingBytes;
    this.neededInodes = builder.neededInodes;
    this.missingInodes = builder.missingInodes;
    this.stoppedBy = builder.stoppedBy;
    this.explanation = builder.explanation;
    this.predictedBytes = builder.predictedBytes;
    this.freedBytes = builder.freedBytes;
    this.accounting = builder.accounting;
    this.decisions = List.copyOf(builder.decisions);
    this.held = List.copyOf(builder.held);
    this.otherDataBytes = builder.otherDataBytes;
    this.problems = List.copyOf(builder.problems);
  }

  /**
   * Starts a report of a call that did nothing yet.
   *
   * @param operation the call
   * @param startedAt when it began, by the wall clock
   * @return a builder; not thread-safe
   */
  public static Builder builder(Operation operation, Instant startedAt) {
    return new Builder(operation, startedAt);
  }

  /**
   * Returns the call that this report is about.
   *
   * @return the operation
   */
  public Operation operation() {
    return operation;
  }

  /**
   * Returns how it ended.
   *
   * @return the outcome
   */
  public Outcome outcome() {
    return outcome;
  }

  /**
   * Returns the trouble that ended it.
   *
   * @return the cause, if the outcome is {@link Outcome#FAILED} or {@link Outcome#BUSY}
   */
  public Optional<GcException> cause() {
    return Optional.ofNullable(cause);
  }

  /**
   * Returns when it began, by the wall clock.
   *
   * @return the time
   */
  public Instant startedAt() {
    return startedAt;
  }

  /**
   * Returns how long it took, in elapsed time.
   *
   * @return the duration
   */
  public Duration duration() {
    return duration;
  }

  /**
   * Returns the image filesystem at the start.
   *
   * @return the measurement, or empty if it could not be measured
   */
  public Optional<FsStats> filesystemBefore() {
    return Optional.ofNullable(filesystemBefore);
  }

  /**
   * Returns the image filesystem as it was last measured.
   *
   * @return the measurement, or empty if it could not be measured
   */
  public Optional<FsStats> filesystemAfter() {
    return Optional.ofNullable(filesystemAfter);
  }

  /**
   * Returns the usage at the start, as {@link GcPlan#usagePercent()} computes it.
   *
   * @return 0 to 100, or empty if it could not be measured
   */
  public OptionalInt usagePercentBefore() {
    return usagePercentBefore == null ? OptionalInt.empty() : OptionalInt.of(usagePercentBefore);
  }

  /**
   * Returns the usage at the end, as {@link GcPlan#usagePercent()} computes it.
   *
   * @return 0 to 100, or empty if it could not be measured
   */
  public OptionalInt usagePercentAfter() {
    return usagePercentAfter == null ? OptionalInt.empty() : OptionalInt.of(usagePercentAfter);
  }

  /**
   * Returns the bytes to free, as measured at the start or, if that was more, after the removals by age.
   *
   * @return the need; 0 if nothing was needed, or the removals by age brought usage below the high threshold; empty if
   *     unknown or the call has no byte goal
   */
  public OptionalLong neededBytes() {
    return optional(neededBytes);
  }

  /**
   * Returns the bytes that were still missing at the last measurement.
   *
   * @return 0 if the goal was met; empty if unknown or the call has no byte goal
   */
  public OptionalLong missingBytes() {
    return optional(missingBytes);
  }

  /**
   * Returns the inodes to free, as measured at the start or, if that was more, after the removals by age.
   *
   * @return the need; 0 if nothing was needed; empty if unknown or the call has no goal in inodes
   */
  public OptionalLong neededInodes() {
    return optional(neededInodes);
  }

  /**
   * Returns the inodes that were still missing at the last measurement.
   *
   * @return 0 if the goal was met; empty if unknown or the call has no goal in inodes
   */
  public OptionalLong missingInodes() {
    return optional(missingInodes);
  }

  /**
   * Returns the limit at which the round ended before it had reached its goal.
   *
   * @return the limit; empty if none stopped it
   */
  public Optional<RoundLimit> stoppedBy() {
    return Optional.ofNullable(stoppedBy);
  }

  /**
   * Returns, for people and in bytes, why the goal was not reached: what holds the images that stay, what else is on the
   * filesystem, and what a setting has to do with it.
   *
   * @return a sentence or a few; empty unless the outcome is {@link Outcome#SHORT}
   */
  public String explanation() {
    return explanation;
  }

  /**
   * Returns what the victims of the round's first plan were predicted to free together.
   *
   * @return the bytes, or empty if unknown or nothing was planned
   */
  public OptionalLong predictedBytes() {
    return optional(predictedBytes);
  }

  /**
   * Returns what came back: the sum over the removals of available right after minus right before, each at least 0. With an
   * engine that frees late it includes what came back while the round waited for it, up to what was predicted.
   *
   * @return the bytes
   */
  public long freedBytes() {
    return freedBytes;
  }

  /**
   * Returns the filesystem's own difference over the whole round: available at the end minus at the start. Others write
   * too, so it may differ from {@link #freedBytes()} and be negative.
   *
   * @return the bytes, or empty if one of the two is unknown
   */
  public OptionalLong filesystemDifferenceBytes() {
    if (filesystemBefore == null || filesystemAfter == null) {
      return OptionalLong.empty();
    }
    OptionalLong before = filesystemBefore.availableBytes();
    OptionalLong after = filesystemAfter.availableBytes();
    return before.isPresent() && after.isPresent()
        ? OptionalLong.of(after.getAsLong() - before.getAsLong())
        : OptionalLong.empty();
  }

  /**
   * Returns what the prediction is made from.
   *
   * @return the accounting
   */
  public Accounting accounting() {
    return accounting;
  }

  /**
   * Returns what became of every image, in the order of the plan. Empty if the engine did not have to be asked.
   *
   * @return victims, reserve, then those that stayed
   */
  public List<ImageDecision> decisions() {
    return decisions;
  }

  /**
   * Returns the images with a decision.
   *
   * @param decision the decision
   * @return the images, in the order of the plan
   */
  public List<ImageDecision> decisions(Decision decision) {
    return decisions.stream()
        .filter(image -> image.decision().equals(decision))
        .collect(Collectors.toUnmodifiableList());
  }

  /**
   * Returns the images that were removed.
   *
   * @return the images, in removal order
   */
  public List<ImageDecision> removed() {
    return decisions(Decision.REMOVED);
  }

  /**
   * Returns what holds the images that stay, when the need was not met.
   *
   * @return a sum for each reason, largest first; empty unless the outcome is {@link Outcome#SHORT}
   */
  public List<HeldBytes> held() {
    return held;
  }

  /**
   * Returns the used bytes of the filesystem that are not images, when the need was not met: what others store there, what
   * the engine needs beside the layers, and blocks that are reserved. A lower bound where the layers of an image are not
   * known and its listed size counts, and empty if that bound is 0.
   *
   * @return the bytes; empty if a size is unknown or the outcome is not {@link Outcome#SHORT}
   */
  public OptionalLong otherDataBytes() {
    return optional(otherDataBytes);
  }

  /**
   * Returns trouble that did not end the round: a listener, policy or store that threw, names that an image lost.
   *
   * @return sentences for people, normally none
   */
  public List<String> problems() {
    return problems;
  }

  private static OptionalLong optional(@Nullable Long value) {
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }

  @Override
  public String toString() {
    return "GcReport[" + operation + " " + outcome + ": need " + neededBytes + ", freed "
        + freedBytes + ", removed "
        + removed().size() + " of " + decisions.size() + " images"
        + (cause == null ? "" : ", " + cause.getMessage())
        + "]";
  }

  /** Builds a {@link GcReport}. Not thread-safe. */
  public static final class Builder {
    private final Operation operation;
    private final Instant startedAt;
    private Outcome outcome = Outcome.NOT_NEEDED;
    private @Nullable GcException cause;
    private Duration duration = Duration.ZERO;
    private @Nullable FsStats filesystemBefore;
    private @Nullable FsStats filesystemAfter;
    private @Nullable Integer usagePercentBefore;
    private @Nullable Integer usagePercentAfter;
    private @Nullable Long neededBytes;
    private @Nullable Long missingBytes;
    private @Nullable Long neededInodes;
    private @Nullable Long missingInodes;
    private @Nullable RoundLimit stoppedBy;
    private String explanation = "";
    private @Nullable Long predictedBytes;
    private long freedBytes;
    private Accounting accounting = Accounting.UNKNOWN;
    private List<ImageDecision> decisions = List.of();
    private List<HeldBytes> held = List.of();
    private @Nullable Long otherDataBytes;
    private List<String> problems = List.of();

    private Builder(Operation operation, Instant startedAt) {
      this.operation = Objects.requireNonNull(operation, "operation");
      this.startedAt = Objects.requireNonNull(startedAt, "startedAt");
    }

    /**
     * Sets {@link GcReport#outcome()}; unset it is {@link Outcome#NOT_NEEDED}.
     *
     * @param newOutcome how it ended
     * @return this builder
     */
    public Builder outcome(Outcome newOutcome) {
      outcome = Objects.requireNonNull(newOutcome, "newOutcome");
      return this;
    }

    /**
     * Sets the outcome together with its cause.
     *
     * @param newOutcome {@link Outcome#FAILED} or {@link Outcome#BUSY}
     * @param newCause what ended it
     * @return this builder
     */
    public Builder outcome(Outcome newOutcome, GcException newCause) {
      outcome = Objects.requireNonNull(newOutcome, "newOutcome");
      cause = Objects.requireNonNull(newCause, "newCause");
      return this;
    }

    /**
     * Sets {@link GcReport#duration()}.
     *
     * @param newDuration how long it took
     * @return this builder
     */
    public Builder duration(Duration newDuration) {
      duration = Objects.requireNonNull(newDuration, "newDuration");
      return this;
    }

    /**
     * Sets the measurement at the start.
     *
     * @param stats the image filesystem
     * @param usagePercent its usage, 0 to 100
     * @return this builder
     */
    public Builder before(FsStats stats, int usagePercent) {
      filesystemBefore = Objects.requireNonNull(stats, "stats");
      usagePercentBefore = Ranges.percent("usagePercent", usagePercent);
      return this;
    }

    /**
     * Sets the last measurement.
     *
     * @param stats the image filesystem
     * @param usagePercent its usage, 0 to 100
     * @return this builder
     */
    public Builder after(FsStats stats, int usagePercent) {
      filesystemAfter = Objects.requireNonNull(stats, "stats");
      usagePercentAfter = Ranges.percent("usagePercent", usagePercent);
      return this;
    }

    /**
     * Sets {@link GcReport#neededBytes()}.
     *
     * @param bytes 0 or more
     * @return this builder
     */
    public Builder neededBytes(long bytes) {
      neededBytes = Ranges.notNegative("neededBytes", bytes);
      return this;
    }

    /**
     * Sets {@link GcReport#missingBytes()}.
     *
     * @param bytes 0 or more
     * @return this builder
     */
    public Builder missingBytes(long bytes) {
      missingBytes = Ranges.notNegative("missingBytes", bytes);
      return this;
    }

    /**
     * Sets {@link GcReport#neededInodes()}.
     *
     * @param inodes 0 or more
     * @return this builder
     */
    public Builder neededInodes(long inodes) {
      neededInodes = Ranges.notNegative("neededInodes", inodes);
      return this;
    }

    /**
     * Sets {@link GcReport#missingInodes()}.
     *
     * @param inodes 0 or more
     * @return this builder
     */
    public Builder missingInodes(long inodes) {
      missingInodes = Ranges.notNegative("missingInodes", inodes);
      return this;
    }

    /**
     * Sets {@link GcReport#stoppedBy()}.
     *
     * @param limit the limit at which the round ended
     * @return this builder
     */
    public Builder stoppedBy(RoundLimit limit) {
      stoppedBy = Objects.requireNonNull(limit, "limit");
      return this;
    }

    /**
     * Sets {@link GcReport#explanation()}.
     *
     * @param sentences why the goal was not reached, for people
     * @return this builder
     */
    public Builder explanation(String sentences) {
      explanation = Objects.requireNonNull(sentences, "sentences");
      return this;
    }

    /**
     * Sets {@link GcReport#predictedBytes()}.
     *
     * @param bytes 0 or more
     * @return this builder
     */
    public Builder predictedBytes(long bytes) {
      predictedBytes = Ranges.notNegative("predictedBytes", bytes);
      return this;
    }

    /**
     * Sets {@link GcReport#freedBytes()}.
     *
     * @param bytes 0 or more
     * @return this builder
     */
    public Builder freedBytes(long bytes) {
      freedBytes = Ranges.notNegative("freedBytes", bytes);
      return this;
    }

    /**
     * Sets {@link GcReport#accounting()}.
     *
     * @param newAccounting what the prediction is made from
     * @return this builder
     */
    public Builder accounting(Accounting newAccounting) {
      accounting = Objects.requireNonNull(newAccounting, "newAccounting");
      return this;
    }

    /**
     * Sets {@link GcReport#decisions()}.
     *
     * @param newDecisions what became of every image, in the order of the plan
     * @return this builder
     */
    public Builder decisions(List<ImageDecision> newDecisions) {
      decisions = Objects.requireNonNull(newDecisions, "newDecisions");
      return this;
    }

    /**
     * Sets {@link GcReport#held()}.
     *
     * @param sums a sum for each reason, largest first
     * @return this builder
     */
    public Builder held(List<HeldBytes> sums) {
      held = Objects.requireNonNull(sums, "sums");
      return this;
    }

    /**
     * Sets {@link GcReport#otherDataBytes()}.
     *
     * @param bytes 0 or more
     * @return this builder
     */
    public Builder otherDataBytes(long bytes) {
      otherDataBytes = Ranges.notNegative("otherDataBytes", bytes);
      return this;
    }

    /**
     * Sets {@link GcReport#problems()}.
     *
     * @param sentences sentences for people
     * @return this builder
     */
    public Builder problems(List<String> sentences) {
      problems = Objects.requireNonNull(sentences, "sentences");
      return this;
    }

    /**
     * Returns the report.
     *
     * @return an immutable report
     */
    public GcReport build() {
      return new GcReport(this);
    }
  }
}
