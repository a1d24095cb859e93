/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/**
 * The 64 hexadecimal digits of a SHA-256 digest as four longs: a node has thousands of digests, and as text each takes
 * four times the memory.
 */
final class Sha256 {
  static final String PREFIX = "sha256:";
  private static final int DIGITS = 64;
  private static final int DIGITS_PER_WORD = 16;

  private Sha256() {}

  /** Whether a text is a digest without its prefix, in the one way that {@link #text} writes it. */
  static boolean isDigest(String text) {
    if (text.length() != DIGITS) {
      return false;
    }
    for (int i = 0; i < DIGITS; i++) {
      char digit = text.charAt(i);
      if ((digit < '0' || digit > '9') && (digit < 'a' || digit > 'f')) {
        return false;
      }
    }
    return true;
  }

  /** Returns one of the four words, counted from 0, of a text that is a digest. */
  static long word(String digest, int number) {
    int start = number * DIGITS_PER_WORD;
    return Long.parseUnsignedLong(digest, start, start + DIGITS_PER_WORD, 16);
  }

  static String text(long word0, long word1, long word2, long word3) {
    StringBuilder text = new StringBuilder(DIGITS);
    append(text, word0);
    append(text, word1);
    append(text, word2);
    append(text, word3);
    return text.toString();
  }

  private static void append(StringBuilder text, long word) {
    for (int shift = Long.SIZE - 4; shift >= 0; shift -= 4) {
      text.append(Character.forDigit((int) (word >>> shift) & 0xf, 16));
    }
  }
}
