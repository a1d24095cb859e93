/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.testkit.tck.RuntimeCompatibilityKit;
import dev.imagegc.testkit.tck.RuntimeFixture;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The rules for every adapter, with this adapter on real engines, see {@link RealEngine}. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.imagegc.docker.RealEngine#all")
class DockerEngineCompatibilityIT extends RuntimeCompatibilityKit {
  @Parameter
  RealEngine engine;

  @Override
  protected RuntimeFixture fixture() {
    return new RealEngineFixture(engine);
  }
}
