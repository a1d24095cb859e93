/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import org.jspecify.annotations.Nullable;

/** An engine or a filesystem cannot be reached: no socket, connection refused, a path that does not exist, shutting down. */
public final class UnreachableException extends GcException {
  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   */
  public UnreachableException(String message) {
    super(message, null);
  }

  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   * @param cause what was caught, or null
   */
  public UnreachableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
