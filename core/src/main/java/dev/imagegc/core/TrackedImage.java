/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.Container;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import org.jspecify.annotations.Nullable;

/** An image of the node with what the collector keeps of it. One thread changes it; any thread reads its record. */
final class TrackedImage {
  private volatile ImageRecord record;
  private @Nullable Container user;
  private int @Nullable [] layers;

  /** How the image stands in the listing that is just taken over. */
  @Nullable
  Image listed;

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

  /** The container with the lowest id of those that hold the image, as of the last look. */
  @Nullable
  Container user() {
    return user;
  }

  void user(@Nullable Container newUser) {
    user = newUser;
  }

  /** The numbers of its layers in the {@link LayerIndex}, or null if its layers are not known. */
  int @Nullable [] layers() {
    return layers;
  }

  void layers(int @Nullable [] numbers) {
    layers = numbers;
  }
}
