/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import dev.imagegc.api.PullException;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventType;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
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
  private final Map<String, StoredImage> tagged = new HashMap<>(); // by the name in full
  private final LayerStore layers = new LayerStore();
  private final Consumer<RuntimeEvent> events;
  private final Deque<Lingering> lingering = new ArrayDeque<>();
  private final DiskState imageDisk;
  private @Nullable DiskState rootDisk; // null if the node tells of none
  private DiskState containerDisk;
  private Room written = Room.NONE; // by all containers

  /** Creates an empty node; events are told in the middle of a change, and must not be acted upon before its end. */
  NodeState(long capacityBytes, Consumer<RuntimeEvent> events) {
    this.imageDisk = new DiskState("fake disk", "disk-1", capacityBytes, this::onImageDisk);
    this.containerDisk = imageDisk;
    this.events = events;
  }

  // Disks

  void oneDisk() {
    rootDisk = imageDisk;
    containerDisk = imageDisk;
  }

  void ownRootDisk(long capacityBytes, boolean withWritableLayers) {
    DiskState root = new DiskState("fake root disk", "disk-2", capacityBytes, this::onOwnRootDisk);
    rootDisk = root;
    containerDisk = withWritableLayers ? root : imageDisk;
  }

  DiskState imageDisk() {
    return imageDisk;
  }

  Optional<DiskState> rootDisk() {
    return Optional.ofNullable(rootDisk);
  }

  DiskState containerDisk() {
    return containerDisk;
  }

  private Room onImageDisk() {
    Room layersAndRest = withLingering(layers.used(), false);
    return containerDisk == imageDisk ? layersAndRest.plus(written()) : layersAndRest;
  }

  private Room onOwnRootDisk() {
    return containerDisk == imageDisk ? Room.NONE : written();
  }

  private Room written() {
    return withLingering(written, true);
  }

  private Room withLingering(Room room, boolean ofContainers) {
    return lingering.stream()
        .filter(space -> space.ofContainer() == ofContainers)
        .map(Lingering::room)
        .reduce(room, Room::plus);
  }

  /** Gives back what images and containers that were removed still took up, as far as its time has come. */
  void dropLingering(Instant now) {
    lingering.removeIf(space -> !space.until().isAfter(now));
  }

  // Images

  void add(ImageSpec spec) {
    if (images.containsKey(spec.id)) {
      throw new IllegalArgumentException("image " + spec.id + " is on the node already");
    }
    put(spec);
    image(spec.id).digests.addAll(spec.digests);
    tell(RuntimeEventType.IMAGE_PULLED, spec.id, first(spec.tags, spec.digests));
    spec.tags.forEach(tag -> tag(spec.id, tag));
  }

  /** Puts an image there without its names, unless it is there. */
  void put(ImageSpec spec) {
    if (images.containsKey(spec.id)) {
      return;
    }
    StoredImage image = new StoredImage(spec, layersOf(spec), toldSizesOf(spec));
    imageDisk.require(layers.newRoom(image.layers), "image " + spec.id);
    layers.hold(image.layers);
    images.put(spec.id, image);
  }

  /** Gives an image that was pulled the name that it was pulled by, as the registry writes it. */
  void name(ImageSpec spec, String pulledBy) {
    StoredImage image = images.get(spec.id);
    if (image == null) {
      throw new PullException("image " + pulledBy + " was deleted while it was pulled");
    }
    boolean byDigest = ImageName.isDigest(pulledBy);
    String written = ImageName.same(pulledBy, byDigest ? spec.digests : spec.tags);
    (byDigest ? List.of(written) : spec.digests).forEach(image::addDigest);
    tell(RuntimeEventType.IMAGE_PULLED, spec.id, written);
    if (!byDigest && !image.equals(tagged.get(ImageName.inFull(written)))) {
      tag(spec.id, written);
    }
  }

  Map<String, Room> layers(ImageId id) {
    return image(id).layers;
  }

  boolean hasLayer(String name) {
    return layers.has(name);
  }

  /** Holds a layer for a pull until {@link #release}. */
  void hold(String layer, Room room, String pulledBy) {
    Map<String, Room> one = Map.of(layer, room);
    imageDisk.lack(layers.newRoom(one), "layer " + layer + " of " + pulledBy).ifPresent(lack -> {
      throw new PullException(lack);
    });
    layers.hold(one);
  }

  void release(Set<String> names) {
    layers.release(names);
  }

  private Map<String, Room> layersOf(ImageSpec spec) {
    Map<String, Room> all = new LinkedHashMap<>();
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
    StoredImage before = tagged.put(ImageName.inFull(reference), image);
    if (before != null) {
      before.lose(reference);
    }
    image.tags.add(reference);
    tell(RuntimeEventType.IMAGE_TAGGED, id, reference);
  }

  void untag(String reference) {
    StoredImage image = find(reference)
        .orElseThrow(() ->
            new IllegalArgumentException("no image on the node has the reference " + reference));
    tagged.remove(ImageName.inFull(reference));
    image.lose(reference);
    tell(RuntimeEventType.IMAGE_UNTAGGED, image.id(), reference);
  }

  /** Finds the image that has a name, however it is written. */
  private Optional<StoredImage> find(String reference) {
    String name = ImageName.inFull(reference);
    return Optional.ofNullable(tagged.get(name))
        .or(() -> images.values().stream()
            .filter(image -> ImageName.isDigest(reference) && image.hasDigest(name))
            .findFirst());
  }

  Optional<Image> findImage(String reference) {
    return find(reference).map(StoredImage::listed);
  }

  Optional<Image> findImage(ImageId id) {
    return Optional.ofNullable(images.get(id)).map(StoredImage::listed);
  }

  private void tell(RuntimeEventType type, ImageId id, @Nullable String reference) {
    RuntimeEvent.Builder event = RuntimeEvent.builder(type).image(id);
    if (reference != null) {
      event.reference(reference);
    }
    events.accept(event.build());
  }

  /** The first name of the first image, if there is any. */
  private @Nullable String firstName(Set<ImageId> ids) {
    return ids.stream()
        .limit(1)
        .flatMap(id -> references(id).stream())
        .findFirst()
        .orElse(null);
  }

  private static @Nullable String first(List<String> tags, List<String> digests) {
    return Stream.concat(tags.stream(), digests.stream()).findFirst().orElse(null);
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
    image.references().forEach(name -> tell(RuntimeEventType.IMAGE_UNTAGGED, id, name));
    tell(RuntimeEventType.IMAGE_DELETED, id, first(image.tags, image.digests));
    image.tags.forEach(tag -> tagged.remove(ImageName.inFull(tag)));
    images.remove(id);
    Room freed = layers.release(image.layers.keySet());
    if (lingersUntil != null) {
      lingering.add(new Lingering(freed, false, lingersUntil));
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

  List<String> containerIds() {
    return List.copyOf(containers.keySet());
  }

  private Optional<ImageId> child(ImageId id) {
    return images.values().stream()
        .filter(image -> image.isChildOf(id))
        .map(StoredImage::id)
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
    Map<String, Room> held = new LinkedHashMap<>();
    spec.images.forEach(id -> held.putAll(image(id).layers));
    containerDisk.require(spec.written, "container " + spec.id);
    layers.hold(held);
    StoredContainer container = new StoredContainer(spec, held, firstName(spec.images), now);
    containers.put(spec.id, container);
    written = written.plus(container.written);
    tellLifeOf(container);
  }

  private void tellLifeOf(StoredContainer container) {
    tell(RuntimeEventType.CONTAINER_CREATED, container);
    if (!container.state.equals(ContainerState.CREATED)) {
      tell(RuntimeEventType.CONTAINER_STARTED, container);
    }
    if (container.state.equals(ContainerState.EXITED)
        || container.state.equals(ContainerState.DEAD)) {
      tell(RuntimeEventType.CONTAINER_DIED, container);
    }
  }

  void start(String id) {
    StoredContainer container = container(id);
    if (container.isAlive()) {
      return;
    }
    container.state = ContainerState.RUNNING;
    container.finishedAt = null;
    tell(RuntimeEventType.CONTAINER_STARTED, container);
  }

  void exit(String id, Instant now) {
    StoredContainer container = container(id);
    boolean alive = container.isAlive();
    container.state = ContainerState.EXITED;
    container.finishedAt = now;
    if (alive) {
      tell(RuntimeEventType.CONTAINER_DIED, container);
    }
  }

  void removeContainer(String id) {
    StoredContainer container = container(id);
    layers.release(container.layers.keySet());
    containers.remove(id);
    written = written.minus(container.written);
    if (container.isAlive()) {
      tell(RuntimeEventType.CONTAINER_DIED, container);
    }
    tell(RuntimeEventType.CONTAINER_REMOVED, container);
  }

  RemovalResult removeDead(String id, @Nullable Instant lingersUntil) {
    StoredContainer container = containers.get(id);
    if (container == null) {
      return RemovalResult.of(RemovalOutcome.GONE, "no such container: " + id);
    }
    if (container.isAlive()) {
      return RemovalResult.of(
          RemovalOutcome.IN_USE, "container " + id + " is " + container.state.code());
    }
    removeContainer(id);
    if (lingersUntil != null) {
      lingering.add(new Lingering(container.written, true, lingersUntil));
    }
    return RemovalResult.of(RemovalOutcome.REMOVED);
  }

  /** Stops a container if it is there and runs. */
  void stop(String id, Instant now) {
    StoredContainer container = containers.get(id);
    if (container != null && container.isAlive()) {
      exit(id, now);
    }
  }

  private void tell(RuntimeEventType type, StoredContainer container) {
    RuntimeEvent.Builder event = RuntimeEvent.builder(type).container(container.id);
    if (container.image != null) {
      event.image(container.image);
    }
    if (container.name != null) {
      event.reference(container.name);
    }
    events.accept(event.build());
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

  /** Space that an image or a container took up, and that is not given back before some time. */
  private record Lingering(Room room, boolean ofContainer, Instant until) {}

  private static final class StoredImage {
    private final Image unnamed;
    private final Map<String, Room> layers;
    private final Map<String, Long> toldSizes;
    private final List<String> tags = new ArrayList<>();
    private final List<String> digests = new ArrayList<>();

    private StoredImage(ImageSpec spec, Map<String, Room> layers, Map<String, Long> toldSizes) {
      this.unnamed = spec.listing(layers.entrySet().stream()
          .map(layer -> Layer.of(
              layer.getKey(),
              toldSizes.getOrDefault(layer.getKey(), layer.getValue().bytes())))
          .toList());
      this.toldSizes = toldSizes;
      this.layers = layers;
    }

    private ImageId id() {
      return unnamed.id();
    }

    private void lose(String reference) {
      String name = ImageName.inFull(reference);
      tags.removeIf(tag -> ImageName.inFull(tag).equals(name));
      digests.removeIf(digest -> ImageName.inFull(digest).equals(name));
    }

    private void addDigest(String reference) {
      if (!hasDigest(ImageName.inFull(reference))) {
        digests.add(reference);
      }
    }

    private boolean hasDigest(String nameInFull) {
      return digests.stream().anyMatch(digest -> ImageName.inFull(digest).equals(nameInFull));
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
    private final Map<String, Room> layers;
    private final Room written;
    private final boolean tellsTimes;
    private final Instant createdAt;
    private final @Nullable ImageId image; // what events tell: the first one
    private final @Nullable String name; // by which it was created from that image
    private final @Nullable String containerName;
    private ContainerState state;
    private @Nullable Instant finishedAt;

    private StoredContainer(
        ContainerSpec spec, Map<String, Room> layers, @Nullable String name, Instant now) {
      this.id = spec.id;
      this.image = spec.images.stream().findFirst().orElse(null);
      this.name = name;
      this.containerName = spec.name;
      this.images = Set.copyOf(spec.images);
      this.labels = Map.copyOf(spec.labels);
      this.layers = layers;
      this.written = spec.written;
      this.tellsTimes = spec.tellsTimes;
      this.createdAt = spec.createdAt == null ? now : spec.createdAt;
      this.state = spec.state;
      this.finishedAt =
          spec.finishedAt == null && state.equals(ContainerState.EXITED) ? now : spec.finishedAt;
    }

    private boolean isAlive() {
      return !state.equals(ContainerState.CREATED)
          && !state.equals(ContainerState.EXITED)
          && !state.equals(ContainerState.DEAD);
    }

    private Container listed() {
      Container.Builder container = Container.builder(id).state(state).labels(labels);
      if (containerName != null) {
        container.name(containerName);
      }
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
