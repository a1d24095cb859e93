/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.ImagePuller;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode.Call;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class FakeRegistryTest {
  private final FakeNode node = FakeNode.withDisk(1000);
  private final FakeRegistry registry = node.registry();
  private final RecordedEvents told = new RecordedEvents();
  private final List<PullProgress> progress = new ArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void endThreads() {
    node.faults().heal();
    threads.shutdownNow();
  }

  // What a pull does

  @Test
  void pull_bringsTheImageWithItsName() {
    registry
        .image("v1")
        .tag("app:1")
        .tag("app:latest")
        .digest("app@sha256:1")
        .size(100)
        .add();
    node.events().subscribe(told);

    ((ImagePuller) node.runtime()).pull("app:1", Optional.empty(), progress::add);

    assertThat(node.references("v1")).containsExactly("app:1", "app@sha256:1");
    assertThat(node.usedBytes()).isEqualTo(100);
    assertThat(told.take())
        .containsExactly(
            "IMAGE_PULLED image=v1 reference=app:1", "IMAGE_TAGGED image=v1 reference=app:1");
    assertThat(node.calls()).extracting(Call::toString).containsExactly("SUBSCRIBE", "PULL app:1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"app", "app:latest", "docker.io/library/app", "docker.io/app:latest"})
  void pull_withoutATag_isLatest_andTheNameIsWrittenAsInTheRegistry(String reference) {
    registry.image("v1").tag("app:1").add();
    registry.image("v2").tag("app").add();

    pull(reference);

    assertThat(node.imageIds()).containsExactly("v2");
    assertThat(node.references("v2")).containsExactly("app:latest");
  }

  @Test
  void pull_byDigest_givesNoTag() {
    registry.image("v1").tag("app:1").digest("app@sha256:1").add();
    node.events().subscribe(told);

    pull("docker.io/library/app@sha256:1");
    pull("app@sha256:1");

    assertThat(node.references("v1")).containsExactly("app@sha256:1");
    assertThat(told.take())
        .containsExactly(
            "IMAGE_PULLED image=v1 reference=app@sha256:1",
            "IMAGE_PULLED image=v1 reference=app@sha256:1");
  }

  @Test
  void pull_ofANameThatHasMovedOn_takesItFromTheOlderImage_whichStays() {
    registry.image("v1").tag("app:1").size(10).add();
    pull("app:1");
    node.run("c", "v1");
    registry.image("v2").tag("app:1").size(20).add();

    pull("app:1");

    assertThat(node.imageIds()).containsExactly("v1", "v2");
    assertThat(node.references("v1")).isEmpty();
    assertThat(node.references("v2")).containsExactly("app:1");
  }

  @Test
  void pull_ofWhatIsThere_transfersNothing_andSaysThatItWasPulled() {
    registry.image("v1").tag("app:1").tag("app:2").size(10).add();
    registry.transfersTake(Duration.ofSeconds(10));
    pull("app:1");
    Instant before = node.clock().instant();
    node.events().subscribe(told);
    progress.clear();

    pull("app:1");
    pull("app:2");

    assertThat(node.clock().instant()).isEqualTo(before);
    assertThat(progress).allMatch(report -> report.totalBytes().orElseThrow() == 0);
    assertThat(told.take())
        .containsExactly(
            "IMAGE_PULLED image=v1 reference=app:1",
            "IMAGE_PULLED image=v1 reference=app:2",
            "IMAGE_TAGGED image=v1 reference=app:2");
    assertThat(node.references("v1")).containsExactly("app:1", "app:2");
  }

  @Test
  void pull_tellsItsProgress_ofTheLayersThatAreNotThere() {
    node.image("base").layer("base", 300).add();
    registry
        .image("v1")
        .tag("app:1")
        .layer("base", 300)
        .layer("a", 30)
        .layer("b", 70)
        .add();

    pull("app:1");

    assertThat(progress)
        .extracting(PullProgress::toString)
        .containsExactly(
            "0 of 100 bytes, Pulling",
            "30 of 100 bytes, Downloading",
            "100 of 100 bytes, Downloading",
            "100 of 100 bytes, Pulled");
    assertThat(node.usedBytes()).isEqualTo(400);
  }

  @Test
  void transfersTake_timePassesWithEachLayer() {
    registry.image("v1").tag("app:1").layer("a", 1).layer("b", 1).layer("c", 1).add();
    registry.image("empty").tag("empty:1").add();
    registry.transfersTake(Duration.ofSeconds(10));
    Instant start = node.clock().instant();
    List<Long> millis = new ArrayList<>();

    node.puller()
        .pull(
            "app:1",
            Optional.empty(),
            report -> millis.add(Duration.between(start, node.clock().instant()).toMillis()));
    assertThat(millis).containsExactly(0L, 3333L, 6666L, 10_000L, 10_000L);
    pull("empty:1");

    assertThat(node.clock().instant()).isEqualTo(start.plusSeconds(20));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> registry.transfersTake(Duration.ofSeconds(-1)));
  }

  // What goes wrong

  @Test
  void pull_ofAnUnknownOrRemovedName_isRefused() {
    registry.image("v1").tag("app:1").add();
    registry.remove("docker.io/library/app:1");

    assertThatThrownBy(() -> pull("app:1")).isInstanceOf(PullException.class);
    assertThatThrownBy(() -> pull("web:1")).isInstanceOf(PullException.class);

    assertThat(node.imageIds()).isEmpty();
  }

  @Test
  void requireCredentials_refusesOthers_andTellsNoSecret() {
    registry.image("v1").tag("app:1").add();
    registry.requireCredentials(RegistryCredentials.of("user", "secret"));

    for (Optional<RegistryCredentials> wrong : List.of(
        Optional.<RegistryCredentials>empty(),
        Optional.of(RegistryCredentials.of("user", "guess")),
        Optional.of(RegistryCredentials.of("other", "secret")),
        Optional.of(RegistryCredentials.ofIdentityToken("secret")))) {
      assertThatThrownBy(() -> node.puller().pull("app:1", wrong, progress::add))
          .isInstanceOf(PullException.class)
          .hasMessageNotContainingAny("secret", "guess");
    }
    node.puller()
        .pull("app:1", Optional.of(RegistryCredentials.of("user", "secret")), progress::add);

    assertThat(node.hasImage("v1")).isTrue();
  }

  @Test
  void failNext_failsThatNameOnly_inOrder() {
    registry.image("v1").tag("app:1").tag("web:1").add();
    PullException first = new PullException("first");
    PullException second = new PullException("second");
    registry.failNext("app:1", first);
    registry.failNext("docker.io/library/app:1", second);

    pull("web:1");
    assertThatThrownBy(() -> pull("app:1")).isSameAs(first);
    assertThatThrownBy(() -> pull("app:1")).isSameAs(second);
    pull("app:1");

    assertThat(node.references("v1")).containsExactly("web:1", "app:1");
  }

  @Test
  void failAlways_failsUntilHealed() {
    registry.image("v1").tag("app:1").add();
    PullException failure = new PullException("broken");
    registry.failAlways("app:1", failure);
    assertThatThrownBy(() -> pull("app:1")).isSameAs(failure);
    assertThatThrownBy(() -> pull("app:1")).isSameAs(failure);

    node.faults().heal();
    pull("app:1");

    assertThat(node.hasImage("v1")).isTrue();
  }

  @Test
  void imageThatDoesNotFit_isRefused_andLeavesNothingOnTheDisk() {
    registry.image("v1").tag("app:1").layer("a", 600).layer("b", 600).add();

    assertThatThrownBy(() -> pull("app:1"))
        .isInstanceOf(PullException.class)
        .hasMessageContaining("no space");

    assertThat(node.usedBytes()).isZero();
    assertThat(node.imageIds()).isEmpty();
  }

  @Test
  void stallNext_interrupted_isCancelledAndLeavesNothing() throws Exception {
    registry.image("v1").tag("app:1").layer("a", 10).layer("b", 20).add();
    registry.stallNext("app:1");
    AtomicBoolean flag = new AtomicBoolean();
    Thread puller = new Thread(() -> {
      assertThatThrownBy(() -> pull("app:1")).isInstanceOf(CancelledException.class);
      flag.set(Thread.currentThread().isInterrupted());
    });
    puller.start();
    awaitHung();
    assertThat(node.usedBytes()).isEqualTo(10);
    assertThat(node.imageIds()).isEmpty();

    puller.interrupt();
    puller.join();

    assertThat(flag).isTrue();
    assertThat(node.usedBytes()).isZero();
  }

  @Test
  void stallNext_released_goesOn_andTheNextPullDoesNotStall() throws Exception {
    registry.image("v1").tag("app:1").tag("app:2").size(10).add();
    registry.stallNext("app:1");
    Future<?> pull = threads.submit(() -> pull("app:1"));
    awaitHung();
    pull("app:2");

    node.faults().releaseHung();
    pull.get();
    pull("app:1");

    assertThat(node.references("v1")).containsExactlyInAnyOrder("app:1", "app:2");
  }

  @Test
  void stopEngine_endsAPullThatStalls() {
    registry.image("v1").tag("app:1").size(10).add();
    registry.stallNext("app:1");
    Future<?> pull = threads.submit(() -> pull("app:1"));
    awaitHung();

    node.stopEngine();

    assertThatThrownBy(pull::get)
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(UnreachableException.class);
    assertThat(node.usedBytes()).isZero();
    assertThatThrownBy(() -> pull("app:1")).isInstanceOf(UnreachableException.class);
  }

  @Test
  void stalledPull_letsTimeSkipToTheDeadlineOfItsWaiter() throws Exception {
    registry.image("v1").tag("app:1").size(10).add();
    registry.stallNext("app:1");
    Future<?> pull = threads.submit(() -> pull("app:1"));
    Instant before = node.clock().instant();

    assertThat(node.clock().await(pull, Duration.ofMinutes(1))).isFalse();

    assertThat(node.clock().instant()).isEqualTo(before.plusSeconds(60));
    pull.cancel(true);
  }

  @Test
  void interruptedThread_pullsNothing() {
    registry.image("v1").tag("app:1").size(10).add();
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> pull("app:1")).isInstanceOf(CancelledException.class);

    assertThat(Thread.interrupted()).isTrue();
    assertThat(node.imageIds()).isEmpty();
  }

  // What others do meanwhile

  @Test
  void duringNext_layersThatWereThereStay_evenIfTheirImageGoes() {
    node.image("old").layer("base", 300).add();
    registry.image("v1").tag("app:1").layer("base", 300).layer("app", 10).add();
    registry.duringNext(() -> node.deleteImage("old"));

    pull("app:1");

    assertThat(progress.get(progress.size() - 1).transferredBytes()).isEqualTo(10);
    assertThat(node.imageIds()).containsExactly("v1");
    assertThat(node.usedBytes()).isEqualTo(310);
  }

  @Test
  void duringNext_imageThatWasThereGoes_isPutBackFromItsLayers() {
    registry.image("v1").tag("app:1").size(10).add();
    pull("app:1");
    registry.duringNext(() -> node.deleteImage("v1"));
    node.fillTo(100);

    pull("app:1");

    assertThat(node.references("v1")).containsExactly("app:1");
    assertThat(node.usedBytes()).isEqualTo(1000);
  }

  @Test
  void beforeNextTag_imageIsThereWithoutAName_andTheNameIsStillTheOtherOnes() {
    node.image("v0").tag("app:1").add();
    registry.image("v1").tag("app:1").digest("app@sha256:1").size(10).add();
    List<List<String>> seen = new ArrayList<>();
    registry.beforeNextTag(() -> seen.add(List.of(
        node.imageIds().toString(),
        node.references("v0").toString(),
        node.references("v1").toString())));

    pull("app:1");
    pull("app:1");

    assertThat(seen).containsExactly(List.of("[v0, v1]", "[app:1]", "[]"));
    assertThat(node.references("v1")).containsExactly("app:1", "app@sha256:1");
    assertThat(node.references("v0")).isEmpty();
  }

  @Test
  void beforeNextTag_imageIsRemoved_failsThePull() {
    registry.image("v1").tag("app:1").size(10).add();
    registry.beforeNextTag(() -> node.deleteImage("v1"));

    assertThatThrownBy(() -> pull("app:1"))
        .isInstanceOf(PullException.class)
        .hasMessageContaining("deleted");

    assertThat(node.usedBytes()).isZero();
    assertThat(node.lookup().findImage("app:1")).isEmpty();
  }

  @Test
  void hookThatThrows_endsThePull_withWhatIsThereByThen() {
    registry.image("v1").tag("app:1").size(10).add();
    TimedOutException failure = new TimedOutException("no answer");
    registry.duringNext(() -> {
      throw failure;
    });
    assertThatThrownBy(() -> pull("app:1")).isSameAs(failure);
    assertThat(node.usedBytes()).isZero();

    registry.beforeNextTag(() -> {
      throw failure;
    });
    assertThatThrownBy(() -> pull("app:1")).isSameAs(failure);

    assertThat(node.references("v1")).isEmpty();
    pull("app:1");
    assertThat(node.references("v1")).containsExactly("app:1");
  }

  @Test
  void engineThatStopsInTheMiddle_endsThePull() {
    registry.image("v1").tag("app:1").size(10).add();
    registry.duringNext(node::stopEngine);

    assertThatThrownBy(() -> pull("app:1")).isInstanceOf(UnreachableException.class);

    assertThat(node.usedBytes()).isZero();
  }

  @Test
  void pullsOfOneImageAtOnce_leaveItThereOnce() throws Exception {
    registry.image("v1").tag("app:1").layer("a", 10).layer("b", 20).add();
    List<Future<?>> pulls = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      pulls.add(threads.submit(() -> node.puller().pull("app:1", Optional.empty(), report -> {})));
    }
    for (Future<?> pull : pulls) {
      pull.get();
    }

    assertThat(node.usedBytes()).isEqualTo(30);
    node.deleteImage("v1");
    assertThat(node.usedBytes()).isZero();
  }

  @Test
  void heal_endsFailuresStallsAndHooks() {
    registry.image("v1").tag("app:1").size(10).add();
    registry.failNext("app:1", new PullException("broken"));
    registry.stallNext("app:1");
    registry.duringNext(node::stopEngine);
    registry.beforeNextTag(node::stopEngine);

    node.faults().heal();
    pull("app:1");

    assertThat(node.references("v1")).containsExactly("app:1");
  }

  @Test
  void impossibleImages_areRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> registry.image("v1").add());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> registry.image("v1").tag("app:1").parent("base").add());
    assertThatIllegalArgumentException().isThrownBy(() -> pull("two words"));
    assertThat(node.calls(Operation.PULL)).isZero();
  }

  private void pull(String reference) {
    node.puller().pull(reference, Optional.empty(), progress::add);
  }

  private void awaitHung() {
    while (node.clock().hungCalls() == 0) {
      Thread.onSpinWait();
    }
  }
}
