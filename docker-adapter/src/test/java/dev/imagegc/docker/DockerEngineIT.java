/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The adapter against real engines, see {@link RealEngine}. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.imagegc.docker.RealEngine#all")
class DockerEngineIT {
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
  void emptyEngine_listsNothing() {
    assertThat(runtime.listImages()).isEmpty();
    assertThat(runtime.listContainers()).isEmpty();
  }

  @Test
  void image_isListedWithNamesSizeAndBuildTime() {
    String id = engine.importImage("kit/a:1", 100_000);

    Image image = listed(id);

    assertThat(image.references()).first().isEqualTo(engine.written("kit/a:1"));
    assertThat(image.references()).noneMatch(name -> name.contains("<none>"));
    assertThat(image.sizeBytes().orElseThrow()).isGreaterThanOrEqualTo(100_000);
    assertThat(image.builtAt()).isPresent();
    assertThat(image.parent()).isEmpty();
    assertThat(image.pinnedBecause()).isEmpty();
  }

  @Test
  void untaggedParents_areListedAndLinkTheChildToItsBase() {
    String base = engine.importImage("kit/base:1", 1000);
    String child = engine.build("kit/child:1", "FROM kit/base:1\nLABEL a=1\nLABEL b=2\n");

    Image intermediate = listed(listed(child).parent().orElseThrow().text());

    assertThat(intermediate.references()).isEmpty();
    assertThat(intermediate.parent()).contains(ImageId.of(base));
    assertThat(listed(child).labels()).containsEntry("b", "2");
  }

  @Test
  void pauseImage_isPinned() {
    String id = engine.importImage("registry.k8s.io/pause:3.9", 1000);

    assertThat(listed(id).pinnedBecause()).contains("pinned by 'registry.k8s.io/pause'");
  }

  @Test
  void containersInEveryState_areListedWithTheirImage() {
    String id = engine.importBusybox("kit/box:1");
    String created = engine.create("kit/box:1", "/bin/busybox", "true");
    String running = engine.run("kit/box:1", "/bin/busybox", "sleep", "600");
    String exited = engine.run("kit/box:1", "/bin/busybox", "true");
    engine.await(exited);

    List<Container> containers = runtime.listContainers();

    assertThat(containers)
        .allSatisfy(container -> assertThat(container.images()).containsExactly(ImageId.of(id)));
    assertThat(containers)
        .extracting(Container::id, Container::state)
        .containsExactlyInAnyOrder(
            tuple(created, ContainerState.CREATED),
            tuple(running, ContainerState.RUNNING),
            tuple(exited, ContainerState.EXITED));
  }

  @Test
  void remove_imageWithOneTag_isRemoved() {
    String id = engine.importImage("kit/a:1", 1000);

    assertThat(remove(id).outcome()).isEqualTo(RemovalOutcome.REMOVED);

    assertThat(engine.hasImage(id)).isFalse();
  }

  @Test
  void remove_imageWithTagsInTwoRepositories_isRemovedWhole() {
    String id = engine.importImage("kit/a:1", 1000);
    engine.tag(id, "kit/b", "2");
    engine.tag(id, "kit/a", "3");

    assertThat(remove(id).outcome()).isEqualTo(RemovalOutcome.REMOVED);

    assertThat(engine.hasImage(id)).isFalse();
  }

  @Test
  void remove_danglingImage_isRemoved() {
    String old = engine.importImage("kit/a:1", 1000);
    engine.tag(engine.importImage("kit/b:1", 2000), "kit/a", "1");

    assertThat(remove(old).outcome()).isEqualTo(RemovalOutcome.REMOVED);

    assertThat(engine.hasImage(old)).isFalse();
    assertThat(engine.hasImage("kit/a:1")).isTrue();
  }

  @Test
  void remove_twice_isGone() {
    String id = engine.importImage("kit/a:1", 1000);
    Image image = listed(id);
    runtime.removeImage(image);

    assertThat(runtime.removeImage(image).outcome()).isEqualTo(RemovalOutcome.GONE);
  }

  @Test
  void remove_imageWhoseTagHasMovedMeanwhile_leavesTheOtherImageAlone() {
    String old = engine.importImage("kit/a:1", 1000);
    Image image = listed(old);
    String other = engine.importImage("kit/b:1", 2000);
    engine.tag(other, "kit/a", "1");
    engine.untag("kit/b:1");

    assertThat(runtime.removeImage(image).outcome()).isEqualTo(RemovalOutcome.REMOVED);

    assertThat(engine.idOf("kit/a:1")).isEqualTo(other);
  }

