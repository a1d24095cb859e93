/* SPDX-License-Identifier: Apache-2.0 */
/** To come. */
@NullMarked
package dev.imagegc.docker;

import org.jspecify.annotations.NullMarked;
