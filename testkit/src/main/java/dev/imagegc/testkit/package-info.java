/** To come. */
@NullMarked
package dev.imagegc.testkit;

import org.jspecify.annotations.NullMarked;
