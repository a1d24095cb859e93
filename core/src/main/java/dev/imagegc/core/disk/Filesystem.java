/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.NodeFs;
import java.util.Optional;

/** A filesystem that is looked at: what people call it, and how it is measured. */
enum Filesystem {
  IMAGES(NodeFs.IMAGEFS, "image filesystem") {
    @Override
    Optional<FsStats> measure(FsStatsProvider provider) {
      return Optional.of(provider.imageFs());
    }
  },

  ROOT(NodeFs.NODEFS, "root filesystem") {
    @Override
    Optional<FsStats> measure(FsStatsProvider provider) {
      return provider.rootFs();
    }
  };

  private final NodeFs nodeFs;
  private final String words;

  Filesystem(NodeFs nodeFs, String words) {
    this.nodeFs = nodeFs;
    this.words = words;
  }

  /** Measures anew; empty if the provider does not know this filesystem. */
  abstract Optional<FsStats> measure(FsStatsProvider provider);

  NodeFs nodeFs() {
    return nodeFs;
  }

  String words() {
    return words;
  }
}
