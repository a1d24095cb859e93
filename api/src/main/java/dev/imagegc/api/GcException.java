/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Something outside the collector could not be reached or used: the engine, the disk, the policy, the store. Never a
 * single image that could not be removed, which is a value in the report.
 *
 * <p>The message is one sentence for people. Calls that act do not throw it but return it as {@link GcReport#cause()}.
 */
public abstract class GcException extends RuntimeException {
  GcException(String message, @Nullable Throwable cause) {
    super(Objects.requireNonNull(message, "message"), cause);
  }

  /** Returns one sentence for people. */
  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage());
  }
}
