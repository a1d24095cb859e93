/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;

/**
 * A value of an open set: equal to another of the same class with the same {@link #code()}.
 *
 * <p>Unlike an enum, such a set can grow in a minor release without breaking a host's {@code switch}, and an adapter or
 * a policy can add values of its own.
 */
public abstract class OpenCode {
  private final String code;

  OpenCode(String code) {
    if (Objects.requireNonNull(code, "code").isBlank()) {
      throw new IllegalArgumentException("code must not be blank");
    }
    this.code = code;
  }

  /**
   * Returns the stable code, for programs: it never changes its meaning between releases.
   *
   * @return the code, not blank
   */
  public final String code() {
    return code;
  }

  @Override
  @SuppressWarnings("EqualsGetClass") // a Reason and a Decision with one code are not equal
  public final boolean equals(Object other) {
    return other != null && other.getClass() == getClass() && ((OpenCode) other).code.equals(code);
  }

  @Override
  public final int hashCode() {
    return code.hashCode();
  }

  /** Returns the code. */
  @Override
  public final String toString() {
    return code;
  }
}
