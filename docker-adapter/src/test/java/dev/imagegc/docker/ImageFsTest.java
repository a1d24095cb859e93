/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.UnreachableException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Where the images are, and how that is proven. */
class ImageFsTest extends DaemonTest {
  private static final String OVERLAY2 = "image/overlay2/imagedb/content/sha256";
  private static final String DATABASE = "io.containerd.metadata.v1.bolt/meta.db";
  private static final String BLOBS = "io.containerd.content.v1.content/blobs/sha256";

  private Path root;
  private Path external;

  @BeforeEach
  void root() throws Exception {
    root = Files.createDirectory(directory.resolve("root"));
    external = directory.resolve("containerd");
    runtime = builder().containerdRoot(external).build();
  }

  private void info(String driver, String rootDir) {
    info(driver, rootDir, "[[\"Backing Filesystem\",\"extfs\"]]");
  }

  private void containerdInfo() {
    info("overlayfs", root.toString(), "[[\"driver-type\",\"io.containerd.snapshotter.v1\"]]");
  }

  private void info(String driver, String rootDir, String status) {
    engine.always(
        "GET /info",
        StubDaemon.json(
            200,
            "{\"ID\":\"engine-1\",\"Driver\":\"" + driver + "\",\"DockerRootDir\":\"" + rootDir
                + "\",\"DriverStatus\":" + status + ",\"Swarm\":{}}"));
  }

  private Path directory(Path parent, String path) throws Exception {
    return Files.createDirectories(parent.resolve(path));
  }

  private static void file(Path parent, String path) throws Exception {
    Path file = parent.resolve(path);
    Files.createDirectories(file.getParent());
    Files.createFile(file);
  }

  private String image() {
    return engine.image("a/b:1").id.substring("sha256:".length());
  }

  private void refused(String words) {
    assertThatThrownBy(runtime::imageFsPath)
        .isInstanceOf(UnreachableException.class)
        .hasMessageContaining(words)
        .hasMessageContaining("unix://" + socket())
        .hasMessageContaining("Set the path");
  }

  @Test
  void overlay2_withTheEnginesImages_isTheDataDirectory() throws Exception {
    info("overlay2", root.toString());
    file(root, OVERLAY2 + "/" + image());

    assertThat(runtime.imageFsPath()).isEqualTo(root);
  }

  @Test
  void overlay2_withoutTheEnginesImages_isRefused() throws Exception {
    info("overlay2", root.toString());
    directory(root, OVERLAY2);
    String id = image();

    refused("the engine's image " + id.substring(0, 12) + " is not there");
  }

  @Test
  void imageThatWentMeanwhile_provesNothing() throws Exception {
    info("overlay2", root.toString());
    directory(root, OVERLAY2);
    String id = image();
    engine.next("GET /images/sha256:" + id, StubDaemon.message(404, "No such image"));

    assertThat(runtime.imageFsPath()).isEqualTo(root);
  }

  @Test
  void engineWithoutImages_needsTheLayoutOnly() throws Exception {
    info("overlay2", root.toString());
    refused("it has neither " + OVERLAY2);

    directory(root, OVERLAY2);
    assertThat(runtime.imageFsPath()).isEqualTo(root);
  }

  @Test
  void provenPlace_isRemembered_andAsksTheEngineNothing() throws Exception {
    info("overlay2", root.toString());
    file(root, OVERLAY2 + "/" + image());
    runtime.imageFsPath();
    daemon.forgetCalls();

    assertThat(runtime.imageFsPath()).isEqualTo(root);
    assertThat(daemon.calls()).isEmpty();
  }

  @Test
  void imagesThatAreThere_proveThePlaceWithoutAListing() throws Exception {
    info("overlay2", root.toString());
    String id = image();
    file(root, OVERLAY2 + "/" + id);

    assertThat(runtime.imageFsPath()).isEqualTo(root);
    assertThat(daemon.calls()).containsExactly("GET /info", "GET /images/sha256:" + id + "/json");
  }

