/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullProgress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Pulls and look-ups of real engines, with a registry on loopback; see {@link RealEngine}. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.imagegc.docker.RealEngine#all")
@Timeout(180)
class PullIT {
  private static final int MIB = 1024 * 1024;

  @Parameter
  RealEngine engine;

  DockerRuntime runtime;

  private final List<PullProgress> progress = new ArrayList<>();

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

  /** Has an image in the registry and not in the engine; returns its repository. */
  private String offered(String name, String tag, int bytes) {
    String repository = RealEngine.registry() + "/pull/" + engine.name() + "/" + name;
    engine.importImage(repository + ":" + tag, bytes);
    engine.push(repository + ":" + tag);
    engine.untag(repository + ":" + tag);
    return repository;
  }

  private void pull(String reference) {
    runtime.pull(reference, Optional.empty(), progress::add);
  }

  @Test
  void pull_bringsTheImageAndSaysHowFarItHasCome() {
    String tag = offered("a", "1", 20 * MIB) + ":1";
    assertThat(runtime.findImage(tag)).isEmpty();

    pull(tag);

    Image image = runtime.findImage(tag).orElseThrow();
    assertThat(image.references()).contains(tag);
    assertThat(runtime.listImages()).extracting(Image::id).contains(image.id());
    assertThat(progress)
        .isNotEmpty()
        .isSortedAccordingTo(Comparator.comparing(PullProgress::transferredBytes));
    PullProgress last = progress.get(progress.size() - 1);
    assertThat(last.transferredBytes()).isLessThan(21L * MIB);
    if (!engine.isPodman() && !engine.hasContainerdStore()) { // which tell nothing of quick pulls
      assertThat(last.transferredBytes())
          .isEqualTo(last.totalBytes().orElseThrow())
          .isGreaterThanOrEqualTo(20L * MIB);
    }
  }

  @Test
  void pullOfWhatIsThere_isDoneAtOnce() {
    String tag = offered("a", "1", 1000) + ":1";
    pull(tag);
    pull(tag);

    assertThat(runtime.findImage(tag)).isPresent();
  }

  @Test
  void pullWithoutATag_bringsTheLatestAlone() {
    String repository = offered("tags", "1", 1000);
    offered("tags", "latest", 2000);

    pull(repository);

    assertThat(runtime.findImage(repository).orElseThrow().references())
        .contains(repository + ":latest");
    assertThat(runtime.findImage(repository + ":1")).isEmpty();
  }

  @Test
  void pullByDigest_isFoundByDigest() {
    String repository = offered("a", "1", 1000);
    pull(repository + ":1");
    String digest = runtime.findImage(repository + ":1").orElseThrow().references().stream()
        .filter(name -> name.startsWith(repository + "@"))
        .findFirst()
        .orElseThrow();
    engine.empty();
    assertThat(runtime.findImage(digest)).isEmpty();

    pull(digest);

    assertThat(runtime.findImage(digest)).isPresent();
    assertThat(runtime.findImage(repository + ":1")).isEmpty();
  }

  @Test
  void whatTheRegistryDoesNotHave_isRefused() {
    String repository = offered("a", "1", 1000);

    assertThatThrownBy(() -> pull(repository + ":none")).isInstanceOf(PullException.class);
    assertThatThrownBy(() -> pull(repository + "/none:1")).isInstanceOf(PullException.class);
    assertThatThrownBy(() -> pull(repository + "@sha256:" + "0".repeat(64)))
        .isInstanceOf(PullException.class);
  }

  @Test
  void registryThatIsNotThere_isRefusedInTheEnginesWords() {
    assertThatThrownBy(() -> pull("127.0.0.1:1/a/b:1"))
        .isInstanceOf(PullException.class)
        .hasMessageContaining("connection refused");
  }

  @Test
  void interrupt_cancelsThePullAndAnotherOneWorks() throws Exception {
    assumeFalse(engine.isPodman(), "not on this engine: Podman says too late that it has begun");
    String tag = offered("big", "1", 100 * MIB) + ":1";
    CountDownLatch begun = new CountDownLatch(1);
    FutureTask<Void> call = new FutureTask<>(() -> {
      assertThatThrownBy(() -> runtime.pull(tag, Optional.empty(), come -> begun.countDown()))
          .isInstanceOf(CancelledException.class);
      return null;
    });
    Thread thread = new Thread(call);
    thread.start();
    begun.await();
    thread.interrupt();
    call.get();
    assertThat(runtime.findImage(tag)).isEmpty();

    pull(tag);

    assertThat(runtime.findImage(tag)).isPresent();
  }

  @Test
  void lookUp_answersOnlyToWhatTheImageIsReallyCalled() {
    ImageId image = ImageId.of(engine.importImage("kit/a:1", 1000));
    engine.importImage("localhost/b:1", 2000);
    String hex = image.text().replace("sha256:", "");

    assertThat(runtime.findImage("kit/a:1")).hasValueSatisfying(found -> {
      assertThat(found.id()).isEqualTo(image);
      assertThat(found.references()).contains(engine.written("kit/a:1"));
      assertThat(found.builtAt()).isPresent();
    });
    assertThat(runtime.findImage("docker.io/kit/a:1")).isPresent();
    assertThat(runtime.findImage(image)).isPresent();
    assertThat(runtime.findImage("localhost/b:1")).isPresent();
    for (String other : List.of(
        "kit/a",
        "a:1",
        "b:1",
        hex.substring(0, 12),
        hex,
        "sha256:" + hex,
        "kit/a@sha256:" + "0".repeat(64))) {
      assertThat(runtime.findImage(other)).as(other).isEmpty();
    }
    for (String other : List.of(hex.substring(0, 12), "sha256:" + "0".repeat(64), "no-such-id")) {
      assertThat(runtime.findImage(ImageId.of(other))).as(other).isEmpty();
    }
  }

  @Test
  void sizeOfALookUp_isTheOneThatIsListedOrUnknown() {
    String id = engine.importImage("kit/a:1", 100_000);
    Image listed = runtime.listImages().stream()
        .filter(image -> image.id().equals(ImageId.of(id)))
        .findFirst()
        .orElseThrow();

    Image found = runtime.findImage("kit/a:1").orElseThrow();

    assertThat(found.sizeBytes().isEmpty()).isEqualTo(engine.hasContainerdStore());
    found.sizeBytes().ifPresent(size -> assertThat(listed.sizeBytes()).hasValue(size));
  }
}
