/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ProtocolException;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of the lists that engines send. */
class ListingTest extends DaemonTest {
  private List<Image> images(String json) {
    engine.next("GET /images/json", StubDaemon.json(200, json));
    return runtime.listImages();
  }

  private List<Container> containers(String json) {
    engine.next("GET /containers/json", StubDaemon.json(200, json));
    return runtime.listContainers();
  }

  @Test
  void image_ofDocker20_isRead() {
    Image image = images(
            "[{\"Containers\":-1,\"Created\":1700000000,\"Id\":\"sha256:aa\","
                + "\"Labels\":{\"a\":\"1\",\"b\":null},\"ParentId\":\"sha256:bb\",\"RepoDigests\":null,"
                + "\"RepoTags\":[\"a/b:1\",\"a/b:2\"],\"SharedSize\":-1,\"Size\":1234,\"VirtualSize\":1234}]")
        .get(0);

    assertThat(image.id()).isEqualTo(ImageId.of("aa"));
    assertThat(image.references()).containsExactly("a/b:1", "a/b:2");
    assertThat(image.sizeBytes()).hasValue(1234);
    assertThat(image.builtAt()).contains(Instant.ofEpochSecond(1_700_000_000));
    assertThat(image.parent()).contains(ImageId.of("sha256:bb"));
    assertThat(image.labels()).containsEntry("a", "1").containsEntry("b", "");
  }

  @Test
  void image_ofPodman_isRead() {
    Image image = images("[{\"Id\":\"sha256:aa\",\"ParentId\":\"bb\",\"RepoTags\":null,"
            + "\"RepoDigests\":[],\"Size\":1,\"History\":[],\"Digest\":\"sha256:cc\"}]")
        .get(0);

    assertThat(image.parent()).contains(ImageId.of("sha256:bb"));
    assertThat(image.references()).isEmpty();
  }

  @Test
  void image_withDigestAmongItsTags_hasTagsFirst() {
    Image image = images("[{\"Id\":\"sha256:aa\",\"RepoTags\":[\"a@sha256:cc\",\"a:1\"],"
            + "\"RepoDigests\":[\"a@sha256:cc\",\"b@sha256:cc\"]}]")
        .get(0);

    assertThat(image.references()).containsExactly("a:1", "a@sha256:cc", "b@sha256:cc");
  }

  @Test
  void placeholders_areNotNames() {
    Image image = images("[{\"Id\":\"sha256:aa\",\"RepoTags\":[\"<none>:<none>\"],"
            + "\"RepoDigests\":[\"<none>@<none>\"]}]")
        .get(0);

    assertThat(image.references()).isEmpty();
  }

  @Test
  void unknownValues_areAbsent() {
    Image image = images("[{\"Id\":\"sha256:aa\",\"Size\":-1,\"Created\":-62135596800,"
            + "\"ParentId\":\"\",\"Labels\":null}]")
        .get(0);

    assertThat(image.sizeBytes()).isEmpty();
    assertThat(image.builtAt()).isEmpty();
    assertThat(image.parent()).isEmpty();
    assertThat(image.labels()).isEmpty();
  }

