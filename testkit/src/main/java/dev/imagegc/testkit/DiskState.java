/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.FsStats;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A filesystem of a fake node: how large it is, and what is on it. Not thread-safe: {@link FakeNode} guards it. */
final class DiskState {
  private final String name;
  private final String device;
  private final Supplier<Room> taken;
  private long capacityBytes;
  private @Nullable Long inodes;
  private Room other = Room.NONE;

  /** Creates a disk; what images and containers take of it is asked for whenever it matters. */
  DiskState(String name, String device, long capacityBytes, Supplier<Room> taken) {
    this.name = name;
    this.device = device;
    this.taken = taken;
    setCapacity(capacityBytes);
  }

  void setCapacity(long bytes) {
    capacityBytes = atLeastZero("capacity", bytes);
  }

  void setInodes(long number) {
    inodes = atLeastZero("inodes", number);
  }

  long capacityBytes() {
    return capacityBytes;
  }

  OptionalLong inodes() {
    return inodes == null ? OptionalLong.empty() : OptionalLong.of(inodes);
  }

  Room used() {
    return taken.get().plus(other);
  }

  long availableBytes() {
    return Math.max(0, capacityBytes - used().bytes());
  }

  OptionalLong inodesFree() {
    return inodes == null
        ? OptionalLong.empty()
        : OptionalLong.of(Math.max(0, inodes - used().inodes()));
  }

  Room other() {
    return other;
  }

  void setOther(Room room) {
    if (room.bytes() < 0) {
      throw new IllegalArgumentException(
          "other data must be at least 0 bytes, but would be " + room.bytes());
    }
    if (room.inodes() < 0) {
      throw new IllegalArgumentException(
          "other data must be at least 0 inodes, but would be " + room.inodes());
    }
    require(room.minus(other), "other data");
    other = room;
  }

  /** Refuses what does not fit, as the test's own mistake. */
  void require(Room more, String what) {
    lack(more, what).ifPresent(lack -> {
      throw new IllegalArgumentException(lack);
    });
  }

  /** Says why something does not fit; empty if it does. */
  Optional<String> lack(Room more, String what) {
    if (more.bytes() > availableBytes()) {
      return Optional.of("no space left on the " + name + " for " + what + ": " + more.bytes()
          + " bytes wanted, " + availableBytes() + " available");
    }
    OptionalLong free = inodesFree();
    if (free.isPresent() && more.inodes() > free.getAsLong()) {
      return Optional.of("no inodes left on the " + name + " for " + what + ": " + more.inodes()
          + " inodes wanted, " + free.getAsLong() + " free");
    }
    return Optional.empty();
  }

  FsStats measure(String path, Instant now) {
    FsStats.Builder stats = FsStats.builder(path, now)
        .capacityBytes(capacityBytes)
        .availableBytes(availableBytes())
        .device(device)
        .source("the fake node");
    inodes().ifPresent(total -> stats.inodes(total, inodesFree().orElse(0)));
    return stats.build();
  }

  private static long atLeastZero(String what, long value) {
    if (value < 0) {
      throw new IllegalArgumentException(what + " must be at least 0, but is " + value);
    }
    return value;
  }
}
