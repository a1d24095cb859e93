/** Benchmarks of the collector. */
@NullMarked
package dev.imagegc.benchmarks;

import org.jspecify.annotations.NullMarked;
