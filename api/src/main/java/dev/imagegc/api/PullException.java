/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import org.jspecify.annotations.Nullable;

/** An image cannot be pulled: the engine or the registry said so. */
public final class PullException extends GcException {
  /**
   * Creates it.
   *
   * @param message a sentence for people that names the reference and what the engine said; no secrets
   */
  public PullException(String message) {
    super(message, null);
  }

  /**
   * Creates it.
   *
   * @param message a sentence for people that names the reference and what the engine said; no secrets
   * @param cause what was caught, or null
   */
  public PullException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