  @Test
  void imagesThatAreThereAndNotTheEngines_areRefused() throws Exception {
    info("overlay2", root.toString());
    image();
    String foreign = "f".repeat(64);
    file(root, OVERLAY2 + "/" + foreign);

    refused("the engine does not know the image " + foreign.substring(0, 12) + " that is there");
  }

  @Test
  void engineIdThatFits_provesThePlaceWithoutAListing() throws Exception {
    info("overlay2", root.toString());
    directory(root, OVERLAY2);
    Files.writeString(root.resolve("engine-id"), "engine-1");
    image();

    assertThat(runtime.imageFsPath()).isEqualTo(root);
    assertThat(daemon.calls()).containsExactly("GET /info");
  }

  @Test
  void placeWithoutProof_isProvenAgain() throws Exception {
    info("overlay2", root.toString());
    directory(root, OVERLAY2);
    runtime.imageFsPath();
    String id = image();

    refused("the engine's image " + id.substring(0, 12) + " is not there");
  }

  @Test
  void provenPlace_thatAListingContradicts_isProvenAgain() throws Exception {
    info("overlay2", root.toString());
    String first = image();
    file(root, OVERLAY2 + "/" + first);
    runtime.imageFsPath();
    Files.delete(
        root.resolve(OVERLAY2 + "/" + first)); // as if another engine had taken the socket over
    runtime.listImages();

    refused("the engine's image " + first.substring(0, 12) + " is not there");
  }

  @Test
  void podman_isItsStorage() throws Exception {
    info("overlay", root.toString());
    directory(root, "overlay-images/" + image());

    assertThat(runtime.imageFsPath()).isEqualTo(root);
  }

  @Test
  void engineId_ofAnotherEngine_isRefused() throws Exception {
    info("overlay2", root.toString());
    file(root, OVERLAY2 + "/" + image());
    Files.writeString(root.resolve("engine-id"), "engine-2");

    refused("it belongs to the engine with id engine-2");
  }

  @Test
  void engineId_ofThisEngine_isAccepted() throws Exception {
    info("overlay2", root.toString());
    directory(root, OVERLAY2);
    Files.writeString(root.resolve("engine-id"), "engine-1\n");

    assertThat(runtime.imageFsPath()).isEqualTo(root);
  }

  @Test
  void dataDirectoryThatIsNotHere_isRefused() {
    info("overlay2", "/no/such/directory");

    refused("/no/such/directory here is not the one");
  }

  @Test
  void dataDirectoryThatIsNoPathHere_isAProtocolError() {
    info("windowsfilter", "C:/ProgramData/docker");
    assertThatThrownBy(runtime::imageFsPath)
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("C:/ProgramData/docker");
  }

  @Test
  void containerdOfTheEngine_isBelowTheDataDirectory() throws Exception {
    containerdInfo();
    file(root, "containerd/daemon/" + DATABASE);
    file(root, "containerd/daemon/" + BLOBS + "/" + image());

    assertThat(runtime.imageFsPath()).isEqualTo(root.resolve("containerd/daemon"));
  }

  @Test
  void externalContainerd_isItsOwnDirectory() throws Exception {
    containerdInfo();
    file(external, DATABASE);
    file(external, BLOBS + "/" + image());

    assertThat(runtime.imageFsPath()).isEqualTo(external);
  }

  @Test
  void externalContainerd_ofSomebodyElse_isRefused() throws Exception {
    containerdInfo();
    file(external, DATABASE);
    directory(external, BLOBS);
    image();

    refused("is not there");
  }

  @Test
  void containerdThatIsNowhere_isRefused() {
    containerdInfo();

    refused("whose directory it does not tell");
  }

  @Test
  void engineOnAnotherMachine_isRefusedWithoutAsking() {
    runtime = builder().host("tcp://192.0.2.1:2375").build();

    assertThatThrownBy(runtime::imageFsPath)
        .isInstanceOf(UnreachableException.class)
        .hasMessageContaining("is not on this machine");
  }
}
