/* SPDX-License-Identifier: Apache-2.0 */
/** What the parts of the collector share. Not for hosts: it is not exported and changes without notice. */
@NullMarked
package dev.imagegc.core.internal;

import org.jspecify.annotations.NullMarked;
