/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

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
  void everyRemoval_freesWhatTheLayersPromise() throws IOException {
    assumeFalse(engine.isPodman(), "not on this engine: Podman's sizes do not add up");
    engine.importImage("kit/base:1", 6 * MIB);
    engine.importImage("kit/alone:1", 5 * MIB);
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
    byte[] first = tarOf("first", 2 * MIB);
    byte[] second = tarOf("second", 3 * MIB);
    byte[] none = RealEngine.tar(Map.of());
    engine.load(RealEngine.archive("kit/loaded:1", List.of(first, second, none, first), true));
    engine.load(RealEngine.archive("kit/turned:1", List.of(second, first), true));
    engine.tag("kit/right:1", "kit/right", "2");
    engine.tag("kit/right:1", "other/right", "3");

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
    double promisedInAll = 0;
    double freedInAll = 0;
    while (!images.isEmpty()) {
      Set<ImageId> parents =
          images.stream().flatMap(image -> image.parent().stream()).collect(Collectors.toSet());
      Image next = images.stream()
          .filter(image -> !parents.contains(image.id()))
          .findFirst()
          .orElseThrow();
      images.remove(next);
      Set<Layer> stay = images.stream()
          .flatMap(image -> image.layers().orElseThrow().stream())
          .collect(Collectors.toSet());
      long promised = next.layers().orElseThrow().stream()
          .filter(layer -> !stay.contains(layer))
          .mapToLong(Layer::sizeBytes)
          .sum();
      long before = free();
      assertThat(runtime.removeImage(next).outcome()).isEqualTo(RemovalOutcome.REMOVED);
      long freed = free() - before;
      System.out.printf(
          "%s: %s: Size %d, promised %d, freed %d, error %d (%.2f %%)%n",
          engine,
          next,
          next.sizeBytes().orElse(-1),
          promised,
          freed,
          freed - promised,
          promised == 0 ? 0 : 100.0 * (freed - promised) / promised);
      promisedInAll += promised;
      freedInAll += freed;
    }
    System.out.printf(
        "%s: in all: promised %.0f, freed %.0f, error %.3f %%%n",
        engine, promisedInAll, freedInAll, 100 * (freedInAll - promisedInAll) / promisedInAll);
  }

  private long free() throws IOException {
    return Files.getFileStore(engine.mount()).getUnallocatedSpace();
  }

  private static byte[] tarOf(String file, int bytes) {
    return RealEngine.tar(Map.of(file, random(bytes)));
  }

  private static byte[] random(int bytes) {
    byte[] content = new byte[bytes];
    new Random().nextBytes(content);
    return content;
  }
}
