/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.RecordStore;
import dev.imagegc.api.StoreException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * History in a directory of its own. The file {@code records} is replaced as a whole: {@code records.new} is written beside it,
 * flushed to the disk, renamed over it, and the rename is flushed too, so that a process that is killed or a machine that loses
 * power leaves either the old history or the new one. The file {@code lock} keeps a second process out.
 *
 * <p>What cannot be read is renamed, never overwritten and never deleted: {@code records.damaged-N} if it is damaged, cut short or
 * makes no sense, {@code records.newer-N} if a newer release wrote it. The format of the files belongs to this class, has a version
 * and a checksum, and takes some 50 bytes an image.
 *
 * <p>Thread-safe. Methods block for as long as the disk does.
 */
public final class FileRecordStore implements RecordStore, AutoCloseable {
  static final String RECORDS = "records";
  static final String DRAFT = "records.new";
  static final String LOCK = "lock";

  /** Some millions of images. A file that is larger is not read: it is no history, and would take the host's memory. */
  private static final int MOST_BYTES = 256 << 20;

  /** Lock files of this process. */
  private static final Set<Path> OWNED = ConcurrentHashMap.newKeySet();

  private final Path directory;
  private final StoreFiles files;
  private final Runnable giveUp;
  private final ReentrantLock turn = new ReentrantLock();
  private boolean owned = true; // guarded by turn
  private volatile boolean closed;

  private FileRecordStore(Path directory, StoreFiles files, Runnable giveUp) {
    this.directory = directory;
    this.files = files;
    this.giveUp = giveUp;
  }

  /**
   * Takes possession of a directory, which is made if it is not there; the one above it must be.
   *
   * @param directory where the history is kept, and nothing else
   * @return the store, until it is closed
   * @throws BusyException if another store, in this process or another one, has the directory
   * @throws StoreException if it is no directory, or cannot be made or written to
   */
  public static FileRecordStore open(Path directory) {
    makeDirectory(directory);
    Path lockFile = directory.resolve(LOCK);
    try {
      Path key = directory.toRealPath().resolve(LOCK);
      // Closing any channel of a file gives up all locks of this process on it, so a second one
      // must not even be opened.
      if (!OWNED.add(key)) {
        throw owned(directory);
      }
      try {
        FileChannel lock = lock(directory, lockFile);
        return new FileRecordStore(directory, new DiskFiles(directory), () -> {
          closeQuietly(lock);
          OWNED.remove(key);
        });
      } catch (IOException | RuntimeException e) {
        OWNED.remove(key);
        throw e;
      }
    } catch (IOException e) {
      throw new StoreException(
          "state directory " + directory + " cannot be used: its lock file " + lockFile
              + " cannot be opened (" + reason(e) + ")",
          e);
    }
  }

  /** A store on files that the caller possesses, and that nobody may touch before they are given up. */
  static FileRecordStore on(Path directory, StoreFiles files, Runnable giveUp) {
    return new FileRecordStore(directory, files, giveUp);
  }

