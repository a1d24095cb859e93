/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** A limit of the host's at which a round ends before it has reached its goal. */
public final class RoundLimit extends OpenCode {
  /** The round took as long as it may. */
  public static final RoundLimit TIME = new RoundLimit("TIME");

  /** The round asked for as many removals as it may. */
  public static final RoundLimit REMOVALS = new RoundLimit("REMOVALS");

  /** The round freed as many bytes as it may. */
  public static final RoundLimit BYTES = new RoundLimit("BYTES");

  /** Less came back than predicted, and the round planned again as often as it may. */
  public static final RoundLimit PLANS = new RoundLimit("PLANS");

  private RoundLimit(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static RoundLimit of(String code) {
    return new RoundLimit(code);
  }
}
