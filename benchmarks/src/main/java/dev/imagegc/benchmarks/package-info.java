/* SPDX-License-Identifier: Apache-2.0 */
/** Benchmarks of the collector. */
@NullMarked
package dev.imagegc.benchmarks;

import org.jspecify.annotations.NullMarked;
