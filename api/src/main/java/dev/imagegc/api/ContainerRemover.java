/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Duration;

/**
 * An optional ability of an engine: to remove containers that have ended. An adapter whose {@link Runtime} can do it
 * implements this interface too.
 *
 * <p>Methods block until the engine has answered, and an implementation bounds its own calls; the collector puts a deadline
 * around each call all the same, after which it interrupts the calling thread and goes on. Thread-safe. They throw as those of
 * {@link Runtime} do. The rules (R9.1 and so on) are those that the testkit's {@code RuntimeCompatibilityKit} checks.
 */
public interface ContainerRemover {
  /**
   * Removes one container that does not run, never by force (R9): the engine itself refuses if the container runs, is paused or is
   * restarting, also if it was started a moment ago. Its image stays. Refusals and failures that concern this container are
   * values:
   *
   * <ul>
   *   <li>{@link RemovalOutcome#REMOVED}: the engine removed it (R9.1), and its writable layer with it; of several who ask at once
   *       more than one may be told so (R9.7);
   *   <li>{@link RemovalOutcome#GONE}: it was not there any more (R9.2);
   *   <li>{@link RemovalOutcome#IN_USE}: it runs, is paused, is restarting or is being removed, and stays as it was (R9.3, R9.6);
   *   <li>{@link RemovalOutcome#FAILED}: the engine failed or refused for another reason, and it is still there;
   *   <li>{@link RemovalOutcome#UNKNOWN}: no clear answer, and a look-up did not settle it.
   * </ul>
   *
   * @param container the container as listed
   * @return what became of it
   * @throws GcException if the engine cannot be asked
   */
  RemovalResult removeContainer(Container container);

  /**
   * Stops one container: asks it to end, and ends it when the grace is over (R9.4). Stopping one that does not run, or is
   * gone, does nothing (R9.5). Blocks until it has ended; a list may say so a moment later, a removal finds it ended.
   *
   * @param container the container as listed
   * @param grace how long it may take to end by itself, zero or more; engines count in seconds
   * @throws GcException if it could not be stopped, or it is not known whether it was
   */
  void stopContainer(Container container, Duration grace);
}
