/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What one pass of container collection did, or would do, with every container of the node, and why. Immutable. */
public final class ContainerGcReport {
  private final Outcome outcome;
  private final @Nullable GcException cause;
  private final Instant startedAt;
  private final Duration duration;
  private final List<ContainerDecision> decisions;
  private final List<String> problems;

  private ContainerGcReport(Builder builder) {
    this.outcome = builder.outcome;
    this.cause = builder.cause;
    this.startedAt = builder.startedAt;
    this.duration = builder.duration;
    this.decisions = List.copyOf(builder.decisions);
    this.problems = List.copyOf(builder.problems);
  }

  /**
   * Starts a report of a pass that did nothing yet.
   *
   * @param startedAt when it began, by the wall clock
   * @return a builder; not thread-safe
   */
  public static Builder builder(Instant startedAt) {
    return new Builder(startedAt);
  }

  /**
   * Returns how it ended: {@link Outcome#PLANNED} of a plan that has victims, {@link Outcome#NOT_NEEDED} if no container had to go,
   * {@link Outcome#DONE} if all that had to are gone, {@link Outcome#SHORT} if some of them stay, {@link Outcome#FAILED} or {@link
   * Outcome#BUSY}.
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
   * Returns what was decided on every container of the node: first those that go, in that order, then those that stay.
   *
   * @return the decisions; none if containers could not be listed
   */
  public List<ContainerDecision> decisions() {
    return decisions;
  }

  /**
   * Returns the containers that were removed.
   *
   * @return their decisions, in the order of removal
   */
  public List<ContainerDecision> removed() {
    return having(Decision.REMOVED);
  }

  /**
   * Returns the containers that could not be removed.
   *
   * @return their decisions, in the order in which it was tried
   */
  public List<ContainerDecision> failed() {
    return having(Decision.FAILED);
  }

  private List<ContainerDecision> having(Decision decision) {
    return decisions.stream()
        .filter(container -> container.decision().equals(decision))
        .collect(Collectors.toUnmodifiableList());
  }

  /**
   * Returns trouble that did not end the pass: an incomplete view of the workloads, a host's function that threw.
   *
   * @return sentences for people, normally none
   */
  public List<String> problems() {
    return problems;
  }

  @Override
  public String toString() {
    return "ContainerGcReport[" + outcome + ", removed " + removed().size() + " of "
        + decisions.size() + " containers"
        + (failed().isEmpty() ? "" : ", failed " + failed().size())
        + (cause == null ? "" : ": " + cause.getMessage()) + "]";
  }

  /** Builds a {@link ContainerGcReport}. Not thread-safe. */
  public static final class Builder {
    private final Instant startedAt;
    private Outcome outcome = Outcome.NOT_NEEDED;
    private @Nullable GcException cause;
    private Duration duration = Duration.ZERO;
    private List<ContainerDecision> decisions = List.of();
    private List<String> problems = List.of();

    private Builder(Instant startedAt) {
      this.startedAt = Objects.requireNonNull(startedAt, "startedAt");
    }

    /**
     * Sets how it ended.
     *
     * @param newOutcome the outcome
     * @return this builder
     */
    public Builder outcome(Outcome newOutcome) {
      outcome = Objects.requireNonNull(newOutcome, "newOutcome");
      return this;
    }

    /**
     * Sets how it ended, and why.
     *
     * @param newOutcome the outcome
     * @param newCause the trouble that ended it
     * @return this builder
     */
    public Builder outcome(Outcome newOutcome, GcException newCause) {
      cause = Objects.requireNonNull(newCause, "newCause");
      return outcome(newOutcome);
    }

    /**
     * Sets how long it took.
     *
     * @param newDuration elapsed time
     * @return this builder
     */
    public Builder duration(Duration newDuration) {
      duration = Objects.requireNonNull(newDuration, "newDuration");
      return this;
    }

    /**
     * Sets what was decided.
     *
     * @param newDecisions a decision for every container
     * @return this builder
     */
    public Builder decisions(List<ContainerDecision> newDecisions) {
      decisions = Objects.requireNonNull(newDecisions, "newDecisions");
      return this;
    }

    /**
     * Sets the trouble that did not end it.
     *
     * @param newProblems sentences for people
     * @return this builder
     */
    public Builder problems(List<String> newProblems) {
      problems = Objects.requireNonNull(newProblems, "newProblems");
      return this;
    }

    /**
     * Returns the report.
     *
     * @return an immutable report
     */
    public ContainerGcReport build() {
      return new ContainerGcReport(this);
    }
  }
}
