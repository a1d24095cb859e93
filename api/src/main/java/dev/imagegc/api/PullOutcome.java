/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** How a request for an image ended. */
public final class PullOutcome extends OpenCode {
  /** The image was pulled, is there, and is leased. */
  public static final PullOutcome PULLED = new PullOutcome("PULLED");

  /** The image was there already, and is leased; nothing was transferred. */
  public static final PullOutcome PRESENT = new PullOutcome("PRESENT");

  /** No image has that name here, and the policy is to pull none. */
  public static final PullOutcome NOT_PRESENT = new PullOutcome("NOT_PRESENT");

  /** The last transfer of this reference failed, and it is too early to try again. */
  public static final PullOutcome BACKING_OFF = new PullOutcome("BACKING_OFF");

  /** The rate of transfers is used up, for longer than the request may wait. */
  public static final PullOutcome RATE_LIMITED = new PullOutcome("RATE_LIMITED");

  /**
   * Others were in the way for longer than the request may wait: transfers, too many requests, or the removal of this very
   * image.
   */
  public static final PullOutcome BUSY = new PullOutcome("BUSY");

  /** The transfer took too long and was broken off. */
  public static final PullOutcome TIMED_OUT = new PullOutcome("TIMED_OUT");

  /** The caller has given the request up, or the pulls are closed. */
  public static final PullOutcome CANCELLED = new PullOutcome("CANCELLED");

  /** The engine, the registry, the leases or the credentials gave trouble. */
  public static final PullOutcome FAILED = new PullOutcome("FAILED");

  private PullOutcome(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static PullOutcome of(String code) {
    return new PullOutcome(code);
  }
}
