/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.BootTime;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RecordSnapshot;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * A snapshot as bytes: a head (8 bytes that say what it is, the version, a checksum of all but itself and these 8, the length of
 * the body) and a body: the times of the snapshot, then three lists, each with its length before it.
 *
 * <p>Whole numbers are written 7 bits a byte, the low ones first, the signed ones zigzag. A digest takes 32 bytes, another id or
 * a text its length and its UTF-8. A time is two numbers: the difference in seconds to the snapshot's own, and nanoseconds.
 */
final class RecordFormat {
  /** 0x8b, so that it is no text, and "imagegc". */
  private static final long MAGIC = 0x8b_69_6d_61_67_65_67_63L;

  private static final int VERSION = 1;
  private static final int HEAD_BYTES = Long.BYTES + 2 * Integer.BYTES + Long.BYTES;
  private static final int CHECKSUM_AT = Long.BYTES + Integer.BYTES;
  private static final int TYPICAL_ENTRY_BYTES = 56;

  private static final int DIGEST_BYTES = 32;
  private static final int TEXT = 0;
  private static final int BARE_DIGEST = 1;
  private static final int PREFIXED_DIGEST = 2;
  private static final int ID_KINDS = 3;
  private static final int HAS_LAST_USED = 4;
  private static final int IS_REFERENCE = 4;

  private RecordFormat() {}

  /** Bytes that are no snapshot, or one of a newer release. */
  static final class UnreadableException extends Exception {
    private static final long serialVersionUID = 1;
    private final boolean newer;

    UnreadableException(String why, boolean newer, Throwable cause) {
      super(why, cause);
      this.newer = newer;
    }

    UnreadableException(String why, boolean newer) {
      super(why);
      this.newer = newer;
    }

    boolean isNewer() {
      return newer;
    }
  }

  static byte[] encode(RecordSnapshot snapshot) {
    int entries = snapshot.entries().size() + snapshot.remembered().size();
    Writer out = new Writer(256 + TYPICAL_ENTRY_BYTES * entries, snapshot.savedAt());
    out.skip(HEAD_BYTES);
    out.instant(snapshot.savedAt());
    out.instant(snapshot.wallTime());
    out.number(snapshot.bootTime().isPresent() ? 1 : 0);
    snapshot.bootTime().ifPresent(boot -> {
      out.text(boot.bootId());
      out.signed(boot.uptime().toSeconds());
      out.number(boot.uptime().toNanosPart());
    });
    out.number(snapshot.entries().size());
    for (RecordSnapshot.Entry entry : snapshot.entries()) {
      out.id(entry.id(), entry.lastUsed().isPresent() ? HAS_LAST_USED : 0);
      out.time(entry.firstDetected());
      entry.lastUsed().ifPresent(out::time);
    }
    out.number(snapshot.remembered().size());
    for (RecordSnapshot.RememberedEntry entry : snapshot.remembered()) {
      out.id(entry.id(), 0);
      out.time(entry.lastUsed());
      out.time(entry.goneAt());
    }
    out.number(snapshot.leases().size());
    for (RecordSnapshot.LeaseEntry lease : snapshot.leases()) {
      lease.image().ifPresent(image -> out.id(image, 0));
      lease.reference().ifPresent(reference -> {
        out.number(IS_REFERENCE);
        out.text(reference);
      });
      out.time(lease.expiresAt());
    }
    byte[] bytes = out.toBytes();
    ByteBuffer head = ByteBuffer.wrap(bytes);
    head.putLong(MAGIC).putInt(VERSION).putInt(0).putLong((long) bytes.length - HEAD_BYTES);
    return head.putInt(CHECKSUM_AT, checksum(bytes)).array();
  }

  static RecordSnapshot decode(byte[] bytes) throws UnreadableException {
    ByteBuffer head = ByteBuffer.wrap(bytes);
    if (bytes.length < HEAD_BYTES || head.getLong() != MAGIC) {
      throw new UnreadableException("it does not begin as history does", false);
    }
    int version = head.getInt();
    if (version > VERSION) {
      throw new UnreadableException(
          "its format is " + version + ", and this release knows " + VERSION, true);
    }
    int checksum = head.getInt();
    if (head.getLong() != bytes.length - HEAD_BYTES) {
      throw new UnreadableException("its length is wrong", false);
    }
    if (version != VERSION || checksum != checksum(bytes)) {
      throw new UnreadableException("its checksum is wrong", false);
    }
    try {
      return read(new Reader(bytes, HEAD_BYTES));
    } catch (RuntimeException e) {
      throw new UnreadableException("its content is wrong: " + e, false, e);
    }
  }

