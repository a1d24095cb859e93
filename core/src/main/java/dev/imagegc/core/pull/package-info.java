/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Pulls that a host can live with: {@link dev.imagegc.core.pull.ImagePullManager} shares, queues, paces and bounds them, and
 * holds what they bring until it is used. Builds on an engine's {@link dev.imagegc.api.ImagePuller} and on {@link
 * dev.imagegc.api.ImageLeases}; the collector does not know it.
 */
@NullMarked
package dev.imagegc.core.pull;

import org.jspecify.annotations.NullMarked;
