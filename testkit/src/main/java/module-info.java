/* SPDX-License-Identifier: Apache-2.0 */
import org.jspecify.annotations.NullMarked;

/** A fake node, a virtual clock and the compatibility kit for engine adapters. */
@NullMarked
module dev.imagegc.testkit {
  requires transitive dev.imagegc.api;
  requires static transitive org.jspecify;
  requires static org.assertj.core; // only the compatibility kit needs these two
  requires static org.junit.jupiter.api;

  exports dev.imagegc.testkit;
  exports dev.imagegc.testkit.tck;

  opens dev.imagegc.testkit.tck; // JUnit calls the rules by reflection
}
