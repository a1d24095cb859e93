/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Maps;
import dev.imagegc.api.Container;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ProtocolException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What an engine said of the node at one moment: its images, and for each image in use one container that holds it.
 *
 * @param images every image, by id, in the engine's order
 * @param users a container for each image that is held by one; may name images that are not listed
 */
record NodeView(ImmutableMap<ImageId, Image> images, Map<ImageId, Container> users) {

  static NodeView of(List<Image> images, List<Container> containers) {
    Map<ImageId, Image> byId = Maps.newLinkedHashMapWithExpectedSize(images.size());
    for (Image image : images) {
      if (byId.put(image.id(), image) != null) {
        // Two halves of one image: acting on either could miss a name that protects it.
        throw new ProtocolException("the engine listed image " + image.id() + " twice");
      }
    }
    return new NodeView(ImmutableMap.copyOf(byId), usersOf(containers));
  }

  static Map<ImageId, Container> usersOf(List<Container> containers) {
    Map<ImageId, Container> users = new HashMap<>();
    for (Container container : containers) {
      for (ImageId image : container.images()) {
        users.putIfAbsent(image, container);
      }
    }
    return users;
  }

  /** Words for people: which container holds an image. */
  static String describe(Container user) {
    return "container " + user.name().orElse(user.id()) + " ("
        + user.state().code().toLowerCase(java.util.Locale.ROOT) + ")";
  }
}
