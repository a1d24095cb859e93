/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Acts when a filesystem of the node runs out of room: removes ended containers, then images, on that filesystem, and hands the
 * rest to the host. {@link dev.imagegc.core.pressure.DiskPressureManager} is where to begin.
 */
@NullMarked
package dev.imagegc.core.pressure;

import org.jspecify.annotations.NullMarked;
