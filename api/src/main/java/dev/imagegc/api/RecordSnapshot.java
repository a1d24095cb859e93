/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The history of a node's images at one moment, as a {@link RecordStore} keeps it. Immutable.
 *
 * <p>Times of entries are on the collector's time line at {@link #savedAt()}; the collector moves them to its own when it
 * loads them. The time between save and load counts only where {@link #bootTime()} proves it.
 */
public final class RecordSnapshot {
  private final Instant savedAt;
  private final Instant wallTime;
  private final @Nullable BootTime bootTime;
  private final List<Entry> entries;
  private final List<RememberedEntry> remembered;
  private final List<LeaseEntry> leases;

  private RecordSnapshot(Builder builder) {
    this.savedAt = builder.savedAt;
    this.wallTime = builder.wallTime;
    this.bootTime = builder.bootTime;
    this.entries = builder.entries;
    this.remembered = builder.remembered;
    this.leases = builder.leases;
  }

  /**
   * Starts a snapshot without history.
   *
   * @param savedAt when it is made, on the time line of the entries
   * @param wallTime when it is made, by the wall clock
   * @return a builder; not thread-safe
   */
  public static Builder builder(Instant savedAt, Instant wallTime) {
    return new Builder(savedAt, wallTime);
  }

  /**
   * Returns when it was made, on the time line of the entries.
   *
   * @return the time
   */
  public Instant savedAt() {
    return savedAt;
  }

  /**
   * Returns when it was made, by the wall clock.
   *
   * @return the time
   */
  public Instant wallTime() {
    return wallTime;
  }

  /**
   * Returns when it was made, by the machine's uptime.
   *
   * @return the reading, or empty if it was not known
   */
  public Optional<BootTime> bootTime() {
    return Optional.ofNullable(bootTime);
  }

  /**
   * Returns the history of the images that the node had.
   *
   * @return one entry for each image
   */
  public List<Entry> entries() {
    return entries;
  }

  /**
   * Returns what is remembered of images that the node had no more.
   *
   * @return one entry for each image, those that went first at the beginning
   */
  public List<RememberedEntry> remembered() {
    return remembered;
  }

  /**
   * Returns the leases that were active.
   *
   * @return one entry for each lease
   */
  public List<LeaseEntry> leases() {
    return leases;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RecordSnapshot that
        && that.savedAt.equals(savedAt)
        && that.wallTime.equals(wallTime)
        && Objects.equals(that.bootTime, bootTime)
        && that.entries.equals(entries)
        && that.remembered.equals(remembered)
        && that.leases.equals(leases);
  }

  @Override
  public int hashCode() {
    return Objects.hash(savedAt, entries);
  }

  @Override
  public String toString() {
    return "RecordSnapshot[" + entries.size() + " images, " + remembered.size() + " remembered, "
        + leases.size() + " leases, saved at " + savedAt + "]";
  }

  /** The history of one image. */
  public static final class Entry {
    private final ImageId id;
    private final Instant firstDetected;
    private final @Nullable Instant lastUsed;

    private Entry(ImageId id, Instant firstDetected, @Nullable Instant lastUsed) {
      this.id = Objects.requireNonNull(id, "id");
      this.firstDetected = Objects.requireNonNull(firstDetected, "firstDetected");
      this.lastUsed = lastUsed;
    }

    /**
     * Returns the entry of an image that was never seen in use.
     *
     * @param id the image
     * @param firstDetected when it was first seen
     * @return the entry
     */
    public static Entry of(ImageId id, Instant firstDetected) {
      return new Entry(id, firstDetected, null);
    }

    /**
     * Returns the entry of an image that was seen in use.
     *
     * @param id the image
     * @param firstDetected when it was first seen
     * @param lastUsed when it was last seen in use
     * @return the entry
     */
    public static Entry of(ImageId id, Instant firstDetected, Instant lastUsed) {
      return new Entry(id, firstDetected, Objects.requireNonNull(lastUsed, "lastUsed"));
    }

    /**
     * Returns the image.
     *
     * @return the id
     */
    public ImageId id() {
      return id;
    }

    /**
     * Returns when the image was first seen.
     *
     * @return the time
     */
    public Instant firstDetected() {
      return firstDetected;
    }

    /**
     * Returns when the image was last seen in use.
     *
     * @return the time, or empty if it never was
     */
    public Optional<Instant> lastUsed() {
      return Optional.ofNullable(lastUsed);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Entry that
          && that.id.equals(id)
          && that.firstDetected.equals(firstDetected)
          && Objects.equals(that.lastUsed, lastUsed);
    }

    @Override
    public int hashCode() {
      return id.hashCode();
    }

    @Override
    public String toString() {
      return id.shortText() + " firstDetected=" + firstDetected + " lastUsed="
          + (lastUsed == null ? "never" : lastUsed);
    }
  }

  /** What is remembered of an image that is gone: what it needs when it comes back. */
  public static final class RememberedEntry {
    private final ImageId id;
    private final Instant lastUsed;
    private final Instant goneAt;

    private RememberedEntry(ImageId id, Instant lastUsed, Instant goneAt) {
      this.id = Objects.requireNonNull(id, "id");
      this.lastUsed = Objects.requireNonNull(lastUsed, "lastUsed");
      this.goneAt = Objects.requireNonNull(goneAt, "goneAt");
    }

    /**
     * Returns an entry.
     *
     * @param id the image
     * @param lastUsed when it was last seen in use
     * @param goneAt when it was removed, or first not listed any more
     * @return the entry
     */
    public static RememberedEntry of(ImageId id, Instant lastUsed, Instant goneAt) {
      return new RememberedEntry(id, lastUsed, goneAt);
    }

    /**
     * Returns the image.
     *
     * @return the id
     */
    public ImageId id() {
      return id;
    }

    /**
     * Returns when the image was last seen in use.
     *
     * @return the time
     */
    public Instant lastUsed() {
      return lastUsed;
    }

    /**
     * Returns when the image was removed, or first not listed any more.
     *
     * @return the time
     */
    public Instant goneAt() {
      return goneAt;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof RememberedEntry that
          && that.id.equals(id)
          && that.lastUsed.equals(lastUsed)
          && that.goneAt.equals(goneAt);
    }

    @Override
    public int hashCode() {
      return id.hashCode();
    }

    @Override
    public String toString() {
      return id.shortText() + " lastUsed=" + lastUsed + " goneAt=" + goneAt;
    }
  }

  /** A {@link Lease} that was active: on an image or on a reference, never both. */
  public static final class LeaseEntry {
    private final @Nullable ImageId image;
    private final @Nullable String reference;
    private final Instant expiresAt;

    private LeaseEntry(@Nullable ImageId image, @Nullable String reference, Instant expiresAt) {
      this.image = image;
      this.reference = reference;
      this.expiresAt = Objects.requireNonNull(expiresAt, "expiresAt");
    }

    /**
     * Returns the entry of a lease on an image.
     *
     * @param image the image
     * @param expiresAt when the lease ends if it is not renewed
     * @return the entry
     */
    public static LeaseEntry of(ImageId image, Instant expiresAt) {
      return new LeaseEntry(Objects.requireNonNull(image, "image"), null, expiresAt);
    }

    /**
     * Returns the entry of a lease on a name.
     *
     * @param reference the name
     * @param expiresAt when the lease ends if it is not renewed
     * @return the entry
     */
    public static LeaseEntry of(String reference, Instant expiresAt) {
      return new LeaseEntry(null, Objects.requireNonNull(reference, "reference"), expiresAt);
    }

    /**
     * Returns the leased image.
     *
     * @return the id, or empty if a name is leased
     */
    public Optional<ImageId> image() {
      return Optional.ofNullable(image);
    }

    /**
     * Returns the leased name.
     *
     * @return the reference, or empty if an image is leased
     */
    public Optional<String> reference() {
      return Optional.ofNullable(reference);
    }

    /**
     * Returns when the lease ends if it is not renewed.
     *
     * @return the time
     */
    public Instant expiresAt() {
      return expiresAt;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof LeaseEntry that
          && Objects.equals(that.image, image)
          && Objects.equals(that.reference, reference)
          && that.expiresAt.equals(expiresAt);
    }

    @Override
    public int hashCode() {
      return Objects.hash(image, reference, expiresAt);
    }

    @Override
    public String toString() {
      return (image == null ? reference : image.shortText()) + " until " + expiresAt;
    }
  }

  /** Builds a {@link RecordSnapshot}. Not thread-safe. */
  public static final class Builder {
    private final Instant savedAt;
    private final Instant wallTime;
    private @Nullable BootTime bootTime;
    private List<Entry> entries = List.of();
    private List<RememberedEntry> remembered = List.of();
    private List<LeaseEntry> leases = List.of();

    private Builder(Instant savedAt, Instant wallTime) {
      this.savedAt = Objects.requireNonNull(savedAt, "savedAt");
      this.wallTime = Objects.requireNonNull(wallTime, "wallTime");
    }

    /**
     * Sets when the snapshot is made, by the machine's uptime; unset it is not known.
     *
     * @param newBootTime the reading
     * @return this builder
     */
    public Builder bootTime(BootTime newBootTime) {
      bootTime = Objects.requireNonNull(newBootTime, "bootTime");
      return this;
    }

    /**
     * Sets the history of the images that the node has.
     *
     * @param newEntries one entry for each image
     * @return this builder
     */
    public Builder entries(List<Entry> newEntries) {
      entries = List.copyOf(newEntries);
      return this;
    }

    /**
     * Sets what is remembered of images that the node has no more.
     *
     * @param newRemembered one entry for each image, those that went first at the beginning
     * @return this builder
     */
    public Builder remembered(List<RememberedEntry> newRemembered) {
      remembered = List.copyOf(newRemembered);
      return this;
    }

    /**
     * Sets the active leases.
     *
     * @param newLeases one entry for each lease
     * @return this builder
     */
    public Builder leases(List<LeaseEntry> newLeases) {
      leases = List.copyOf(newLeases);
      return this;
    }

    /**
     * Returns the snapshot.
     *
     * @return an immutable snapshot
     */
    public RecordSnapshot build() {
      return new RecordSnapshot(this);
    }
  }
}
