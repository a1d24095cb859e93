/* SPDX-License-Identifier: Apache-2.0 */
import org.jspecify.annotations.NullMarked;

/** Interfaces and values that hosts, engine adapters and the collector share. */
@NullMarked
module dev.imagegc.api {
  requires static transitive org.jspecify;

  exports dev.imagegc.api;
}
