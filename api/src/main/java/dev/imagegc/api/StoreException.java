/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import org.jspecify.annotations.Nullable;

/** The stored history cannot be loaded or saved. */
public final class StoreException extends GcException {
  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   */
  public StoreException(String message) {
    super(message, null);
  }

  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   * @param cause what was caught, or null
   */
  public StoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
