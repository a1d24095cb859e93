/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import java.io.Closeable;
import java.io.IOException;

/**
 * The files in the directory of a {@link FileRecordStore}, by name. A seam: tests see every step, and stop after any of them.
 */
interface StoreFiles {
  boolean exists(String name) throws IOException;

  /** Returns the number of bytes; throws {@link java.nio.file.NoSuchFileException} if there is no such file. */
  long size(String name) throws IOException;

  byte[] read(String name) throws IOException;

  /** Opens a file for writing, empty, whatever it held before. */
  Draft create(String name) throws IOException;

  /** Renames a file at once, in place of the one that has the name. */
  void rename(String from, String to) throws IOException;

  /** Deletes a file if it is there. */
  void delete(String name) throws IOException;

  /** Returns when all renames so far would survive a power loss. */
  void flushDirectory() throws IOException;

  /** A file that is being written. */
  interface Draft extends Closeable {
    /** Writes the next bytes, all of them. */
    void write(byte[] bytes, int offset, int length) throws IOException;

    /** Returns when all that was written would survive a power loss. */
    void flush() throws IOException;
  }
}
