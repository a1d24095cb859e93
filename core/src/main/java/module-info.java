/* SPDX-License-Identifier: Apache-2.0 */
import org.jspecify.annotations.NullMarked;

/** The collector: images, pulls, dead containers, disk space and disk pressure of a node. */
@NullMarked
module dev.imagegc.core {
  requires transitive dev.imagegc.api;
  requires static transitive org.jspecify;
  requires com.google.common;
  requires org.slf4j;

  exports dev.imagegc.core;
  exports dev.imagegc.core.container;
  exports dev.imagegc.core.disk;
  exports dev.imagegc.core.pressure;
  exports dev.imagegc.core.node;
  exports dev.imagegc.core.pull;
}
