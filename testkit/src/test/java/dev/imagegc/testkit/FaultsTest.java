/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import static dev.imagegc.api.RemovalOutcome.FAILED;
import static dev.imagegc.api.RemovalOutcome.IN_USE;
import static dev.imagegc.api.RemovalOutcome.REMOVED;
import static dev.imagegc.testkit.FakeNode.Operation.LIST_CONTAINERS;
import static dev.imagegc.testkit.FakeNode.Operation.LIST_IMAGES;
import static dev.imagegc.testkit.FakeNode.Operation.MEASURE;
import static dev.imagegc.testkit.FakeNode.Operation.REMOVE_IMAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class FaultsTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final FakeNode node = FakeNode.withDisk(1000);
  private final TestClock clock = node.clock();
  private final Faults faults = node.faults();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final ContainerRemover remover = (ContainerRemover) node.runtime();
  private final Container ended = Container.builder("ended").build();
  private final RuntimeException first = new UnreachableException("first");
  private final RuntimeException second = new TimedOutException("second");

  @BeforeEach
  void addImage() {
    node.image("app").tag("app:1").size(100).add();
    node.registry().image("app").tag("app:1").size(100).add();
  }

  @AfterEach
  void endThreads() {
    faults.heal();
    threads.shutdownNow();
  }

  @ParameterizedTest
  @EnumSource(Operation.class)
  void failNext_failsOneCallForEach_inOrder(Operation operation) {
    faults.failNext(operation, first);
    faults.failNext(operation, second);

    assertThatThrownBy(() -> call(operation)).isSameAs(first);
    assertThatThrownBy(() -> call(operation)).isSameAs(second);
    assertThat(node.hasImage("app")).isTrue();
    call(operation);

    assertThat(node.calls(operation)).isEqualTo(3);
  }

  @ParameterizedTest
  @EnumSource(Operation.class)
  void failAlways_failsUntilHealed(Operation operation) {
    faults.failAlways(operation, first);
    assertThatThrownBy(() -> call(operation)).isSameAs(first);
    assertThatThrownBy(() -> call(operation)).isSameAs(first);

    faults.heal();

    call(operation);
  }

  @ParameterizedTest
  @EnumSource(Operation.class)
  void failNext_leavesOtherCallsAlone(Operation operation) {
    faults.failNext(operation, first);

    for (Operation other : Operation.values()) {
      if (other != operation) {
        call(other);
      }
    }

    assertThatThrownBy(() -> call(operation)).isSameAs(first);
  }

  @Test
  void failNextRemoval_answersForThatImageOnly() {
    node.image("other").add();
    faults.failNextRemoval("sha256:app", RemovalResult.of(FAILED, "disk full"));
    faults.failNextRemoval("app", first);

    assertThat(remove("other").outcome()).isEqualTo(REMOVED);
    assertThat(remove("app").detail()).isEqualTo("disk full");
    assertThatThrownBy(() -> remove("app")).isSameAs(first);
    assertThat(node.hasImage("app")).isTrue();
    assertThat(remove("app").outcome()).isEqualTo(REMOVED);
  }

  @Test
  void failContainerRemovals_answersForThatContainerOnly_untilHealed() {
    node.container("ended").state(ContainerState.EXITED).add();
    node.container("other").state(ContainerState.DEAD).add();
    node.container("broken").state(ContainerState.EXITED).add();
    faults.failContainerRemovals("ended", RemovalResult.of(FAILED, "disk full"));
    faults.failContainerRemovals("broken", first);
    faults.failNextContainerRemoval("other", RemovalResult.of(REMOVED));

    assertThat(remover.removeContainer(ended).detail()).isEqualTo("disk full");
    assertThatThrownBy(() -> remover.removeContainer(Container.builder("broken").build()))
        .isSameAs(first);
    assertThat(remover.removeContainer(Container.builder("other").build()).outcome())
        .isEqualTo(REMOVED);
    assertThat(node.containerIds()).containsExactly("ended", "other", "broken");

    faults.heal();
    assertThat(remover.removeContainer(ended).outcome()).isEqualTo(REMOVED);
    assertThat(node.containerIds()).containsExactly("other", "broken");
    assertThat(node.containerRemovalsAsked()).containsExactly("ended", "broken", "other", "ended");
  }

  @Test
  void failNextRemoval_claimsARemoval_leavesTheImage() {
    faults.failNextRemoval("app", RemovalResult.of(REMOVED));

    assertThat(remove("app").outcome()).isEqualTo(REMOVED);

    assertThat(node.hasImage("app")).isTrue();
  }

  @Test
  void failRemovals_lastsUntilHealed() {
    node.image("other").add();
    faults.failRemovals("app", RemovalResult.of(FAILED));
    faults.failRemovals("other", first);
    for (int i = 0; i < 2; i++) {
      assertThat(remove("app").outcome()).isEqualTo(FAILED);
      assertThatThrownBy(() -> remove("other")).isSameAs(first);
    }

    faults.heal();

    assertThat(remove("app").outcome()).isEqualTo(REMOVED);
    assertThat(remove("other").outcome()).isEqualTo(REMOVED);
  }

  @ParameterizedTest
  @EnumSource(Operation.class)
  void hangNext_waiterGivesUpAtItsDeadlineAndTheInterruptEndsTheCall(Operation operation)
      throws Exception {
    faults.hangNext(operation);
    long start = clock.nanoTime();
    CountDownLatch ended = new CountDownLatch(1);
    List<Throwable> thrown = new ArrayList<>();
    Future<?> future = threads.submit(() -> {
      try {
        call(operation);
      } catch (CancelledException e) {
        thrown.add(e);
        thrown.add(
            Thread.currentThread().isInterrupted() ? null : new AssertionError("flag is lost"));
      }
      ended.countDown();
    });

    assertThat(clock.await(future, MINUTE)).isFalse();
    future.cancel(true);
    ended.await();

    assertThat(clock.nanoTime() - start).isEqualTo(MINUTE.toNanos());
    assertThat(thrown).hasSize(2).last().isNull();
    assertThat(node.hasImage("app")).isTrue();
    call(operation);
  }

  @Test
  void releaseHung_callGoesOnAndHasItsEffect() throws Exception {
    faults.hangNext(REMOVE_IMAGE);
    Future<RemovalResult> future = inThread(() -> remove("app"));
    awaitHung();
    assertThat(node.hasImage("app")).isTrue();

    faults.releaseHung();

    assertThat(future.get().outcome()).isEqualTo(REMOVED);
    assertThat(node.hasImage("app")).isFalse();
  }

  @Test
  void hangNextStubbornly_interrupted_staysStuckUntilReleasedAndThenHasItsEffect()
      throws Exception {
    faults.hangNextStubbornly(REMOVE_IMAGE);
    CountDownLatch ended = new CountDownLatch(1);
    Future<?> future = threads.submit(() -> {
      remove("app");
      ended.countDown();
    });
    assertThat(clock.await(future, MINUTE)).isFalse();
    future.cancel(true);
    long abandonedAt = clock.nanoTime();
    assertThat(clock.await(inThread(() -> node.runtime().listImages()), MINUTE)).isTrue();
    assertThat(clock.nanoTime()).isEqualTo(abandonedAt);
    assertThat(node.hasImage("app")).isTrue();

    faults.releaseHung();
    ended.await();

    assertThat(node.hasImage("app")).isFalse();
  }

  @Test
  void hangAlways_hangsEveryCallUntilHealed() throws Exception {
    faults.hangAlways(LIST_IMAGES);
    for (int i = 0; i < 2; i++) {
      Future<?> future = inThread(() -> node.runtime().listImages());
      assertThat(clock.await(future, MINUTE)).isFalse();
      future.cancel(true);
    }
    Future<List<Image>> last = inThread(() -> node.runtime().listImages());
    awaitHung();

    faults.heal();

    assertThat(last.get()).hasSize(1);
    assertThat(node.runtime().listImages()).hasSize(1);
  }

  @Test
  void slow_movesTheClockWithEachCall() {
    long start = clock.nanoTime();
    faults.slow(LIST_IMAGES, Duration.ofSeconds(2));

    node.runtime().listImages();
    node.runtime().listImages();
    node.runtime().listContainers();

    assertThat(clock.nanoTime() - start).isEqualTo(Duration.ofSeconds(4).toNanos());
  }

  @Test
  void beforeNext_containerStartsBetweenCheckAndRemoval_isInUse() {
    faults.beforeNext(REMOVE_IMAGE, () -> node.run("c", "app"));

    assertThat(remove("app").outcome()).isEqualTo(IN_USE);
  }

  @Test
  void beforeNext_anotherWriter_isMeasured() {
    faults.beforeNext(MEASURE, () -> {});
    faults.beforeNext(MEASURE, () -> node.writeOtherData(50));

    assertThat(measure()).isEqualTo(900);
    assertThat(measure()).isEqualTo(850);
    assertThat(measure()).isEqualTo(850);
  }

  @Test
  void beforeNext_failingCall_hookRunsFirst() {
    faults.beforeNext(REMOVE_IMAGE, () -> node.deleteImage("app"));
    faults.failNext(REMOVE_IMAGE, second);

    assertThatThrownBy(() -> remove("app")).isSameAs(second);

    assertThat(node.hasImage("app")).isFalse();
  }

  @Test
  void beforeEach_runsEveryTimeUntilHealed() {
    faults.beforeEach(MEASURE, () -> node.writeOtherData(50));

    assertThat(measure()).isEqualTo(850);
    assertThat(measure()).isEqualTo(800);
    faults.heal();

    assertThat(measure()).isEqualTo(800);
  }

  @Test
  void afterNext_imageVanishesAfterTheListing_isInTheAnswer() {
    faults.afterNext(LIST_IMAGES, () -> node.deleteImage("app"));

    assertThat(node.runtime().listImages()).hasSize(1);

    assertThat(node.runtime().listImages()).isEmpty();
  }

  @Test
  void afterEach_runsEveryTime_butNotAfterAFailure() {
    List<String> log = new ArrayList<>();
    faults.afterEach(LIST_CONTAINERS, () -> log.add("after"));
    faults.failNext(LIST_CONTAINERS, first);

    assertThatThrownBy(() -> node.runtime().listContainers()).isSameAs(first);
    node.runtime().listContainers();
    node.runtime().listContainers();

    assertThat(log).hasSize(2);
  }

  @Test
  void hook_blocks_holdsTheCallUpWithoutMakingTimeSkip() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    faults.beforeNext(LIST_IMAGES, () -> {
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    });
    Future<List<Image>> call = inThread(() -> node.runtime().listImages());
    Future<Boolean> done = inThread(() -> clock.await(call, MINUTE));
    clock.awaitWaiters(1);
    assertThat(node.hasImage("app")).isTrue(); // the node is not locked meanwhile

    gate.countDown();

    assertThat(done.get()).isTrue();
  }

  @Test
  void hook_throws_failsTheCall() {
    faults.beforeNext(LIST_IMAGES, () -> {
      throw first;
    });

    assertThatThrownBy(() -> node.runtime().listImages()).isSameAs(first);
  }

  @Test
  void freeLater_spaceComesBackWhenTheNodeSettles() {
    faults.freeLater();

    assertThat(remove("app").outcome()).isEqualTo(REMOVED);
    assertThat(measure()).isEqualTo(900);
    assertThat(node.hasImage("app")).isFalse();
    node.settle();

    assertThat(measure()).isEqualTo(1000);
  }

  @Test
  void freeLater_healed_frees_onlyWhatIsRemovedFromThenOn() {
    node.image("other").size(50).add();
    faults.freeLater();
    remove("app");

    faults.heal();
    remove("other");

    assertThat(node.usedBytes()).isEqualTo(100);
  }

  @Test
  void measureAs_liesUntilHealed() {
    faults.measureAs(truth ->
        FsStats.builder(truth.path(), truth.measuredAt()).capacityBytes(5).build());
    FsStats lie = node.fsStats().imageFs();
    assertThat(lie.capacityBytes()).hasValue(5);
    assertThat(lie.availableBytes()).isEmpty();
    assertThat(node.availableBytes()).isEqualTo(900);

    faults.heal();

    assertThat(measure()).isEqualTo(900);
  }

  @Test
  void measureAs_ofOneFilesystem_saysTheTruthOfTheOthers() {
    node.withSplitImageFs(500);
    faults.measureAs(NodeFs.NODEFS, truth -> truth.toBuilder().availableBytes(1).build());
    faults.measureAs(
        NodeFs.CONTAINERFS, truth -> truth.toBuilder().availableBytes(2).build());

    assertThat(measure()).isEqualTo(900);
    assertThat(node.fsStats().rootFs().orElseThrow().availableBytes()).hasValue(1);
    assertThat(node.fsStats().containerFs().orElseThrow().availableBytes()).hasValue(2);
    faults.heal();

    assertThat(node.fsStats().rootFs().orElseThrow().availableBytes()).hasValue(500);
    assertThat(node.fsStats().containerFs().orElseThrow().availableBytes()).hasValue(500);
  }

  @ParameterizedTest
  @EnumSource(
      value = Operation.class,
      names = {"MEASURE", "MEASURE_ROOT", "MEASURE_CONTAINERS"})
  void stoppedEngine_disksAreMeasuredAllTheSame_andGoOnHanging(Operation operation) {
    node.withOneDisk();
    faults.hangNext(operation);
    Future<?> hung = threads.submit(() -> call(operation));
    awaitHung();

    node.stopEngine();
    call(operation);

    assertThat(hung.isDone()).isFalse();
    assertThat(clock.hungCalls()).isOne();
  }

  @Test
  void shuffleListings_sameSeed_givesTheSameOtherOrder() {
    FakeNode twin = FakeNode.withDisk(1000);
    for (FakeNode each : List.of(node, twin)) {
      IntStream.range(0, 20).forEach(i -> each.image("image" + i).add());
      each.faults().shuffleListings(42);
    }
    twin.image("app").tag("app:1").size(100).add();
    twin.deleteImage("app");
    node.deleteImage("app");

    List<String> order = ids(node);

    assertThat(order).isEqualTo(ids(twin)).containsExactlyInAnyOrderElementsOf(node.imageIds());
    assertThat(order).isNotEqualTo(node.imageIds()).isNotEqualTo(ids(node));
    faults.heal();
    assertThat(ids(node)).isEqualTo(node.imageIds());
  }

  @Test
  void concurrentRemovals_oneIsRemovedAndTheOthersGone() throws Exception {
    List<Future<RemovalResult>> removals =
        IntStream.range(0, 16).mapToObj(i -> inThread(() -> remove("app"))).toList();

    int removed = 0;
    for (Future<RemovalResult> removal : removals) {
      removed += removal.get().outcome().equals(REMOVED) ? 1 : 0;
    }

    assertThat(removed).isOne();
    assertThat(node.usedBytes()).isZero();
  }

  @Test
  void hungCall_failsAfterItsReleaseIfThatIsScripted() {
    faults.hangNext(LIST_IMAGES);
    faults.failNext(LIST_IMAGES, first);
    Future<?> future = inThread(() -> node.runtime().listImages());
    awaitHung();

    faults.releaseHung();

    assertThatThrownBy(future::get).isInstanceOf(ExecutionException.class).hasCause(first);
  }

  private void call(Operation operation) {
    switch (operation) {
      case LIST_IMAGES -> node.runtime().listImages();
      case LIST_CONTAINERS -> node.runtime().listContainers();
      case REMOVE_IMAGE -> remove("app");
      case MEASURE -> measure();
      case MEASURE_ROOT -> node.fsStats().rootFs();
      case MEASURE_CONTAINERS -> node.fsStats().containerFs();
      case SUBSCRIBE -> node.events().subscribe(new RecordedEvents()).close();
      case LOOK_UP -> node.lookup().findImage("app");
      case PULL -> node.puller().pull("app:1", Optional.empty(), progress -> {});
      case REMOVE_CONTAINER -> remover.removeContainer(ended);
      case STOP_CONTAINER -> remover.stopContainer(ended, MINUTE);
    }
  }

  private RemovalResult remove(String id) {
    return node.runtime().removeImage(Image.builder(ImageId.of(id)).build());
  }

  private long measure() {
    return node.fsStats().imageFs().availableBytes().orElseThrow();
  }

  private <T> Future<T> inThread(Callable<T> call) {
    return threads.submit(call);
  }

  private void awaitHung() {
    while (clock.hungCalls() == 0) {
      Thread.onSpinWait();
    }
  }

  private static List<String> ids(FakeNode node) {
    return node.runtime().listImages().stream().map(image -> image.id().text()).toList();
  }
}
