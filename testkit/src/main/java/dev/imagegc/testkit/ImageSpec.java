/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Describes an image that is about to be on a {@link FakeNode}, or in its {@link FakeRegistry}. Without more it has no name, no layer, no parent and an
 * unknown build time. Not thread-safe.
 */
public final class ImageSpec {
  final ImageId id;
  final List<String> tags = new ArrayList<>();
  final List<String> digests = new ArrayList<>();
  final Map<String, Room> layers = new LinkedHashMap<>();
  final Map<String, Long> toldSizes = new LinkedHashMap<>(); // where the engine tells another size
  boolean tellsLayers = true;
  final Map<String, String> labels = new LinkedHashMap<>();

  @Nullable
  ImageId parent;

  @Nullable
  Instant builtAt;

  @Nullable
  String pinnedBecause;

  @Nullable
  OptionalLong listedSize;

  private final Function<ImageSpec, FakeNode> destination;
  private @Nullable String lastLayer;

  ImageSpec(Function<ImageSpec, FakeNode> destination, String id) {
    this.destination = destination;
    this.id = ImageId.of(id);
  }

  /**
   * Gives the image a tag. Another image that has it loses it when this one is added.
   *
   * @param reference the tag, for instance "app:1"
   * @return this spec
   */
  public ImageSpec tag(String reference) {
    tags.add(notBlank(reference));
    return this;
  }

  /**
   * Gives the image a digest reference.
   *
   * @param reference the digest reference, for instance "app@sha256:1234"
   * @return this spec
   */
  public ImageSpec digest(String reference) {
    digests.add(notBlank(reference));
    return this;
  }

  /**
   * Gives the image a layer that no other image has.
   *
   * @param bytes the layer's size, at least 0
   * @return this spec
   */
  public ImageSpec size(long bytes) {
    return layer("private layer of " + id.text(), bytes);
  }

  /**
   * Gives the image a layer, which it shares with every image and container that has one of that name.
   *
   * @param name the layer's name
   * @param bytes the layer's size, at least 0 and the same wherever the layer is named
   * @return this spec
   */
  public ImageSpec layer(String name, long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(
          "size of layer " + name + " must be at least 0, but is " + bytes);
    }
    layers.put(Objects.requireNonNull(name, "name"), new Room(bytes, 0));
    lastLayer = name;
    return this;
  }

  /**
   * Makes the layer that was named last, by whichever method, take inodes as well. Without, it takes none.
   *
   * @param number how many, at least 0 and the same wherever the layer is named
   * @return this spec
   */
  public ImageSpec inodes(long number) {
    String layer = lastLayer;
    if (layer == null) {
      throw new IllegalStateException("inodes belong to a layer, and none is named before them");
    }
    if (number < 0) {
      throw new IllegalArgumentException(
          "inodes of layer " + layer + " must be at least 0, but are " + number);
    }
    layers.computeIfPresent(layer, (name, room) -> room.withInodes(number));
    return this;
  }

  /**
   * Gives the image a layer whose size the engine tells wrongly, as for many small files, which take more of a disk than
   * their lengths add up to.
   *
   * @param name the layer's name
   * @param bytes what it takes up on the disk, at least 0 and the same wherever the layer is named
   * @param toldBytes what the engine tells, at least 0 and the same wherever the layer is named
   * @return this spec
   */
  public ImageSpec layer(String name, long bytes, long toldBytes) {
    layer(name, bytes);
    if (toldBytes < 0) {
      throw new IllegalArgumentException(
          "told size of layer " + name + " must be at least 0, but is " + toldBytes);
    }
    toldSizes.put(name, toldBytes);
    return this;
  }

  /**
   * Makes the listing tell nothing of this image's layers, so that only its size is known.
   *
   * @return this spec
   */
  public ImageSpec unknownLayers() {
    tellsLayers = false;
    return this;
  }

  /**
   * Builds the image on another one, whose layers it then has as well.
   *
   * @param imageId an image of the node
   * @return this spec
   */
  public ImageSpec parent(String imageId) {
    parent = ImageId.of(imageId);
    return this;
  }

  /**
   * Sets the build time.
   *
   * @param time when the image was built
   * @return this spec
   */
  public ImageSpec builtAt(Instant time) {
    builtAt = Objects.requireNonNull(time, "time");
    return this;
  }

  /**
   * Pins the image. The node only reports that; like real engines it would remove the image all the same.
   *
   * @param because why, for people
   * @return this spec
   */
  public ImageSpec pinned(String because) {
    pinnedBecause = Objects.requireNonNull(because, "because");
    return this;
  }

  /**
   * Gives the image a label.
   *
   * @param key the label's key
   * @param value the label's value
   * @return this spec
   */
  public ImageSpec label(String key, String value) {
    labels.put(key, value);
    return this;
  }

  /**
   * Sets the size that the listing claims, instead of the sum of all layers.
   *
   * @param bytes the size, at least 0
   * @return this spec
   */
  public ImageSpec listedSize(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(
          "listedSize of image " + id + " must be at least 0, but is " + bytes);
    }
    listedSize = OptionalLong.of(bytes);
    return this;
  }

  /**
   * Makes the listing tell no size.
   *
   * @return this spec
   */
  public ImageSpec unknownSize() {
    listedSize = OptionalLong.empty();
    return this;
  }

  /**
   * Puts the image on the node, or into the registry, where it was begun.
   *
   * @return the node
   * @throws IllegalArgumentException if the node has an image of that id, lacks the parent, knows one of the layers with
   *     another size, or has no space for the new layers; or if a registry's image has a parent or no name
   */
  public FakeNode add() {
    return destination.apply(this);
  }

  /** Returns how the image is listed, but for its names. */
  Image listing(List<Layer> told) {
    Image.Builder image = Image.builder(id).labels(labels);
    long sum = told.stream().mapToLong(Layer::sizeBytes).sum();
    (listedSize == null ? OptionalLong.of(sum) : listedSize).ifPresent(image::sizeBytes);
    if (tellsLayers) {
      image.layers(told);
    }
    if (builtAt != null) {
      image.builtAt(builtAt);
    }
    if (parent != null) {
      image.parent(parent);
    }
    if (pinnedBecause != null) {
      image.pinned(pinnedBecause);
    }
    return image.build();
  }

  private static String notBlank(String reference) {
    if (reference.isBlank()) {
      throw new IllegalArgumentException("reference must not be blank");
    }
    return reference;
  }
}