  @Test
  void remove_imageThatAContainerHolds_isInUseAndKeepsAllItsNames() {
    String id = engine.importImage("kit/a:1", 1000);
    engine.tag(id, "kit/b", "2");
    Image image = listed(id);
    engine.create("kit/a:1");

    RemovalResult result = runtime.removeImage(image);

    assertThat(result.outcome()).isEqualTo(RemovalOutcome.IN_USE);
    assertThat(result.lostReferences()).isEmpty();
    assertThat(engine.tagsOf(id))
        .containsExactlyInAnyOrder(engine.written("kit/a:1"), engine.written("kit/b:2"));
  }

  @Test
  void remove_parentOnOverlay2_hasChildrenAndKeepsAllItsNames() {
    assumeTrue(
        !engine.isPodman() && !engine.hasContainerdStore(),
        "not on this engine: it lets a parent go");
    String id = engine.importImage("kit/base:1", 1000);
    engine.tag(id, "kit/b", "2");
    engine.build("kit/child:1", "FROM kit/base:1\nLABEL a=1\n");

    RemovalResult result = remove(id);

    assertThat(result.outcome()).isEqualTo(RemovalOutcome.HAS_CHILDREN);
    assertThat(result.lostReferences()).isEmpty();
    assertThat(engine.tagsOf(id)).containsExactlyInAnyOrder("kit/base:1", "kit/b:2");
  }

  @Test
  void remove_child_leavesUntaggedParentsToTheCollector() {
    assumeTrue(
        !engine.isPodman(), "not on this engine: Podman 4 takes them along whatever it is asked");
    String base = engine.importImage("kit/base:1", 1000);
    String child = engine.build("kit/child:1", "FROM kit/base:1\nLABEL a=1\nLABEL b=2\n");
    ImageId parent = listed(child).parent().orElseThrow();

    assertThat(remove(child).outcome()).isEqualTo(RemovalOutcome.REMOVED);

    assertThat(engine.hasImage(parent.text())).isTrue();
    assertThat(remove(parent.text()).outcome()).isEqualTo(RemovalOutcome.REMOVED);
    assertThat(engine.tagsOf(base)).containsExactly("kit/base:1");
  }

  @Test
  void imageFsPath_isOnTheEnginesOwnFilesystem() {
    assertThat(runtime.imageFsPath()).startsWith(engine.mount()).isDirectory();

    engine.importImage("kit/a:1", 1000);
    assertThat(runtime.imageFsPath()).startsWith(engine.mount()).isDirectory();
  }

  @Test
  void imageMountedIntoAContainer_isHeldByEveryFormOfItsName() {
    assumeTrue(engine.name().startsWith("docker28"), "not on this engine: needs API 1.48");
    String box = engine.importImage("kit/box:1", 1000);
    String data = engine.importImage("kit/data:1", 2000);
    for (String name : List.of(
        "kit/data:1", "docker.io/kit/data:1", data, data.substring(7), data.substring(7, 19))) {
      String container = engine.createWithMountedImage("kit/box:1", name);

      assertThat(runtime.listContainers().get(0).images())
          .as(name)
          .containsExactlyInAnyOrder(ImageId.of(box), ImageId.of(data));
      engine.removeContainer(container);
    }
  }

  @Test
  void imageMountedIntoAContainer_whoseTagMoved_isStillHeld() {
    assumeTrue(engine.name().startsWith("docker28"), "not on this engine: needs API 1.48");
    engine.importImage("kit/box:1", 1000);
    String data = engine.importImage("kit/data:1", 2000);
    engine.createWithMountedImage("kit/box:1", "kit/data:1");
    String newer = engine.importImage("kit/data2:1", 3000);
    engine.tag(newer, "kit/data", "1");
    runtime.listImages();

    assertThat(runtime.listContainers().get(0).images()).contains(ImageId.of(data));
  }

  private Image listed(String id) {
    return runtime.listImages().stream()
        .filter(image -> image.id().equals(ImageId.of(id)))
        .findFirst()
        .orElseThrow();
  }

  private RemovalResult remove(String id) {
    return runtime.removeImage(listed(id));
  }
}
