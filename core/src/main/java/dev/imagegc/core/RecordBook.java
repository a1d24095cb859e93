/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.Maps;
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
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of the node's images, and who holds which layer. One thread at a time writes; any thread reads the
 * records, without waiting, and notes what it hears of images between two listings.
 *
 * <p>Most listings say nothing new; they change the images in place.
 */
final class RecordBook {
  private final Map<ImageId, TrackedImage> byId = new ConcurrentHashMap<>();
  /** The same images, in the order of the last plan. Replaced, never changed. */
  private volatile List<TrackedImage> images = List.of();

  private final Sightings sightings = new Sightings();
  private final HeldLayers layers = new HeldLayers();
  private int listings; // so far; each has a number
  private TrackedImage[] lastListing = {};
  /** History of images that were not listed yet. Replaced under the lock of {@link #gone}, never changed. */
  private Map<ImageId, RecordSnapshot.Entry> restored = Map.of();
  /** Images that are gone. Its lock makes it, {@link #images} and {@link #restored} change together for those who store them. */
  private final RememberedImages gone;

  private volatile Runnable onChange = () -> {};

  RecordBook() {
    this(new RememberedImages(0, Duration.ZERO));
  }

  RecordBook(RememberedImages gone) {
    this.gone = gone;
  }

  /** Sets who is told when something changed that is to be stored: on the writing thread, afterwards. */
  void onChange(Runnable listener) {
    onChange = listener;
  }

  Collection<ImageRecord> records() {
    List<TrackedImage> current = images;
    ImageRecord[] records = new ImageRecord[current.size()];
    Arrays.setAll(records, i -> current.get(i).record());
    return Collections.unmodifiableList(Arrays.asList(records));
  }

  /** Returns the record of one image, for any thread. */
  Optional<ImageRecord> record(ImageId id) {
    return Optional.ofNullable(byId.get(id)).map(TrackedImage::record);
  }

  /** Returns an image of the last listing that was not removed since, or null. For the writing thread. */
  @Nullable
  TrackedImage image(ImageId id) {
    return byId.get(id);
  }

  Inventory inventory() {
    return layers.inventory(images);
  }

  /** Forgets which containers hold the images: after a plan, or if none is wanted. */
  void releaseUsers() {
    images.forEach(TrackedImage::releaseUser);
  }

  /** Remembers the order of a plan: the next one has less to sort. */
  void arrange(List<TrackedImage> order) {
    images = order;
  }

  /**
   * Takes over a listing: new images are first detected now, those in use are used now, those that are not listed are
   * forgotten. What was heard of them before counts as seen.
   *
   * @param began when the listing began: what was heard later may be missing in it
   * @param now when it ended
   * @throws ProtocolException if an image is listed twice: acting on either half could miss a name that protects it
   */
  void merge(NodeView view, Instant began, Instant now) {
    listings++;
    Map<ImageId, Container> unknownUsed = markUsers(view.containers());
    TrackedImage[] listing = new TrackedImage[view.images().size()];
    List<TrackedImage> added = new ArrayList<>();
    List<TrackedImage> changed = new ArrayList<>();
    boolean isNews = false;
    for (int i = 0; i < listing.length; i++) {
      Image image = view.images().get(i);
      TrackedImage tracked = find(image.id(), i);
      if (tracked == null) {
        tracked = add(image, unknownUsed.remove(image.id()), now);
        added.add(tracked);
        isNews |= !restored.containsKey(image.id());
      }
      if (!tracked.markListed(listings)) {
        added.forEach(this::drop);
        hold(changed);
        throw new ProtocolException("the engine listed image " + image.id() + " twice");
      }
      isNews |= takeOver(tracked, image, now, changed);
      listing[i] = tracked;
    }
    lastListing = listing;
    List<TrackedImage> vanished = vanished();
    layers.adoptOrphans(
        unknownUsed.keySet(),
        vanished.stream().filter(image -> image.user(listings) != null).toList());
    vanished.forEach(this::drop);
    hold(changed);
    boolean imagesChanged = publish(added, vanished, now);
    boolean heard = takeOverSightings(began);
    if (imagesChanged || heard || isNews) {
      onChange.run();
    }
  }

  /** Begins to track an image; what is remembered of it, should it have been here before, is when it was used. */
  private TrackedImage add(Image image, @Nullable Container user, Instant now) {
    Optional<Instant> lastUsed = Optional.ofNullable(gone.lastUsed(image.id()));
    TrackedImage tracked = new TrackedImage(record(image, now, lastUsed));
    if (user != null) {
      tracked.usedBy(user, listings);
    }
    byId.put(image.id(), tracked);
    return tracked;
  }

  private List<TrackedImage> vanished() {
    return byId.size() == lastListing.length
        ? List.of()
        : images.stream().filter(image -> !image.wasListedIn(listings)).toList();
  }

