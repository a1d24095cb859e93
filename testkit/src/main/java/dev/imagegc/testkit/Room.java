/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

/** What something takes up on a disk, or leaves of one. */
record Room(long bytes, long inodes) {
  static final Room NONE = new Room(0, 0);

  /** Fails rather than overflows. */
  Room plus(Room other) {
    return new Room(Math.addExact(bytes, other.bytes), Math.addExact(inodes, other.inodes));
  }

  Room minus(Room other) {
    return new Room(bytes - other.bytes, inodes - other.inodes);
  }

  Room withBytes(long newBytes) {
    return new Room(newBytes, inodes);
  }

  Room withInodes(long newInodes) {
    return new Room(bytes, newInodes);
  }

  /** Returns for instance {@code 300 bytes}, or {@code 300 bytes and 20 inodes}. */
  @Override
  public String toString() {
    return bytes + " bytes" + (inodes == 0 ? "" : " and " + inodes + " inodes");
  }
}
