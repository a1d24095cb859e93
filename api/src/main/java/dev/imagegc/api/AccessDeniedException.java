/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import org.jspecify.annotations.Nullable;

/** The process may not talk to the engine or look at the path. */
public final class AccessDeniedException extends GcException {
  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   */
  public AccessDeniedException(String message) {
    super(message, null);
  }

  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   * @param cause what was caught, or null
   */
  public AccessDeniedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
