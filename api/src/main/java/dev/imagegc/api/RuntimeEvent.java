/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One thing that happened on a node. It is a hint: events may be lost, doubled or late, and the lists of a {@link Runtime}
 * stay the truth.
 *
 * <p>There is no time in it: what counts is when it arrives, because an engine's clock may be another one.
 */
public final class RuntimeEvent {
  private final RuntimeEventType type;
  private final @Nullable ImageId image;
  private final @Nullable String reference;
  private final @Nullable String container;

  private RuntimeEvent(Builder builder) {
    this.type = builder.type;
    this.image = builder.image;
    this.reference = builder.reference;
    this.container = builder.container;
  }

  /**
   * Starts an event that names nothing.
   *
   * @param type what happened
   * @return a builder; not thread-safe
   */
  public static Builder builder(RuntimeEventType type) {
    return new Builder(type);
  }

  /**
   * Returns what happened.
   *
   * @return the type
   */
  public RuntimeEventType type() {
    return type;
  }

  /**
   * Returns the image that it happened to, or that the container was made from.
   *
   * @return its id as in {@link Runtime#listImages()}, or empty if only a name is known, or nothing
   */
  public Optional<ImageId> image() {
    return Optional.ofNullable(image);
  }

  /**
   * Returns the name that the image was called by. It may belong to another image by now.
   *
   * @return the reference as the engine wrote it, or empty if none was given
   */
  public Optional<String> reference() {
    return Optional.ofNullable(reference);
  }

  /**
   * Returns the container that it happened to.
   *
   * @return its id as in {@link Runtime#listContainers()}, or empty if it happened to an image alone
   */
  public Optional<String> container() {
    return Optional.ofNullable(container);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RuntimeEvent that
        && that.type.equals(type)
        && Objects.equals(that.image, image)
        && Objects.equals(that.reference, reference)
        && Objects.equals(that.container, container);
  }

  @Override
  public int hashCode() {
    return Objects.hash(type, image, reference, container);
  }

  @Override
  public String toString() {
    return type
        + (container == null ? "" : " container=" + container)
        + (image == null ? "" : " image=" + image.shortText())
        + (reference == null ? "" : " reference=" + reference);
  }

  /** Builds a {@link RuntimeEvent}. Not thread-safe. */
  public static final class Builder {
    private final RuntimeEventType type;
    private @Nullable ImageId image;
    private @Nullable String reference;
    private @Nullable String container;

    private Builder(RuntimeEventType type) {
      this.type = Objects.requireNonNull(type, "type");
    }

    /**
     * Sets {@link RuntimeEvent#image()}.
     *
     * @param id the image
     * @return this builder
     */
    public Builder image(ImageId id) {
      image = Objects.requireNonNull(id, "id");
      return this;
    }

    /**
     * Sets {@link RuntimeEvent#reference()}.
     *
     * @param name the name, as the engine wrote it
     * @return this builder
     */
    public Builder reference(String name) {
      reference = Objects.requireNonNull(name, "name");
      return this;
    }

    /**
     * Sets {@link RuntimeEvent#container()}.
     *
     * @param id the container
     * @return this builder
     */
    public Builder container(String id) {
      container = Objects.requireNonNull(id, "id");
      return this;
    }

    /**
     * Returns the event.
     *
     * @return an immutable event
     */
    public RuntimeEvent build() {
      return new RuntimeEvent(this);
    }
  }
}
