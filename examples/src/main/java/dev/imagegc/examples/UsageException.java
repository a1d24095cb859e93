/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import org.jspecify.annotations.Nullable;

/** The user asked for something that cannot be; the message says which option, its value and the rule. */
final class UsageException extends RuntimeException {
  UsageException(@Nullable String message) {
    super(message);
  }
}
