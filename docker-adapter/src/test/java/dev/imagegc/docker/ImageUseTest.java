/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ImageId;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images that are mounted into containers. */
class ImageUseTest extends DaemonTest {
  private static final String DIGEST =
      "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";

  private String box;
  private String data;

  @BeforeEach
  void images() {
    box = engine.image("kit/box:1").id;
    StubEngine.StubImage image = engine.image("kit/data:latest");
    image.digests.add("kit/data@" + DIGEST);
    data = image.id;
  }

  private Set<ImageId> held() {
    return runtime.listContainers().get(0).images();
  }

  private static Set<ImageId> ids(String... ids) {
    return java.util.Arrays.stream(ids)
        .map(ImageId::of)
        .collect(java.util.stream.Collectors.toSet());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kit/data:latest",
        "kit/data",
        "docker.io/kit/data",
        "kit/data@" + DIGEST,
        "kit/data:latest@" + DIGEST
      })
  void mountByName_holdsTheImageWithThatName(String name) {
    engine.container(box, "created", name);

    assertThat(held()).isEqualTo(ids(box, data));
  }

  @Test
  void mountById_inFullOrInShort_holdsTheImage() {
    for (String name : new String[] {data, data.substring(7)}) {
      String container = engine.container(box, "running", name);

      assertThat(held()).isEqualTo(ids(box, data));
      engine.removeContainer(container);
    }
  }

  @Test
  void mountByShortId_holdsEveryImageThatBeginsSo() {
    engine.container(box, "running", data.substring(7, 19));

    assertThat(held()).contains(ImageId.of(box), ImageId.of(data));
  }

  @Test
  void mountByNameOfNoImage_holdsAllUntaggedImages() {
    String untagged = engine.image().id;
    engine.container(box, "running", "kit/gone:1");

    assertThat(held()).isEqualTo(ids(box, untagged));
  }

  @Test
  void mountWhoseTagMoved_holdsWhatItMeantAtFirstSight() {
    engine.container(box, "running", "kit/data:latest");
    assertThat(held()).isEqualTo(ids(box, data));
    String newer = engine.image("kit/data:latest").id;
    runtime.listImages();

    assertThat(held()).isEqualTo(ids(box, data, newer));
  }

  @ParameterizedTest
  @ValueSource(longs = {1_800_000_000, 1_700_000_100})
  void mountWhoseTagIsYoungerThanTheContainer_orOfTheSameSecond_holdsAllUntaggedImages(long built) {
    String young = "sha256:" + "e".repeat(64);
    String untagged = engine.image().id;
    engine.container(box, "running", "kit/young:1");
    engine.next(
        "GET /images/json", StubDaemon.json(200, """
            [{"Id":"%s","RepoTags":["kit/young:1"],"Created":%d},
            {"Id":"%s","Created":1600000000},
            {"Id":"%s","RepoTags":["kit/data:1"],"Created":1600000000}]""".formatted(young, built, untagged, data)));

    assertThat(held()).isEqualTo(ids(box, young, untagged));
  }

  @Test
  void mounts_costNoListingWhenThereWasOne() {
    engine.container(box, "running", "kit/data:latest");
    runtime.listImages();
    daemon.forgetCalls();

    held();

    assertThat(daemon.calls()).containsExactly("GET /containers/json?all=1");
  }

  @Test
  void containersWithoutMounts_needNoListing() {
    engine.container(box, "running");

    assertThat(held()).isEqualTo(ids(box));
    assertThat(daemon.calls()).containsExactly("GET /containers/json?all=1");
  }
}
