/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

import dev.imagegc.api.NodeFs;

/** A filesystem that is looked at, and what people call it. */
enum Filesystem {
  IMAGES(NodeFs.IMAGEFS, "image filesystem"),
  ROOT(NodeFs.NODEFS, "root filesystem");

  private final NodeFs nodeFs;
  private final String words;

  Filesystem(NodeFs nodeFs, String words) {
    this.nodeFs = nodeFs;
    this.words = words;
  }

  NodeFs nodeFs() {
    return nodeFs;
  }

  String words() {
    return words;
  }
}
