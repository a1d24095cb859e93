/** To come. */
@NullMarked
package dev.imagegc.docker;

import org.jspecify.annotations.NullMarked;
