/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What the kit does not say of removing containers of real engines, see {@link RealEngine}. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.imagegc.docker.RealEngine#all")
class ContainerRemovalIT {
  @Parameter
  RealEngine engine;

  DockerRuntime runtime;
  String image;

  @BeforeEach
  void connect() {
    engine.empty();
    runtime = builder().build();
    image = engine.importBusybox("kit/box:1");
  }

  @AfterEach
  void empty() {
    runtime.close();
    engine.empty();
  }

  private DockerRuntime.Builder builder() {
    return DockerRuntime.builder().environment(Map.of()).host("unix://" + engine.socket());
  }

  private Container listed(String id) {
    return runtime.listContainers().stream()
        .filter(container -> container.id().equals(id))
        .findFirst()
        .orElseThrow();
  }

  private RemovalResult remove(String id) {
    return runtime.removeContainer(listed(id));
  }

  @Test
  void anonymousVolume_staysWhenItsContainerIsRemoved() {
    String id = engine.runToItsEndWithAnonymousVolume(image, "/bin/busybox", "true");
    assertThat(engine.volumes()).hasSize(1);

    assertThat(remove(id).outcome()).isEqualTo(RemovalOutcome.REMOVED);

    assertThat(engine.volumes()).hasSize(1);
  }

  @Test
  void anonymousVolume_goesWithItsContainerIfTheHostWantsThat() {
    String id = engine.runToItsEndWithAnonymousVolume(image, "/bin/busybox", "true");
    String other = engine.runToItsEndWithAnonymousVolume(image, "/bin/busybox", "true");
    assertThat(engine.volumes()).hasSize(2);
    runtime.close();
    runtime = builder().removeAnonymousVolumes(true).build();

    assertThat(remove(id).outcome()).isEqualTo(RemovalOutcome.REMOVED);

    assertThat(engine.volumes()).hasSize(1);
    assertThat(listed(other).state()).isEqualTo(ContainerState.EXITED);
  }

  @Test
  void containerStartedSinceItWasListed_isRefusedInTheEnginesWords() {
    String id = engine.create(image, "/bin/busybox", "sleep", "600");
    Container created = listed(id);
    engine.startContainer(id);

    RemovalResult result = runtime.removeContainer(created);

    assertThat(created.state()).isEqualTo(ContainerState.CREATED);
    assertThat(result.outcome()).as(result.toString()).isEqualTo(RemovalOutcome.IN_USE);
    assertThat(result.detail()).contains("running");
    assertThat(listed(id).state()).isEqualTo(ContainerState.RUNNING);
  }

  @Test
  void containerThatIsStartedAgainWheneverItEnds_isNeverListedAsEnded() {
    String id = engine.runAgainAndAgain(image, "/bin/busybox", "true");

    for (int i = 0; i < 100; i++) {
      assertThat(listed(id).state())
          .isIn(ContainerState.RUNNING, ContainerState.RESTARTING, ContainerState.CREATED);
    }
  }

  @Test
  void containerThatEndsWhenAsked_isNotWaitedForToTheEndOfItsGrace() {
    String id = engine.run(
        image,
        "/bin/busybox",
        "sh",
        "-c",
        "trap 'exit 7' TERM; while :; do /bin/busybox sleep 1; done");

    // Longer than the test may take.
    runtime.stopContainer(listed(id), Duration.ofHours(1));

    assertThat(remove(id).outcome()).isEqualTo(RemovalOutcome.REMOVED);
  }

  @Test
  void writableLayer_goesWithItsContainer_andTheImageCanGoThen() {
    String id = engine.run(image, "/bin/busybox", "true");
    engine.await(id);
    assertThat(runtime.removeImage(image()).outcome()).isEqualTo(RemovalOutcome.IN_USE);

    assertThat(remove(id).outcome()).isEqualTo(RemovalOutcome.REMOVED);

    assertThat(runtime.removeImage(image()).outcome()).isEqualTo(RemovalOutcome.REMOVED);
  }

  private Image image() {
    return runtime.listImages().stream()
        .filter(listed -> listed.id().equals(ImageId.of(image)))
        .findFirst()
        .orElseThrow();
  }
}