  /** Shows everybody which images there are now and which are gone; returns whether some are gone since. */
  private boolean publish(List<TrackedImage> added, List<TrackedImage> vanished, Instant now) {
    synchronized (gone) {
      vanished.forEach(image -> gone.add(image.id(), image.record().lastUsed(), now));
      List<RecordSnapshot.Entry> goneMeanwhile = restored.values().stream()
          .filter(entry -> !byId.containsKey(entry.id()))
          .toList();
      goneMeanwhile.forEach(entry -> gone.add(entry.id(), entry.lastUsed(), now));
      restored = Map.of();
      added.forEach(image -> gone.remove(image.id()));
      if (!added.isEmpty() || !vanished.isEmpty()) {
        images = Stream.concat(
                images.stream().filter(image -> image.wasListedIn(listings)), added.stream())
            .toList();
      }
      return gone.forgetOld(now) || !vanished.isEmpty() || !goneMeanwhile.isEmpty();
    }
  }

  /** Returns whether that is news. */
  private boolean takeOverSightings(Instant began) {
    Map<ImageId, Sightings.Sighting> sighted = sightings.take(began, byId::containsKey);
    sighted.forEach((id, sighting) -> {
      TrackedImage image = byId.get(id);
      if (image != null) {
        image.takeOver(sighting);
      } else if (sighting.lastUsed() != null && sighting.heardAt().isBefore(began)) {
        synchronized (gone) { // it came, was used and went
          gone.add(id, Optional.of(sighting.lastUsed()), sighting.heardAt());
        }
      }
    });
    Map<String, Instant> names = sightings.takeNames(began);
    names.forEach(this::markUsed);
    return !sighted.isEmpty() || !names.isEmpty();
  }

  /** Most listings have the order of the one before. */
  private @Nullable TrackedImage find(ImageId id, int position) {
    if (position < lastListing.length) {
      TrackedImage before = lastListing[position];
      if (!before.isForgotten() && before.id().equals(id)) {
        return before;
      }
    }
    return byId.get(id);
  }

  /** Notes which images the containers hold; returns those images that are not known. */
  private Map<ImageId, Container> markUsers(List<Container> containers) {
    Map<ImageId, Container> unknown = new HashMap<>();
    for (Container container : containers) {
      for (ImageId id : container.images()) {
        TrackedImage image = byId.get(id);
        if (image == null) {
          unknown.merge(id, container, NodeView::firstOf);
        } else {
          image.usedBy(container, listings);
        }
      }
    }
    return unknown;
  }

  /** Adds an image to those whose layers are to be held anew. Returns whether its times are others than those stored. */
  private boolean takeOver(
      TrackedImage tracked, Image listed, Instant now, List<TrackedImage> toHold) {
    ImageRecord before = tracked.record();
    boolean same = listed.equals(before.image()) && haveSameSizes(listed, before.image());
    Image image = same ? before.image() : listed;
    if (!same || tracked.layers() == null) {
      layers.release(tracked);
      tracked.layers(null);
      toHold.add(tracked);
    }
    boolean used = tracked.user() != null;
    if (same && restored.isEmpty()) { // nearly always
      return used && tracked.usedAt(now);
    }
    ImageRecord after = tracked.update(known -> {
      ImageRecord told = remembered(image, known);
      return used ? ImageRecord.of(image, told.firstDetected(), latest(told, now)) : told;
    });
    RecordSnapshot.Entry stored = restored.isEmpty() ? null : restored.get(image.id());
    return stored == null ? !haveSameTimes(before, after) : !stored.equals(entry(after));
  }

  private static Instant latest(ImageRecord record, Instant now) {
    return record.lastUsed().filter(used -> used.isAfter(now)).orElse(now);
  }

  @SuppressWarnings("ReferenceEquality") // the same record, most of the time
  private static boolean haveSameTimes(ImageRecord a, ImageRecord b) {
    return a == b
        || (a.firstDetected().equals(b.firstDetected()) && a.lastUsed().equals(b.lastUsed()));
  }

  /** When all that changed has let go of its old layers: so a layer's corrected size does not meet the old one. */
  private void hold(List<TrackedImage> changed) {
    for (TrackedImage image : changed) {
      if (!image.isForgotten()) {
        layers.hold(image);
      }
    }
  }

  /** Whether equal layers have equal sizes too: an engine may have corrected one. */
  @SuppressWarnings("ReferenceEquality") // the same list, most of the time
  private static boolean haveSameSizes(Image a, Image b) {
    List<Layer> some = a.layers().orElse(List.of());
    List<Layer> others = b.layers().orElse(List.of());
    return some == others
        || IntStream.range(0, some.size())
            .allMatch(i -> some.get(i).sizeBytes() == others.get(i).sizeBytes());
  }

  /** Notes that an image is used, also if no listing has shown it yet. For any thread. */
  void used(ImageId id, Instant now) {
    TrackedImage tracked = byId.get(id);
    if (tracked == null) {
      sightings.used(id, now);
    } else {
      tracked.usedAt(now);
      onChange.run();
    }
  }

