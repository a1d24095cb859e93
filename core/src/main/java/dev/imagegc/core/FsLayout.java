/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.NodeFs;
import java.util.Objects;
import java.util.Optional;

/**
 * Which of a node's filesystems are one and the same, and so what gives room on which: removing images helps the image filesystem
 * and whatever is the same, removing containers helps the filesystem of their writable layers and whatever is the same. The
 * kubelet's table of what it reclaims follows from that.
 *
 * <p>There are the five constants and no others, so {@code ==} compares them. Immutable and thread-safe.
 */
public final class FsLayout {
  /** Everything on one filesystem. */
  public static final FsLayout ONE_DISK = new FsLayout("one disk", 0, 0, 0);

  /** Images and writable layers on a filesystem of their own: nothing that is removed gives room on the node's root. */
  public static final FsLayout DEDICATED_IMAGEFS = new FsLayout("dedicated imagefs", 0, 1, 0);

  /** Images on a filesystem of their own, writable layers on the node's root. */
  public static final FsLayout SPLIT = new FsLayout("split", 0, 1, 1);

  /** Writable layers on a filesystem of their own, images on the node's root. */
  public static final FsLayout DEDICATED_CONTAINERFS =
      new FsLayout("dedicated containerfs", 0, 0, 1);

  /** Images, writable layers and the node's root each on a filesystem of their own. */
  public static final FsLayout THREE_DISKS = new FsLayout("three disks", 0, 1, 2);

  private final String text;
  private final int imageFs; // numbers of disks
  private final int nodeFs;
  private final int containerFs;

  private FsLayout(String text, int imageFs, int nodeFs, int containerFs) {
    this.text = text;
    this.imageFs = imageFs;
    this.nodeFs = nodeFs;
    this.containerFs = containerFs;
  }

  /**
   * Finds the layout from measurements of one provider, by their devices.
   *
   * <p>A filesystem whose device is unknown, and a root filesystem that is absent, count as different from every other one. So
   * nothing is removed for the sake of a filesystem on which it might not give room; where that is too careful, for instance
   * because images are on a btrfs subvolume of the root's disk, set the layout instead.
   *
   * @param imageFs the image filesystem
   * @param rootFs the node's root filesystem, if it is known
   * @param containerFs the filesystem of the writable layers; absent means the image filesystem, whatever its device
   * @return the layout
   */
  public static FsLayout of(
      FsStats imageFs, Optional<FsStats> rootFs, Optional<FsStats> containerFs) {
    Objects.requireNonNull(imageFs, "imageFs");
    boolean imagesOnRoot = rootFs.filter(root -> same(root, imageFs)).isPresent();
    if (containerFs.filter(layers -> !same(layers, imageFs)).isEmpty()) {
      return imagesOnRoot ? ONE_DISK : DEDICATED_IMAGEFS;
    }
    if (imagesOnRoot) {
      return DEDICATED_CONTAINERFS;
    }
    return rootFs.filter(root -> same(root, containerFs.get())).isPresent() ? SPLIT : THREE_DISKS;
  }

  private static boolean same(FsStats a, FsStats b) {
    return a.device().isPresent() && a.device().equals(b.device());
  }

  /**
   * Returns whether removing images gives room on a filesystem.
   *
   * @param filesystem where room is needed
   * @return whether it does
   */
  public boolean imagesOn(NodeFs filesystem) {
    return isSame(filesystem, NodeFs.IMAGEFS);
  }

  /**
   * Returns whether removing containers gives room on a filesystem.
   *
   * @param filesystem where room is needed
   * @return whether it does
   */
  public boolean containersOn(NodeFs filesystem) {
    return isSame(filesystem, NodeFs.CONTAINERFS);
  }

  /**
   * Returns whether two filesystems are one and the same.
   *
   * @param a a filesystem
   * @param b another one, or the same
   * @return whether they are
   */
  public boolean isSame(NodeFs a, NodeFs b) {
    return disk(a) == disk(b);
  }

  private int disk(NodeFs filesystem) {
    return switch (filesystem) {
      case IMAGEFS -> imageFs;
      case NODEFS -> nodeFs;
      case CONTAINERFS -> containerFs;
    };
  }

  /** Returns it in words, for instance {@code one disk}. */
  @Override
  public String toString() {
    return text;
  }
}
