/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a newcomer reads and runs first: {@link dev.imagegc.examples.MinimalHost}, a host in some forty lines, and {@link
 * dev.imagegc.examples.Agent}, a small node agent. Not published; the command line is an example, not a promise.
 */
@NullMarked
package dev.imagegc.examples;

import org.jspecify.annotations.NullMarked;
