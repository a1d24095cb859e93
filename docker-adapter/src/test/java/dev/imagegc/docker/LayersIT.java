/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import dev.imagegc.api.RemovalOutcome;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The layers of images against real engines, see {@link RealEngine}: what they say is freed, and what really is. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.imagegc.docker.RealEngine#all")
class LayersIT {
  private static final int MIB = 1024 * 1024;

  /** What an image without layers of its own takes more or less than a store usually takes. */
  private static final long FEW_BLOCKS = 4 * 4096;

  @Parameter
  RealEngine engine;

  DockerRuntime runtime;

  @BeforeEach
  void connect() {
    engine.empty();
    connectAgain();
  }

  private void connectAgain() {
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
  void everyRemoval_freesAtOnceWhatTheLayersPromise() throws IOException {
    assumeFalse(engine.isPodman(), "not on this engine: Podman's sizes do not add up");
    engine.importImage("kit/base:1", 6 * MIB);
    engine.importImage("kit/alone:1", MIB);
    engine.build(
        "kit/left:1",
        "FROM kit/base:1\nENV a=b\nCOPY x /x\nWORKDIR /w\nCMD [\"/x\"]\n",
        Map.of("x", random(3 * MIB)));
    engine.build(
        "kit/right:1",
        "FROM kit/base:1\nCOPY y /y\nCOPY z /z\n",
        Map.of("y", random(2 * MIB), "z", random(4 * MIB)));
    engine.build("kit/tip:1", "FROM kit/left:1\nCOPY t /t\n", Map.of("t", random(7 * MIB)));
    engine.build("kit/names:1", "FROM kit/base:1\nLABEL only=names\n");
    byte[] first = layer("first", 2 * MIB);
    byte[] second = layer("second", 3 * MIB);
    byte[] empty = layer("empty", 0);
    byte[] none = RealEngine.tar(Map.of());
    engine.load(
        RealEngine.archive("kit/loaded:1", List.of(first, empty, second, none, first), true));
    engine.load(RealEngine.archive("kit/turned:1", List.of(second, first), true));
    // With a layer of its own: see the package documentation on loading what is there already.
    engine.load(RealEngine.archive("kit/shared:1", List.of(first, empty, layer("own", MIB)), true));
    engine.tag("kit/right:1", "kit/right", "2");
    engine.tag("kit/right:1", "other/right", "3");
    engine.takeAway("kit/turned:1");

    assertFreedInTurn();
  }

  /** Removes one image after the other, children first, and compares. */
  private void assertFreedInTurn() throws IOException {
    List<Image> images = new ArrayList<>(runtime.listImages());
    assertThat(images)
        .isNotEmpty()
        .allSatisfy(image -> assertThat(image.layers())
            .as("%s of %s bytes", image, image.sizeBytes())
            .isPresent());
    long promisedInAll = 0;
    long freedInAll = 0;
    while (!images.isEmpty()) {
      Image next = oneWithoutChildren(images);
      images.remove(next);
      long promised = exclusiveBytes(next, images);
      long before = free();
      assertThat(runtime.removeImage(next).outcome()).isEqualTo(RemovalOutcome.REMOVED);
      long freed = free() - before;
      assertThat(freed)
          .as("freed by %s", next)
          .isCloseTo(promised, within(Math.max(promised / 100, FEW_BLOCKS)));
      promisedInAll += promised;
      freedInAll += freed;
    }
    System.out.printf(
        "%s: the layers promised %d bytes, %d were freed: %.2f %% more%n",
        engine, promisedInAll, freedInAll, 100.0 * (freedInAll - promisedInAll) / promisedInAll);
    assertThat(freedInAll).isCloseTo(promisedInAll, within(promisedInAll / 100));
  }

  private static Image oneWithoutChildren(List<Image> images) {
    Set<ImageId> parents =
        images.stream().flatMap(image -> image.parent().stream()).collect(Collectors.toSet());
    return images.stream()
        .filter(image -> !parents.contains(image.id()))
        .findFirst()
        .orElseThrow();
  }

  private static long exclusiveBytes(Image image, List<Image> others) {
    Set<Layer> held = others.stream()
        .flatMap(other -> other.layers().orElseThrow().stream())
        .collect(Collectors.toSet());
    return image.layers().orElseThrow().stream()
        .filter(layer -> !held.contains(layer))
        .mapToLong(Layer::sizeBytes)
        .sum();
  }

  @Test
  void imageWithoutHistory_isKnownFromTheFilesOfOverlay2() throws IOException {
    assumeFalse(
        engine.isPodman() || engine.hasContainerdStore(),
        "not on this engine: it writes no sizes down that can be read");
    byte[] archive = RealEngine.archive(
        "kit/a:1", List.of(layer("x", 2 * MIB), layer("y", 0), layer("z", MIB)), false);
    engine.load(archive);

    assertFreedInTurn();
  }

  @Test
  void listing_withWhatItDoesNotKnowYet_isTheSameForANewRuntime() {
    engine.importImage("kit/base:1", MIB);
    engine.build("kit/child:1", "FROM kit/base:1\nCOPY x /x\n", Map.of("x", random(MIB)));
    runtime.listImages();
    engine.build("kit/tip:1", "FROM kit/child:1\nCOPY y /y\n", Map.of("y", random(MIB)));

    List<Image> known = runtime.listImages();

    runtime.close();
    connectAgain();
    assertThat(runtime.listImages()).containsExactlyInAnyOrderElementsOf(known);
  }

  @Test
  void podman_whoseNumbersDoNotAddUp_hasUnknownLayers() {
    assumeTrue(engine.isPodman(), "not on this engine: its numbers add up");
    engine.importImage("kit/a:1", MIB);

    assertThat(runtime.listImages())
        .hasSize(1)
        .allSatisfy(image -> assertThat(image.layers()).isEmpty());
  }

  private long free() throws IOException {
    return Files.getFileStore(engine.mount()).getUnallocatedSpace();
  }

  private static byte[] layer(String file, int bytes) {
    return RealEngine.tar(Map.of(file, random(bytes)));
  }

  private static byte[] random(int bytes) {
    byte[] content = new byte[bytes];
    new Random().nextBytes(content);
    return content;
  }
}
