/** To come. */
@NullMarked
package dev.imagegc.examples;

import org.jspecify.annotations.NullMarked;
