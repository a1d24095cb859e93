/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a round would do now, decided without touching anything: every image of the node, with its decision and the reason.
 *
 * <p>{@link #decisions()} is ordered: the victims in the order they would go, then the reserve in the order they would go if
 * the victims do not free enough, then the images that stay.
 */
public final class GcPlan {
  private final Operation operation;
  private final FsStats filesystem;
  private final int usagePercent;
  private final @Nullable Long neededBytes;
  private final @Nullable Long neededInodes;
  private final @Nullable Long predictedBytes;
  private final Accounting accounting;
  private final List<ImageDecision> decisions;

  private GcPlan(Builder builder) {
    this.operation = builder.operation;
    this.filesystem = builder.filesystem;
    this.usagePercent = builder.usagePercent;
    this.neededBytes = builder.neededBytes;
    this.neededInodes = builder.neededInodes;
    this.predictedBytes = builder.predictedBytes;
    this.accounting = builder.accounting;
    this.decisions = List.copyOf(builder.decisions);
  }

  /**
   * Starts a plan without images.
   *
   * @param operation the call it is made for
   * @param filesystem the image filesystem as measured
   * @param usagePercent its usage
   * @return a builder; not thread-safe
   */
  public static Builder builder(Operation operation, FsStats filesystem, int usagePercent) {
    return new Builder(operation, filesystem, usagePercent);
  }

  /**
   * Returns the call that this plan is made for.
   *
   * @return the operation
   */
  public Operation operation() {
    return operation;
  }

  /**
   * Returns {@link Outcome#PLANNED} if there are victims or bytes are needed, else {@link Outcome#NOT_NEEDED}.
   *
   * @return the outcome
   */
  public Outcome outcome() {
    boolean needed =
        (neededBytes != null && neededBytes > 0) || (neededInodes != null && neededInodes > 0);
    return needed || !victims().isEmpty() ? Outcome.PLANNED : Outcome.NOT_NEEDED;
  }

  /**
   * Returns the image filesystem as it was measured for this plan.
   *
   * @return the measurement
   */
  public FsStats filesystem() {
    return filesystem;
  }

  /**
   * Returns the usage of the image filesystem: {@code 100 - floor(available * 100 / capacity)}, so rounded up, as in the
   * kubelet. It triggers and is shown; {@link #neededBytes()} decides.
   *
   * @return 0 to 100
   */
  public int usagePercent() {
    return usagePercent;
  }

  /**
   * Returns the bytes to free.
   *
   * @return the need; 0 if nothing is needed, or if the removals by age are predicted to bring usage below the high
   *     threshold; empty for a call that has no byte goal
   */
  public OptionalLong neededBytes() {
    return optional(neededBytes);
  }

  /**
   * Returns the inodes to free. How many an image takes is not known, so the plan cannot tell which images will do: it has at
   * least one victim, and the round measures after each and goes on in the reserve.
   *
   * @return the need; 0 if nothing is needed; empty if unknown or the call has no goal in inodes
   */
  public OptionalLong neededInodes() {
    return optional(neededInodes);
  }

  /**
   * Returns what the victims are predicted to free together.
   *
   * @return the sum of their credited bytes, or empty if unknown
   */
  public OptionalLong predictedBytes() {
    return optional(predictedBytes);
  }

  /**
   * Returns the bytes that will still be missing when every victim is gone, by prediction.
   *
   * @return 0 or more; empty if the prediction is unknown or there is no byte goal
   */
  public OptionalLong shortfallBytes() {
    return neededBytes == null || predictedBytes == null
        ? OptionalLong.empty()
        : OptionalLong.of(Math.max(0, neededBytes - predictedBytes));
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
   * Returns the decision for every image of the node.
   *
   * @return victims, reserve, then those that stay
   */
  public List<ImageDecision> decisions() {
    return decisions;
  }

  /**
   * Returns the images that would go.
   *
   * @return the victims, in removal order
   */
  public List<ImageDecision> victims() {
    return decisions.stream()
        .filter(image -> image.decision().equals(Decision.PLANNED))
        .collect(Collectors.toUnmodifiableList());
  }

  /**
   * Returns the images that may go but are not needed. If less comes back than predicted, the round plans again for what is
   * missing, and takes them in this order; those that then would free nothing are left out, and images that stay now because
   * of {@link Reason#NO_GAIN} may come in where they belong in the policy's order.
   *
   * @return the reserve, in removal order
   */
  public List<ImageDecision> reserve() {
    return decisions.stream()
        .filter(image -> image.reason().equals(Reason.ENOUGH_FREED))
        .collect(Collectors.toUnmodifiableList());
  }

  private static OptionalLong optional(@Nullable Long value) {
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }

  @Override
  public String toString() {
    return "GcPlan[" + operation + " " + outcome() + " on " + filesystem.path() + ": usage "
        + usagePercent + "%, need " + neededBytes + ", " + victims().size() + " victims of "
        + decisions.size() + " images]";
  }

  /** Builds a {@link GcPlan}. Not thread-safe. */
  public static final class Builder {
    private final Operation operation;
    private final FsStats filesystem;
    private final int usagePercent;
    private @Nullable Long neededBytes;
    private @Nullable Long neededInodes;
    private @Nullable Long predictedBytes;
    private Accounting accounting = Accounting.UNKNOWN;
    private List<ImageDecision> decisions = List.of();

    private Builder(Operation operation, FsStats filesystem, int usagePercent) {
      this.operation = Objects.requireNonNull(operation, "operation");
      this.filesystem = Objects.requireNonNull(filesystem, "filesystem");
      this.usagePercent = Ranges.percent("usagePercent", usagePercent);
    }

    /**
     * Sets {@link GcPlan#neededBytes()}.
     *
     * @param bytes 0 or more
     * @return this builder
     */
    public Builder neededBytes(long bytes) {
      neededBytes = Ranges.notNegative("neededBytes", bytes);
      return this;
    }

    /**
     * Sets {@link GcPlan#neededInodes()}.
     *
     * @param inodes 0 or more
     * @return this builder
     */
    public Builder neededInodes(long inodes) {
      neededInodes = Ranges.notNegative("neededInodes", inodes);
      return this;
    }

    /**
     * Sets {@link GcPlan#predictedBytes()}.
     *
     * @param bytes 0 or more
     * @return this builder
     */
    public Builder predictedBytes(long bytes) {
      predictedBytes = Ranges.notNegative("predictedBytes", bytes);
      return this;
    }

    /**
     * Sets {@link GcPlan#accounting()}.
     *
     * @param newAccounting what the prediction is made from
     * @return this builder
     */
    public Builder accounting(Accounting newAccounting) {
      accounting = Objects.requireNonNull(newAccounting, "newAccounting");
      return this;
    }

    /**
     * Sets {@link GcPlan#decisions()}.
     *
     * @param newDecisions victims, reserve, then those that stay
     * @return this builder
     */
    public Builder decisions(List<ImageDecision> newDecisions) {
      decisions = Objects.requireNonNull(newDecisions, "newDecisions");
      return this;
    }

    /**
     * Returns the plan.
     *
     * @return an immutable plan
     */
    public GcPlan build() {
      return new GcPlan(this);
    }
  }
}
