/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;

/** A running container as input to the host's ranking of workloads under disk pressure. Immutable. */
public final class RankedContainer {
  private final Container container;
  private final List<Image> images;
  private final OptionalLong exclusiveBytes;

  private RankedContainer(Container container, List<Image> images, OptionalLong exclusiveBytes) {
    this.container = Objects.requireNonNull(container, "container");
    this.images = List.copyOf(images);
    this.exclusiveBytes = Objects.requireNonNull(exclusiveBytes, "exclusiveBytes");
  }

  /**
   * Returns an entry.
   *
   * @param container the container as listed
   * @param images its images, as far as they are known
   * @param exclusiveBytes what its images alone hold, or empty if unknown
   * @return the entry
   */
  public static RankedContainer of(
      Container container, List<Image> images, OptionalLong exclusiveBytes) {
    return new RankedContainer(container, images, exclusiveBytes);
  }

  /**
   * Returns the container, with its name and labels.
   *
   * @return the container as listed
   */
  public Container container() {
    return container;
  }

  /**
   * Returns the images that it holds.
   *
   * @return the images as far as they are known; {@link Container#images()} has the ids of all
   */
  public List<Image> images() {
    return images;
  }

  /**
   * Returns the bytes that each of its images alone holds, summed up. They come back with it if no other container holds the
   * same images; its writable layer is not in them.
   *
   * @return the bytes on the image filesystem, or empty if unknown
   */
  public OptionalLong exclusiveBytes() {
    return exclusiveBytes;
  }

  @Override
  public String toString() {
    return "RankedContainer[" + container.name().orElse(container.id()) + " exclusive bytes "
        + (exclusiveBytes.isPresent() ? exclusiveBytes.getAsLong() : "unknown") + "]";
  }
}
