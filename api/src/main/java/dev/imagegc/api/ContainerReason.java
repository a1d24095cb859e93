/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** Why a container goes, stays or could not be removed. The words for people are in {@link ContainerDecision#detail()}. */
public final class ContainerReason extends OpenCode {
  /** It goes: the host says that its workload does not exist any more. */
  public static final ContainerReason WORKLOAD_DELETED = new ContainerReason("WORKLOAD_DELETED");

  /** It goes because space is needed: the host says that its workload has terminated. */
  public static final ContainerReason WORKLOAD_TERMINATED =
      new ContainerReason("WORKLOAD_TERMINATED");

  /** It goes: its unit has more dead containers than the policy keeps, and this one is not among the newest. */
  public static final ContainerReason OVER_UNIT_LIMIT = new ContainerReason("OVER_UNIT_LIMIT");

  /** It goes: the node has more dead containers than the policy keeps, and this one is not among the newest. */
  public static final ContainerReason OVER_TOTAL_LIMIT = new ContainerReason("OVER_TOTAL_LIMIT");

  /** It goes: it belongs to no unit of the host, and the host wants such containers collected. */
  public static final ContainerReason UNOWNED = new ContainerReason("UNOWNED");

  /** It goes: it is a sandbox that is not ready and that no container is in, of a workload that is deleted or has a newer one. */
  public static final ContainerReason SANDBOX_UNUSED = new ContainerReason("SANDBOX_UNUSED");

  /** It stays: it runs, is paused, is restarting or is being removed. */
  public static final ContainerReason RUNNING = new ContainerReason("RUNNING");

  /** It stays: it belongs to no unit of the host. */
  public static final ContainerReason NOT_OWNED = new ContainerReason("NOT_OWNED");

  /** It stays: it was created less than minAge ago, or never started and created less than an hour more ago. */
  public static final ContainerReason TOO_YOUNG = new ContainerReason("TOO_YOUNG");

  /** It stays: the engine does not say when it was created. */
  public static final ContainerReason AGE_UNKNOWN = new ContainerReason("AGE_UNKNOWN");

  /** It stays: it was never started, and its image is leased. */
  public static final ContainerReason LEASED = new ContainerReason("LEASED");

  /** It stays: it is among the newest of its unit that the policy keeps. */
  public static final ContainerReason KEPT_NEWEST = new ContainerReason("KEPT_NEWEST");

  /** It stays: it is a sandbox that is ready, that containers are in, or the newest of its workload. */
  public static final ContainerReason SANDBOX_IN_USE = new ContainerReason("SANDBOX_IN_USE");

  /** It stays: the engine does not know its state, and it could not be stopped first. */
  public static final ContainerReason STATE_UNKNOWN = new ContainerReason("STATE_UNKNOWN");

  /** It stays: the pass ended before its turn, because of trouble with the engine. */
  public static final ContainerReason NOT_REACHED = new ContainerReason("NOT_REACHED");

  /** It stays for now: removing it failed before, and it is not tried again yet. */
  public static final ContainerReason BACKING_OFF = new ContainerReason("BACKING_OFF");

  /** It stays: the pass ended at the host's limit of time before its turn. */
  public static final ContainerReason LIMIT = new ContainerReason("LIMIT");

  /** It stays: the engine refused or failed to remove it. */
  public static final ContainerReason REMOVAL_FAILED = new ContainerReason("REMOVAL_FAILED");

  /** The removal was asked for, but no clear answer came; the next list tells. */
  public static final ContainerReason OUTCOME_UNKNOWN = new ContainerReason("OUTCOME_UNKNOWN");

  private ContainerReason(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static ContainerReason of(String code) {
    return new ContainerReason(code);
  }
}
