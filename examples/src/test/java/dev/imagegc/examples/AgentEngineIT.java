/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.imagegc.api.ImageId;
import dev.imagegc.core.FileRecordStore;
import dev.imagegc.docker.RealEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The agent as a process, on real engines that may be filled; see {@link RealEngine}. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.imagegc.docker.RealEngine#all")
class AgentEngineIT {
  private static final int MB = 1_000_000;

  @Parameter
  RealEngine engine;

  @TempDir
  Path directory;

  private Path ballast;

  @BeforeEach
  void begin() throws IOException {
    ballast = engine.mount().resolve("ballast");
    end();
  }

  @AfterEach
  void end() throws IOException {
    Files.deleteIfExists(ballast);
    engine.empty();
  }

  @Test
  void collect_fullFilesystem_freesDownToLowAndTakesNothingThatIsNeeded() throws Exception {
    String two = engine.importImage("acc/two:1", 20 * MB);
    engine.tag("acc/two:1", "other/two", "9");
    String kept = engine.importImage("acc/kept:1", 20 * MB);
    String base = engine.importBusybox("acc/base:1");
    String running = buildOnBase("acc/running:1");
    String exited = buildOnBase("acc/exited:1");
    engine.run("acc/running:1", "/bin/busybox", "sleep", "600");
    engine.await(engine.run("acc/exited:1", "/bin/busybox", "true"));
    fillWithImages(87, this::buildOnBase);
    // Docker reports the familiar name, Podman the full one.
    String[] options = {"--json", "--min-age", "0s", "--keep", "docker.io/acc/kept"};

    JsonObject plan = agent(0, "plan", options);
    long before = available();
    JsonObject round = agent(0, "collect", options);
    long after = available();

    assertThat(text(plan, "outcome")).isEqualTo("PLANNED");
    assertThat(text(round, "outcome")).isEqualTo("DONE");
    assertThat(round.get("usagePercentAfter").getAsInt()).isLessThanOrEqualTo(80);
    assertThat(usage()).isLessThanOrEqualTo(80);
    assertThat(round.get("freedBytes").getAsLong())
        .isCloseTo(after - before, within((after - before) / 100));
    assertThat(removed(round))
        .isNotEmpty()
        .isEqualTo(mayGo(plan).subList(0, removed(round).size()));
    assertThat(engine.hasImage(two)).isEqualTo(!removed(round).contains(two));
    for (String name : List.of("acc/two:1", "other/two:9")) {
      assertThat(engine.hasImage(name)).isEqualTo(!removed(round).contains(two));
    }
    assertThat(engine.tagsOf(kept)).containsExactly(engine.written("acc/kept:1"));
    assertThat(engine.tagsOf(base)).containsExactly(engine.written("acc/base:1"));
    assertThat(engine.tagsOf(running)).containsExactly(engine.written("acc/running:1"));
    assertThat(engine.tagsOf(exited)).containsExactly(engine.written("acc/exited:1"));
    assertThat(reasons(round))
        .containsEntry(kept, "PROTECTED")
        .containsEntry(running, "IN_USE")
        .containsEntry(exited, "IN_USE");

    JsonObject again = agent(0, "collect", options);
    assertThat(text(again, "outcome")).isEqualTo("NOT_NEEDED");
    assertThat(removed(again)).isEmpty();
    assertThat(again.get("freedBytes").getAsLong()).isZero();
  }

  @Test
  void collect_nothingHasChanged_removesExactlyTheVictimsOfThePlanInItsOrder() throws Exception {
    engine.importBusybox("same/running:1");
    engine.run("same/running:1", "/bin/busybox", "sleep", "600");
    String kept = engine.importImage("same/kept:1", MB);
    long before = available();
    for (int i = 0; i < 5; i++) {
      engine.importImage("same/i" + i + ":1", 30 * MB);
    }
    long sizeOnDisk = (before - available()) / 5;
    leaveNeedOf(sizeOnDisk * 5 / 2); // three of them, by prediction and by measurement
    String[] options = {"--json", "--min-age", "0s", "--keep", "docker.io/same/kept"};

    JsonObject plan = agent(0, "plan", options);
    assertThat(decided(plan, "PLANNED")).hasSize(3).allMatch(engine::hasImage);
    JsonObject round = agent(0, "collect", options);

    assertThat(text(round, "outcome")).isEqualTo("DONE");
    assertThat(removed(round)).isEqualTo(decided(plan, "PLANNED")).noneMatch(engine::hasImage);
    assertThat(decided(round, "KEPT"))
        .containsExactlyElementsOf(decided(plan, "KEPT"))
        .contains(kept);
    assertThat(decided(round, "KEPT")).allMatch(engine::hasImage);
    assertThat(round.get("predictedBytes")).isEqualTo(plan.get("predictedBytes"));
    assertThat(credits(plan)).isEqualTo(plan.get("predictedBytes").getAsLong());
  }

