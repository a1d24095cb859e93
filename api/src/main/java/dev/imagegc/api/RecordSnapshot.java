/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The history of a node's images at one moment, as a {@link RecordStore} keeps it.
 *
 * <p>Times of entries are on the collector's time line at {@link #savedAt()}; the collector moves them to its own when it
 * loads them. The time between save and load counts only where {@link #bootTime()} proves it.
 */
public final class RecordSnapshot {
  private final Instant savedAt;
  private final Instant wallTime;
  private final @Nullable BootTime bootTime;
  private final List<Entry> entries;

  private RecordSnapshot(
      Instant savedAt, Instant wallTime, @Nullable BootTime bootTime, List<Entry> entries) {
    this.savedAt = Objects.requireNonNull(savedAt, "savedAt");
    this.wallTime = Objects.requireNonNull(wallTime, "wallTime");
    this.bootTime = bootTime;
    this.entries = List.copyOf(entries);
  }

  /**
   * Returns a snapshot.
   *
   * @param savedAt when, on the time line of the entries
   * @param wallTime when, by the wall clock
   * @param bootTime when, by the machine's uptime, if it is known
   * @param entries the history
   * @return the snapshot
   */
  public static RecordSnapshot of(
      Instant savedAt, Instant wallTime, Optional<BootTime> bootTime, List<Entry> entries) {
    return new RecordSnapshot(savedAt, wallTime, bootTime.orElse(null), entries);
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
   * Returns the history.
   *
   * @return one entry for each image
   */
  public List<Entry> entries() {
    return entries;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RecordSnapshot that
        && that.savedAt.equals(savedAt)
        && that.wallTime.equals(wallTime)
        && Objects.equals(that.bootTime, bootTime)
        && that.entries.equals(entries);
  }

  @Override
  public int hashCode() {
    return Objects.hash(savedAt, entries);
  }

  @Override
  public String toString() {
    return "RecordSnapshot[" + entries.size() + " entries, saved at " + savedAt + "]";
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
     * Returns an entry.
     *
     * @param id the image
     * @param firstDetected when it was first seen
     * @param lastUsed when it was last seen in use, if ever
     * @return the entry
     */
    public static Entry of(ImageId id, Instant firstDetected, Optional<Instant> lastUsed) {
      return new Entry(id, firstDetected, lastUsed.orElse(null));
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
}
