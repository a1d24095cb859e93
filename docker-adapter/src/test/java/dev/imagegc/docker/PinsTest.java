/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.UnreachableException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which images are reported as pinned. */
class PinsTest extends DaemonTest {
  private static final String OWN = "0123456789ab" + "c".repeat(52);

  private Path proc;

  @BeforeEach
  void proc() throws Exception {
    proc = directory.resolve("proc");
    Files.createDirectories(proc.resolve("self"));
    Files.createDirectories(proc.resolve("sys/kernel"));
  }

  @ParameterizedTest(name = "{0} pins {1}: {2}")
  @CsvSource({
    "kit/a, kit/a:1, true",
    "kit/a, docker.io/kit/a:1, true",
    "docker.io/kit/a, kit/a:1, true",
    "kit/a, kit/ab:1, false",
    "kit/a, other/kit/a:1, false",
    "kit/a:1, kit/a:1, true",
    "kit/a:1, kit/a:2, false",
    "kit/a:1, kit/a:10, false",
    "pause, docker.io/library/pause:3, true",
    "docker.io/pause, pause:3, true",
    "index.docker.io/library/pause, pause:3, true",
    "localhost/a, localhost/a:1, true",
    "localhost/a, a:1, false",
    "reg:5000/a, reg:5000/a:1, true",
    "reg:5000/a:1, reg:5000/a:2, false",
    "Reg/a, Reg/a:1, true",
  })
  void pinByName(String pin, String listed, boolean pinned) {
    String id = engine.image(listed).id;
    runtime = builder().pinImages(List.of(pin)).build();

    assertThat(listed(id).pinnedBecause().isPresent()).isEqualTo(pinned);
  }

  @Test
  void pinById_inFullOrInShort() {
    String id = engine.image().id;
    String other = engine.image().id;
    for (String pin : List.of(id, id.substring(7))) {
      runtime = builder().pinImages(List.of(pin)).build();

      assertThat(listed(id).pinnedBecause()).contains("pinned by '" + pin + "'");
      assertThat(listed(other).pinnedBecause()).isEmpty();
    }
  }

  @Test
  void pinByDigest() {
    String digest = "sha256:" + "d".repeat(64);
    StubEngine.StubImage image = engine.image("kit/a:1");
    image.digests.add("kit/a@" + digest);
    runtime = builder().pinImages(List.of("kit/a@" + digest)).build();

    assertThat(listed(image.id).pinnedBecause()).isPresent();
  }

  @ParameterizedTest
  @CsvSource({
    "registry.k8s.io/pause:3.9",
    "k8s.gcr.io/pause:3.2",
    "gcr.io/google_containers/pause-amd64:3.1",
    "rancher/mirrored-pause:3.6",
    "mcr.microsoft.com/oss/kubernetes/pause:3.6",
    "public.ecr.aws/eks-distro/kubernetes/pause:3.5",
  })
  void pauseImages_arePinnedByDefault(String reference) {
    assertThat(listed(engine.image(reference).id).pinnedBecause()).isPresent();
  }

  @Test
  void pins_canBeReplacedByNone() {
    runtime = builder().pinImages(List.of()).build();

    assertThat(listed(engine.image("registry.k8s.io/pause:3.9").id).pinnedBecause())
        .isEmpty();
  }

  private String ownImage() {
    String image = engine.image("kit/agent:1").id;
    engine.container(image, "running");
    return image;
  }

  /** Lets the engine know this process's container, which is of that image. */
  private void engineHasOwnContainer(String image) {
    engine.always(
        "GET /containers/" + OWN.substring(0, 12),
        StubDaemon.json(
            200,
            "{\"Id\":\"" + OWN + "\",\"Image\":\"" + image + "\",\"State\":{\"Running\":true}}"));
  }

  private void write(String file, String text) throws Exception {
    Files.writeString(proc.resolve(file), text);
  }

  @ParameterizedTest
  @CsvSource({
    "self/mountinfo, 501 480 254:1 /var/lib/docker/containers/OWN/hostname /etc/hostname rw - ext4 /dev/vda1 rw",
    "self/mountinfo, 501 480 254:1 /containers/storage/overlay-containers/OWN/userdata/hosts /etc/hosts rw - ext4 x rw",
    "self/cgroup, 12:memory:/docker/OWN",
    "self/cgroup, 0::/system.slice/docker-OWN.scope",
    "self/cgroup, 0::/machine.slice/libpod-OWN.scope/container",
    "sys/kernel/hostname, 0123456789ab",
  })
  void ownContainersImage_isPinnedAndAskedForOnce(String file, String line) throws Exception {
    String image = ownImage();
    write(file, line.replace("OWN", OWN) + "\n");
    engineHasOwnContainer(image);
    runtime = builder().proc(proc).build();

    assertThat(listed(image).pinnedBecause().orElseThrow()).contains("this process runs in");
    runtime.listImages();
    assertThat(daemon.calls()).filteredOn(call -> call.contains("/containers/")).hasSize(1);
  }

  @Test
  void mountsOfOtherContainers_onAHost_areNotTakenForItsOwn() throws Exception {
    write(
        "self/mountinfo",
        "1 2 0:1 / /var/lib/docker/containers/" + OWN + "/mounts/shm rw - tmpfs shm rw\n"
            + "3 2 0:2 / /var/lib/docker/overlay2/" + OWN + "/merged rw - overlay overlay rw\n");
    engineHasOwnContainer(ownImage());
    runtime = builder().proc(proc).build();

    runtime.listImages();

    assertThat(daemon.calls()).containsExactly("GET /images/json?all=1");
  }

  @Test
  void ownContainerOfAnotherEngine_pinsNothing() throws Exception {
    String image = ownImage();
    write("self/cgroup", "0::/docker/" + OWN);
    runtime = builder().proc(proc).build();

    assertThat(listed(image).pinnedBecause()).isEmpty();
    runtime.listImages();
    assertThat(daemon.calls()).filteredOn(call -> call.contains("/containers/")).hasSize(1);
  }

  @Test
  void hostnameOfAContainerThatDoesNotRun_isNoEvidence() throws Exception {
    String image = ownImage();
    write("sys/kernel/hostname", OWN.substring(0, 12));
    engine.always(
        "GET /containers/" + OWN.substring(0, 12),
        StubDaemon.json(
            200,
            "{\"Id\":\"" + OWN + "\",\"Image\":\"" + image + "\",\"State\":{\"Running\":false}}"));
    runtime = builder().proc(proc).build();

    assertThat(listed(image).pinnedBecause()).isEmpty();
  }

  @Test
  void troubleWithTheOwnContainer_failsTheListAndIsNotRemembered() throws Exception {
    String image = ownImage();
    write("self/cgroup", "0::/docker/" + OWN);
    engine.next("GET /containers/", StubDaemon.message(500, "busy"));
    engineHasOwnContainer(image);
    runtime = builder().proc(proc).build();

    assertThatThrownBy(runtime::listImages).isInstanceOf(UnreachableException.class);
    assertThat(listed(image).pinnedBecause()).isPresent();
  }

  @Test
  void ownImage_canBeLeftUnpinned() throws Exception {
    String image = ownImage();
    write("self/cgroup", "0::/docker/" + OWN);
    engineHasOwnContainer(image);
    runtime = builder().proc(proc).pinOwnImage(false).build();

    assertThat(listed(image).pinnedBecause()).isEmpty();
    assertThat(daemon.calls()).containsExactly("GET /images/json?all=1");
  }
}
