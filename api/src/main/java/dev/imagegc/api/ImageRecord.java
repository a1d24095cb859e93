/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An image and what the collector remembers of it.
 *
 * <p>The two times are on the collector's own time line: the wall clock as it was when the collector started, carried on
 * by elapsed time. They are good for order and age and, unless the wall clock was set since, for people.
 */
public final class ImageRecord {
  private final Image image;
  private final Instant firstDetected;
  private final @Nullable Instant lastUsed;

  private ImageRecord(Image image, Instant firstDetected, @Nullable Instant lastUsed) {
    this.image = Objects.requireNonNull(image, "image");
    this.firstDetected = Objects.requireNonNull(firstDetected, "firstDetected");
    this.lastUsed = lastUsed;
  }

  /**
   * Returns the record of an image that was never seen in use.
   *
   * @param image the image as last listed
   * @param firstDetected when the collector first saw it
   * @return the record
   */
  public static ImageRecord of(Image image, Instant firstDetected) {
    return new ImageRecord(image, firstDetected, null);
  }

  /**
   * Returns the record of an image that was seen in use.
   *
   * @param image the image as last listed
   * @param firstDetected when the collector first saw it
   * @param lastUsed when it was last seen in use
   * @return the record
   */
  public static ImageRecord of(Image image, Instant firstDetected, Instant lastUsed) {
    return new ImageRecord(image, firstDetected, Objects.requireNonNull(lastUsed, "lastUsed"));
  }

  /**
   * Returns the image as the engine last listed it.
   *
   * @return the image
   */
  public Image image() {
    return image;
  }

  /**
   * Returns the image's identity.
   *
   * @return the id
   */
  public ImageId id() {
    return image.id();
  }

  /**
   * Returns when the collector first saw the image, which is not when it was pulled or built.
   *
   * @return the time
   */
  public Instant firstDetected() {
    return firstDetected;
  }

  /**
   * Returns when the image was last seen in use.
   *
   * @return the time, or empty if it never was
   */
  public Optional<Instant> lastUsed() {
    return Optional.ofNullable(lastUsed);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ImageRecord that
        && that.image.equals(image)
        && that.firstDetected.equals(firstDetected)
        && Objects.equals(that.lastUsed, lastUsed);
  }

  @Override
  public int hashCode() {
    return image.hashCode();
  }

  @Override
  public String toString() {
    return "ImageRecord[" + image + " firstDetected=" + firstDetected + " lastUsed="
        + (lastUsed == null ? "never" : lastUsed) + "]";
  }
}
