/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** Checks numbers of values; what is out of its range is named. */
final class Ranges {
  private Ranges() {}

  static long notNegative(String field, long value) {
    if (value < 0) {
      throw new IllegalArgumentException(field + " must be at least 0, but is " + value);
    }
    return value;
  }

  static int percent(String field, int value) {
    if (value < 0 || value > 100) {
      throw new IllegalArgumentException(field + " must be from 0 to 100, but is " + value);
    }
    return value;
  }
}
