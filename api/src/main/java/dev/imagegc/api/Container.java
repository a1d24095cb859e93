/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One container as an engine lists it: a user of images. A pod sandbox counts as a container of its pause image.
 *
 * <p>Containers in every state hold their images: running ones, and those that were created, paused or ended and not
 * yet removed.
 */
public final class Container {
  private final String id;
  private final Set<ImageId> images;
  private final ContainerState state;
  private final @Nullable String name;
  private final @Nullable Instant createdAt;
  private final @Nullable Instant finishedAt;
  private final Map<String, String> labels;

  private Container(Builder builder) {
    this.id = builder.id;
    this.images = Set.copyOf(builder.images);
    this.state = builder.state;
    this.name = builder.name;
    this.createdAt = builder.createdAt;
    this.finishedAt = builder.finishedAt;
    this.labels = Map.copyOf(builder.labels);
  }

  /**
   * Starts a description of a container that holds no image yet.
   *
   * @param id the container's id inside its engine, not blank
   * @return a builder; not thread-safe
   */
  public static Builder builder(String id) {
    return new Builder(id);
  }

  /**
   * Returns the container's identity.
   *
   * @return the id
   */
  public String id() {
    return id;
  }

  /**
   * Returns every image that the container holds: the one it was created from and those mounted into it. An id that is
   * not in the image listing (its image was removed by force, say) is allowed.
   *
   * @return the ids, possibly none
   */
  public Set<ImageId> images() {
    return images;
  }

  /**
   * Returns the container's state.
   *
   * @return the state
   */
  public ContainerState state() {
    return state;
  }

  /**
   * Returns the container's name.
   *
   * @return the name, or empty if it has none
   */
  public Optional<String> name() {
    return Optional.ofNullable(name);
  }

  /**
   * Returns when the container was created.
   *
   * @return the engine's time, or empty if it does not tell
   */
  public Optional<Instant> createdAt() {
    return Optional.ofNullable(createdAt);
  }

  /**
   * Returns when the container ended.
   *
   * @return the engine's time, or empty if it still runs, never ran, or the engine does not tell
   */
  public Optional<Instant> finishedAt() {
    return Optional.ofNullable(finishedAt);
  }

  /**
   * Returns the container's labels.
   *
   * @return the labels, possibly none
   */
  public Map<String, String> labels() {
    return labels;
  }

  @Override
  public String toString() {
    return "Container[" + (name == null ? id : name) + " " + state + " " + images + "]";
  }

  /** Builds a {@link Container}. Not thread-safe. */
  public static final class Builder {
    private final String id;
    private final Set<ImageId> images = new LinkedHashSet<>();
    private ContainerState state = ContainerState.UNKNOWN;
    private @Nullable String name;
    private @Nullable Instant createdAt;
    private @Nullable Instant finishedAt;
    private Map<String, String> labels = Map.of();

    private Builder(String id) {
      if (Objects.requireNonNull(id, "id").isBlank()) {
        throw new IllegalArgumentException("container id must not be blank");
      }
      this.id = id;
    }

    /**
     * Adds an image that the container holds.
     *
     * @param imageId the image that it was created from, or one that is mounted into it
     * @return this builder
     */
    public Builder image(ImageId imageId) {
      images.add(Objects.requireNonNull(imageId, "imageId"));
      return this;
    }

    /**
     * Sets the state; unset it is {@link ContainerState#UNKNOWN}.
     *
     * @param newState the state
     * @return this builder
     */
    public Builder state(ContainerState newState) {
      state = Objects.requireNonNull(newState, "newState");
      return this;
    }

    /**
     * Sets the name.
     *
     * @param newName the name
     * @return this builder
     */
    public Builder name(String newName) {
      name = Objects.requireNonNull(newName, "newName");
      return this;
    }

    /**
     * Sets the creation time.
     *
     * @param time the engine's time
     * @return this builder
     */
    public Builder createdAt(Instant time) {
      createdAt = Objects.requireNonNull(time, "time");
      return this;
    }

    /**
     * Sets the time when it ended.
     *
     * @param time the engine's time
     * @return this builder
     */
    public Builder finishedAt(Instant time) {
      finishedAt = Objects.requireNonNull(time, "time");
      return this;
    }

    /**
     * Sets the labels, replacing those set before.
     *
     * @param newLabels the labels
     * @return this builder
     */
    public Builder labels(Map<String, String> newLabels) {
      labels = Objects.requireNonNull(newLabels, "newLabels");
      return this;
    }

    /**
     * Returns the container.
     *
     * @return an immutable container
     */
    public Container build() {
      return new Container(this);
    }
  }
}
