/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.Maps;
import com.google.common.collect.Sets;
import dev.imagegc.api.Container;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Layer;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RecordSnapshot;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of the node's images, and who holds which layer. One thread at a time writes; any thread reads the
 * records, without waiting.
 *
 * <p>A listing that says nothing new changes the images in place: most listings do.
 */
final class RecordBook {
  private final Map<ImageId, TrackedImage> byId = new HashMap<>();
  /** The same images, in the order of the last plan. Replaced, never changed. */
  private volatile List<TrackedImage> images = List.of();

  private final LayerIndex layers = new LayerIndex();
  /** The layers of images that are gone, but that containers still hold. */
  private final Map<ImageId, int[]> orphans = new HashMap<>();
  /** The layers of images that went since the last listing: a container may have been created at the last moment. */
  private final Map<ImageId, List<Layer>> justRemoved = new HashMap<>();

  private boolean holdersKnown = true;
  /** History of images that were not listed yet. */
  private Map<ImageId, RecordSnapshot.Entry> restored = Map.of();

  Collection<ImageRecord> records() {
    return images.stream().map(TrackedImage::record).toList();
  }

  /** Whether an image was in the last listing, and not removed since. For the writing thread. */
  boolean knows(ImageId id) {
    return byId.containsKey(id);
  }

  Inventory inventory() {
    return new Inventory(images, layers, holdersKnown);
  }

  /** Remembers the order of a plan: the next one has less to sort. */
  void arrange(List<TrackedImage> order) {
    images = order;
  }

  /**
   * Takes over a listing: new images are first detected now, those in use are used now, those that are not listed are
   * forgotten.
   *
   * @throws ProtocolException if an image is listed twice; then nothing has changed
   */
  void merge(NodeView view, Instant now) {
    Map<ImageId, TrackedImage> added = new HashMap<>();
    try {
      matchListing(view.images(), added, now);
    } catch (ProtocolException e) {
      images.forEach(image -> image.listed = null);
      throw e;
    }
    List<TrackedImage> vanished = images.size() + added.size() == view.images().size()
        ? List.of()
        : images.stream().filter(image -> image.listed == null).toList();
    byId.putAll(added);
    vanished.forEach(image -> byId.remove(image.id()));
    if (!added.isEmpty() || !vanished.isEmpty()) {
      List<TrackedImage> current = new ArrayList<>(byId.size());
      images.stream().filter(image -> image.listed != null).forEach(current::add);
      current.addAll(added.values());
      images = current;
    }
    findUsers(view.containers(), vanished);
    for (TrackedImage image : images) {
      takeOver(image, now);
    }
    vanished.forEach(this::release);
    restored = Map.of();
  }

  private void matchListing(List<Image> listing, Map<ImageId, TrackedImage> added, Instant now) {
    for (Image image : listing) {
      TrackedImage tracked = byId.get(image.id());
      if (tracked == null) {
        tracked =
            added.computeIfAbsent(image.id(), id -> new TrackedImage(ImageRecord.of(image, now)));
      }
      if (tracked.listed != null) {
        // Two halves of one image: acting on either could miss a name that protects it.
        throw new ProtocolException("the engine listed image " + image.id() + " twice");
      }
      tracked.listed = image;
    }
  }

  private void findUsers(List<Container> containers, List<TrackedImage> vanished) {
    for (TrackedImage image : images) {
      image.user(null);
    }
    Set<ImageId> unlisted = new HashSet<>();
    for (Container container : containers) {
      for (ImageId id : container.images()) {
        TrackedImage image = byId.get(id);
        if (image == null) {
          unlisted.add(id);
        } else {
          image.user(NodeView.firstOf(image.user(), container));
        }
      }
    }
    adoptOrphans(unlisted, vanished);
  }

  /** Keeps hold of the layers of images that are gone for as long as containers need them. */
  private void adoptOrphans(Set<ImageId> unlisted, List<TrackedImage> vanished) {
    for (TrackedImage image : vanished) {
      if (unlisted.contains(image.id())) {
        image.image().layers().ifPresent(known -> orphans.put(image.id(), layers.hold(known)));
      }
    }
    justRemoved.forEach((id, known) -> {
      if (unlisted.contains(id) && !orphans.containsKey(id)) {
        orphans.put(id, layers.hold(known));
      }
    });
    justRemoved.clear();
    Iterator<Map.Entry<ImageId, int[]>> each = orphans.entrySet().iterator();
    while (each.hasNext()) {
      Map.Entry<ImageId, int[]> orphan = each.next();
      if (!unlisted.contains(orphan.getKey())) {
        layers.release(orphan.getValue());
        each.remove();
      }
    }
    holdersKnown = Sets.difference(unlisted, orphans.keySet()).isEmpty();
  }

  private void takeOver(TrackedImage tracked, Instant now) {
    Image listed = Objects.requireNonNull(tracked.listed);
    tracked.listed = null;
    ImageRecord before = tracked.record();
    Image image = listed.equals(before.image()) ? before.image() : listed;
    if (tracked.layers() == null || !image.layers().equals(before.image().layers())) {
      int[] held = tracked.layers();
      tracked.layers(image.layers().map(layers::hold).orElse(null));
      if (held != null) {
        layers.release(held);
      }
    }
    ImageRecord after = remembered(image, before);
    if (tracked.user() != null) {
      after = ImageRecord.of(image, after.firstDetected(), now);
    }
    tracked.record(after);
  }

  /** Notes that an image was seen in use between two listings. */
  void markUsed(ImageId id, @Nullable Container user, Instant now) {
    TrackedImage tracked = byId.get(id);
    if (tracked != null) {
      tracked.record(ImageRecord.of(tracked.image(), tracked.record().firstDetected(), now));
      tracked.user(user);
    }
  }

  /** Forgets an image that was removed. */
  void forget(ImageId id) {
    TrackedImage tracked = byId.remove(id);
    if (tracked != null) {
      images = images.stream().filter(image -> image != tracked).toList();
      release(tracked);
      tracked.image().layers().ifPresent(known -> justRemoved.put(id, known));
    }
  }

  private void release(TrackedImage image) {
    int[] held = image.layers();
    if (held != null) {
      layers.release(held);
    }
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
    return images.stream()
        .map(TrackedImage::record)
        .map(record ->
            RecordSnapshot.Entry.of(record.id(), record.firstDetected(), record.lastUsed()))
        .toList();
  }

  /** What is known of an image from this process and from stored history, which may have been loaded later. */
  @SuppressWarnings("ReferenceEquality") // the caller has made equal images the same
  private ImageRecord remembered(Image image, ImageRecord known) {
    RecordSnapshot.Entry entry = restored.isEmpty() ? null : restored.get(image.id());
    if (entry == null) {
      return image == known.image()
          ? known
          : record(image, known.firstDetected(), known.lastUsed());
    }
    return record(
        image,
        earlier(known.firstDetected(), entry.firstDetected()),
        known.lastUsed().or(entry::lastUsed));
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
