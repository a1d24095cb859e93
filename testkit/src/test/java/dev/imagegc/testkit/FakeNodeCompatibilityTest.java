/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.testkit.tck.FakeNodeFixture;
import dev.imagegc.testkit.tck.RuntimeCompatibilityKit;
import dev.imagegc.testkit.tck.RuntimeFixture;

/** The fake keeps the rules that it holds real adapters to. Outside the kit's package, as a real adapter's test is. */
class FakeNodeCompatibilityTest extends RuntimeCompatibilityKit {
  @Override
  protected RuntimeFixture fixture() {
    return new FakeNodeFixture(FakeNode.withDisk(1_000_000));
  }
}
