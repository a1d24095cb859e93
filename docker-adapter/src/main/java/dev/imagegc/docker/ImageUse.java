/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.api.Container;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageReference;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * Finds every image that containers hold.
 *
 * <p>The image that a container was made from is listed by id. One that is mounted into it (API 1.48 and newer) is
 * listed by the name that was given at the container's creation, and a tag may have moved to another image since. So what
 * a name meant when its container was first seen is remembered for as long as the container is there; and where a tag
 * means no image any more, or one that was not built before the container was made, every image without a name counts
 * as mounted.
 */
final class ImageUse {
  private static final Pattern HEX = Pattern.compile("[0-9a-f]+");

  private final Map<String, Set<ImageId>> firstSeen = new ConcurrentHashMap<>();

  /**
   * Completes listed containers.
   *
   * @param entries the whole container listing
   * @param images the last image listing; asked for only if an image is mounted into a container
   */
  List<Container> resolve(List<ContainerListing.Entry> entries, Supplier<List<Image>> images) {
    List<Container> containers =
        entries.stream().map(entry -> container(entry, images)).toList();
    firstSeen
        .keySet()
        .retainAll(entries.stream().map(ContainerListing.Entry::id).toList());
    return containers;
  }

  private Container container(ContainerListing.Entry entry, Supplier<List<Image>> images) {
    Container.Builder container =
        Container.builder(entry.id()).state(entry.state()).labels(entry.labels());
    entry.image().ifPresent(container::image);
    entry.name().ifPresent(container::name);
    // The end of the listed second: nothing may look older than it is.
    entry.createdAt().map(second -> second.plusSeconds(1)).ifPresent(container::createdAt);
    if (!entry.mounts().isEmpty()) {
      mounted(entry, images.get()).forEach(container::image);
    }
    return container.build();
  }

  private Set<ImageId> mounted(ContainerListing.Entry entry, List<Image> images) {
    Set<ImageId> now = new LinkedHashSet<>();
    for (String name : entry.mounts()) {
      now.addAll(candidates(name, entry.createdAt(), images));
    }
    Set<ImageId> before = firstSeen.putIfAbsent(entry.id(), Set.copyOf(now));
    if (before != null) {
      now.addAll(before);
    }
    return now;
  }

  private static Set<ImageId> candidates(
      String name, Optional<Instant> containerCreated, List<Image> images) {
    Set<ImageId> meant = new LinkedHashSet<>();
    boolean certain = false;
    Optional<ImageReference> reference =
        ImageReference.parse(name).map(ImageReference::withDefaultTag);
    for (Image image : images) {
      boolean byId = isIdOf(name, image);
      if (byId || (reference.isPresent() && isNameOf(reference.get(), image))) {
        meant.add(image.id());
        certain |= byId || builtBefore(image, containerCreated);
      }
    }
    if (!certain) {
      images.stream()
          .filter(image -> image.references().isEmpty())
          .map(Image::id)
          .forEach(meant::add);
    }
    return meant;
  }

  /** Ids may be given in short; then every image that begins so may be meant. */
  private static boolean isIdOf(String name, Image image) {
    String hex = withoutPrefix(name);
    return HEX.matcher(hex).matches() && withoutPrefix(image.id().text()).startsWith(hex);
  }

  private static String withoutPrefix(String id) {
    return id.startsWith("sha256:") ? id.substring("sha256:".length()) : id;
  }

  private static boolean isNameOf(ImageReference reference, Image image) {
    return reference.digest().map(ImageId::of).filter(image.id()::equals).isPresent()
        || image.references().stream()
            .map(ImageReference::parse)
            .flatMap(Optional::stream)
            .anyMatch(reference::covers);
  }

  /** Unknown times prove nothing, and neither does the same second: the engine tells whole seconds. */
  private static boolean builtBefore(Image image, Optional<Instant> containerCreated) {
    return image.builtAt().isPresent()
        && containerCreated.isPresent()
        && image.builtAt().get().isBefore(containerCreated.get());
  }
}
