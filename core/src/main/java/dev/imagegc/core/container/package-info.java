/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Collects containers that have ended: {@link dev.imagegc.core.container.ContainerGcManager} keeps the newest of each unit and
 * removes the others, without force and never one that runs. Dead containers hold their images, so this is what lets images go.
 * Builds on an engine's {@link dev.imagegc.api.ContainerRemover}; the collector of images does not know it.
 */
@NullMarked
package dev.imagegc.core.container;

import org.jspecify.annotations.NullMarked;
