/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** A filesystem of a node by what it is for. Two of them, or all three, may be the same filesystem. */
public enum NodeFs {
  /** Where the images are. */
  IMAGEFS("imagefs"),

  /** The node's root filesystem, with logs and volumes. */
  NODEFS("nodefs"),

  /** Where the writable layers of containers are. */
  CONTAINERFS("containerfs");

  private final String text;

  NodeFs(String text) {
    this.text = text;
  }

  /**
   * Returns the kubelet's name for it.
   *
   * @return {@code imagefs}, {@code nodefs} or {@code containerfs}
   */
  @Override
  public String toString() {
    return text;
  }
}
