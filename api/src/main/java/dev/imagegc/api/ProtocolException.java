/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import org.jspecify.annotations.Nullable;

/** The answer is not one of a container engine, is malformed, is cut short, or its API version cannot be spoken. */
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
