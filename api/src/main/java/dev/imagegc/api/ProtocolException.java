/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import org.jspecify.annotations.Nullable;

/**
 * An answer is not one that its contract allows: not a container engine's, malformed, cut short, in an API version that cannot
 * be spoken, or null where there must be something.
 */
public final class ProtocolException extends GcException {
  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   */
  public ProtocolException(String message) {
    super(message, null);
  }

  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   * @param cause what was caught, or null
   */
  public ProtocolException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
