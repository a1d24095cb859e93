/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** The files of a real directory. */
final class DiskFiles implements StoreFiles {
  private final Path directory;

  DiskFiles(Path directory) {
    this.directory = directory;
  }

  @Override
  public boolean exists(String name) {
    return Files.exists(directory.resolve(name), LinkOption.NOFOLLOW_LINKS);
  }

  @Override
  public long size(String name) throws IOException {
    return Files.size(directory.resolve(name));
  }

  @Override
  public byte[] read(String name) throws IOException {
    return Files.readAllBytes(directory.resolve(name));
  }

  @Override
  public Draft create(String name) throws IOException {
    return new ChannelDraft(FileChannel.open(
        directory.resolve(name),
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.WRITE));
  }

  @Override
  public void rename(String from, String to) throws IOException {
    Files.move(
        directory.resolve(from),
        directory.resolve(to),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void delete(String name) throws IOException {
    Files.deleteIfExists(directory.resolve(name));
  }

  @Override
  public void flushDirectory() throws IOException {
    flush(directory);
  }

  /** So that what was made or renamed in a directory survives a power loss. */
  static void flush(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private record ChannelDraft(FileChannel channel) implements Draft {
    /** More at once would only be copied into a larger buffer, which the thread would keep. */
    private static final int CHUNK = 64 << 10;

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      int end = offset + length;
      for (int at = offset; at < end; ) {
        at += channel.write(ByteBuffer.wrap(bytes, at, Math.min(CHUNK, end - at)));
      }
    }

    @Override
    public void flush() throws IOException {
      channel.force(true);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
