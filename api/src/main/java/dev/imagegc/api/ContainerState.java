/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** The state of a container. Every state holds its image. */
public final class ContainerState extends OpenCode {
  /** Made, never started. */
  public static final ContainerState CREATED = new ContainerState("CREATED");

  /** Running. */
  public static final ContainerState RUNNING = new ContainerState("RUNNING");

  /** Started, frozen. */
  public static final ContainerState PAUSED = new ContainerState("PAUSED");

  /** Ended. */
  public static final ContainerState EXITED = new ContainerState("EXITED");

  /** Ended, and is about to be started again by the engine. */
  public static final ContainerState RESTARTING = new ContainerState("RESTARTING");

  /** Is being removed. */
  public static final ContainerState REMOVING = new ContainerState("REMOVING");

  /** Ended, and its removal stopped half way. */
  public static final ContainerState DEAD = new ContainerState("DEAD");

  /** The engine does not say, or says something else. */
  public static final ContainerState UNKNOWN = new ContainerState("UNKNOWN");

  private ContainerState(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static ContainerState of(String code) {
    return new ContainerState(code);
  }
}
