/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.Maps;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.RecordSnapshot;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of the node's images. One thread writes; any thread reads, without waiting.
 *
 * <p>A listing replaces the whole map at once; single images change in place.
 */
final class RecordBook {
  private volatile ConcurrentMap<ImageId, ImageRecord> records = new ConcurrentHashMap<>();

  /** History of images that were not listed yet. */
  private Map<ImageId, RecordSnapshot.Entry> restored = Map.of();

  Collection<ImageRecord> records() {
    return List.copyOf(records.values());
  }

  /**
   * Takes over a listing: new images are first detected now, those in use are used now, those that are not listed are
   * forgotten.
   */
  void merge(NodeView view, Instant now) {
    Map<ImageId, ImageRecord> known = records;
    ConcurrentMap<ImageId, ImageRecord> merged =
        new ConcurrentHashMap<>(2 * view.images().size());
    for (Image image : view.images().values()) {
      ImageRecord before = remembered(image, known.get(image.id()), now);
      boolean used = view.users().containsKey(image.id());
      merged.put(image.id(), used ? used(image, before, now) : listed(image, before));
    }
    restored = Map.of();
    records = merged;
  }

  /** Notes that an image was seen in use between two listings. */
  void markUsed(ImageId id, Instant now) {
    records.computeIfPresent(id, (unused, record) -> used(record.image(), record, now));
  }

  /** Forgets an image that is gone. */
  void forget(ImageId id) {
    records.remove(id);
  }

  /**
   * Takes over stored history.
   *
   * @param shift what moves the times of the snapshot to this time line
   */
  void restore(RecordSnapshot snapshot, Duration shift, Instant now) {
    Map<ImageId, RecordSnapshot.Entry> entries =
        Maps.newHashMapWithExpectedSize(snapshot.entries().size());
    for (RecordSnapshot.Entry entry : snapshot.entries()) {
      Optional<Instant> lastUsed = entry.lastUsed().map(at -> earlier(at.plus(shift), now));
      entries.put(
          entry.id(),
          RecordSnapshot.Entry.of(
              entry.id(), earlier(entry.firstDetected().plus(shift), now), lastUsed));
    }
    restored = entries;
  }

  List<RecordSnapshot.Entry> entries() {
    return records.values().stream()
        .map(record ->
            RecordSnapshot.Entry.of(record.id(), record.firstDetected(), record.lastUsed()))
        .toList();
  }

  /** What is known of an image from this process and from stored history, which may have been loaded later. */
  private ImageRecord remembered(Image image, @Nullable ImageRecord known, Instant now) {
    RecordSnapshot.Entry entry = restored.get(image.id());
    if (entry == null) {
      return known == null ? ImageRecord.of(image, now) : known;
    }
    Instant firstDetected = known == null
        ? entry.firstDetected()
        : earlier(known.firstDetected(), entry.firstDetected());
    Optional<Instant> lastUsed =
        known == null ? entry.lastUsed() : known.lastUsed().or(entry::lastUsed);
    return record(image, firstDetected, lastUsed);
  }

  private static ImageRecord used(Image image, ImageRecord before, Instant now) {
    return ImageRecord.of(image, before.firstDetected(), now);
  }

  private static ImageRecord listed(Image image, ImageRecord before) {
    return image.equals(before.image())
        ? before
        : record(image, before.firstDetected(), before.lastUsed());
  }

  private static ImageRecord record(
      Image image, Instant firstDetected, Optional<Instant> lastUsed) {
    return lastUsed.isPresent()
        ? ImageRecord.of(image, firstDetected, lastUsed.get())
        : ImageRecord.of(image, firstDetected);
  }

  private static Instant earlier(Instant a, Instant b) {
    return a.isBefore(b) ? a : b;
  }
}
