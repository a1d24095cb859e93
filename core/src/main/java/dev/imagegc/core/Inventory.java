/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import java.util.List;

/**
 * The node as a plan sees it. Valid until the {@link RecordBook} that gave it is changed.
 *
 * @param images every image of the node; the order means nothing, but the closer it is to the policy's, the faster is a plan
 * @param layers who holds which layer
 * @param orphans how many images are gone whose layers containers still hold
 * @param holdersKnown whether the layers of every container are known whose image is not among the images
 */
record Inventory(List<TrackedImage> images, LayerIndex layers, int orphans, boolean holdersKnown) {}
