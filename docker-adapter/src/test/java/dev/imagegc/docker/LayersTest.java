/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import dev.imagegc.docker.StubEngine.StubImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a listing asks for layers, what it costs, and what becomes of answers that are none. */
class LayersTest extends DaemonTest {
  private static final String LIST = "GET /images/json?all=1";

  @BeforeEach
  void withLayers() {
    runtime.close();
    runtime = builder().layers(true).build();
  }

  private static String diff(String name) {
    return LayerStack.digest(name);
  }

  private StubImage image(List<String> diffs, Long... steps) {
    StubImage image = engine.image();
    image.layers(diffs.stream().map(LayersTest::diff).toList(), steps);
    return image;
  }

  /** The bytes of an image's layers, without its own record, or empty if they are unknown. */
  private Optional<List<Long>> sizesOf(StubImage image) {
    return listed(image.id)
        .layers()
        .map(layers -> layers.stream()
            .limit(layers.size() - 1L)
            .map(layer ->
                layer.sizeBytes() - LayerStack.Store.GRAPH.bytesBeside(layers.indexOf(layer)))
            .toList());
  }

  private static String inspect(StubImage image) {
    return "GET /images/" + image.id + "/json";
  }

  private static String history(StubImage image) {
    return "GET /images/" + image.id + "/history";
  }

  // ---- what is asked ----

  @Test
  void newImage_costsTwoRequests_andAKnownOneNone() {
    StubImage image = image(List.of("a", "b"), 10L, 0L, 20L);

    assertThat(sizesOf(image)).contains(List.of(10L, 20L));
    assertThat(daemon.calls()).containsExactly(LIST, inspect(image), history(image));
    daemon.forgetCalls();

    assertThat(sizesOf(image)).contains(List.of(10L, 20L));
    assertThat(daemon.calls()).containsExactly(LIST);
  }

  @Test
  void imageThatWentAndCameBack_isAskedForAgain() {
    StubImage image = image(List.of("a"), 10L);
    runtime.listImages();
    engine.next(LIST, StubDaemon.json(200, "[]"));
    runtime.listImages();
    daemon.forgetCalls();

    assertThat(sizesOf(image)).contains(List.of(10L));
    assertThat(daemon.calls()).containsExactly(LIST, inspect(image), history(image));
  }

  @Test
  void imageWhoseSizeChanged_isAskedForAgain() {
    StubImage image = image(List.of("a"), 10L);
    runtime.listImages();
    image.layers(List.of(diff("a")), 30L);

    assertThat(sizesOf(image)).contains(List.of(30L));
  }

  @Test
  void imageOfUnknownSize_isNotAskedFor() {
    engine.next(LIST, StubDaemon.json(200, "[{\"Id\":\"sha256:aa\"}]"));

    assertThat(runtime.listImages().get(0).layers()).isEmpty();
    assertThat(daemon.calls()).containsExactly(LIST);
  }

  @Test
  void layersSwitchedOff_askNothing() {
    image(List.of("a"), 10L);
    runtime.close();
    runtime = builder().layers(false).build();

    assertThat(runtime.listImages()).allMatch(image -> image.layers().isEmpty());
    assertThat(daemon.calls()).containsExactly(LIST);
  }

  @Test
  void containers_areFoundWithoutLayers() {
    image(List.of("a"), 10L);
    engine.container(engine.image("data:1").id, "running", "data:1");

    runtime.listContainers();

    assertThat(daemon.calls()).containsExactly("GET /containers/json?all=1", LIST);
  }

  @Test
  void manyImages_areAskedForFourAtATime() throws Exception {
    CountDownLatch four = new CountDownLatch(4);
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    for (int i = 0; i < 20; i++) {
      StubImage image = image(List.of("a" + i), 10L);
      engine.next(inspect(image), connection -> {
        most.accumulateAndGet(running.incrementAndGet(), Math::max);
        four.countDown();
        four.await();
        running.decrementAndGet();
        connection.write(StubDaemon.head(500, "Content-Length: 0"));
      });
    }

    runtime.listImages();

    assertThat(most).hasValue(4);
    assertThat(runtime.listImages()).allMatch(image -> image.layers().isPresent());
  }

