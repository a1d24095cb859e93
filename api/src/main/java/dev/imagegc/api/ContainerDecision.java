/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a plan intends, or a pass did, with one container, and why. Immutable. */
public final class ContainerDecision {
  private final Container container;
  private final @Nullable ContainerUnit unit;
  private final Decision decision;
  private final ContainerReason reason;
  private final String detail;

  private ContainerDecision(
      Container container,
      @Nullable ContainerUnit unit,
      Decision decision,
      ContainerReason reason,
      String detail) {
    this.container = Objects.requireNonNull(container, "container");
    this.unit = unit;
    this.decision = Objects.requireNonNull(decision, "decision");
    this.reason = Objects.requireNonNull(reason, "reason");
    this.detail = Objects.requireNonNull(detail, "detail");
  }

  /**
   * Returns a decision.
   *
   * @param container the container as listed
   * @param unit the unit that it belongs to, if it belongs to one
   * @param decision what is intended or was done
   * @param reason why, for programs
   * @param detail why, for people; may be empty
   * @return the decision
   */
  public static ContainerDecision of(
      Container container,
      Optional<ContainerUnit> unit,
      Decision decision,
      ContainerReason reason,
      String detail) {
    return new ContainerDecision(container, unit.orElse(null), decision, reason, detail);
  }

  /**
   * Returns this decision with another outcome.
   *
   * @param newDecision what was done
   * @param newReason why, for programs
   * @param newDetail why, for people; may be empty
   * @return the decision
   */
  public ContainerDecision decided(
      Decision newDecision, ContainerReason newReason, String newDetail) {
    return new ContainerDecision(container, unit, newDecision, newReason, newDetail);
  }

  /**
   * Returns the container.
   *
   * @return the container as listed at the start
   */
  public Container container() {
    return container;
  }

  /**
   * Returns the unit that the container belongs to.
   *
   * @return the unit, or empty if it belongs to none of the host's
   */
  public Optional<ContainerUnit> unit() {
    return Optional.ofNullable(unit);
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
  public ContainerReason reason() {
    return reason;
  }

  /**
   * Returns why, for people: an age and the rule it is held against, the engine's error.
   *
   * @return words, possibly empty
   */
  public String detail() {
    return detail;
  }

  @Override
  public String toString() {
    return container.name().orElse(container.id())
        + (unit == null ? "" : " (" + unit + ")")
        + ": " + decision + " " + reason + (detail.isEmpty() ? "" : " (" + detail + ")");
  }
}
