/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.ContainerState;
import dev.imagegc.api.ImageId;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Describes a container that is about to be on a {@link FakeNode}. Without more it holds no image, has written nothing, runs,
 * and was created when it is added. Not thread-safe.
 */
public final class ContainerSpec {
  final String id;
  final Set<ImageId> images = new LinkedHashSet<>();
  final Map<String, String> labels = new LinkedHashMap<>();
  ContainerState state = ContainerState.RUNNING;

  @Nullable
  String name;

  @Nullable
  Instant createdAt;

  @Nullable
  Instant finishedAt;

  boolean tellsTimes = true;
  Room written = Room.NONE;

  private final FakeNode node;

  ContainerSpec(FakeNode node, String id) {
    this.node = node;
    if (id.isBlank()) {
      throw new IllegalArgumentException("container id must not be blank");
    }
    this.id = id;
  }

  /**
   * Creates the container from an image.
   *
   * @param imageId an image of the node
   * @return this spec
   */
  public ContainerSpec image(String imageId) {
    images.add(ImageId.of(imageId));
    return this;
  }

  /**
   * Mounts an image into the container.
   *
   * @param imageId an image of the node
   * @return this spec
   */
  public ContainerSpec mount(String imageId) {
    return image(imageId); // the node treats both alike
  }

  /**
   * Sets the state.
   *
   * @param newState the state
   * @return this spec
   */
  public ContainerSpec state(ContainerState newState) {
    state = Objects.requireNonNull(newState, "newState");
    return this;
  }

  /**
   * Gives the container a name beside its id.
   *
   * @param newName the name
   * @return this spec
   */
  public ContainerSpec name(String newName) {
    name = Objects.requireNonNull(newName, "newName");
    return this;
  }

  /**
   * Gives the container a label.
   *
   * @param key the label's key
   * @param value the label's value
   * @return this spec
   */
  public ContainerSpec label(String key, String value) {
    labels.put(key, value);
    return this;
  }

  /**
   * Sets the creation time that the listing tells, instead of the time at which the container is added.
   *
   * @param time when the container was created
   * @return this spec
   */
  public ContainerSpec createdAt(Instant time) {
    createdAt = Objects.requireNonNull(time, "time");
    return this;
  }

  /**
   * Sets the time of its end that the listing tells, instead of the time at which the container is added as exited.
   *
   * @param time when the container ended
   * @return this spec
   */
  public ContainerSpec finishedAt(Instant time) {
    finishedAt = Objects.requireNonNull(time, "time");
    return this;
  }

  /**
   * Makes the listing tell neither when the container was created nor when it ended.
   *
   * @return this spec
   */
  public ContainerSpec withoutTimes() {
    tellsTimes = false;
    return this;
  }

  /**
   * Sets what the container has written: its writable layer, which goes with it.
   *
   * @param bytes how many bytes it takes, at least 0
   * @return this spec
   */
  public ContainerSpec writes(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(
          "what container " + id + " writes must be at least 0 bytes, but is " + bytes);
    }
    written = written.withBytes(bytes);
    return this;
  }

  /**
   * Sets how many inodes the container's writable layer takes.
   *
   * @param number how many, at least 0
   * @return this spec
   */
  public ContainerSpec inodes(long number) {
    if (number < 0) {
      throw new IllegalArgumentException(
          "inodes of container " + id + " must be at least 0, but are " + number);
    }
    written = written.withInodes(number);
    return this;
  }

  /**
   * Puts the container on the node.
   *
   * @return the node
   * @throws IllegalArgumentException if the node has a container of that id, lacks one of the images, or has no space for what
   *     the container writes
   */
  public FakeNode add() {
    return node.add(this);
  }
}
