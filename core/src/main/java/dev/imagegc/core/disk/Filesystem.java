/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.NodeFs;
import dev.imagegc.core.internal.DiskMeasures;
import java.util.Optional;

/** A filesystem that is looked at: what people call it, and how it is measured. */
enum Filesystem {
  IMAGES(NodeFs.IMAGEFS, "image filesystem"),
  ROOT(NodeFs.NODEFS, "root filesystem");

  private final NodeFs nodeFs;
  private final String words;

  Filesystem(NodeFs nodeFs, String words) {
    this.nodeFs = nodeFs;
    this.words = words;
  }

  /** Measures anew; empty if the provider does not know this filesystem. */
  Optional<FsStats> measure(FsStatsProvider provider) {
    return DiskMeasures.ask(provider, nodeFs);
  }

  NodeFs nodeFs() {
    return nodeFs;
  }

  String words() {
    return words;
  }
}
