/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The identity of an image inside one engine: opaque, except that an optional {@code sha256:} prefix does not count.
 *
 * <p>Engines mix both spellings, even within one answer. Two ids are equal when they are equal without the prefix. Ids
 * of different engines, or of different image stores of one engine, must not be compared.
 */
public final class ImageId implements Comparable<ImageId> {
  /** Stands in {@link #written} for a digest that was written without its prefix. */
  private static final String BARE_DIGEST = "";

  private final long word0;
  private final long word1;
  private final long word2;
  private final long word3;
  /** The id as it was written; null or {@link #BARE_DIGEST} if the words hold it. */
  private final @Nullable String written;

  private ImageId(String text, String key) {
    boolean digest = Sha256.isDigest(key);
    this.word0 = digest ? Sha256.word(key, 0) : 0;
    this.word1 = digest ? Sha256.word(key, 1) : 0;
    this.word2 = digest ? Sha256.word(key, 2) : 0;
    this.word3 = digest ? Sha256.word(key, 3) : 0;
    if (digest) {
      this.written = text.length() == key.length() ? BARE_DIGEST : null;
    } else {
      this.written = text;
    }
  }

  /**
   * Returns the id that an engine wrote.
   *
   * @param text the id as the engine writes it, not blank, without control characters
   * @return the id
   */
  public static ImageId of(String text) {
    String key = withoutPrefix(Objects.requireNonNull(text, "text"));
    if (key.isBlank() || key.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          "image id must not be blank or contain control characters: '" + text + "'");
    }
    return new ImageId(text, key);
  }

  /**
   * Returns the id as the engine wrote it: what to send back to the engine, and what to show where it must be whole.
   *
   * @return the id, with its prefix if it had one
   */
  public String text() {
    if (written == null) {
      return Sha256.PREFIX + digest();
    }
    return written.equals(BARE_DIGEST) ? digest() : written;
  }

  /**
   * Returns at most 12 characters of the id without its prefix, as engines show it to people. Not unique.
   *
   * @return the short id
   */
  public String shortText() {
    String key = key();
    return key.length() > 12 ? key.substring(0, 12) : key;
  }

  /** Compares without the prefix, in the order of the characters: a stable last resort for ties. */
  @Override
  public int compareTo(ImageId that) {
    if (!isDigest() || !that.isDigest()) {
      return key().compareTo(that.key());
    }
    int order = Long.compareUnsigned(word0, that.word0);
    if (order == 0) {
      order = Long.compareUnsigned(word1, that.word1);
    }
    if (order == 0) {
      order = Long.compareUnsigned(word2, that.word2);
    }
    return order != 0 ? order : Long.compareUnsigned(word3, that.word3);
  }

  @Override
  public boolean equals(Object object) {
    if (this == object) {
      return true;
    }
    if (!(object instanceof ImageId that) || isDigest() != that.isDigest()) {
      return false;
    }
    return isDigest()
        ? word0 == that.word0 && word1 == that.word1 && word2 == that.word2 && word3 == that.word3
        : key().equals(that.key());
  }

  @Override
  public int hashCode() {
    return isDigest() ? Long.hashCode(word0) : key().hashCode();
  }

  @Override
  public String toString() {
    return text();
  }

  private boolean isDigest() {
    return written == null || written.isEmpty();
  }

  private String digest() {
    return Sha256.text(word0, word1, word2, word3);
  }

  /** The text without its prefix. */
  private String key() {
    return written == null || written.isEmpty() ? digest() : withoutPrefix(written);
  }

  private static String withoutPrefix(String text) {
    return text.startsWith(Sha256.PREFIX) ? text.substring(Sha256.PREFIX.length()) : text;
  }
}
