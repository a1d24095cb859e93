/* SPDX-License-Identifier: Apache-2.0 */
/**
 * All parts of the collector on one node.
 *
 * <p>{@link dev.imagegc.core.node.NodeGc} puts the collection of images and containers, disk space and disk pressure together, so
 * that they take turns, and says how the node is.
 */
@NullMarked
package dev.imagegc.core.node;

import org.jspecify.annotations.NullMarked;