  private static void makeDirectory(Path directory) {
    if (Files.isDirectory(directory)) {
      return;
    }
    try {
      Files.createDirectory(directory);
      Path parent = directory.toAbsolutePath().getParent();
      if (parent != null) {
        DiskFiles.flush(parent);
      }
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory)) { // else another process was faster
        throw new StoreException(
            "state directory " + directory + " cannot be used: it is a file, not a directory", e);
      }
    } catch (NoSuchFileException e) {
      throw new StoreException(
          "state directory " + directory + " cannot be made: the directory above it does not exist",
          e);
    } catch (IOException e) {
      throw new StoreException(
          "state directory " + directory + " cannot be made (" + reason(e) + ")", e);
    }
  }

  private static FileChannel lock(Path directory, Path lockFile) throws IOException {
    FileChannel channel =
        FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      // Another class loader of this process has it, and would lose it if this channel were closed.
      throw owned(directory);
    } catch (IOException e) {
      closeQuietly(channel);
      throw e;
    }
    closeQuietly(channel);
    throw owned(directory);
  }

  private static BusyException owned(Path directory) {
    return new BusyException("state directory " + directory + " is owned by another collector");
  }

  @Override
  public Optional<RecordSnapshot> load() {
    begin();
    try {
      return Optional.of(read());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new StoreException(
          "history in " + directory + " cannot be read (" + reason(e) + ")", e);
    } catch (RecordFormat.UnreadableException e) {
      String kind = e.isNewer() ? "newer" : "damaged";
      String what = e.isNewer() ? "was written by a newer release" : "is damaged";
      throw new StoreException(
          "history in " + directory + " " + what + " (" + e.getMessage() + "); it was set aside as "
              + moveAside(kind),
          e);
    } finally {
      end();
    }
  }

  private RecordSnapshot read() throws IOException, RecordFormat.UnreadableException {
    if (files.size(RECORDS) > MOST_BYTES) {
      throw new RecordFormat.UnreadableException("it is longer than any history", false);
    }
    return RecordFormat.decode(files.read(RECORDS));
  }

  @Override
  public void save(RecordSnapshot snapshot) {
    begin();
    try {
      byte[] bytes = RecordFormat.encode(snapshot);
      if (bytes.length > MOST_BYTES) {
        throw new StoreException("history in " + directory + " cannot be saved: it would take "
            + bytes.length + " bytes");
      }
      writeDraft(bytes);
      files.rename(DRAFT, RECORDS);
      files.flushDirectory();
    } catch (IOException e) {
      throw new StoreException(
          "history in " + directory + " cannot be saved (" + reason(e) + ")", e);
    } finally {
      end();
    }
  }

  @Override
  public String setAside(String why) {
    begin();
    try {
      return moveAside("damaged").toString();
    } finally {
      end();
    }
  }

  /**
   * Gives the directory up. Does not wait: if a call is still at work on another thread, the directory is given up when that call
   * ends. Closing twice does nothing; other calls after it throw {@link StoreException}.
   */
  @Override
  public void close() {
    closed = true;
    giveUpIfClosed();
  }

  private void begin() {
    turn.lock();
    if (closed) {
      end();
      throw new StoreException("the store of " + directory + " is closed");
    }
  }

  private void end() {
    turn.unlock();
    giveUpIfClosed();
  }

  /** Whoever is at work when the store is closed does this at its end: nobody else may write before. */
  private void giveUpIfClosed() {
    if (closed && turn.tryLock()) {
      try {
        if (owned) {
          owned = false;
          giveUp.run();
        }
      } finally {
        turn.unlock();
      }
    }
  }

  /** A draft that could not be written is deleted: the disk may be full because of it. */
  private void writeDraft(byte[] bytes) throws IOException {
    try (StoreFiles.Draft draft = files.create(DRAFT)) {
      draft.write(bytes, 0, bytes.length);
      draft.flush();
    } catch (IOException e) {
      try {
        files.delete(DRAFT);
      } catch (IOException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
  }

  /** Returns the new name. Flushed, so that a later save cannot reach the disk without it. */
  private Path moveAside(String kind) {
    String name = "";
    try {
      for (int n = 1; name.isEmpty() || files.exists(name); n++) {
        name = RECORDS + "." + kind + "-" + n;
      }
      files.rename(RECORDS, name);
      files.flushDirectory();
      return directory.resolve(name);
    } catch (IOException e) {
      throw new StoreException(
          "history in " + directory + " cannot be used and cannot be set aside (" + reason(e) + ")",
          e);
    }
  }

  /** Messages of file errors are often only the path. */
  private static String reason(IOException e) {
    return e.getClass().getSimpleName() + (e.getMessage() == null ? "" : ": " + e.getMessage());
  }

  private static void closeQuietly(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing was written through it.
    }
  }
}