  @Test
  void collect_oneShotCommandsWithState_removeTheLeastRecentlyUsed() throws Exception {
    UsedImages images = importXyz();
    for (String tag : images.tags()) {
      String container = engine.run(tag, "/bin/busybox", "sleep", "600");
      agent(0, "collect", "--json", "--state", state().toString());
      engine.removeContainer(container);
    }
    leaveNeedOf(images.sizeOnDisk() * 3 / 2);

    JsonObject round =
        agent(0, "collect", "--json", "--min-age", "0s", "--state", state().toString());

    assertThat(text(round, "outcome")).isEqualTo("DONE");
    assertThat(mayGo(round)).isEqualTo(images.ids());
    assertThat(removed(round)).isEqualTo(images.ids().subList(0, 2));
    assertThat(engine.hasImage("lru/z:1")).isTrue();
  }

  @Test
  void run_oneLongProcess_removesTheLeastRecentlyUsedAndEndsCleanly() throws Exception {
    UsedImages images = importXyz();
    try (AgentProcess agent = start(
        "run",
        "--json",
        "--interval",
        "2s",
        "--min-age",
        "0s",
        "--state",
        state().toString())) {
      boolean watching = false;
      for (String tag : images.tags()) {
        String container = engine.run(tag, "/bin/busybox", "sleep", "600");
        if (!watching) { // from then on it hears of use, however short
          awaitSeenInUse(engine.idOf(tag));
          watching = true;
        }
        engine.removeContainer(container);
      }
      leaveNeedOf(images.sizeOnDisk() * 3 / 2);
      JsonObject round = nextRoundThatActs(agent);
      agent.terminate();

      assertThat(text(round, "outcome")).isEqualTo("DONE");
      assertThat(mayGo(round)).isEqualTo(images.ids());
      assertThat(removed(round)).isEqualTo(images.ids().subList(0, 2));
      assertThat(agent.exitCode()).as(agent.err()).isEqualTo(0);
    }
  }

  @Test
  void collect_engineThatHangsInMidRound_isFourAndTheNextRoundWorks() throws Exception {
    fillWithImages(87, tag -> engine.importImage(tag, 5 * MB));
    List<String> order = mayGo(agent(0, "plan", "--json", "--min-age", "0s"));

    JsonObject hung;
    try (AgentProcess agent =
        start("collect", "--json", "--min-age", "0s", "--low", "20", "--timeout", "3s")) {
      while (engine.hasImage(order.get(1))) { // then the answer for the one before has come
        Thread.onSpinWait(); // each look asks the engine
      }
      signal("-STOP");
      try {
        hung = agent.nextRound();
        assertThat(agent.exitCode()).isEqualTo(4);
        assertThat(agent.err()).doesNotContain("\tat ");
      } finally {
        signal("-CONT");
      }
    }
    assertThat(text(hung, "outcome")).isEqualTo("FAILED");
    assertThat(removed(hung)).startsWith(order.get(0));
    assertThat(reasons(hung)).containsValue("NOT_REACHED");

    JsonObject next =
        agent(0, "collect", "--json", "--min-age", "0s", "--high", "21", "--low", "20");
    assertThat(text(next, "outcome")).isEqualTo("DONE");
  }

  @Test
  void run_engineThatHangs_isFailedUntilItAnswersAgain() throws Exception {
    engine.importImage("hung/a:1", 40 * MB);
    engine.importImage("hung/b:1", 40 * MB);
    try (AgentProcess agent =
        start("run", "--json", "--interval", "1s", "--min-age", "0s", "--timeout", "2s")) {
      assertThat(text(agent.nextRound(), "outcome")).isEqualTo("NOT_NEEDED");
      signal("-STOP");
      try {
        leaveNeedOf(60 * MB);
        assertThat(text(nextRoundThatActs(agent), "outcome")).isEqualTo("FAILED");
      } finally {
        signal("-CONT");
      }
      JsonObject round = nextRoundThatActs(agent);
      while (text(round, "outcome").equals("FAILED")) {
        round = nextRoundThatActs(agent);
      }
      agent.terminate();

      assertThat(text(round, "outcome")).isEqualTo("DONE");
      assertThat(agent.exitCode()).as(agent.err()).isEqualTo(0);
    }
    assertThat(engine.hasImage("hung/a:1")).isFalse();
  }

  // Filling

  private interface Maker {
    String make(String tag);
  }

  private String buildOnBase(String tag) {
    byte[] content = new byte[20 * MB];
    new Random().nextBytes(content);
    return engine.build(
        tag, "FROM acc/base:1\nCOPY data /data-" + tag.hashCode() + "\n", Map.of("data", content));
  }

  /** Makes images, by turns unrelated and with the maker, until the filesystem is in use to that percentage. */
  private void fillWithImages(int percent, Maker maker) throws IOException {
    for (int i = 0; usage() < percent; i++) {
      assertThat(i).as("images on %s", engine).isLessThan(300);
      if (i % 2 == 0) {
        engine.importImage("fill/i" + i + ":1", 20 * MB);
      } else {
        maker.make("fill/i" + i + ":1");
      }
    }
  }

  /** X, Y and Z, which were made in another order than that. */
  private record UsedImages(List<String> tags, List<String> ids, long sizeOnDisk) {}

