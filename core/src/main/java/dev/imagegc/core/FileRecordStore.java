/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.base.Splitter;
import com.google.common.hash.Hashing;
import dev.imagegc.api.BootTime;
import dev.imagegc.api.BusyException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.RecordStore;
import dev.imagegc.api.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * History in one text file, replaced as a whole: a new file is written beside it, flushed to the disk and renamed over it.
 * A file beside it, with {@code .lock} at the end of its name, keeps a second process out.
 *
 * <p>A file that cannot be read (damaged, cut short, written by a newer release) is renamed to {@code NAME.damaged-N} and
 * never overwritten. Thread-safe.
 */
public final class FileRecordStore implements RecordStore, AutoCloseable {
  private static final String HEADER = "imagegc-records 1";
  private static final String NONE = "-";
  private static final Set<Path> OWNED =
      ConcurrentHashMap.newKeySet(); // lock files of this process
  private static final Splitter FIELDS = Splitter.on('\t');

  private final Path file;
  private final Path owned;
  private final FileChannel lock;

  private FileRecordStore(Path file, Path owned, FileChannel lock) {
    this.file = file;
    this.owned = owned;
    this.lock = lock;
  }

  /**
   * Takes possession of a file, which need not exist yet; its directory must.
   *
   * @param file where the history is kept
   * @return the store, until it is closed
   * @throws BusyException if another store, in this process or another one, has the file
   * @throws StoreException if the lock file cannot be made
   */
  public static FileRecordStore open(Path file) {
    Path lockFile = sibling(file, ".lock");
    try {
      Path owned = directory(file).toRealPath().resolve(lockFile.getFileName());
      // Closing any channel of a file gives up all locks of this process on it, so a second one
      // must not even be opened.
      if (!OWNED.add(owned)) {
        throw owned(file);
      }
      try {
        return new FileRecordStore(file, owned, lock(file, lockFile));
      } catch (IOException | RuntimeException e) {
        OWNED.remove(owned);
        throw e;
      }
    } catch (IOException e) {
      throw new StoreException(
          "state file " + file + " cannot be used: its lock file " + lockFile
              + " cannot be opened (" + reason(e) + ")",
          e);
    }
  }

  private static FileChannel lock(Path file, Path lockFile) throws IOException {
    FileChannel channel =
        FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) {
        return channel;
      }
    } catch (IOException e) {
      closeQuietly(channel);
      throw e;
    }
    closeQuietly(channel);
    throw owned(file);
  }

  private static BusyException owned(Path file) {
    return new BusyException("state file " + file + " is owned by another collector");
  }

  @Override
  public synchronized Optional<RecordSnapshot> load() {
    String text;
    try {
      text = Files.readString(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (CharacterCodingException e) {
      throw setAside("it is not text", e);
    } catch (IOException e) {
      throw new StoreException("state file " + file + " cannot be read (" + reason(e) + ")", e);
    }
    try {
      return Optional.of(parse(text));
    } catch (RuntimeException e) {
      throw setAside(String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public synchronized void save(RecordSnapshot snapshot) {
    Path draft = sibling(file, ".new");
    try {
      try (FileChannel out = FileChannel.open(
          draft,
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.WRITE)) {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(format(snapshot));
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
        out.force(true);
      }
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      flushDirectory();
    } catch (IOException e) {
      throw new StoreException("state file " + file + " cannot be saved (" + reason(e) + ")", e);
    }
  }

  /** Gives the file up. Closing twice does nothing. */
  @Override
  public synchronized void close() {
    if (lock.isOpen()) {
      closeQuietly(lock);
      OWNED.remove(owned);
    }
  }

  private static String format(RecordSnapshot snapshot) {
    StringBuilder body = new StringBuilder(128 + 128 * snapshot.entries().size());
    body.append(HEADER).append('\n');
    body.append(snapshot.savedAt()).append('\t').append(snapshot.wallTime()).append('\t');
    Optional<BootTime> boot = snapshot.bootTime();
    body.append(boot.map(BootTime::bootId).orElse(NONE)).append('\t');
    body.append(boot.map(BootTime::uptime).orElse(Duration.ZERO)).append('\n');
    for (RecordSnapshot.Entry entry : snapshot.entries()) {
      body.append(entry.id().text()).append('\t').append(entry.firstDetected()).append('\t');
      body.append(entry.lastUsed().map(Instant::toString).orElse(NONE)).append('\n');
    }
    return body.append(checksum(body.toString())).append('\n').toString();
  }

  private static RecordSnapshot parse(String text) {
    int last = text.lastIndexOf('\n', text.length() - 2);
    if (!text.startsWith(HEADER + "\n")) {
      throw new IllegalArgumentException("it does not begin with '" + HEADER + "'");
    }
    if (last < 0 || !text.endsWith("\n")) {
      throw new IllegalArgumentException("it is cut short");
    }
    String body = text.substring(0, last + 1);
    if (!text.substring(last + 1).equals(checksum(body) + "\n")) {
      throw new IllegalArgumentException("its checksum is wrong");
    }
    List<String> lines = Splitter.on('\n').omitEmptyStrings().splitToList(body);
    List<String> head = FIELDS.splitToList(lines.get(1));
    Optional<BootTime> boot = head.get(2).equals(NONE)
        ? Optional.empty()
        : Optional.of(BootTime.of(head.get(2), Duration.parse(head.get(3))));
    List<RecordSnapshot.Entry> entries = new ArrayList<>(lines.size());
    for (String line : lines.subList(2, lines.size())) {
      List<String> fields = FIELDS.splitToList(line);
      Optional<Instant> lastUsed =
          fields.get(2).equals(NONE) ? Optional.empty() : Optional.of(Instant.parse(fields.get(2)));
      entries.add(RecordSnapshot.Entry.of(
          ImageId.of(fields.get(0)), Instant.parse(fields.get(1)), lastUsed));
    }
    return RecordSnapshot.of(Instant.parse(head.get(0)), Instant.parse(head.get(1)), boot, entries);
  }

  private static String checksum(String body) {
    return Hashing.crc32c().hashString(body, StandardCharsets.UTF_8).toString();
  }

  private StoreException setAside(String why, Exception cause) {
    for (int n = 1; ; n++) {
      Path aside = sibling(file, ".damaged-" + n);
      if (Files.exists(aside)) {
        continue;
      }
      try {
        Files.move(file, aside);
      } catch (IOException e) {
        return new StoreException(
            "state file " + file + " is damaged (" + why + ") and cannot be set aside (" + reason(e)
                + ")",
            e);
      }
      return new StoreException(
          "state file " + file + " is damaged (" + why + "); it was set aside as " + aside, cause);
    }
  }

  /** So that the rename itself survives a power loss. */
  private void flushDirectory() throws IOException {
    try (FileChannel directory = FileChannel.open(directory(file), StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  private static Path directory(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    return parent == null ? file.toAbsolutePath() : parent;
  }

  private static Path sibling(Path file, String suffix) {
    return file.resolveSibling(file.getFileName() + suffix);
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
