/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What is on a fake node, and the rules of its engine and its disk. The rules are Docker's with overlay2: an image that a
 * container holds, or that another image was built on, is not removed; an untagged parent goes with its last child.
 *
 * <p>Not thread-safe: {@link FakeNode} guards it.
 */
final class NodeState {
  private final Map<ImageId, StoredImage> images = new LinkedHashMap<>();
  private final Map<String, StoredContainer> containers = new LinkedHashMap<>();
  private final LayerStore layers = new LayerStore();
  private long capacityBytes;
  private long otherBytes;
  private final Deque<Lingering> lingering = new ArrayDeque<>();

  NodeState(long capacityBytes) {
    setCapacity(capacityBytes);
  }

  // Disk

  void setCapacity(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("capacity must be at least 0, but is " + bytes);
    }
    capacityBytes = bytes;
  }

  long capacityBytes() {
    return capacityBytes;
  }

  long usedBytes() {
    long lingeringBytes = lingering.stream().mapToLong(Lingering::bytes).sum();
    return layers.usedBytes() + otherBytes + lingeringBytes;
  }

  long availableBytes() {
    return Math.max(0, capacityBytes - usedBytes());
  }

  long otherBytes() {
    return otherBytes;
  }

  void setOtherBytes(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(
          "other data must be at least 0 bytes, but would be " + bytes);
    }
    requireSpace(bytes - otherBytes, "other data");
    otherBytes = bytes;
  }

  /** Gives back what images that were removed still took up, as far as its time has come. */
  void dropLingering(Instant now) {
    lingering.removeIf(space -> !space.until().isAfter(now));
  }

  private void requireSpace(long bytes, String what) {
    if (bytes > availableBytes()) {
      throw new IllegalArgumentException("no space left on the fake disk for " + what + ": " + bytes
          + " bytes wanted, " + availableBytes() + " available");
    }
  }

  // Images

  void add(ImageSpec spec) {
    if (images.containsKey(spec.id)) {
      throw new IllegalArgumentException("image " + spec.id + " is on the node already");
    }
    StoredImage image = new StoredImage(spec, layersOf(spec), toldSizesOf(spec));
    requireSpace(layers.newBytes(image.layers), "image " + spec.id);
    layers.hold(image.layers);
    images.put(spec.id, image);
    spec.tags.forEach(tag -> tag(spec.id, tag));
  }

  private Map<String, Long> layersOf(ImageSpec spec) {
    Map<String, Long> all = new LinkedHashMap<>();
    if (spec.parent != null) {
      all.putAll(image(spec.parent).layers);
    }
    all.putAll(spec.layers);
    return all;
  }

  private Map<String, Long> toldSizesOf(ImageSpec spec) {
    Map<String, Long> all = new LinkedHashMap<>();
    if (spec.parent != null) {
      all.putAll(image(spec.parent).toldSizes);
    }
    all.putAll(spec.toldSizes);
    return all;
  }

  void tag(ImageId id, String reference) {
    StoredImage image = image(id);
    images.values().forEach(other -> other.tags.remove(reference));
    image.tags.add(reference);
  }

  void untag(String reference) {
    for (StoredImage image : images.values()) {
      if (image.tags.remove(reference) || image.digests.remove(reference)) {
        return;
      }
    }
    throw new IllegalArgumentException("no image on the node has the reference " + reference);
  }

  List<ImageId> imageIds() {
    return List.copyOf(images.keySet());
  }

  boolean has(ImageId id) {
    return images.containsKey(id);
  }

  List<String> references(ImageId id) {
    return image(id).references();
  }

  List<Image> listImages() {
    return images.values().stream().map(StoredImage::listed).toList();
  }

  RemovalResult remove(ImageId id, @Nullable Instant lingersUntil) {
    if (!images.containsKey(id)) {
      return RemovalResult.of(RemovalOutcome.GONE, "no such image: " + id);
    }
    Optional<String> holder = holder(id);
    if (holder.isPresent()) {
      return RemovalResult.of(RemovalOutcome.IN_USE, "container " + holder.get() + " holds it");
    }
    Optional<ImageId> child = child(id);
    if (child.isPresent()) {
      return RemovalResult.of(
          RemovalOutcome.HAS_CHILDREN, "image " + child.get() + " is built on it");
    }
    delete(id, lingersUntil);
    return RemovalResult.of(RemovalOutcome.REMOVED);
  }

  /** Deletes an image whoever holds it, and its untagged parents if it was their last child. */
  void delete(ImageId id, @Nullable Instant lingersUntil) {
    StoredImage image = image(id);
    images.remove(id);
    long freed = layers.release(image.layers.keySet());
    if (lingersUntil != null) {
      lingering.add(new Lingering(freed, lingersUntil));
    }
    image
        .unnamed
        .parent()
        .filter(this::isUnneededParent)
        .ifPresent(parent -> delete(parent, lingersUntil));
  }

  private boolean isUnneededParent(ImageId id) {
    return images.containsKey(id)
        && references(id).isEmpty()
        && holder(id).isEmpty()
        && child(id).isEmpty();
  }

  private Optional<String> holder(ImageId id) {
    return containers.values().stream()
        .filter(container -> container.images.contains(id))
        .map(container -> container.id)
        .findFirst();
  }

  private Optional<ImageId> child(ImageId id) {
    return images.values().stream()
        .filter(image -> image.isChildOf(id))
        .map(image -> image.unnamed.id())
        .findFirst();
  }

  private StoredImage image(ImageId id) {
    StoredImage image = images.get(id);
    if (image == null) {
      throw new IllegalArgumentException("image " + id + " is not on the node");
    }
    return image;
  }

  // Containers

  void add(ContainerSpec spec, Instant now) {
    if (containers.containsKey(spec.id)) {
      throw new IllegalArgumentException("container " + spec.id + " is on the node already");
    }
    Map<String, Long> held = new LinkedHashMap<>();
    spec.images.forEach(id -> held.putAll(image(id).layers));
    layers.hold(held);
    containers.put(spec.id, new StoredContainer(spec, held, now));
  }

  void exit(String id, Instant now) {
    StoredContainer container = container(id);
    container.state = ContainerState.EXITED;
    container.finishedAt = now;
  }

  void removeContainer(String id) {
    layers.release(container(id).layers.keySet());
    containers.remove(id);
  }

  List<Container> listContainers() {
    return containers.values().stream().map(StoredContainer::listed).toList();
  }

  private StoredContainer container(String id) {
    StoredContainer container = containers.get(id);
    if (container == null) {
      throw new IllegalArgumentException("container " + id + " is not on the node");
    }
    return container;
  }

  /** Space that an image took up, and that is not given back before some time. */
  private record Lingering(long bytes, Instant until) {}

  private static final class StoredImage {
    private final Image unnamed;
    private final Map<String, Long> layers;
    private final Map<String, Long> toldSizes;
    private final List<String> tags = new ArrayList<>();
    private final List<String> digests = new ArrayList<>();

    private StoredImage(ImageSpec spec, Map<String, Long> layers, Map<String, Long> toldSizes) {
      this.unnamed = spec.listing(layers.entrySet().stream()
          .map(layer ->
              Layer.of(layer.getKey(), toldSizes.getOrDefault(layer.getKey(), layer.getValue())))
          .toList());
      this.toldSizes = toldSizes;
      this.layers = layers;
      this.digests.addAll(spec.digests);
    }

    private boolean isChildOf(ImageId id) {
      return unnamed.parent().filter(id::equals).isPresent();
    }

    private List<String> references() {
      return Stream.concat(tags.stream(), digests.stream()).toList();
    }

    private Image listed() {
      Image.Builder image = unnamed.toBuilder();
      references().forEach(image::reference);
      return image.build();
    }
  }

  private static final class StoredContainer {
    private final String id;
    private final Set<ImageId> images;
    private final Map<String, String> labels;
    private final Map<String, Long> layers;
    private final boolean tellsTimes;
    private final Instant createdAt;
    private ContainerState state;
    private @Nullable Instant finishedAt;

    private StoredContainer(ContainerSpec spec, Map<String, Long> layers, Instant now) {
      this.id = spec.id;
      this.images = Set.copyOf(spec.images);
      this.labels = Map.copyOf(spec.labels);
      this.layers = layers;
      this.tellsTimes = spec.tellsTimes;
      this.createdAt = spec.createdAt == null ? now : spec.createdAt;
      this.state = spec.state;
      this.finishedAt =
          spec.finishedAt == null && state.equals(ContainerState.EXITED) ? now : spec.finishedAt;
    }

    private Container listed() {
      Container.Builder container = Container.builder(id).state(state).labels(labels);
      images.forEach(container::image);
      if (tellsTimes) {
        container.createdAt(createdAt);
        if (finishedAt != null) {
          container.finishedAt(finishedAt);
        }
      }
      return container.build();
    }
  }
}