  /** Notes that an image is used of which only the name was told. For any thread. */
  void usedByName(String name, Instant now) {
    markUsed(name, now);
    onChange.run();
    sightings.usedByName(name, now); // it may be one that no listing has shown yet
  }

  /** Notes that an image came: was pulled, built or tagged. For any thread. */
  void came(ImageId id, Instant now) {
    TrackedImage tracked = byId.get(id);
    if (tracked == null) {
      sightings.came(id, now);
    } else {
      tracked.cameAt(now);
      onChange.run();
    }
  }

  /** Notes that an image came, and nobody has said which one: it may be any that was said to be deleted. For any thread. */
  void cameUnnamed(Instant now) {
    images.forEach(image -> image.cameAt(now));
    onChange.run();
  }

  /** Notes that an image is said to be deleted. If it comes again before the next listing it is new. For any thread. */
  void deletedByHearsay(ImageId id, Instant now) {
    TrackedImage tracked = byId.get(id);
    if (tracked == null) {
      sightings.deleted(id, now);
    } else {
      tracked.deletedByHearsay();
    }
  }

  /** Every image that the name may mean is used: which one it is, nobody has said. */
  private void markUsed(String name, Instant now) {
    Predicate<Image> mayBeMeant = Names.mayMean(name);
    for (TrackedImage image : images) {
      if (mayBeMeant.test(image.image())) {
        image.usedAt(now);
      }
    }
  }

  /** Takes note that an image was removed. */
  void forget(ImageId id, Instant now) {
    TrackedImage tracked = byId.get(id);
    if (tracked != null) {
      drop(tracked);
      synchronized (gone) {
        gone.add(id, tracked.record().lastUsed(), now);
        images = images.stream().filter(image -> image != tracked).toList();
      }
      layers.removed(tracked);
      onChange.run();
    }
  }

  private void drop(TrackedImage image) {
    byId.remove(image.id());
    image.forget();
    layers.release(image);
  }

  /**
   * Takes over stored history, whose times are on this time line. Of an image that is remembered as gone, but is here, only the
   * last use counts.
   */
  void restore(RecordSnapshot snapshot, Instant now) {
    Map<ImageId, RecordSnapshot.Entry> entries =
        Maps.newHashMapWithExpectedSize(snapshot.entries().size());
    List<RecordSnapshot.RememberedEntry> absent = new ArrayList<>();
    for (RecordSnapshot.RememberedEntry entry : snapshot.remembered()) {
      if (byId.containsKey(entry.id())) {
        entries.put(entry.id(), RecordSnapshot.Entry.of(entry.id(), now, entry.lastUsed()));
      } else {
        absent.add(entry);
      }
    }
    snapshot.entries().forEach(entry -> entries.put(entry.id(), entry));
    synchronized (gone) {
      gone.restore(absent, now);
      restored = entries;
    }
  }

  /** Adds to a snapshot what is to be stored. For any thread. */
  void store(RecordSnapshot.Builder snapshot) {
    List<TrackedImage> current;
    Map<ImageId, RecordSnapshot.Entry> notListedYet;
    synchronized (gone) {
      current = images;
      notListedYet = restored;
      snapshot.remembered(gone.entries());
    }
    List<RecordSnapshot.Entry> entries = new ArrayList<>(current.size() + notListedYet.size());
    Set<ImageId> listed = notListedYet.isEmpty() ? Set.of() : new HashSet<>();
    for (TrackedImage image : current) {
      ImageRecord record = image.record();
      RecordSnapshot.Entry stored = notListedYet.get(record.id());
      entries.add(entry(stored == null ? record : combined(record.image(), record, stored)));
      if (stored != null) {
        listed.add(record.id());
      }
    }
    notListedYet.forEach((id, entry) -> {
      if (!listed.contains(id)) {
        entries.add(entry);
      }
    });
    snapshot.entries(entries);
  }

  private static RecordSnapshot.Entry entry(ImageRecord record) {
    return record.lastUsed().isPresent()
        ? RecordSnapshot.Entry.of(
            record.id(), record.firstDetected(), record.lastUsed().get())
        : RecordSnapshot.Entry.of(record.id(), record.firstDetected());
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
    return combined(image, known, entry);
  }

  private static ImageRecord combined(Image image, ImageRecord known, RecordSnapshot.Entry stored) {
    return record(
        image,
        earlier(known.firstDetected(), stored.firstDetected()),
        known.lastUsed().or(stored::lastUsed));
  }

  static ImageRecord record(Image image, Instant firstDetected, Optional<Instant> lastUsed) {
    return lastUsed.isPresent()
        ? ImageRecord.of(image, firstDetected, lastUsed.get())
        : ImageRecord.of(image, firstDetected);
  }

  private static Instant earlier(Instant a, Instant b) {
    return a.isBefore(b) ? a : b;
  }
}
