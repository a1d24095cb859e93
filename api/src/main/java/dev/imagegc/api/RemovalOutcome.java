/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** What became of one request to remove an image. */
public final class RemovalOutcome extends OpenCode {
  /** The engine said that the image itself is deleted. */
  public static final RemovalOutcome REMOVED = new RemovalOutcome("REMOVED");

  /** The image was not there any more. */
  public static final RemovalOutcome GONE = new RemovalOutcome("GONE");

  /** The engine refused: a container holds the image. It is still there. */
  public static final RemovalOutcome IN_USE = new RemovalOutcome("IN_USE");

  /** The engine refused: images built on it are there. It is still there. */
  public static final RemovalOutcome HAS_CHILDREN = new RemovalOutcome("HAS_CHILDREN");

  /** The engine failed or refused for another reason; the image is still there. */
  public static final RemovalOutcome FAILED = new RemovalOutcome("FAILED");

  /** No clear answer, and a look-up did not settle it. */
  public static final RemovalOutcome UNKNOWN = new RemovalOutcome("UNKNOWN");

  private RemovalOutcome(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static RemovalOutcome of(String code) {
    return new RemovalOutcome(code);
  }
}
