/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** How a round or a plan ended. */
public final class Outcome extends OpenCode {
  /** A plan that needs bytes or has victims; nothing was touched. */
  public static final Outcome PLANNED = new Outcome("PLANNED");

  /** Nothing was needed and nothing was due; nothing was removed. */
  public static final Outcome NOT_NEEDED = new Outcome("NOT_NEEDED");

  /** What was asked for was reached. */
  public static final Outcome DONE = new Outcome("DONE");

  /**
   * The goal is not reached: the round went through everything that may go, or ended at one of its limits. {@link
   * GcReport#explanation()} says why.
   */
  public static final Outcome SHORT = new Outcome("SHORT");

  /** Trouble with the engine, the disk or the policy ended the round; {@link GcReport#cause()} says which. */
  public static final Outcome FAILED = new Outcome("FAILED");

  /** Another call was running for longer than this one may wait; nothing was done. */
  public static final Outcome BUSY = new Outcome("BUSY");

  private Outcome(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static Outcome of(String code) {
    return new Outcome(code);
  }
}
