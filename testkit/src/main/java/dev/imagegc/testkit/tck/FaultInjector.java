/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import java.time.Duration;
import java.util.Set;

/** Makes the engine of a {@link RuntimeFixture} fail. What it throws fails the rule. */
public interface FaultInjector {
  /**
   * Returns what this injector can do.
   *
   * @return the faults
   */
  Set<Fault> faults();

  /**
   * Makes every call fail from now on; with {@link Fault#UNREACHABLE} it also ends the streams of events that are open.
   *
   * @param fault in which way; one of {@link #faults()}
   * @throws Exception if that does not work
   */
  void inject(Fault fault) throws Exception;

  /**
   * Ends the fault; when this returns, the engine answers calls again.
   *
   * @throws Exception if that does not work
   */
  void recover() throws Exception;

  /**
   * Returns how long one call may take while the engine fails: the deadline that the adapter was given and ample time on top,
   * because a rule that takes longer is reported as a hang.
   *
   * @return 30 seconds unless overridden
   */
  default Duration patience() {
    return Duration.ofSeconds(30);
  }
}
