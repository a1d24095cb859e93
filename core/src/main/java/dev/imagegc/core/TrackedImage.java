/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.Container;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import java.time.Instant;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * An image of the node with what the collector keeps of it. One thread changes it, but for what its record says of its use,
 * which any thread may; any thread reads its record.
 *
 * <p>Listings are numbered, so that a new one need not touch what it does not find.
 */
final class TrackedImage {
  private static final int FORGOTTEN = -1;
  private static final int NONE = -2;

  private final ImageId id; // nearer than in the record
  private volatile ImageRecord record;
  private volatile boolean deletedByHearsay;
  private int @Nullable [] layers;
  private int listing; // the last one that had it
  private @Nullable Container user;
  private int userListing; // the one that the user belongs to

  TrackedImage(ImageRecord record) {
    this.id = record.id();
    this.record = record;
  }

  ImageId id() {
    return id;
  }

  Image image() {
    return record.image();
  }

  ImageRecord record() {
    return record;
  }

  /** Changes the record as of now: somebody else may have noted a use since the caller looked. Returns the new one. */
  synchronized ImageRecord update(UnaryOperator<ImageRecord> change) {
    record = change.apply(record);
    return record;
  }

  /** Notes that it was used; an earlier time than the one that is known changes nothing. Returns whether it changed. */
  synchronized boolean usedAt(Instant time) {
    ImageRecord known = record;
    Optional<Instant> last = known.lastUsed();
    if (last.isPresent() && !last.get().isBefore(time)) {
      return false;
    }
    record = ImageRecord.of(known.image(), known.firstDetected(), time);
    return true;
  }

  /** Takes over what was heard of it before it was listed. */
  void takeOver(Sightings.Sighting sighting) {
    Instant firstSeen = sighting.firstSeen();
    if (firstSeen != null) {
      update(known -> firstSeen.isBefore(known.firstDetected())
          ? RecordBook.record(known.image(), firstSeen, known.lastUsed())
          : known);
    }
    if (sighting.lastUsed() != null) {
      usedAt(sighting.lastUsed());
    }
  }

  /** Notes that the engine says it was deleted; it may be wrong. */
  void deletedByHearsay() {
    deletedByHearsay = true;
  }

  /** Notes that it came, which means anew if it was deleted before. */
  void cameAt(Instant time) {
    if (deletedByHearsay) {
      deletedByHearsay = false;
      update(known -> RecordBook.record(known.image(), time, known.lastUsed()));
    }
  }

  /** Notes that a listing has it; returns false if it had it before. */
  boolean markListed(int number) {
    boolean first = listing != number;
    listing = number;
    return first;
  }

  boolean wasListedIn(int number) {
    return listing == number;
  }

  /** Notes that it was removed. */
  void forget() {
    listing = FORGOTTEN;
  }

  boolean isForgotten() {
    return listing == FORGOTTEN;
  }

  /** Notes that a container holds it; of several the one with the lowest id is kept. */
  void usedBy(Container container, int number) {
    user = userListing == number ? NodeView.firstOf(user, container) : container;
    userListing = number;
  }

  /** The container that holds it, as of a listing. */
  @Nullable
  Container user(int number) {
    return userListing == number ? user : null;
  }

  /** The container that holds it, as of the last listing or a later look. */
  @Nullable
  Container user() {
    return user(listing);
  }

  /** Lets go of the container: a node's containers take more memory than its images. */
  void releaseUser() {
    user = null;
    userListing = NONE;
  }

  /** The numbers of its layers in the {@link LayerIndex}, or null if its layers are not known. */
  int @Nullable [] layers() {
    return layers;
  }

  void layers(int @Nullable [] numbers) {
    layers = numbers;
  }
}
