/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

/**
 * Something that not every engine, adapter or fixture can do. The rules for what is not declared are reported as aborted. More
 * may be added in later releases.
 */
public enum RuntimeCapability {
  /** Images can be named by digest alone; needs {@link RuntimeFixture#seedDigestOnlyImage}. */
  DIGEST_ONLY_IMAGES,
  /** The listing tells the parent of an image; needs {@link RuntimeFixture#seedChild}. */
  PARENTS,
  /** An image that others were built on is refused for removal; goes with {@link #PARENTS}. */
  KEEPS_PARENTS,
  /** Containers can be paused. */
  PAUSED_CONTAINERS,
  /** Images can be mounted into containers; needs {@link RuntimeFixture#seedMount}. */
  IMAGE_MOUNTS,
  /** Images can be pinned; needs {@link RuntimeFixture#seedPinnedImage}. */
  PINNED_IMAGES,
  /** The listing tells the layers of images. */
  LAYERS,
  /** The runtime is a {@link dev.imagegc.api.RuntimeEventSource} as well. */
  EVENTS,
  /** The runtime is an {@link dev.imagegc.api.ImageLookup} as well. */
  LOOKUP,
  /** The runtime is an {@link dev.imagegc.api.ImagePuller} as well; needs {@link RuntimeFixture#pullable}. */
  PULL,
  /** The runtime is a {@link dev.imagegc.api.ContainerRemover} as well. */
  CONTAINER_REMOVAL,
  /**
   * A removal leaves an image alone that has taken over a name of the removed image since the listing. An adapter that
   * removes by name cannot promise it.
   */
  MOVED_NAMES
}
