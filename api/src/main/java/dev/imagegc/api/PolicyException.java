/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import org.jspecify.annotations.Nullable;

/** The host's policy threw, or gave an impossible answer. */
public final class PolicyException extends GcException {
  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   */
  public PolicyException(String message) {
    super(message, null);
  }

  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   * @param cause what was caught, or null
   */
  public PolicyException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
