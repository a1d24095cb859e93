/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Optional;

/**
 * Measures the filesystems of a node. {@code dev.imagegc.core.LocalFsStatsProvider} does it for a local path.
 *
 * <p>Methods block, may be called from several threads at once, and measure anew on every call: the collector measures
 * before and after each removal and believes the difference.
 */
@FunctionalInterface
public interface FsStatsProvider {
  /**
   * Measures the filesystem that holds the images.
   *
   * @return the numbers; those that cannot be had are absent
   * @throws GcException if the filesystem cannot be measured, for instance because the path does not exist
   */
  FsStats imageFs();

  /**
   * Measures the node's root filesystem.
   *
   * @return the numbers, or empty if this provider does not know the root filesystem
   * @throws GcException if the filesystem cannot be measured
   */
  default Optional<FsStats> rootFs() {
    return Optional.empty();
  }

  /**
   * Measures the filesystem that holds the writable layers of containers.
   *
   * @return the numbers, or empty if that is the image filesystem, as with most engines
   * @throws GcException if the filesystem cannot be measured
   */
  default Optional<FsStats> containerFs() {
    return Optional.empty();
  }
}
