/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import static dev.imagegc.core.container.Containers.collector;
import static dev.imagegc.core.container.Containers.dead;
import static dev.imagegc.core.container.Containers.find;
import static dev.imagegc.core.container.Containers.policy;
import static dev.imagegc.core.container.Containers.reason;
import static dev.imagegc.core.container.Containers.removed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Lease;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PolicyException;
import dev.imagegc.api.WorkloadView;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.SingleWriter;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.ManualScheduler;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The host's functions, its leases, its threads and its timer. */
@Timeout(60)
class ContainerHostTest {
  private static final Duration LEASE = Duration.ofHours(10);

  /** The common pool may have a single thread. */
  private static final Executor THREADS = task -> {
    Thread thread = new Thread(task, "test");
    thread.setDaemon(true);
    thread.start();
  };

  private final FakeNode node = FakeNode.withDisk(1000);
  private final RecordingListener listener = new RecordingListener();

  private ContainerGcManager.Builder builder() {
    return collector(node, policy(0, 0, -1)).listener(listener);
  }

  @Test
  void workloadsWithoutUnits_areRefused_becauseTheyWouldMakeOthersDeleted() {
    ContainerGcManager.Builder builder = ContainerGcManager.builder()
        .runtime(node.runtime())
        .workloads(() -> WorkloadView.of(Set.of("pod")));
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("units must be set where workloads are");
    builder.units(ContainerUnits.kubernetes()).build().close();
  }

  // Functions that fail

  @Test
  void workloadsThatThrow_areAnIncompleteView_andAProblem() {
    dead(node, "a", "pod", "app", 1).add();
    try (ContainerGcManager gc = collector(node)
        .workloads(() -> {
          throw new IllegalStateException("no pods");
        })
        .build()) {
      ContainerGcReport report = gc.collect();
      assertThat(reason(report, "a")).isEqualTo(ContainerReason.KEPT_NEWEST);
      assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(report.problems()).singleElement().asString().contains("no pods");
    }
  }

  @Test
  void workloadsThatThrowWithoutWords_areAnIncompleteView() {
    dead(node, "a", "pod", "app", 1).add();
    try (ContainerGcManager gc = collector(node)
        .workloads(() -> {
          throw new PolicyException("");
        })
        .build()) {
      assertThat(reason(gc.collect(), "a")).isEqualTo(ContainerReason.KEPT_NEWEST);
    }
  }

  @Test
  void workloadsThatHang_costOneDeadline_andTheLimitsHold() {
    dead(node, "a", "pod", "app", 1).add();
    dead(node, "b", "pod", "app", 2).add();
    try (ContainerGcManager gc = collector(node)
        .workloads(() -> {
          node.runtime().listImages(); // hangs
          return WorkloadView.of(Set.of());
        })
        .build()) {
      node.faults().hangNext(Operation.LIST_IMAGES);
      ContainerGcReport report = gc.collect();
      assertThat(removed(report)).containsExactly("a");
      assertThat(report.duration()).isEqualTo(Duration.ofSeconds(10));
      assertThat(report.problems())
          .singleElement()
          .asString()
          .isEqualTo("containers of deleted workloads are not known:"
              + " the host did not tell its workloads within 10s");
    }
  }

  @Test
  void unitsThatThrow_keepThatContainer_alsoIfUnownedOnesGo_andAreOneProblem() {
    node.container("odd1").state(ContainerState.EXITED).add();
    node.container("odd2").state(ContainerState.EXITED).add();
    node.container("unowned").state(ContainerState.EXITED).add();
    dead(node, "a", "pod", "app", 1).add();
    try (ContainerGcManager gc = collector(node, policy(0, 0, -1).collectsUnowned(true))
        .units(container -> {
          if (container.id().startsWith("odd")) {
            throw new IllegalStateException("no idea");
          }
          return ContainerUnits.kubernetes().apply(container);
        })
        .build()) {
      ContainerGcReport report = gc.collect();
      assertThat(removed(report)).containsExactly("a", "unowned");
      assertThat(reason(report, "odd1")).isEqualTo(ContainerReason.NOT_OWNED);
      assertThat(find(report, "odd2").detail())
          .isEqualTo("the host failed to say to which unit container odd2 belongs:"
              + " java.lang.IllegalStateException: no idea");
      assertThat(report.problems()).singleElement().asString().endsWith("so with 2 containers");
    }
  }

