/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import org.jspecify.annotations.Nullable;

/** A disk measure has no usable capacity or available number, so nobody can say how full the filesystem is. */
public final class InvalidCapacityException extends GcException {
  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   */
  public InvalidCapacityException(String message) {
    super(message, null);
  }

  /**
   * Creates it.
   *
   * @param message a sentence for people that names what was asked of whom
   * @param cause what was caught, or null
   */
  public InvalidCapacityException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
