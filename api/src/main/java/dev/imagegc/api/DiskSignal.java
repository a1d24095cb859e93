/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Arrays;
import java.util.Optional;

/** A number that says how much room a filesystem has; all of them are worse when they are smaller. The names are the kubelet's. */
public enum DiskSignal {
  /** Available bytes of the image filesystem. */
  IMAGEFS_AVAILABLE(NodeFs.IMAGEFS, false),

  /** Free inodes of the image filesystem. */
  IMAGEFS_INODES_FREE(NodeFs.IMAGEFS, true),

  /** Available bytes of the node's root filesystem. */
  NODEFS_AVAILABLE(NodeFs.NODEFS, false),

  /** Free inodes of the node's root filesystem. */
  NODEFS_INODES_FREE(NodeFs.NODEFS, true),

  /** Available bytes of the filesystem with the writable layers of containers. */
  CONTAINERFS_AVAILABLE(NodeFs.CONTAINERFS, false),

  /** Free inodes of the filesystem with the writable layers of containers. */
  CONTAINERFS_INODES_FREE(NodeFs.CONTAINERFS, true);

  private final NodeFs filesystem;
  private final boolean inodes;

  DiskSignal(NodeFs filesystem, boolean inodes) {
    this.filesystem = filesystem;
    this.inodes = inodes;
  }

  /**
   * Finds a signal by its name.
   *
   * @param name for instance {@code imagefs.available} or {@code nodefs.inodesFree}
   * @return the signal, or empty if there is none of that name
   */
  public static Optional<DiskSignal> named(String name) {
    return Arrays.stream(values())
        .filter(signal -> signal.toString().equals(name))
        .findFirst();
  }

  /**
   * Returns the filesystem that it is about.
   *
   * @return the filesystem
   */
  public NodeFs filesystem() {
    return filesystem;
  }

  /**
   * Returns what it counts.
   *
   * @return whether it counts inodes; else it counts bytes
   */
  public boolean countsInodes() {
    return inodes;
  }

  /** Returns its name, for instance {@code imagefs.available}. */
  @Override
  public String toString() {
    return filesystem + (inodes ? ".inodesFree" : ".available");
  }
}