  @Test
  @SuppressWarnings("NullAway") // what a host may do all the same
  void unitsThatAnswerNullOrHang_keepTheirContainers() {
    node.container("c").state(ContainerState.EXITED).add();
    try (ContainerGcManager gc = collector(node, policy(0, 0, -1).collectsUnowned(true))
        .units(container -> null)
        .build()) {
      assertThat(reason(gc.collect(), "c")).isEqualTo(ContainerReason.NOT_OWNED);
    }
    try (ContainerGcManager gc = collector(node, policy(0, 0, -1).collectsUnowned(true))
        .units(container -> {
          node.runtime().listImages(); // hangs
          return Optional.empty();
        })
        .build()) {
      node.faults().hangNext(Operation.LIST_IMAGES);
      ContainerGcReport report = gc.collect();
      assertThat(reason(report, "c")).isEqualTo(ContainerReason.NOT_OWNED);
      assertThat(report.duration()).isEqualTo(Duration.ofSeconds(10));
    }
  }

  @Test
  void listenerThatThrows_isContainedAndReported() {
    dead(node, "a", "pod", "app", 1).add();
    listener.failWith(new IllegalStateException("deaf"));
    try (ContainerGcManager gc = builder().build()) {
      ContainerGcReport report = gc.collect();
      assertThat(removed(report)).containsExactly("a");
      assertThat(report.problems()).hasSize(2).allMatch(problem -> problem.contains("deaf"));
    }
  }

  // Leases

  private void neverStarted() {
    node.image("i").tag("app:1").size(10).add();
    dead(node, "c", "pod", "app", 1).image("i").state(ContainerState.CREATED).add();
  }

  private ImageGcManager images() {
    return ImageGcManager.builder()
        .runtime(node.runtime())
        .fsStats(node.fsStats())
        .clock(node.clock())
        .build();
  }

  @Test
  void neverStarted_staysWhileItsImageIsLeasedByName_andGoesAfterwards() {
    neverStarted();
    try (ImageGcManager images = images();
        ContainerGcManager gc = builder().leases(images::isLeased).build()) {
      images.detectImages();
      Lease lease = images.leases().lease("app:1", LEASE);
      ContainerGcReport report = gc.collect();
      assertThat(reason(report, "c")).isEqualTo(ContainerReason.LEASED);
      lease.close();
      assertThat(removed(gc.collect())).containsExactly("c");
    }
  }

  @Test
  void neverStarted_staysWhileItsImageIsLeasedById_andOtherLeasesDoNotHoldIt() {
    neverStarted();
    node.image("other").tag("other:1").size(10).add();
    node.clock().advance(Duration.ofMinutes(2));
    try (ImageGcManager images = images();
        ContainerGcManager gc = builder().leases(images::isLeased).build()) {
      images.detectImages();
      Lease lease = images.leases().lease(ImageId.of("i"), LEASE);
      assertThat(reason(gc.plan(), "c")).isEqualTo(ContainerReason.LEASED);
      lease.close();
      images.leases().lease("other:1", LEASE);
      images.leases().lease(ImageId.of("other"), LEASE);
      assertThat(removed(gc.collect())).containsExactly("c");
    }
  }

  @Test
  void neverStarted_ofAnImageNobodyHasSeen_staysWhileAnyNameIsLeased() {
    neverStarted();
    try (ImageGcManager images = images();
        ContainerGcManager gc = builder().leases(images::isLeased).build()) {
      images.leases().lease(ImageId.of("other"), LEASE);
      assertThat(images.isLeased(ImageId.of("i"))).isFalse();
      Lease lease = images.leases().lease("other:1", LEASE);
      assertThat(reason(gc.collect(), "c")).isEqualTo(ContainerReason.LEASED);
      lease.close();
      assertThat(removed(gc.collect())).containsExactly("c");
    }
  }

  @Test
  void leaseTakenDuringThePass_isSeenRightBeforeTheRemoval() {
    neverStarted();
    dead(node, "a", "pod", "app", 0).add();
    try (ImageGcManager images = images();
        ContainerGcManager gc = builder().leases(images::isLeased).build()) {
      images.detectImages();
      node.faults()
          .afterNext(Operation.REMOVE_CONTAINER, () -> images.leases().lease("app:1", LEASE));
      ContainerGcReport report = gc.collect();
      assertThat(removed(report)).containsExactly("a");
      assertThat(reason(report, "c")).isEqualTo(ContainerReason.LEASED);
      assertThat(node.containerRemovalsAsked()).containsExactly("a");
    }
  }

  @Test
  void leases_holdOnlyContainersThatWereNeverStarted() {
    node.image("i").tag("app:1").size(10).add();
    dead(node, "c", "pod", "app", 1).image("i").add();
    try (ContainerGcManager gc = builder().leases(image -> true).build()) {
      assertThat(removed(gc.collect())).containsExactly("c");
    }
  }

