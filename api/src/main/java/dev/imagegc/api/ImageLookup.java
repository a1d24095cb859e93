/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Optional;

/**
 * An optional ability of an engine: to say what one name or id stands for, without listing all images. An adapter whose {@link
 * Runtime} can do it implements this interface too.
 *
 * <p>Methods block until the engine has answered, within a deadline of their own, and may be called from several threads at
 * once.
 */
public interface ImageLookup {
  /**
   * Looks a name up (R7).
   *
   * @param reference a tag ({@code app} means {@code app:latest}) or digest reference
   * @return the image that has this name now, with its id and all its names; the rest of it may be unknown. Empty if no image
   *     has the name
   * @throws GcException if the engine cannot be asked
   * @throws IllegalArgumentException if it is no reference
   */
  Optional<Image> findImage(String reference);

  /**
   * Looks an image up (R7).
   *
   * @param id the image
   * @return the image with its id and all the names it has now; the rest of it may be unknown. Empty if it is not there
   * @throws GcException if the engine cannot be asked
   */
  Optional<Image> findImage(ImageId id);
}