  @Test
  void concurrentListings_askForAnImageOnce() throws Exception {
    List<StubImage> images = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      images.add(image(List.of("base", "a" + i), 10L, 20L));
    }
    List<FutureTask<List<Image>>> listings = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      listings.add(new FutureTask<>(runtime::listImages));
    }
    for (FutureTask<List<Image>> listing : listings) {
      new Thread(listing).start();
    }

    for (FutureTask<List<Image>> listing : listings) {
      assertThat(listing.get()).hasSize(10).allMatch(image -> image.layers().isPresent());
    }
    images.forEach(image ->
        assertThat(Collections.frequency(daemon.calls(), history(image))).isEqualTo(1));
  }

  // ---- what is kept ----

  @Test
  void sharedLayers_areOneObject_andAnImageHasOneListOfThem() {
    StubImage left = image(List.of("a", "b"), 10L, 20L);
    StubImage right = image(List.of("a", "c"), 10L, 30L);

    List<Layer> ofLeft = listed(left.id).layers().orElseThrow();

    assertThat(listed(right.id).layers().orElseThrow().get(0)).isSameAs(ofLeft.get(0));
    assertThat(listed(left.id).layers().orElseThrow()).isSameAs(ofLeft);
  }

  @Test
  void imageThatOnlyAddsMetadata_hasTheLayersOfItsBase_andARecordOfItsOwn() {
    StubImage base = image(List.of("a"), 10L);
    StubImage child = image(List.of("a"), 10L, 0L);

    List<Layer> ofBase = listed(base.id).layers().orElseThrow();
    List<Layer> ofChild = listed(child.id).layers().orElseThrow();

    assertThat(ofChild).hasSize(2).containsOnlyOnceElementsOf(ofBase.subList(0, 1));
    assertThat(ofChild).doesNotContain(ofBase.get(1));
  }

  @Test
  void newImage_mayDecideWhatAnOldOneLeftOpen() {
    StubImage open = image(List.of("a", "workdir", "b"), 10L, 0L, 20L, 0L);
    assertThat(sizesOf(open)).isEmpty();
    image(List.of("a", "workdir"), 10L, 0L);
    daemon.forgetCalls();

    assertThat(sizesOf(open)).contains(List.of(10L, 0L, 20L));
    assertThat(daemon.calls()).doesNotContain(inspect(open), history(open));
  }

  @Test
  void imageThatStaysOpen_isNotAskedForAgain() {
    StubImage open = image(List.of("a", "workdir", "b"), 10L, 0L, 20L, 0L);
    runtime.listImages();
    daemon.forgetCalls();

    assertThat(sizesOf(open)).isEmpty();
    assertThat(daemon.calls()).containsExactly(LIST);
  }

  @Test
  void imagesThatDisagree_areUnknown() {
    StubImage one = image(List.of("a", "b"), 10L, 20L);
    assertThat(sizesOf(one)).isPresent();
    StubImage other = image(List.of("a", "c"), 11L, 30L);
    StubImage stranger = image(List.of("e"), 50L);

    assertThat(sizesOf(one)).isEmpty();
    assertThat(sizesOf(other)).isEmpty();
    assertThat(sizesOf(stranger)).contains(List.of(50L));
  }

  // ---- failures ----

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"RootFS\":{\"Layers\":[\"a\"]}}",
        "{\"RootFS\":{\"Layers\":\"a\"}}",
        "{\"RootFS\":7}",
        "[]",
        "null",
        "",
        "<html>",
      })
  void malformedInspection_leavesTheImageUnknown(String body) {
    StubImage image = image(List.of("a"), 10L);
    StubImage other = image(List.of("b"), 20L);
    engine.next(inspect(image), StubDaemon.json(200, body));

    assertThat(runtime.listImages())
        .filteredOn(listed -> listed.layers().isPresent())
        .extracting(Image::id)
        .containsExactly(ImageId.of(other.id));
    assertThat(sizesOf(image)).as("the next listing").isPresent();
  }

  @ParameterizedTest
  @ValueSource(strings = {"[{}]", "[{\"Size\":-1}]", "[{\"Size\":\"x\"}]", "[7]", "{}", "[", ""})
  void malformedHistory_leavesTheImageUnknown(String body) {
    StubImage image = image(List.of("a"), 10L);
    engine.next(history(image), StubDaemon.json(200, body));

    assertThat(sizesOf(image)).isEmpty();
    assertThat(sizesOf(image)).as("the next listing").isPresent();
  }

  @Test
  void missingHistory_leavesTheImageUnknown_forGood() {
    StubImage image = image(List.of("a"), 10L);
    engine.always(history(image), StubDaemon.json(200, "null"));
    runtime.listImages();
    daemon.forgetCalls();

    assertThat(sizesOf(image)).isEmpty();
    assertThat(daemon.calls()).containsExactly(LIST);
  }

  @Test
  void imageThatWentMeanwhile_isListedWithoutLayers() {
    StubImage image = image(List.of("a"), 10L);
    engine.next(inspect(image), StubDaemon.message(404, "No such image"));

    assertThat(listed(image.id).layers()).isEmpty();
  }

  @Test
  void deniedInspection_doesNotFailTheListing() {
    StubImage image = image(List.of("a"), 10L);
    engine.always("GET /images/sha256", StubDaemon.message(403, "not this call"));

    assertThat(listed(image.id).layers()).isEmpty();
  }

  @Test
  void connectionThatIsLost_doesNotFailTheListing() {
    StubImage image = image(List.of("a"), 10L);
    engine.next(history(image), StubDaemon.closed());

    assertThat(listed(image.id).layers()).isEmpty();
    assertThat(sizesOf(image)).as("the next listing").isPresent();
  }

  @Test
  void imageThatKeepsFailing_isAskedForLessAndLess() {
    StubImage image = image(List.of("a"), 10L);
    engine.always(history(image), StubDaemon.message(500, "layer does not exist"));
    List<Integer> asked = new ArrayList<>();

    for (int listing = 1; listing <= 300; listing++) {
      daemon.forgetCalls();
      runtime.listImages();
      if (daemon.calls().contains(history(image))) {
        asked.add(listing);
      }
    }

    assertThat(asked).containsExactly(1, 2, 4, 8, 16, 32, 64, 129, 194, 259);
  }

  @Test
  void imageThatHangs_endsWithTheTimeOfTheListing_andIsUnknown() {
    StubImage hanging = image(List.of("a"), 10L);
    StubImage other = image(List.of("b"), 20L);
    become(builder().layers(true).listTimeout(MEDIUM, MEDIUM, SHORT));
    engine.always(history(hanging), StubDaemon.hang());

    assertThat(sizesOf(hanging)).isEmpty();
    assertThat(sizesOf(other)).contains(List.of(20L));
  }

  @Test
  void imagesThatCannotBeAskedInTime_areAskedByTheNextListing() {
    for (int i = 0; i < 8; i++) {
      image(List.of("a" + i), 10L);
    }
    become(builder().layers(true).listTimeout(MEDIUM, LONG, SHORT));
    engine.always("GET /images/sha256", StubDaemon.hang());

    assertThat(runtime.listImages()).allMatch(image -> image.layers().isEmpty());
    engine.heal();

    assertThat(runtime.listImages()).allMatch(image -> image.layers().isPresent());
  }

  @Test
  void interrupt_endsTheListing() throws Exception {
    CountDownLatch asked = hangAsking();
    FutureTask<Boolean> call = new FutureTask<>(() -> {
      assertThatThrownBy(runtime::listImages).isInstanceOf(CancelledException.class);
      return Thread.currentThread().isInterrupted();
    });
    Thread thread = new Thread(call);
    thread.start();
    asked.await();

    thread.interrupt();

    assertThat(call.get()).isTrue();
    engine.heal();
    assertThat(runtime.listImages()).allMatch(image -> image.layers().isPresent());
  }

  @Test
  void close_endsTheListing() throws Exception {
    CountDownLatch asked = hangAsking();
    FutureTask<Void> call = new FutureTask<>(() -> {
      assertThatThrownBy(runtime::listImages)
          .isInstanceOfAny(CancelledException.class, IllegalStateException.class);
      return null;
    });
    new Thread(call).start();
    asked.await();

    runtime.close();

    call.get();
    assertThatThrownBy(runtime::listImages).isInstanceOf(IllegalStateException.class);
  }

  private CountDownLatch hangAsking() {
    CountDownLatch asked = new CountDownLatch(1);
    for (int i = 0; i < 6; i++) {
      engine.always(history(image(List.of("a" + i), 10L)), connection -> {
        asked.countDown();
        connection.hang();
      });
    }
    return asked;
  }

  @Test
  void asking_startsDaemonThreadsOnly_whichEnd() throws Exception {
    StubImage image = image(List.of("a"), 10L);
    List<Thread> askers = new ArrayList<>();
    engine.next(inspect(image), connection -> {
      Thread.getAllStackTraces().keySet().stream()
          .filter(thread -> thread.getName().startsWith("imagegc-layers"))
          .forEach(askers::add);
      connection.write(StubDaemon.head(500, "Content-Length: 0"));
    });

    runtime.listImages();

    assertThat(askers).isNotEmpty().allMatch(Thread::isDaemon);
    for (Thread asker : askers) {
      asker.join();
    }
  }

  // ---- the engine's own files ----

  private void info(String driver, String status) {
    engine.always(
        "GET /info",
        StubDaemon.json(
            200,
            "{\"ID\":\"engine-1\",\"Driver\":\"" + driver + "\",\"DockerRootDir\":\"" + directory
                + "\",\"DriverStatus\":" + status + "}"));
  }

  private Path overlay2() {
    info("overlay2", "[]");
    return directory.resolve("image/overlay2");
  }

  private static void write(Path file, byte[] content) {
    try {
      Files.createDirectories(file.getParent());
      Files.write(file, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(Path file, String content) {
    write(file, content.getBytes(StandardCharsets.UTF_8));
  }

  /** Writes the sizes of an image's layers where overlay2 does. */
  private void writeSizes(StubImage image, Object... sizes) {
    Path store = overlay2();
    write(store.resolve("imagedb/content/sha256/" + image.id.substring(7)), "{}");
    List<String> chain = LayerStack.chain(image.diffIds);
    for (int i = 0; i < sizes.length; i++) {
      write(
          store.resolve("layerdb/sha256/" + chain.get(i).substring(7) + "/size"),
          String.valueOf(sizes[i]));
    }
  }

  @Test
  void overlay2AtHand_saysWhatAHistoryLeavesOpen() {
    StubImage image = image(List.of("a", "workdir", "b"), 10L, 0L, 20L, 0L);
    writeSizes(image, 10, 0, 20);

    assertThat(sizesOf(image)).contains(List.of(10L, 0L, 20L));
  }

  @Test
  void overlay2AtHand_saysWhatAMissingHistoryDoesNot() {
    StubImage image = image(List.of("a", "b"), 10L, 20L);
    engine.always(history(image), StubDaemon.json(200, "null"));
    writeSizes(image, 10, 20);

    assertThat(sizesOf(image)).contains(List.of(10L, 20L));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"11", "-20", "x", "", "20000000000000000000", "000000000000000000000000000000020"})
  void overlay2AtHand_withOtherSizes_isNotBelieved(String size) {
    StubImage image = image(List.of("a", "workdir", "b"), 10L, 0L, 20L, 0L);
    writeSizes(image, "10", "0", size);

    assertThat(sizesOf(image)).isEmpty();
  }

  @Test
  void overlay2OfAnotherEngine_isNotRead() {
    StubImage image = image(List.of("a", "workdir", "b"), 10L, 0L, 20L, 0L);
    writeSizes(image, 10, 0, 20);
    write(directory.resolve("engine-id"), "another engine");

    assertThat(sizesOf(image)).isEmpty();
  }

  @Test
  void placeThatIsProvenLater_decidesWhatWasOpen() {
    StubImage image = image(List.of("a", "workdir", "b"), 10L, 0L, 20L, 0L);
    assertThat(sizesOf(image)).isEmpty();
    writeSizes(image, 10, 0, 20);
    runtime.imageFsPath();

    assertThat(sizesOf(image)).contains(List.of(10L, 0L, 20L));
  }

  /** An image as the containerd store lists it: with the blobs that its manifest names. */
  private final class Stored {
    private final Path blobs =
        directory.resolve("containerd/daemon/io.containerd.content.v1.content/blobs/sha256");
    private final List<Map<String, Object>> manifests = new ArrayList<>();
    private long content;

    Stored() {
      info("overlayfs", "[[\"driver-type\",\"io.containerd.snapshotter.v1\"]]");
      write(directory.resolve("containerd/daemon/io.containerd.metadata.v1.bolt/meta.db"), "");
    }

    private Map<String, Object> blob(String text) {
      String digest = LayerStack.digest(text);
      write(blobs.resolve(digest.substring(7)), text);
      content += text.length();
      return Map.of("digest", digest, "size", text.length());
    }

    /** Writes a manifest, and returns its digest. */
    String manifest(String config, String... layers) {
      List<Map<String, Object>> named = new ArrayList<>();
      for (String layer : layers) {
        named.add(blob(layer));
      }
      manifests.add(blob(new Gson().toJson(Map.of("config", blob(config), "layers", named))));
      return (String) manifests.get(manifests.size() - 1).get("digest");
    }

    /** Writes an index of all manifests and of one whose blobs are not there, and returns its digest. */
    String index() {
      manifests.add(Map.of("digest", LayerStack.digest("other platform"), "size", 1234));
      long listed = content;
      String digest =
          (String) blob(new Gson().toJson(Map.of("manifests", manifests))).get("digest");
      content = listed;
      return digest;
    }

    /** Lists it with the layers of a stub image. */
    void list(String id, List<String> diffs, Long... steps) {
      long snapshots = LayerStack.sum(List.of(steps));
      engine.always(
          LIST,
          StubDaemon.json(200, "[{\"Id\":\"" + id + "\",\"Size\":" + (snapshots + content) + "}]"));
      engine.always(
          "GET /images/" + id + "/json",
          StubDaemon.json(
              200,
              new Gson()
                  .toJson(Map.of(
                      "Id", id,
                      "Size", content,
                      "RootFS",
                          Map.of("Layers", diffs.stream().map(LayersTest::diff).toList())))));
      List<Map<String, Long>> history = new ArrayList<>();
      for (Long step : steps) {
        history.add(0, Map.of("Size", step));
      }
      engine.always(
          "GET /images/" + id + "/history", StubDaemon.json(200, new Gson().toJson(history)));
    }
  }

  @Test
  void containerdStore_hasSnapshotsAndBlobs() {
    Stored stored = new Stored();
    String id = stored.manifest("config", "layer 1", "layer two");
    stored.list(id, List.of("a", "b"), 4096L, 0L, 8192L);

    List<Layer> layers = listed(id).layers().orElseThrow();

    assertThat(layers)
        .extracting(Layer::sizeBytes)
        .containsExactly(4096L + 8192, 8192L + 8192, 4096L, 4096L, 4096L, 4096L);
    assertThat(layers).extracting(Layer::id).contains(diff("a")).doesNotHaveDuplicates();
  }

  @Test
  void containerdStore_withAnIndex_hasThePlatformsThatAreThere() {
    Stored stored = new Stored();
    stored.manifest("config", "layer 1");
    String id = stored.index();
    stored.list(id, List.of("a"), 4096L);

    assertThat(listed(id).layers().orElseThrow()).hasSize(1 + 4);
  }

  @Test
  void containerdStore_layerTwiceInAManifest_isOneBlob() {
    Stored stored = new Stored();
    String id = stored.manifest("config", "layer 1", "layer 1");
    stored.list(id, List.of("a", "a"), 4096L, 4096L);

    assertThat(listed(id).layers().orElseThrow()).hasSize(2 + 3);
  }

  @Test
  void containerdStore_blobThatIsTheChangesOfALayer_isNotItsSnapshot() {
    Stored stored = new Stored();
    String id = stored.manifest("config", "a");
    stored.list(id, List.of("a"), 4096L);

    assertThat(listed(id).layers().orElseThrow()).hasSize(1 + 3);
  }

  @Test
  void containerdStore_whoseNumbersDoNotAddUp_isUnknown() {
    Stored stored = new Stored();
    String id = stored.manifest("config", "layer 1", "layer two");
    stored.content++;
    stored.list(id, List.of("a", "b"), 4096L, 8192L);

    assertThat(listed(id).layers()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "[]",
        "{\"config\":{\"digest\":\"../../../etc/passwd\",\"size\":1}}",
        "{\"config\":{\"size\":1}}",
        "{\"config\":{\"digest\":7}}",
        "{\"layers\":7}",
        "{\"manifests\":[null]}",
      })
  void containerdStore_manifestThatIsNone_isUnknown(String manifest) {
    Stored stored = new Stored();
    String id = (String) stored.blob(manifest).get("digest");
    stored.list(id, List.of("a"), 4096L);

    assertThat(listed(id).layers()).isEmpty();
  }

  @Test
  void containerdStore_manifestWithAnotherContent_isUnknown() {
    Stored stored = new Stored();
    String id = stored.manifest("config", "layer 1");
    stored.list(id, List.of("a"), 4096L);
    write(
        stored.blobs.resolve(id.substring(7)),
        new Gson().toJson(Map.of("config", stored.blob("other"), "layers", List.of())));

    assertThat(listed(id).layers()).isEmpty();
  }

  @Test
  void containerdStore_thatIsNotAtHand_isUnknown() {
    Stored stored = new Stored();
    String id = stored.manifest("config", "layer 1");
    stored.list(id, List.of("a"), 4096L);
    write(directory.resolve("engine-id"), "another engine");

    assertThat(listed(id).layers()).isEmpty();
  }
}
