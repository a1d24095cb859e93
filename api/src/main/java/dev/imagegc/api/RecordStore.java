/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Optional;

/**
 * Keeps the history of images over restarts. {@code dev.imagegc.core.FileRecordStore} keeps it in a directory.
 *
 * <p>Methods block and are called by one thread at a time.
 */
public interface RecordStore {
  /**
   * Loads what was last saved. A damaged snapshot is set aside, never overwritten, and reported by the exception; the next
   * call then finds nothing. A snapshot that cannot be read just now is left as it is, and the next call tries again.
   *
   * @return the snapshot, or empty if nothing was saved yet
   * @throws StoreException if the snapshot cannot be read
   */
  Optional<RecordSnapshot> load();

  /**
   * Puts the stored snapshot aside under a name where nothing overwrites or deletes it, because the collector can make no sense
   * of what {@link #load()} returned; the next call of {@code load} then finds nothing. The default cannot do it and throws: then
   * the collector saves nothing, so that the snapshot stays for people to look at.
   *
   * @param why what is wrong with it, for people
   * @return where it is now, for people
   * @throws StoreException if that cannot be done
   */
  default String setAside(String why) {
    throw new StoreException("this store cannot set a snapshot aside (" + why + ")");
  }

  /**
   * Saves a snapshot in place of the last one: afterwards the store holds either the old one or the new one, whole.
   *
   * @param snapshot the history
   * @throws StoreException if it cannot be saved for sure
   */
  void save(RecordSnapshot snapshot);
}