  @Test
  void imageListedTwice_isOneWithAllItsNames() {
    List<Image> images = images("[{\"Id\":\"sha256:aa\",\"RepoTags\":[\"a:1\"],\"Size\":1},"
        + "{\"Id\":\"aa\",\"RepoTags\":[\"a:2\"],\"Size\":2}]");

    assertThat(images).hasSize(1);
    assertThat(images.get(0).references()).containsExactlyInAnyOrder("a:1", "a:2");
    assertThat(images.get(0).sizeBytes()).hasValue(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[{\"Id\":null}]",
        "[{\"Id\":\"\"}]",
        "[{\"Id\":\"sha256:\"}]",
        "[{\"RepoTags\":[]}]",
        "[{\"Id\":7}]",
        "[{\"Id\":\"a\",\"Id\":\"b\"}]",
        "[{\"Id\":\"a\",\"Size\":-2}]",
        "[{\"Id\":\"a\",\"Size\":\"big\"}]",
        "[{\"Id\":\"a\",\"Size\":1e30}]",
        "[{\"Id\":\"a\",\"Created\":9223372036854775807}]",
        "[{\"Id\":\"a\",\"RepoTags\":\"a:1\"}]",
        "[null]",
        "null",
        "{}",
        "",
        "[{\"Id\":\"a\"}",
        "[{\"Id\":\"a\"}] []",
        "[{'Id':'a'}]",
        "<html>",
      })
  void malformedImageList_isAProtocolError(String json) {
    assertThatThrownBy(() -> images(json))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("GET /v1.51/images/json?all=1 at unix://")
        .hasMessageContaining("malformed or cut short");
  }

  @Test
  void container_isRead() {
    Container container = containers("[{\"Id\":\"c1\",\"Names\":[\"/web\",\"/other/alias\"],"
            + "\"Image\":\"a/b:1\",\"ImageID\":\"sha256:aa\",\"Created\":1700000000,"
            + "\"State\":\"exited\",\"Status\":\"Exited (0)\",\"Labels\":{\"k\":\"v\"},"
            + "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/x\"}],\"HostConfig\":{\"a\":[{}]}}]")
        .get(0);

    assertThat(container.id()).isEqualTo("c1");
    assertThat(container.images()).containsExactly(ImageId.of("aa"));
    assertThat(container.state()).isEqualTo(ContainerState.EXITED);
    assertThat(container.name()).contains("web");
    assertThat(container.createdAt())
        .as("the end of the second: it may have been created at any moment of it")
        .contains(Instant.ofEpochSecond(1_700_000_001));
    assertThat(container.finishedAt()).isEmpty();
    assertThat(container.labels()).containsEntry("k", "v");
  }

  @Test
  void containerStates_keepTheirCodes() {
    assertThat(containers("[{\"Id\":\"1\",\"ImageID\":\"a\",\"State\":\"created\"},"
            + "{\"Id\":\"2\",\"ImageID\":\"a\",\"State\":\"running\"},"
            + "{\"Id\":\"3\",\"ImageID\":\"a\",\"State\":\"removing\"},"
            + "{\"Id\":\"4\",\"ImageID\":\"a\",\"State\":\"\"},"
            + "{\"Id\":\"5\",\"ImageID\":\"a\"}]"))
        .extracting(Container::state)
        .containsExactly(
            ContainerState.CREATED,
            ContainerState.RUNNING,
            ContainerState.of("REMOVING"),
            ContainerState.UNKNOWN,
            ContainerState.UNKNOWN);
  }

  @ParameterizedTest
  @CsvSource({
    "created, CREATED",
    "running, RUNNING",
    "paused, PAUSED",
    "restarting, RESTARTING",
    "removing, REMOVING",
    "exited, EXITED",
    "dead, DEAD",
    "Exited, EXITED",
    "configured, CREATED",
    "initialized, CREATED",
    "stopping, RUNNING",
    "stopped, RESTARTING",
    "unknown, UNKNOWN",
    "else, ELSE",
  })
  void containerState_isUnderstood(String word, String code) {
    assertThat(containers("[{\"Id\":\"1\",\"ImageID\":\"a\",\"State\":\"" + word + "\"}]")
            .get(0)
            .state())
        .isEqualTo(ContainerState.of(code));
  }

  @Test
  void containerOfNoImage_holdsNone() {
    assertThat(containers("[{\"Id\":\"1\",\"ImageID\":\"\",\"Image\":\"\"}]")
            .get(0)
            .images())
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[{\"ImageID\":\"a\"}]",
        "[{\"Id\":\"1\"}]",
        "[{\"Id\":\"1\",\"ImageID\":null}]",
        "[{\"Id\":\"1\",\"ImageID\":\"\",\"Image\":\"a:1\"}]",
        "[{\"Id\":\"1\",\"ImageID\":\"sha256:\",\"Image\":\"a:1\"}]",
        "[{\"Id\":\"1\",\"ImageID\":\"a\",\"Created\":-5}]",
        "[{\"Id\":\"1\",\"ImageID\":\"a\",\"Created\":9223372036854775807}]",
        "[{\"Id\":\"1\",\"ImageID\":\"a\",\"Mounts\":[{\"Type\":\"image\"}]}]",
        "[{\"Id\":\"1\",\"ImageID\":\"a\",\"Mounts\":[{\"Type\":\"image\",\"Name\":\"\"}]}]",
        "[{\"Id\":\"1\",\"ImageID\":\"a\"}",
        "{\"message\":\"no\"}",
      })
  void malformedContainerList_isAProtocolError(String json) {
    assertThatThrownBy(() -> containers(json)).isInstanceOf(ProtocolException.class);
  }

  @Test
  void lists_askForEverything() {
    runtime.listImages();
    runtime.listContainers();

    assertThat(daemon.calls())
        .containsExactly("GET /images/json?all=1", "GET /containers/json?all=1");
  }
}
