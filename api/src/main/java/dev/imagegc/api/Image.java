/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** One image as an engine lists it. */
public final class Image {
  private static final long UNKNOWN = -1;
  private static final long UNKNOWN_TIME = Long.MIN_VALUE; // before the first instant

  private final ImageId id;
  private final List<String> references;
  private final long sizeBytes; // or UNKNOWN
  private final long
      builtAtSecond; // or UNKNOWN_TIME; two numbers are less than an object, and nearer
  private final int builtAtNano;
  private final @Nullable ImageId parent;
  private final @Nullable String pinnedBecause;
  private final Map<String, String> labels;
  private final @Nullable List<Layer> layers;

  private Image(Builder builder) {
    this.id = builder.id;
    this.references = List.copyOf(builder.references);
    this.sizeBytes = builder.sizeBytes;
    this.builtAtSecond = builder.builtAt == null ? UNKNOWN_TIME : builder.builtAt.getEpochSecond();
    this.builtAtNano = builder.builtAt == null ? 0 : builder.builtAt.getNano();
    this.parent = builder.parent;
    this.pinnedBecause = builder.pinnedBecause;
    this.labels = Map.copyOf(builder.labels);
    this.layers = builder.layers;
  }

  /**
   * Starts a description of an image without names, of unknown size and build time.
   *
   * @param id the image's id
   * @return a builder; not thread-safe
   */
  public static Builder builder(ImageId id) {
    return new Builder(id);
  }

  /**
   * Returns the image's identity.
   *
   * @return the id
   */
  public ImageId id() {
    return id;
  }

  /**
   * Returns the names of the image as the engine reports them: tags ({@code repo:tag}) first, then digests
   * ({@code repo@sha256:...}). Placeholders such as {@code <none>:<none>} are not names.
   *
   * @return the references, possibly none
   */
  public List<String> references() {
    return references;
  }

  /**
   * Returns the size that the engine lists, in bytes. What it means differs between engines (shared layers are counted
   * in every image; some count compressed blobs), so without {@link #layers()} it is only an estimate of what a removal
   * frees.
   *
   * @return the size, at least 0, or empty if the engine does not tell
   */
  public OptionalLong sizeBytes() {
    return sizeBytes == UNKNOWN ? OptionalLong.empty() : OptionalLong.of(sizeBytes);
  }

  /**
   * Returns when the image was built, which is not when it arrived on this node.
   *
   * @return the build time, or empty if the engine does not tell
   */
  public Optional<Instant> builtAt() {
    return builtAtSecond == UNKNOWN_TIME
        ? Optional.empty()
        : Optional.of(Instant.ofEpochSecond(builtAtSecond, builtAtNano));
  }

  /**
   * Returns the image that this one was built on. While this image stays, its parent stays too: engines refuse to remove
   * the parent, or remove only its names.
   *
   * @return the parent's id, which need not be in the listing; empty if there is none or the engine does not tell
   */
  public Optional<ImageId> parent() {
    return Optional.ofNullable(parent);
  }

  /**
   * Returns why the engine, or its adapter, says that this image must not be collected.
   *
   * @return a short sentence for people, or empty if the image is not pinned
   */
  public Optional<String> pinnedBecause() {
    return Optional.ofNullable(pinnedBecause);
  }

  /**
   * Returns the labels that the image was built with.
   *
   * @return the labels, possibly none
   */
  public Map<String, String> labels() {
    return labels;
  }

  /**
   * Returns the layers that the image holds: with them, what a removal frees is computed exactly, because every layer counts
   * once, when its last holder goes.
   *
   * @return every layer, possibly none, in no particular order; empty if the engine does not tell, and then the image is
   *     accounted by its {@link #sizeBytes()}
   */
  public Optional<List<Layer>> layers() {
    return layers == null ? Optional.empty() : Optional.of(layers);
  }

  /**
   * Returns a builder that holds this image's values.
   *
   * @return a builder; not thread-safe
   */
  public Builder toBuilder() {
    Builder builder = new Builder(id);
    builder.references.addAll(references);
    builder.sizeBytes = sizeBytes;
    builder.builtAt = builtAt().orElse(null);
    builder.parent = parent;
    builder.pinnedBecause = pinnedBecause;
    builder.labels = labels;
    builder.layers = layers;
    return builder;
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof Image that)) {
      return false;
    }
    return id.equals(that.id)
        && references.equals(that.references)
        && sizeBytes == that.sizeBytes
        && builtAtSecond == that.builtAtSecond
        && builtAtNano == that.builtAtNano
        && Objects.equals(parent, that.parent)
        && Objects.equals(pinnedBecause, that.pinnedBecause)
        && labels.equals(that.labels)
        && Objects.equals(layers, that.layers);
  }

  @Override
  public int hashCode() {
    return id.hashCode();
  }

  @Override
  public String toString() {
    return "Image[" + id.shortText() + (references.isEmpty() ? "" : " " + references) + "]";
  }

  /** Builds an {@link Image}. Not thread-safe. */
  public static final class Builder {
    private final ImageId id;
    private final List<String> references = new ArrayList<>();
    private long sizeBytes = UNKNOWN;
    private @Nullable Instant builtAt;
    private @Nullable ImageId parent;
    private @Nullable String pinnedBecause;
    private Map<String, String> labels = Map.of();
    private @Nullable List<Layer> layers;

    private Builder(ImageId id) {
      this.id = Objects.requireNonNull(id, "id");
    }

    /**
     * Adds a name.
     *
     * @param reference a tag or digest reference as the engine reports it, not blank
     * @return this builder
     */
    public Builder reference(String reference) {
      if (Objects.requireNonNull(reference, "reference").isBlank()) {
        throw new IllegalArgumentException("reference of image " + id + " must not be blank");
      }
      references.add(reference);
      return this;
    }

    /**
     * Sets the listed size.
     *
     * @param bytes the size in bytes, at least 0
     * @return this builder
     */
    public Builder sizeBytes(long bytes) {
      if (bytes < 0) {
        throw new IllegalArgumentException("sizeBytes of image " + id
            + " must be at least 0, but is " + bytes + "; leave it unset if it is unknown");
      }
      sizeBytes = bytes;
      return this;
    }

    /**
     * Sets the build time.
     *
     * @param time when the image was built
     * @return this builder
     */
    public Builder builtAt(Instant time) {
      builtAt = Objects.requireNonNull(time, "time");
      return this;
    }

    /**
     * Sets the parent.
     *
     * @param parentId the image that this one was built on
     * @return this builder
     */
    public Builder parent(ImageId parentId) {
      parent = Objects.requireNonNull(parentId, "parentId");
      return this;
    }

    /**
     * Says that the image must not be collected.
     *
     * @param because why, as a short sentence for people
     * @return this builder
     */
    public Builder pinned(String because) {
      pinnedBecause = Objects.requireNonNull(because, "because");
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
     * Says that all layers of the image are known.
     *
     * @param all every layer that the image holds; may be empty
     * @return this builder
     */
    public Builder layers(List<Layer> all) {
      layers = List.copyOf(all);
      return this;
    }

    /**
     * Returns the image.
     *
     * @return an immutable image
     */
    public Image build() {
      return new Image(this);
    }
  }
}
