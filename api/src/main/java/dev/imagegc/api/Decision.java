/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** What a plan intends or a round did with one image. */
public final class Decision extends OpenCode {
  /** A plan intends to remove it. */
  public static final Decision PLANNED = new Decision("PLANNED");

  /** It stays. */
  public static final Decision KEPT = new Decision("KEPT");

  /** The engine said that it deleted the image. */
  public static final Decision REMOVED = new Decision("REMOVED");

  /** It was already gone when its turn came. */
  public static final Decision GONE = new Decision("GONE");

  /** Removing it was tried and did not work. */
  public static final Decision FAILED = new Decision("FAILED");

  private Decision(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static Decision of(String code) {
    return new Decision(code);
  }
}
