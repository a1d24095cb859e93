/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.ImageLookup;
import dev.imagegc.api.ImagePuller;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.RuntimeEventSource;

/** A runtime with every optional ability. */
interface AbleRuntime
    extends Runtime, ContainerRemover, RuntimeEventSource, ImageLookup, ImagePuller {}
