/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.ProtocolException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What Podman tells of its filesystem, against that filesystem. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.imagegc.docker.RealEngine#all")
class PodmanFsIT {
  private static final int TRIES = 50;
  private static final InstantSource CLOCK = InstantSource.fixed(Instant.EPOCH);

  @Parameter
  RealEngine engine;

  DockerRuntime runtime;

  @BeforeEach
  void connect() {
    engine.empty();
    runtime = DockerRuntime.builder()
        .environment(Map.of())
        .host("unix://" + engine.socket())
        .build();
  }

  @AfterEach
  void empty() {
    runtime.close();
    engine.empty();
  }

  @Test
  void numbersOfPodman_areThoseOfItsFilesystem() throws IOException {
    assumeTrue(engine.isPodman(), "not on this engine: only Podman tells the numbers");
    FsStats empty = whileTheDiskStandsStill();
    engine.importImage("kit/a:1", 5_000_000);
    FsStats full = whileTheDiskStandsStill();

    assertThat(empty.path()).startsWith(engine.mount() + "/");
    assertThat(empty.availableBytes().orElseThrow() - full.availableBytes().orElseThrow())
        .isBetween(5_000_000L, 6_000_000L);
  }

  /** Measures, and compares with the same filesystem measured here, when nobody has written meanwhile. */
  private FsStats whileTheDiskStandsStill() throws IOException {
    FileStore here = Files.getFileStore(engine.mount());
    for (int i = 0; i < TRIES; i++) {
      long before = here.getUnallocatedSpace();
      FsStats told = runtime.podmanFsStats(CLOCK).imageFs();
      if (here.getUnallocatedSpace() == before) {
        assertThat(told.capacityBytes()).hasValue(here.getTotalSpace());
        assertThat(told.availableBytes()).hasValue(before);
        return told;
      }
    }
    throw new AssertionError("somebody writes to " + engine.mount() + " all the time");
  }

  @Test
  void otherEngines_areNotTakenForPodman() {
    assumeFalse(engine.isPodman(), "not on this engine: it is Podman");

    assertThatThrownBy(() -> runtime.podmanFsStats(CLOCK).imageFs())
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("is not Podman");
  }
}
