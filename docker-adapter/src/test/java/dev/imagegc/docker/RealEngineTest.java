/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** That engine tests cannot pass by being skipped. */
class RealEngineTest {
  @Test
  void noEngine_abortsWithTheReason() {
    assertThatThrownBy(() -> RealEngine.all(Map.of()))
        .isInstanceOf(TestAbortedException.class)
        .hasMessageContaining("IMAGEGC_ENGINES is not set");
  }

  @Test
  void engines_areRead() {
    assertThat(
            RealEngine.all(Map.of("IMAGEGC_ENGINES", " docker=/a.sock,/a,1  docker26c=/b,/c,2 ")))
        .extracting(RealEngine::name, RealEngine::pid, RealEngine::hasContainerdStore)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("docker", 1L, false),
            org.assertj.core.groups.Tuple.tuple("docker26c", 2L, true));
  }

  @Test
  void requiredEngineThatIsMissing_fails() {
    assertThatThrownBy(() -> RealEngine.all(Map.of(
            "IMAGEGC_ENGINES", "docker=/a.sock,/a,1",
            "IMAGEGC_ENGINES_REQUIRED", "docker docker26c")))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("docker26c");
    assertThatThrownBy(() -> RealEngine.all(Map.of("IMAGEGC_ENGINES_REQUIRED", "docker")))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void entryThatIsMalformed_fails() {
    assertThatThrownBy(() -> RealEngine.all(Map.of("IMAGEGC_ENGINES", "docker=/a.sock")))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("name=socket,mountpoint,pid");
  }
}
