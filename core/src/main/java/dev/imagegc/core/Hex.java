/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bytes as lower-case hexadecimal digits: thousands of digests at once, so by table. */
final class Hex {
  private static final byte[] DIGITS = "0123456789abcdef".getBytes(StandardCharsets.ISO_8859_1);
  private static final byte[] VALUES = new byte[128];

  static {
    Arrays.fill(VALUES, (byte) -1);
    for (int value = 0; value < DIGITS.length; value++) {
      VALUES[DIGITS[value]] = (byte) value;
    }
  }

  private Hex() {}

  /** Writes {@code count} bytes for twice as many digits; returns false if one of them is no such digit. */
  static boolean decode(String digits, int from, byte[] to, int offset, int count) {
    int bad = 0;
    for (int i = 0; i < count; i++) {
      int high = value(digits.charAt(from + 2 * i));
      int low = value(digits.charAt(from + 2 * i + 1));
      bad |= high | low;
      to[offset + i] = (byte) ((high << 4) | low);
    }
    return bad >= 0;
  }

  /** Returns a prefix, which is ASCII, and two digits for each byte. */
  @SuppressWarnings("deprecation") // the constructor for ASCII: half the time of the others
  static String encode(String prefix, byte[] from, int offset, int count) {
    byte[] text = new byte[prefix.length() + 2 * count];
    prefix.getBytes(0, prefix.length(), text, 0);
    for (int i = 0, at = prefix.length(); i < count; i++) {
      int value = from[offset + i];
      text[at++] = DIGITS[(value >> 4) & 0xf];
      text[at++] = DIGITS[value & 0xf];
    }
    return new String(text, 0);
  }

  private static int value(char digit) {
    return digit < VALUES.length ? VALUES[digit] : -1;
  }
}