  private UsedImages importXyz() throws IOException {
    List<String> tags = List.of("lru/x:1", "lru/y:1", "lru/z:1");
    long before = available();
    for (String tag : List.of("lru/z:1", "lru/x:1", "lru/y:1")) {
      byte[] content = new byte[40 * MB];
      new Random().nextBytes(content);
      Map<String, byte[]> files = new LinkedHashMap<>();
      files.put("bin/busybox", Files.readAllBytes(Path.of(System.getenv("IMAGEGC_BUSYBOX"))));
      files.put("data", content);
      engine.importImage(tag, files);
    }
    return new UsedImages(
        tags, tags.stream().map(engine::idOf).toList(), (before - available()) / 3);
  }

  /**
   * Fills the filesystem with data that is no image, so that this many bytes are missing to come down to 80 percent: all at
   * once, because a round that came in between would make room for more of it.
   */
  private void leaveNeedOf(long bytes) throws Exception {
    long size = available() - (capacity() / 5 - bytes);
    Process fallocate =
        new ProcessBuilder("fallocate", "-l", String.valueOf(size), ballast.toString()).start();
    assertThat(fallocate.waitFor()).as("exit code of fallocate").isZero();
    assertThat(usage()).isGreaterThanOrEqualTo(85);
  }

  // The filesystem, measured without the library

  private long available() throws IOException {
    return Files.getFileStore(engine.mount()).getUsableSpace();
  }

  private long capacity() throws IOException {
    return Files.getFileStore(engine.mount()).getTotalSpace();
  }

  private long usage() throws IOException {
    return 100 - available() * 100 / capacity();
  }

  // The agent

  private AgentProcess start(String command, String... options) throws IOException {
    List<String> args = new ArrayList<>(List.of(command, "--host", "unix://" + engine.socket()));
    args.addAll(List.of(options));
    return AgentProcess.start(directory, args);
  }

  private JsonObject agent(int exitCode, String command, String... options) throws Exception {
    try (AgentProcess agent = start(command, options)) {
      JsonObject round = agent.nextRound();
      assertThat(agent.exitCode()).as(round + agent.err()).isEqualTo(exitCode);
      return round;
    }
  }

  private static JsonObject nextRoundThatActs(AgentProcess agent) throws IOException {
    JsonObject round = agent.nextRound();
    while (text(round, "outcome").equals("NOT_NEEDED")) {
      round = agent.nextRound();
    }
    return round;
  }

  private Path state() {
    return directory.resolve("state");
  }

  /** Waits until the stored history tells that the running agent has seen an image in use: it is saved half a minute later. */
  private void awaitSeenInUse(String id) throws Exception {
    Path records = Files.createDirectories(state()).resolve("records");
    try (WatchService watch = state().getFileSystem().newWatchService()) {
      state()
          .register(
              watch, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_MODIFY);
      while (!Files.exists(records) || !isSeenInUse(id, records)) {
        WatchKey key = watch.poll(120, TimeUnit.SECONDS);
        assertThat(key).as("change of the stored history").isNotNull();
        key.pollEvents();
        key.reset();
      }
    }
  }

  /** In a copy, because the agent owns the original, which it replaces as a whole. */
  private boolean isSeenInUse(String id, Path records) throws IOException {
    Path copy = Files.createTempDirectory(directory, "copy");
    Files.copy(records, copy.resolve("records"));
    try (FileRecordStore store = FileRecordStore.open(copy)) {
      return store.load().orElseThrow().entries().stream()
          .anyMatch(
              entry -> entry.id().equals(ImageId.of(id)) && entry.lastUsed().isPresent());
    }
  }

  private void signal(String signal) throws Exception {
    Process kill = new ProcessBuilder("kill", signal, String.valueOf(engine.pid())).start();
    assertThat(kill.waitFor()).isZero();
  }

  // Its JSON

  private static String text(JsonObject object, String field) {
    return object.get(field).getAsString();
  }

  private static List<JsonObject> images(JsonObject round) {
    return StreamSupport.stream(round.getAsJsonArray("images").spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .toList();
  }

  private static List<String> removed(JsonObject round) {
    return decided(round, "REMOVED");
  }

  private static List<String> decided(JsonObject round, String decision) {
    return images(round).stream()
        .filter(image -> text(image, "decision").equals(decision))
        .map(image -> text(image, "id"))
        .toList();
  }

  private static long credits(JsonObject round) {
    return images(round).stream()
        .mapToLong(image -> image.get("creditedBytes").getAsLong())
        .sum();
  }

  /** The images that go or may go, in order. */
  private static List<String> mayGo(JsonObject round) {
    return images(round).stream()
        .filter(image ->
            !text(image, "decision").equals("KEPT") || text(image, "reason").equals("ENOUGH_FREED"))
        .map(image -> text(image, "id"))
        .toList();
  }

  private static Map<String, String> reasons(JsonObject round) {
    Map<String, String> reasons = new LinkedHashMap<>();
    images(round).forEach(image -> reasons.put(text(image, "id"), text(image, "reason")));
    return reasons;
  }
}
