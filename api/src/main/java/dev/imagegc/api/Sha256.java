/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The 64 hexadecimal digits of a SHA-256 digest as four longs: a node has thousands of digests, and as text each takes
 * four times the memory.
 */
final class Sha256 {
  static final String PREFIX = "sha256:";
  private static final VarHandle BYTES =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
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
    long word = 0;
    for (int i = start; i < start + DIGITS_PER_WORD; i++) {
      char digit = digest.charAt(i);
      word = (word << 4) | (digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    return word;
  }

  /** Returns one of the four words, counted from 0, of a digest in bytes. */
  static long word(byte[] digest, int offset, int number) {
    return (long) BYTES.get(digest, offset + number * Long.BYTES);
  }

  /** Writes the bytes of a digest. */
  static void put(byte[] digest, int offset, long word0, long word1, long word2, long word3) {
    BYTES.set(digest, offset, word0);
    BYTES.set(digest, offset + Long.BYTES, word1);
    BYTES.set(digest, offset + 2 * Long.BYTES, word2);
    BYTES.set(digest, offset + 3 * Long.BYTES, word3);
  }

  /** Returns a digest behind a prefix, which is ASCII. */
  static String text(String prefix, long word0, long word1, long word2, long word3) {
    int start = prefix.length();
    byte[] text = Arrays.copyOf(prefix.getBytes(StandardCharsets.ISO_8859_1), start + DIGITS);
    put(text, start, word0);
    put(text, start + DIGITS_PER_WORD, word1);
    put(text, start + 2 * DIGITS_PER_WORD, word2);
    put(text, start + 3 * DIGITS_PER_WORD, word3);
    return new String(text, StandardCharsets.ISO_8859_1);
  }

  private static void put(byte[] text, int start, long word) {
    long rest = word;
    for (int i = start + DIGITS_PER_WORD - 1; i >= start; i--) {
      int digit = (int) rest & 0xf;
      text[i] = (byte) (digit < 10 ? '0' + digit : 'a' - 10 + digit);
      rest >>>= 4;
    }
  }
}
