/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.ContainerUnit;
import dev.imagegc.api.Decision;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;

/**
 * A container as a pass sees it.
 *
 * @param unit the unit that it belongs to; empty if it belongs to none, or that is not known
 * @param trouble why it is not known whether it belongs to a unit; empty if it is
 * @param age how long ago it was created; empty if the engine does not tell
 */
record Member(
    Container container, Optional<ContainerUnit> unit, String trouble, Optional<Duration> age) {
  /** By creation, those of unknown creation last, then by id: a total order. */
  static final Comparator<Member> OLDEST_FIRST = Comparator.comparing(
          (Member member) -> member.container.createdAt().orElse(Instant.MAX))
      .thenComparing(Member::id);

  /** Ended, and stays so until somebody starts it. */
  private static final Set<ContainerState> ENDED =
      Set.of(ContainerState.EXITED, ContainerState.DEAD);

  String id() {
    return container.id();
  }

  boolean isSandbox() {
    return unit.filter(ContainerUnit::isSandbox).isPresent();
  }

  static boolean isNeverStarted(Container container) {
    return container.state().equals(ContainerState.CREATED);
  }

  static boolean isOfUnknownState(Container container) {
    return container.state().equals(ContainerState.UNKNOWN);
  }

  /** Whether it may go as far as its state is concerned: a state that we have never heard of may be one of running. */
  static boolean isRemovable(Container container) {
    return ENDED.contains(container.state())
        || isNeverStarted(container)
        || isOfUnknownState(container);
  }

  static String name(Container container) {
    return container.name().orElse(container.id());
  }

  ContainerDecision goes(ContainerReason reason, String detail) {
    return ContainerDecision.of(container, unit, Decision.PLANNED, reason, detail);
  }

  ContainerDecision stays(ContainerReason reason, String detail) {
    return ContainerDecision.of(container, unit, Decision.KEPT, reason, detail);
  }
}
