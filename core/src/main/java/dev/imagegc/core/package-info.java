/** To come. */
@NullMarked
package dev.imagegc.core;

import org.jspecify.annotations.NullMarked;
