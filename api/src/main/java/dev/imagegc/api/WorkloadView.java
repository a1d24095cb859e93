/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;
import java.util.Set;

/** Which workloads exist at one moment, and whether that is all there is to know. Immutable. */
public final class WorkloadView {
  private final Set<String> existing;
  private final Set<String> terminated;
  private final String incompleteBecause;

  private WorkloadView(Set<String> existing, Set<String> terminated, String incompleteBecause) {
    this.existing = Set.copyOf(existing);
    this.terminated = Set.copyOf(terminated);
    this.incompleteBecause = incompleteBecause;
  }

  /**
   * Returns a complete view: every workload that is not in it is deleted, and its dead containers go.
   *
   * @param existing the identities of all workloads that exist, as {@link ContainerUnit#workload()} has them
   * @return the view, in which none has terminated
   */
  public static WorkloadView of(Set<String> existing) {
    return new WorkloadView(existing, Set.of(), "");
  }

  /**
   * Returns a view from which nothing follows, because the host has not heard of all its workloads yet.
   *
   * @param because why, for people, not blank
   * @return the view
   */
  public static WorkloadView incomplete(String because) {
    if (Objects.requireNonNull(because, "because").isBlank()) {
      throw new IllegalArgumentException("because must not be blank");
    }
    return new WorkloadView(Set.of(), Set.of(), because);
  }

  /**
   * Returns this view with the workloads that exist but will never run again. Their dead containers go when space is needed.
   *
   * @param workloads the identities of terminated workloads
   * @return the view
   */
  public WorkloadView withTerminated(Set<String> workloads) {
    return new WorkloadView(existing, workloads, incompleteBecause);
  }

  /**
   * Returns whether all workloads are known.
   *
   * @return whether a workload that is not in the view is deleted
   */
  public boolean isComplete() {
    return incompleteBecause.isEmpty();
  }

  /**
   * Returns why not all workloads are known.
   *
   * @return words for people; empty if the view is complete
   */
  public String incompleteBecause() {
    return incompleteBecause;
  }

  /**
   * Returns whether a workload is known to be deleted.
   *
   * @param workload its identity
   * @return whether the view is complete and neither names it as existing nor as terminated
   */
  public boolean isDeleted(String workload) {
    return isComplete() && !existing.contains(workload) && !terminated.contains(workload);
  }

  /**
   * Returns whether a workload is known to have terminated.
   *
   * @param workload its identity
   * @return whether the view is complete and names it as terminated
   */
  public boolean isTerminated(String workload) {
    return isComplete() && terminated.contains(workload);
  }

  @Override
  public String toString() {
    return isComplete()
        ? "WorkloadView[" + existing.size() + " existing, " + terminated.size() + " terminated]"
        : "WorkloadView[incomplete: " + incompleteBecause + "]";
  }
}
