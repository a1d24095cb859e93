/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.Maps;
import dev.imagegc.api.Container;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ProtocolException;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What an engine said of the node at one moment: its images, and for each image in use one container that holds it.
 *
 * @param images every image, by id, in the engine's order
 * @param users the container with the lowest id for each image that is held by one; may name images that are not listed
 */
record NodeView(Map<ImageId, Image> images, Map<ImageId, Container> users) {

  static NodeView of(List<Image> images, List<Container> containers) {
    Map<ImageId, Image> byId = Maps.newLinkedHashMapWithExpectedSize(images.size());
    for (Image image : images) {
      if (byId.put(image.id(), image) != null) {
        // Two halves of one image: acting on either could miss a name that protects it.
        throw new ProtocolException("the engine listed image " + image.id() + " twice");
      }
    }
    return new NodeView(Collections.unmodifiableMap(byId), usersOf(containers));
  }

  static Map<ImageId, Container> usersOf(List<Container> containers) {
    Map<ImageId, Container> users = new HashMap<>();
    for (Container container : containers) {
      for (ImageId image : container.images()) {
        users.merge(image, container, (a, b) -> a.id().compareTo(b.id()) <= 0 ? a : b);
      }
    }
    return users;
  }

  /** Words for people: which container holds an image. */
  static String describe(Container user) {
    return "container " + user.name().orElse(user.id()) + " (" + user.state() + ")";
  }
}
