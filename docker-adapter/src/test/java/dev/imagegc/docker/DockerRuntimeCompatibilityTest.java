/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.testkit.tck.RuntimeCompatibilityKit;
import dev.imagegc.testkit.tck.RuntimeFixture;
import java.io.IOException;

/** The rules for every adapter, with this adapter on a stub of Docker. */
class DockerRuntimeCompatibilityTest extends RuntimeCompatibilityKit {
  @Override
  protected RuntimeFixture fixture() throws IOException {
    return new StubDockerFixture();
  }
}
