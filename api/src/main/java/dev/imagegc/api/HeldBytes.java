/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Part of the answer to "why is the disk still full": the images that stay for one reason, and their bytes.
 *
 * <p>A layer that images hold for different reasons counts once, for the first of: in use, pinned, leased, protected, not
 * owned, kept as one of the newest, the policy failed, a host's own reason, too young, recently used, removal failed (or is
 * backed off, or its outcome is unknown), not reached or stopped by a limit, may go, has children. So what is held because it
 * is too young or recently used comes back with time, if nothing else changes.
 */
public final class HeldBytes {
  private final Reason reason;
  private final int images;
  private final @Nullable Long bytes;

  private HeldBytes(Reason reason, int images, @Nullable Long bytes) {
    this.reason = Objects.requireNonNull(reason, "reason");
    if (images < 1) {
      throw new IllegalArgumentException("images must be at least 1, but is " + images);
    }
    this.images = images;
    this.bytes = bytes == null ? null : (Long) Ranges.notNegative("bytes", bytes);
  }

  /**
   * Returns a sum.
   *
   * @param reason why the images stay
   * @param images how many they are, at least 1
   * @param bytes the bytes that stay for it, 0 or more, or empty if unknown
   * @return the sum
   */
  public static HeldBytes of(Reason reason, int images, OptionalLong bytes) {
    return new HeldBytes(reason, images, bytes.isPresent() ? bytes.getAsLong() : null);
  }

  /**
   * Returns why these images stay.
   *
   * @return the reason
   */
  public Reason reason() {
    return reason;
  }

  /**
   * Returns how many images stay for this reason.
   *
   * @return at least 1
   */
  public int imageCount() {
    return images;
  }

  /**
   * Returns the bytes that stay for this reason. A layer counts once, for the strongest of its holders' reasons, see
   * the class comment; an image whose layers are not known counts with its listed size.
   *
   * @return the bytes, or empty if the size of one of them is unknown
   */
  public OptionalLong bytes() {
    return bytes == null ? OptionalLong.empty() : OptionalLong.of(bytes);
  }

  @Override
  public String toString() {
    return reason + ": " + images + " images, " + (bytes == null ? "unknown" : bytes) + " bytes";
  }
}
