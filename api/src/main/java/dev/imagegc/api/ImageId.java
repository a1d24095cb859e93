/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;

/**
 * The identity of an image inside one engine: opaque, except that an optional {@code sha256:} prefix does not count.
 *
 * <p>Engines mix both spellings, even within one answer. Two ids are equal when they are equal without the prefix. Ids
 * of different engines, or of different image stores of one engine, must not be compared.
 */
public final class ImageId implements Comparable<ImageId> {
  private static final String PREFIX = "sha256:";

  private final String key;
  private final boolean prefixed;

  private ImageId(String key, boolean prefixed) {
    this.key = key;
    this.prefixed = prefixed;
  }

  /**
   * Returns the id that an engine wrote.
   *
   * @param text the id as the engine writes it, not blank, without control characters
   * @return the id
   */
  public static ImageId of(String text) {
    boolean prefixed = Objects.requireNonNull(text, "text").startsWith(PREFIX);
    String key = prefixed ? text.substring(PREFIX.length()) : text;
    if (key.isBlank() || key.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          "image id must not be blank or contain control characters: '" + text + "'");
    }
    return new ImageId(key, prefixed);
  }

  /**
   * Returns the id as the engine wrote it: what to send back to the engine, and what to show where it must be whole.
   *
   * @return the id, with its prefix if it had one
   */
  public String text() {
    return prefixed ? PREFIX + key : key;
  }

  /**
   * Returns at most 12 characters of the id without its prefix, as engines show it to people. Not unique.
   *
   * @return the short id
   */
  public String shortText() {
    return key.length() > 12 ? key.substring(0, 12) : key;
  }

  /** Compares without the prefix, in the order of the characters: a stable last resort for ties. */
  @Override
  public int compareTo(ImageId other) {
    return key.compareTo(other.key);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ImageId that && that.key.equals(key);
  }

  @Override
  public int hashCode() {
    return key.hashCode();
  }

  /** Returns {@link #text()}. */
  @Override
  public String toString() {
    return text();
  }
}
