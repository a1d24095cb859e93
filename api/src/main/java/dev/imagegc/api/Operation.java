/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** Which call a plan or a report belongs to. */
public final class Operation extends OpenCode {
  /** A threshold round, with the removals that age makes due. */
  public static final Operation COLLECT = new Operation("COLLECT");

  /** A request for a number of bytes. */
  public static final Operation FREE_SPACE = new Operation("FREE_SPACE");

  /** A request to remove everything unused. */
  public static final Operation PURGE = new Operation("PURGE");

  /** A request to reach a number of available bytes or free inodes, as disk pressure makes it. */
  public static final Operation RECLAIM = new Operation("RECLAIM");

  private Operation(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static Operation of(String code) {
    return new Operation(code);
  }
}
