/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** That each engine which was configured, or is required, is there. Its name in the reports is the proof that it was. */
class ConfiguredEnginesIT {
  @ParameterizedTest(
      name = "[{0}] answers, and its images are on the filesystem that was configured")
  @MethodSource("dev.imagegc.docker.RealEngine#all")
  void engine_answers_andItsImagesAreOnItsFilesystem(RealEngine engine) {
    try (DockerRuntime runtime =
        DockerRuntime.builder().host("unix://" + engine.socket()).build()) {
      assertThatCode(runtime::listImages).doesNotThrowAnyException();
      assertThatCode(runtime::listContainers).doesNotThrowAnyException();
      assertThat(runtime.imageFsPath()).startsWith(engine.mount());
    }
  }
}
