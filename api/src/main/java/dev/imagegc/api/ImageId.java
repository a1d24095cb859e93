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

  private ImageId(byte[] digest, int offset, boolean prefixed) {
    this.word0 = Sha256.word(digest, offset, 0);
    this.word1 = Sha256.word(digest, offset, 1);
    this.word2 = Sha256.word(digest, offset, 2);
    this.word3 = Sha256.word(digest, offset, 3);
    this.written = prefixed ? null : BARE_DIGEST;
  }

  private ImageId(String text, String key, boolean digest) {
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
    boolean digest = Sha256.isDigest(key);
    if (!digest && (key.isBlank() || key.chars().anyMatch(Character::isISOControl))) {
      throw new IllegalArgumentException(
          "image id must not be blank or contain control characters: '" + text + "'");
    }
    return new ImageId(text, key, digest);
  }

  /**
   * Returns the id that is a SHA-256 digest, from the digest's 32 bytes: what {@link #writeDigest} has written.
   *
   * @param bytes where the digest is
   * @param offset where it begins
   * @param prefixed whether the engine wrote it with {@code sha256:}
   * @return the id
   * @throws IndexOutOfBoundsException if there are not 32 bytes
   */
  public static ImageId ofDigest(byte[] bytes, int offset, boolean prefixed) {
    return new ImageId(bytes, offset, prefixed);
  }

  /**
   * Writes the 32 bytes of the id if it is a SHA-256 digest, as nearly all are: for stores, to which text is twice the size.
   *
   * @param bytes where to write
   * @param offset where to begin
   * @return whether it is one; if not, nothing is written
   * @throws IndexOutOfBoundsException if it is one and there is no room for 32 bytes
   */
  public boolean writeDigest(byte[] bytes, int offset) {
    if (!isDigest()) {
      return false;
    }
    Sha256.put(bytes, offset, word0, word1, word2, word3);
    return true;
  }

  /**
   * Returns whether the engine wrote it with the prefix {@code sha256:}.
   *
   * @return whether {@link #text()} begins with it
   */
  public boolean isPrefixed() {
    return written == null || written.startsWith(Sha256.PREFIX);
  }

  /**
   * Returns the id as the engine wrote it: what to send back to the engine, and what to show where it must be whole.
   *
   * @return the id, with its prefix if it had one
   */
  public String text() {
    if (written == null) {
      return Sha256.text(Sha256.PREFIX, word0, word1, word2, word3);
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
    return Sha256.text("", word0, word1, word2, word3);
  }

  /** The text without its prefix. */
  private String key() {
    return written == null || written.isEmpty() ? digest() : withoutPrefix(written);
  }

  private static String withoutPrefix(String text) {
    return text.startsWith(Sha256.PREFIX) ? text.substring(Sha256.PREFIX.length()) : text;
  }
}
