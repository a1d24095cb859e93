/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Whether there is room: {@link dev.imagegc.core.disk.DiskSpaceManager} says whether a filesystem has fallen below its
 * threshold, and whether so many bytes more still fit. It only looks, and removes nothing. Builds on an {@link
 * dev.imagegc.api.FsStatsProvider}; the collector does not know it.
 */
@NullMarked
package dev.imagegc.core.disk;

import org.jspecify.annotations.NullMarked;