  @Test
  void leasesThatCannotBeAsked_keepTheContainers_andAreOneProblem() {
    neverStarted();
    dead(node, "d", "pod", "app", 1).image("i").state(ContainerState.CREATED).add();
    dead(node, "noImage", "pod", "app", 1).state(ContainerState.CREATED).add();
    Predicate<ImageId> broken = image -> {
      throw new IllegalStateException("no leases");
    };
    try (ContainerGcManager gc = builder().leases(broken).build()) {
      ContainerGcReport report = gc.collect();
      assertThat(reason(report, "c")).isEqualTo(ContainerReason.LEASED);
      assertThat(find(report, "c").detail()).contains("no leases");
      assertThat(reason(report, "noImage")).isEqualTo(ContainerReason.LEASED);
      assertThat(report.problems()).singleElement().asString().contains("no leases");
    }
  }

  // Threads

  @Test
  void interruptedCaller_getsAReport_andKeepsItsFlag() {
    dead(node, "a", "pod", "app", 1).add();
    try (ContainerGcManager gc =
        builder().workloads(() -> WorkloadView.of(Set.of())).build()) {
      node.faults().afterNext(Operation.LIST_CONTAINERS, new Interruption(Thread.currentThread()));
      ContainerGcReport report = gc.collect();
      assertThat(Thread.interrupted()).isTrue();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause()).containsInstanceOf(CancelledException.class);
      assertThat(node.containerIds()).containsExactly("a");
    }
  }

  @Test
  void callerInterruptedDuringARemoval_endsThePass() {
    dead(node, "a", "pod", "app", 1).add();
    dead(node, "b", "pod", "app", 2).add();
    Interruption interruption = new Interruption(Thread.currentThread());
    node.faults().beforeNext(Operation.REMOVE_CONTAINER, () -> {
      interruption.run();
      await(new CountDownLatch(1)); // until the collector gives up
    });
    try (ContainerGcManager gc = builder().build()) {
      ContainerGcReport report = gc.collect();
      assertThat(Thread.interrupted()).isTrue();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause()).containsInstanceOf(CancelledException.class);
      assertThat(reason(report, "a")).isEqualTo(ContainerReason.OUTCOME_UNKNOWN);
      assertThat(reason(report, "b")).isEqualTo(ContainerReason.NOT_REACHED);
      assertThat(node.containerRemovalsAsked()).containsExactly("a");
    }
  }

  private record Interruption(Thread thread) implements Runnable {
    @Override
    public void run() {
      thread.interrupt();
      await(new CountDownLatch(1)); // until the collector gives this call up
    }
  }

  // One writer

  @Test
  void callDuringAnother_joinsAnEqualOne_andElseIsBusy() throws Exception {
    dead(node, "a", "pod", "app", 1).add();
    CountDownLatch removing = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    node.faults().beforeNext(Operation.REMOVE_CONTAINER, () -> {
      removing.countDown();
      await(goOn);
    });
    try (ContainerGcManager gc = builder().maxWait(Duration.ofSeconds(5)).build()) {
      CompletableFuture<ContainerGcReport> first =
          CompletableFuture.supplyAsync(gc::collect, THREADS);
      removing.await();
      CompletableFuture<ContainerGcReport> equal =
          CompletableFuture.supplyAsync(gc::collect, THREADS);
      CompletableFuture<ContainerGcReport> other =
          CompletableFuture.supplyAsync(gc::collectForSpace, THREADS);
      node.clock().awaitWaiters(3); // the removal, and two calls
      goOn.countDown();
      assertThat(equal.get()).isSameAs(first.get());
      assertThat(other.get().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(node.calls(Operation.LIST_CONTAINERS)).isEqualTo(2);
    }
  }

  @Test
  void writerOfAnotherThatIsBusy_isReported_andNothingIsDone() {
    dead(node, "a", "pod", "app", 1).add();
    SingleWriter writer = SingleWriter.create(node.clock());
    SingleWriter.Kind<ContainerGcReport> prune =
        SingleWriter.Kind.of("prune", ContainerGcReport.class);
    try (ContainerGcManager gc = builder().writer(writer).maxWait(Duration.ZERO).build()) {
      ContainerGcReport busy = writer.run(
          prune,
          Duration.ZERO,
          () -> CompletableFuture.supplyAsync(gc::collect, THREADS).join());
      assertThat(busy.outcome()).isEqualTo(Outcome.BUSY);
      assertThat(busy.cause().orElseThrow())
          .isInstanceOf(BusyException.class)
          .hasMessage("prune has been running since 2026-01-01T00:00:00Z; waited 0s for it");
      assertThatThrownBy(() -> writer.run(prune, Duration.ZERO, () -> {
            try {
              return CompletableFuture.supplyAsync(gc::plan, THREADS).join();
            } catch (CompletionException e) {
              throw (RuntimeException) e.getCause();
            }
          }))
          .isInstanceOf(BusyException.class);
      assertThat(node.calls()).isEmpty();
      assertThat(removed(writer.run(prune, Duration.ZERO, gc::collect)))
          .as("a part of what the same thread does")
          .containsExactly("a");
    }
  }

  // Timer

  @Test
  void start_collectsAtOnce_andThenEveryMinute_alsoAfterAFailure() {
    ManualScheduler scheduler = new ManualScheduler(node.clock());
    dead(node, "a", "pod", "app", 1).add();
    try (ContainerGcManager gc = builder().scheduler(scheduler).build()) {
      gc.start();
      assertThat(nextOutcome()).isEqualTo(Outcome.DONE);
      awaitPending(scheduler);
      assertThat(scheduler.pendingDelays()).containsExactly(Duration.ofMinutes(1));
      node.stopEngine();
      scheduler.advance(Duration.ofMinutes(1));
      assertThat(nextOutcome()).isEqualTo(Outcome.FAILED);
      awaitPending(scheduler);
      node.startEngine();
      dead(node, "b", "pod", "app", 1).add();
      scheduler.advance(Duration.ofMinutes(1));
      assertThat(nextOutcome()).isEqualTo(Outcome.DONE);
      assertThat(node.containerIds()).isEmpty();
      assertThatIllegalStateException()
          .isThrownBy(gc::start)
          .withMessage("start() may be called once");
      awaitPending(scheduler);
    }
    assertThat(scheduler.pendingCount()).isZero();
  }

  @Test
  void passThatKeepsBeingBusy_isToldOnceAndWhenItIsOver() {
    ManualScheduler scheduler = new ManualScheduler(node.clock());
    SingleWriter writer = SingleWriter.create(node.clock());
    SingleWriter.Kind<Boolean> prune = SingleWriter.Kind.of("prune", Boolean.class);
    try (ContainerGcManager gc =
        builder().scheduler(scheduler).writer(writer).maxWait(Duration.ZERO).build()) {
      writer.run(prune, Duration.ZERO, () -> {
        gc.start();
        awaitPending(scheduler);
        scheduler.advance(Duration.ofMinutes(1));
        awaitPending(scheduler);
        return true;
      });
      assertThat(listener.types()).containsExactly(GcEventType.CONTAINER_GC_BUSY);
      GcEvent began = listener.events().get(0);
      assertThat(began.phase()).isEqualTo(GcEvent.Phase.BEGAN);
      assertThat(began.message())
          .isEqualTo("prune has been running since 2026-01-01T00:00:00Z; waited 0s for it");
      assertThat(began.cause().orElseThrow()).isInstanceOf(BusyException.class);

      scheduler.advance(Duration.ofMinutes(1));
      awaitPending(scheduler);
      scheduler.advance(Duration.ofMinutes(1));
      awaitPending(scheduler);
      assertThat(listener.events(GcEventType.CONTAINER_GC_BUSY))
          .extracting(GcEvent::phase)
          .containsExactly(GcEvent.Phase.BEGAN, GcEvent.Phase.ENDED);
    }
  }

  @Test
  void listenerThatThrowsBetweenPasses_isNoProblemOfTheNextOne() {
    ManualScheduler scheduler = new ManualScheduler(node.clock());
    SingleWriter writer = SingleWriter.create(node.clock());
    SingleWriter.Kind<Boolean> prune = SingleWriter.Kind.of("prune", Boolean.class);
    listener.failWith(new IllegalStateException("deaf"));
    try (ContainerGcManager gc =
        builder().scheduler(scheduler).writer(writer).maxWait(Duration.ZERO).build()) {
      writer.run(prune, Duration.ZERO, () -> {
        gc.start();
        awaitPending(scheduler);
        return true;
      });
      assertThat(listener.types()).containsExactly(GcEventType.CONTAINER_GC_BUSY);
      listener.heal();
      assertThat(gc.collect().problems()).isEmpty();
    }
  }

  private Outcome nextOutcome() {
    return listener
        .await(GcEventType.CONTAINER_GC_FINISHED)
        .containerReport()
        .orElseThrow()
        .outcome();
  }

  private static void awaitPending(ManualScheduler scheduler) {
    while (scheduler.pendingCount() == 0) {
      Thread.onSpinWait();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // Settings

  @Test
  void runtimeThatCannotRemoveContainers_isNamed() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> ContainerGcManager.builder().runtime(node.plainRuntime()).build())
        .withMessage("runtime must be able to remove containers, but "
            + node.plainRuntime().getClass().getName() + " is no ContainerRemover");
    assertThatIllegalStateException()
        .isThrownBy(() -> ContainerGcManager.builder().build())
        .withMessage("runtime must be set");
  }

  @Test
  void settingsOutOfRange_nameFieldValueAndRule() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder().interval(Duration.ZERO))
        .withMessage("interval must be above zero, but is PT0S");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder().stopGrace(Duration.ofMillis(-1)))
        .withMessage("stopGrace must be zero or more, but is PT-0.001S");
  }
}
