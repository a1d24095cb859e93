/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.Container;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an engine said of the node at one moment.
 *
 * @param images every image, in the engine's order
 * @param containers every container; may hold images that are not listed
 */
record NodeView(List<Image> images, List<Container> containers) {

  /** Returns the container with the lowest id of those that hold an image, or null. */
  static @Nullable Container userOf(ImageId image, List<Container> containers) {
    Container user = null;
    for (Container container : containers) {
      if (container.images().contains(image)) {
        user = firstOf(user, container);
      }
    }
    return user;
  }

  /** The one with the lower id: which one is named must not depend on the order of a listing. */
  static Container firstOf(@Nullable Container a, Container b) {
    return a != null && a.id().compareTo(b.id()) <= 0 ? a : b;
  }

  /** Words for people: which container holds an image. */
  static String describe(Container user) {
    return "container " + user.name().orElse(user.id()) + " (" + user.state() + ")";
  }
}
