/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.ImageReference;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Names of images as engines read them, written in full: {@code app} is {@code docker.io/library/app:latest}. Two requests
 * are for the same image if their full names are equal.
 */
final class FullName {
  private static final Pattern ID = Pattern.compile("(?:sha256:)?[0-9a-f]{64}");

  private FullName() {}

  /**
   * Writes a name in full. A tag beside a digest is dropped, because engines go by the digest alone.
   *
   * @throws IllegalArgumentException if it is no name, or an id
   */
  static String of(String reference) {
    if (ID.matcher(Objects.requireNonNull(reference, "reference")).matches()) {
      throw new IllegalArgumentException(
          "reference must be a name, not an id, but is '" + reference + "'");
    }
    ImageReference name = ImageReference.of(reference).withDefaultTag();
    return name.digest().map(digest -> name.repository() + "@" + digest).orElseGet(name::toString);
  }
}