  /** Of everything behind the magic, with the checksum itself left out. */
  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, Long.BYTES, Integer.BYTES);
    int behind = CHECKSUM_AT + Integer.BYTES;
    crc.update(bytes, behind, bytes.length - behind);
    return (int) crc.getValue();
  }

  private static RecordSnapshot read(Reader in) {
    Instant savedAt = in.instant();
    in.timesAreRelativeTo(savedAt);
    RecordSnapshot.Builder snapshot = RecordSnapshot.builder(savedAt, in.instant());
    if (in.number() == 1) {
      snapshot.bootTime(BootTime.of(in.text(), Duration.ofSeconds(in.signed(), in.number())));
    }
    snapshot.entries(in.list(Reader::entry));
    snapshot.remembered(in.list(Reader::remembered));
    snapshot.leases(in.list(Reader::lease));
    in.checkEnd();
    return snapshot.build();
  }

  /** Puts numbers, texts, ids and times behind each other. */
  private static final class Writer {
    private static final int LONGEST_NUMBER = 10;

    private final long origin;
    private byte[] bytes;
    private int end;

    Writer(int expectedBytes, Instant origin) {
      this.bytes = new byte[expectedBytes];
      this.origin = origin.getEpochSecond();
    }

    void skip(int count) {
      end += count;
    }

    byte[] toBytes() {
      return Arrays.copyOf(bytes, end);
    }

    void number(long value) {
      reserve(LONGEST_NUMBER);
      long rest = value;
      while ((rest & ~0x7fL) != 0) {
        bytes[end++] = (byte) (rest | 0x80);
        rest >>>= 7;
      }
      bytes[end++] = (byte) rest;
    }

    void signed(long value) {
      number((value << 1) ^ (value >> (Long.SIZE - 1)));
    }

    void text(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      number(utf8.length);
      reserve(utf8.length);
      System.arraycopy(utf8, 0, bytes, end, utf8.length);
      end += utf8.length;
    }

    /** The kind of id shares a byte with what else is to be said. */
    void id(ImageId id, int flags) {
      reserve(1 + DIGEST_BYTES);
      if (id.writeDigest(bytes, end + 1)) {
        bytes[end] = (byte) (flags | (id.isPrefixed() ? PREFIXED_DIGEST : BARE_DIGEST));
        end += 1 + DIGEST_BYTES;
      } else {
        number(flags | TEXT);
        text(id.text());
      }
    }

    void instant(Instant time) {
      signed(time.getEpochSecond());
      number(time.getNano());
    }

    void time(Instant time) {
      signed(time.getEpochSecond() - origin);
      number(time.getNano());
    }

    private void reserve(int count) {
      if (bytes.length - end < count) {
        bytes = Arrays.copyOf(bytes, Math.addExact(bytes.length + (bytes.length >> 1), count));
      }
    }
  }

  /** Reads what a {@link Writer} has written; throws some {@link RuntimeException} if it was something else. */
  private static final class Reader {
    /** Reads one thing of a list. */
    private interface Item<T> {
      T read(Reader in);
    }

    private final byte[] bytes;
    private int next;
    private long origin;
    /** Many images were seen at the same moment: one object for all of them. */
    private final Instant[] recent = {Instant.EPOCH, Instant.EPOCH};

    Reader(byte[] bytes, int start) {
      this.bytes = bytes;
      this.next = start;
    }

    void timesAreRelativeTo(Instant time) {
      origin = time.getEpochSecond();
    }

    void checkEnd() {
      if (next != bytes.length) {
        throw new IllegalArgumentException("something comes after it");
      }
    }

    <T> List<T> list(Item<T> item) {
      long size = number();
      if (size < 0 || size > bytes.length - next) {
        throw new IllegalArgumentException("a list of " + size);
      }
      List<T> items = new ArrayList<>((int) size);
      for (int i = 0; i < size; i++) {
        items.add(item.read(this));
      }
      return items;
    }

    RecordSnapshot.Entry entry() {
      int flags = bytes[next++];
      ImageId id = id(flags);
      Instant firstDetected = time(0);
      return (flags & HAS_LAST_USED) == 0
          ? RecordSnapshot.Entry.of(id, firstDetected)
          : RecordSnapshot.Entry.of(id, firstDetected, time(1));
    }

    RecordSnapshot.RememberedEntry remembered() {
      ImageId id = id(bytes[next++]);
      Instant lastUsed = time(0);
      return RecordSnapshot.RememberedEntry.of(id, lastUsed, time(1));
    }

    RecordSnapshot.LeaseEntry lease() {
      int flags = bytes[next++];
      if (flags == IS_REFERENCE) {
        String reference = text();
        return RecordSnapshot.LeaseEntry.of(reference, time(0));
      }
      ImageId id = id(flags);
      return RecordSnapshot.LeaseEntry.of(id, time(0));
    }

    private ImageId id(int flags) {
      return switch (flags & ID_KINDS) {
        case TEXT -> ImageId.of(text());
        case BARE_DIGEST -> digest(false);
        case PREFIXED_DIGEST -> digest(true);
        default -> throw new IllegalArgumentException("an id of kind " + flags);
      };
    }

    private ImageId digest(boolean prefixed) {
      int start = next;
      next += DIGEST_BYTES;
      return ImageId.ofDigest(bytes, start, prefixed);
    }

    long number() {
      long value = 0;
      for (int shift = 0; shift < Long.SIZE; shift += 7) {
        byte part = bytes[next++];
        value |= (part & 0x7fL) << shift;
        if (part >= 0) {
          return value;
        }
      }
      throw new IllegalArgumentException("a number of too many bytes");
    }

    long signed() {
      long value = number();
      return (value >>> 1) ^ -(value & 1);
    }

    String text() {
      int length = Math.toIntExact(number());
      String text = new String(bytes, next, length, StandardCharsets.UTF_8);
      next += length;
      return text;
    }

    Instant instant() {
      return Instant.ofEpochSecond(signed(), number());
    }

    private Instant time(int place) {
      Instant time = Instant.ofEpochSecond(origin + signed(), number());
      if (!recent[place].equals(time)) {
        recent[place] = time;
      }
      return recent[place];
    }
  }
}
