/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.Container;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import org.jspecify.annotations.Nullable;

/**
 * An image of the node with what the collector keeps of it. One thread changes it; any thread reads its record.
 *
 * <p>Listings are numbered, so that a new one need not touch what it does not find.
 */
final class TrackedImage {
  private static final int FORGOTTEN = -1;
  private static final int NONE = -2;

  private volatile ImageRecord record;
  private int @Nullable [] layers;
  private int listing; // the last one that had it
  private @Nullable Container user;
  private int userListing; // the one that the user belongs to

  TrackedImage(ImageRecord record) {
    this.record = record;
  }

  ImageId id() {
    return record.id();
  }

  Image image() {
    return record.image();
  }

  ImageRecord record() {
    return record;
  }

  @SuppressWarnings("ReferenceEquality") // a volatile write costs more than the look
  void record(ImageRecord newRecord) {
    if (record != newRecord) {
      record = newRecord;
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
