/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Lease;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PressureShortfall;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.api.Verdict;
import dev.imagegc.api.WatchState;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.container.ContainerGcManager;
import dev.imagegc.core.container.ContainerGcPolicy;
import dev.imagegc.core.disk.DiskSpace;
import dev.imagegc.core.disk.SpaceStatus;
import dev.imagegc.core.pressure.PressurePolicy;
import dev.imagegc.core.pressure.PressureReport;
import dev.imagegc.core.pressure.PressureValue;
import dev.imagegc.testkit.ContainerSpec;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.ManualScheduler;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** All parts on one node: what they share, what the status says of them, and how they begin and end together. */
@Timeout(60) // a test that hangs is a test that fails
class NodeGcTest {
  private static final PressurePolicy NO_THRESHOLDS = PressurePolicy.builder().build();

  /** As many as a test needs: the common pool has a single thread on a machine with two cores. */
  private static final ExecutorService THREADS = Executors.newCachedThreadPool(task -> {
    Thread thread = new Thread(task, "test");
    thread.setDaemon(true);
    return thread;
  });

  private final FakeNode node = FakeNode.withDisk(1000).withOneDisk();
  private final RecordingListener listener = new RecordingListener();

  // The parts

  @Test
  void parts_areThereAndStayTheSame() {
    try (NodeGc gc = builder().build()) {
      assertThat(gc.images().garbageCollect().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(gc.containers().orElseThrow().collect().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(gc.diskSpace().imageFs().status()).isEqualTo(SpaceStatus.OUT); // of 256 MB
      assertThat(gc.pressure().relieve().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(gc.images()).isSameAs(gc.images());
      assertThat(gc.containers()).isEqualTo(gc.containers());
      assertThat(gc.diskSpace()).isSameAs(gc.diskSpace());
      assertThat(gc.pressure()).isSameAs(gc.pressure());
    }
  }

  @Test
  void settingsOfOnePart_reachThatPart() {
    try (NodeGc gc = builder()
        .diskSpace(part -> part.imageThresholdMb(0))
        .containers(part -> part.units(container -> {
          throw new IllegalStateException("no units today");
        }))
        .build()) {
      dead("c", 1).add();
      assertThat(gc.diskSpace().imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
      assertThat(collect(gc).problems()).anyMatch(problem -> problem.contains("no units today"));
    }
  }

  @Test
  void leasedImage_keepsItsContainerThatWasNeverStarted() {
    node.image("a").size(100).add();
    dead("c", 1).image("a").state(ContainerState.CREATED).add();
    try (NodeGc gc = builder().build()) {
      try (Lease lease = gc.images().leases().lease(ImageId.of("a"), Duration.ofHours(1))) {
        assertThat(lease.isActive()).isTrue();
        assertThat(collect(gc).decisions())
            .extracting(ContainerDecision::reason)
            .containsExactly(ContainerReason.LEASED);
      }
      assertThat(collect(gc).removed()).hasSize(1);
    }
  }

  @Test
  void pressure_takesContainersAndThenTheirImages_withoutBeingInItsOwnWay() {
    node.image("a").size(300).add();
    dead("c", 1).image("a").add();
    node.fillTo(90);
    try (NodeGc gc = builder().maxWait(Duration.ZERO).build()) {
      PressureReport report = gc.pressure().relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(node.containerRemovalsAsked()).containsExactly("c");
      assertThat(node.removalsAsked()).containsExactly("a");
    }
  }

  // One writer

  @Test
  void callsOfOtherParts_duringARoundOfImages_areBusyAndSayWithWhat() {
    node.image("a").size(300).add();
    node.fillTo(90);
    List<Object> outcomes = new ArrayList<>();
    try (NodeGc gc = builder().maxWait(Duration.ZERO).build()) {
      node.faults().beforeNext(Operation.LIST_IMAGES, () -> {
        ContainerGcReport containers = collect(gc);
        outcomes.add(containers.outcome());
        outcomes.add(containers.cause().orElseThrow().getMessage());
        outcomes.add(gc.pressure().relieve().outcome());
        outcomes.add(gc.images().freeSpace(1).outcome());
      });
      assertThat(gc.images().garbageCollect().outcome()).isEqualTo(Outcome.DONE);
    }
    assertThat(outcomes)
        .containsExactly(
            Outcome.BUSY,
            "garbageCollect has been running since 2026-01-01T00:00:00Z; waited 0s for it",
            Outcome.BUSY,
            Outcome.BUSY);
  }

  @Test
  void callsOfOtherParts_duringAPassOverContainers_areBusy() {
    dead("c", 1).add();
    node.fillTo(90);
    List<Object> outcomes = new ArrayList<>();
    try (NodeGc gc = builder().maxWait(Duration.ZERO).build()) {
      node.faults().beforeNext(Operation.REMOVE_CONTAINER, () -> {
        outcomes.add(gc.images().garbageCollect().outcome());
        outcomes.add(gc.images().deleteUnusedImages().outcome());
        outcomes.add(gc.pressure().relieve().outcome());
      });
      assertThat(collect(gc).outcome()).isEqualTo(Outcome.DONE);
    }
    assertThat(outcomes).containsExactly(Outcome.BUSY, Outcome.BUSY, Outcome.BUSY);
  }

  @Test
  void callsOfOtherParts_whilePressureIsReclaimed_areBusy_andAreNotInItsWay() {
    node.image("a").size(300).add();
    dead("c", 1).add();
    node.fillTo(90);
    List<Object> outcomes = new ArrayList<>();
    try (NodeGc gc = builder().maxWait(Duration.ZERO).build()) {
      node.faults().beforeNext(Operation.REMOVE_CONTAINER, () -> {
        outcomes.add(gc.images().garbageCollect().outcome());
        outcomes.add(collect(gc).outcome());
      });
      node.faults()
          .beforeNext(
              Operation.REMOVE_IMAGE,
              () -> outcomes.add(gc.images().freeSpace(1).outcome()));
      assertThat(gc.pressure().relieve().outcome()).isEqualTo(Outcome.DONE);
    }
    assertThat(outcomes).containsExactly(Outcome.BUSY, Outcome.BUSY, Outcome.BUSY);
  }

  @Test
  void equalCallsOfAPart_joinTheOneThatRuns() throws Exception {
    dead("c", 1).add();
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch held = new CountDownLatch(1);
    node.faults().beforeNext(Operation.REMOVE_CONTAINER, () -> {
      asked.countDown();
      awaitQuietly(held);
    });
    try (NodeGc gc = builder().build()) {
      CompletableFuture<ContainerGcReport> first = inThread(() -> collect(gc));
      asked.await();
      CompletableFuture<ContainerGcReport> second = inThread(() -> collect(gc));
      node.clock().awaitWaiters(2); // for the engine, and for the first call
      held.countDown();
      assertThat(second.get()).isSameAs(first.get());
      assertThat(node.containerRemovalsAsked()).containsExactly("c");
    }
  }

  @Test
  void callOfAnotherPart_waitsItsTurn() throws Exception {
    node.image("a").size(300).add();
    dead("c", 1).image("a").add();
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch held = new CountDownLatch(1);
    node.faults().beforeNext(Operation.REMOVE_CONTAINER, () -> {
      asked.countDown();
      awaitQuietly(held);
    });
    try (NodeGc gc = builder().build()) {
      CompletableFuture<ContainerGcReport> containers = inThread(() -> collect(gc));
      asked.await();
      CompletableFuture<GcReport> images = inThread(() -> gc.images().deleteUnusedImages());
      node.clock().awaitWaiters(2);
      held.countDown();
      assertThat(containers.get().removed()).hasSize(1);
      assertThat(images.get().removed()).hasSize(1); // it saw the node without the container
    }
  }

  // An engine that cannot remove containers

  @Test
  void engineThatCannotRemoveContainers_isCollectedWithoutThem() {
    node.image("a").size(300).add();
    node.image("b").size(100).add();
    dead("c", 1).image("a").add();
    node.fillTo(90);
    try (NodeGc gc = builder().runtime(node.plainRuntime()).build()) {
      assertThat(gc.containers()).isEmpty();
      assertThat(gc.status().containers()).isEmpty();
      assertThat(gc.pressure().relieve().containerReport()).isEmpty();
      assertThat(node.removalsAsked()).containsExactly("b");
      gc.start();
    }
  }

  @Test
  void engineThatCannotRemoveContainers_isRefusedWhereThatIsWanted() {
    NodeGc.Builder builder = builder().runtime(node.plainRuntime()).collectsContainers(true);
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "collectsContainers is true, so runtime must be able to remove containers, but ")
        .hasMessageEndingWith(" is no ContainerRemover");
  }

  @Test
  void containersThatAreNotToBeCollected_areNeverTouched() {
    dead("c", 1).add();
    node.fillTo(90);
    try (NodeGc gc = builder().collectsContainers(false).build()) {
      assertThat(gc.containers()).isEmpty();
      gc.pressure().relieve();
      assertThat(node.containerRemovalsAsked()).isEmpty();
    }
  }

  @Test
  void missingParts_areNamed() {
    assertThatThrownBy(() -> NodeGc.builder().fsStats(node.fsStats()).build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("runtime must be set");
    assertThatThrownBy(() -> NodeGc.builder().runtime(node.runtime()).build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("fsStats must be set");
  }

  // The listener

  @Test
  void listener_hearsAllParts() {
    node.image("a").size(300).add();
    dead("c", 1).image("a").add();
    node.fillTo(90);
    try (NodeGc gc = builder().build()) {
      gc.pressure().relieve();
      assertThat(listener.types())
          .containsSubsequence(
              GcEventType.CONTAINER_REMOVED,
              GcEventType.CONTAINER_GC_FINISHED,
              GcEventType.IMAGE_REMOVED,
              GcEventType.ROUND_FINISHED,
              GcEventType.DISK_PRESSURE_HANDLED);
    }
  }

  @Test
  void listener_thatHangs_costsOneDeadlineForAllPartsTogether_andTheStatusKeepsTrack()
      throws Exception {
    node.image("a").size(100).add();
    dead("c", 1).add();
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    AtomicInteger heard = new AtomicInteger();
    try (NodeGc gc = builder()
        .listener(event -> {
          heard.incrementAndGet();
          entered.countDown();
          awaitStubbornly(never);
        })
        .deadlines(Deadlines.builder().listener(Duration.ofSeconds(7)).build())
        .build()) {
      Instant start = node.clock().instant();
      CompletableFuture<GcReport> purge = inThread(() -> gc.images().deleteUnusedImages());
      entered.await();
      node.clock().awaitWaiters(2); // for the listener: those who tell it, and the part
      node.clock().advance(Duration.ofSeconds(7));
      assertThat(purge.get().removed()).hasSize(1);
      assertThat(collect(gc).removed()).hasSize(1);
      node.fillTo(90);
      gc.pressure().relieve();

      assertThat(Duration.between(start, node.clock().instant())).isEqualTo(Duration.ofSeconds(7));
      assertThat(heard).hasValue(1);
      assertThat(types(gc.status().rounds()))
          .startsWith(GcEventType.DISK_PRESSURE_HANDLED)
          .endsWith(GcEventType.CONTAINER_GC_FINISHED, GcEventType.ROUND_FINISHED);

      never.countDown();
      while (heard.get() == 1) { // its thread ends at some moment
        collect(gc);
      }
    }
  }

  @Test
  void listener_thatThrows_isContainedInEveryPart() {
    node.image("a").size(300).add();
    dead("c", 1).image("a").add();
    node.fillTo(90);
    try (NodeGc gc = builder()
        .listener(event -> {
          throw new IllegalStateException("no ears");
        })
        .build()) {
      PressureReport report = gc.pressure().relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.containerReport().orElseThrow().problems())
          .anyMatch(problem -> problem.contains("no ears"));
      assertThat(gc.status().rounds()).hasSize(3);
    }
  }

  @Test
  void events_ofSeveralThreads_arePassedOnOneAtATimeAndAllOfThem() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    AtomicBoolean overlapped = new AtomicBoolean();
    List<String> heard = new ArrayList<>(); // as a listener may: it hears one at a time
    RecentEvents events = new RecentEvents(
        event -> {
          overlapped.compareAndSet(false, inside.incrementAndGet() > 1);
          heard.add(event.message());
          inside.decrementAndGet();
        },
        Duration.ofSeconds(30),
        node.clock(),
        3);
    CountDownLatch together = new CountDownLatch(1);
    List<CompletableFuture<Void>> threads = new ArrayList<>();
    for (int thread = 0; thread < 4; thread++) {
      String name = "thread " + thread;
      threads.add(CompletableFuture.runAsync(
          () -> {
            awaitQuietly(together);
            for (int i = 0; i < 200; i++) {
              events.onEvent(happened(GcEventType.ROUND_FINISHED, name));
            }
          },
          THREADS));
    }
    together.countDown();
    for (CompletableFuture<Void> thread : threads) {
      thread.get();
    }
    events.close();

    assertThat(overlapped).isFalse();
    assertThat(heard).hasSize(800);
    assertThat(events.rounds()).hasSize(3);
  }

  // Status

  @Test
  void status_hasTheNumbersOfEveryFilesystem_andItsThresholdsInWords() {
    FakeNode split = FakeNode.withDisk(1000).withSplitImageFs(5000);
    split.imageDisk().fillTo(40);
    split.rootDisk().inodes(700);
    try (NodeGc gc = builder()
        .runtime(split.runtime())
        .fsStats(split.fsStats())
        .clock(split.clock())
        .imagePolicy(LruGcPolicy.builder()
            .highPercent(90)
            .lowPercent(70)
            .inodesPercent(95, 60)
            .build())
        .pressurePolicy(PressurePolicy.builder()
            .hard(DiskSignal.NODEFS_AVAILABLE, PressureValue.parse("100"))
            .minimumReclaim(DiskSignal.NODEFS_AVAILABLE, PressureValue.parse("1Ki"))
            .hard(DiskSignal.NODEFS_INODES_FREE, PressureValue.ofPercent(5))
            .soft(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.ofPercent(8), Duration.ofSeconds(90))
            .build())
        .build()) {
      List<NodeStatus.Filesystem> filesystems = gc.status().filesystems();
      assertThat(filesystems)
          .extracting(NodeStatus.Filesystem::kind)
          .containsExactly(NodeFs.IMAGEFS, NodeFs.NODEFS, NodeFs.CONTAINERFS);
      assertThat(filesystems).extracting(NodeStatus.Filesystem::error).containsOnly("");
      FsStats images = filesystems.get(0).stats().orElseThrow();
      assertThat(images.path()).isEqualTo("/fake/images");
      assertThat(images.capacityBytes()).hasValue(1000);
      assertThat(images.availableBytes()).hasValue(600);
      assertThat(images.inodes()).isEmpty();
      FsStats root = filesystems.get(1).stats().orElseThrow();
      assertThat(root.capacityBytes()).hasValue(5000);
      assertThat(root.inodes()).hasValue(700);
      assertThat(filesystems.get(0).thresholds())
          .containsExactly(
              "images go from 90% down to 70%",
              "images go from 95% of the inodes down to 60%",
              "soft pressure at imagefs.available<8% for 1m30s",
              "out of disk space below 256.0 MiB");
      assertThat(filesystems.get(1).thresholds())
          .containsExactly(
              "pressure at nodefs.available<100 until there is 1Ki more",
              "pressure at nodefs.inodesFree<5%",
              "out of disk space below 256.0 MiB");
      assertThat(filesystems.get(2).thresholds()).isEmpty();
    }
  }

  @Test
  void status_withoutThresholds_namesNone() {
    try (NodeGc gc = builder()
        .imagePolicy(LruGcPolicy.builder().highPercent(100).build())
        .pressurePolicy(NO_THRESHOLDS)
        .diskSpace(part -> part.imageThresholdMb(0).rootThresholdMb(0))
        .build()) {
      assertThat(gc.status().filesystems())
          .hasSize(3)
          .allMatch(filesystem -> filesystem.thresholds().isEmpty())
          .allMatch(filesystem -> filesystem.space().isEmpty());
      assertThat(gc.status().conditions()).isEmpty();
    }
  }

  @Test
  void status_hasTheDiskSpaceOfImagesAndRoot_availableOutOrUnknown() {
    long mb = 1L << 20;
    FakeNode large = FakeNode.withDisk(100 * mb).withDedicatedImageFs(50 * mb);
    large.imageDisk().fillTo(91);
    try (NodeGc gc = builder()
        .runtime(large.runtime())
        .fsStats(large.fsStats())
        .clock(large.clock())
        .diskSpace(part -> part.imageThresholdMb(10).rootThresholdMb(20))
        .build()) {
      List<NodeStatus.Filesystem> filesystems = gc.status().filesystems();
      DiskSpace images = filesystems.get(0).space().orElseThrow();
      assertThat(images.status()).isEqualTo(SpaceStatus.OUT);
      assertThat(images.thresholdBytes()).isEqualTo(10 * mb);
      assertThat(filesystems.get(0).thresholds()).contains("out of disk space below 10.0 MiB");
      DiskSpace root = filesystems.get(1).space().orElseThrow();
      assertThat(root.status()).isEqualTo(SpaceStatus.AVAILABLE);
      assertThat(root.thresholdBytes()).isEqualTo(20 * mb);
      assertThat(filesystems.get(1).thresholds()).contains("out of disk space below 20.0 MiB");
      assertThat(filesystems.get(2).space()).isEmpty(); // the kubelet has none for containers

      large.faults().failAlways(Operation.MEASURE_ROOT, new UnreachableException("no root"));
      large.clock().advance(Duration.ofSeconds(3)); // beyond what is kept
      NodeStatus.Filesystem unknown = gc.status().filesystems().get(1);
      assertThat(unknown.space().orElseThrow().status()).isEqualTo(SpaceStatus.UNKNOWN);
      assertThat(unknown.space().orElseThrow().error().orElseThrow()).hasMessage("no root");
      assertThat(unknown.stats()).isEmpty();
      assertThat(unknown.error()).isEqualTo("no root");
    }
  }

  @Test
  void status_rootThatTheMeasureDoesNotKnow_isUnknown_andNotThereWhereNobodyNeedsIt() {
    FakeNode rootless = FakeNode.withDisk(1000);
    NodeGc.Builder builder = builder()
        .runtime(rootless.runtime())
        .fsStats(rootless.fsStats())
        .clock(rootless.clock())
        .pressurePolicy(NO_THRESHOLDS);
    try (NodeGc gc = builder.build()) {
      NodeStatus.Filesystem root = gc.status().filesystems().get(1);
      assertThat(root.space().orElseThrow().status()).isEqualTo(SpaceStatus.UNKNOWN);
      assertThat(root.error())
          .isEqualTo("root filesystem cannot be judged: the disk measure does not know it");
    }
    try (NodeGc gc = builder.diskSpace(part -> part.rootThresholdMb(0)).build()) {
      assertThat(gc.status().filesystems())
          .extracting(NodeStatus.Filesystem::kind)
          .containsExactly(NodeFs.IMAGEFS);
    }
  }

  @Test
  void status_filesystemThatFails_hasItsErrorAndItsThresholds_andTheOthersTheirNumbers() {
    node.faults().failAlways(Operation.MEASURE_ROOT, new UnreachableException("the disk is gone"));
    try (NodeGc gc = builder().build()) {
      NodeStatus status = gc.status();
      NodeStatus.Filesystem root = status.filesystems().get(1);
      assertThat(root.kind()).isEqualTo(NodeFs.NODEFS);
      assertThat(root.stats()).isEmpty();
      assertThat(root.error()).isEqualTo("the disk is gone");
      assertThat(root.thresholds()).isNotEmpty();
      assertThat(status.filesystems().get(0).stats()).isPresent();
      assertThat(status.images()).isPresent();
    }
  }

  @Test
  void status_filesystemThatHangs_doesNotHideTheOthers() {
    node.faults().hangNextStubbornly(Operation.MEASURE_ROOT);
    try (NodeGc gc = builder().build()) {
      Instant start = node.clock().instant();
      List<NodeStatus.Filesystem> filesystems = gc.status().filesystems();
      assertThat(filesystems.get(1).error())
          .isEqualTo("the disk measure did not measure the root filesystem within 10s");
      assertThat(filesystems.get(0).stats()).isPresent();
      assertThat(filesystems.get(2).stats()).isPresent();
      assertThat(Duration.between(start, node.clock().instant())).isEqualTo(Duration.ofSeconds(10));
      node.faults().releaseHung();
    }
  }

  @Test
  void status_policyThatThrows_isNotBlamedOnADisk() {
    AtomicBoolean broken = new AtomicBoolean();
    LruGcPolicy policy = LruGcPolicy.ofDefaults();
    try (NodeGc gc = builder()
        .imagePolicy(new GcPolicy() {
          @Override
          public GcThresholds thresholds() {
            if (broken.get()) {
              throw new IllegalStateException("no policy today");
            }
            return policy.thresholds();
          }

          @Override
          public Verdict verdict(ImageRecord image) {
            return policy.verdict(image);
          }

          @Override
          public Comparator<ImageRecord> evictionOrder() {
            return policy.evictionOrder();
          }
        })
        .build()) {
      broken.set(true);
      assertThat(gc.status().filesystems().get(0).thresholds().get(0))
          .startsWith("unknown: the image policy")
          .contains("no policy today");
    }
  }

  @Test
  void status_hasAPlanForImagesAndContainers_andTouchesNothing() {
    node.image("a").size(300).add();
    node.image("b").size(100).add();
    node.run("r", "b");
    dead("c", 1).add();
    node.fillTo(90);
    try (NodeGc gc = builder().build()) {
      NodeStatus status = gc.status();
      assertThat(status.at()).isEqualTo(node.clock().instant());
      assertThat(status.imagesTrouble()).isEmpty();
      assertThat(status.images().orElseThrow().decisions())
          .extracting(one -> one.image().id().text() + " " + one.decision())
          .containsExactlyInAnyOrder("a PLANNED", "b KEPT");
      assertThat(status.containers().orElseThrow().decisions())
          .extracting(one -> one.container().id() + " " + one.decision())
          .containsExactlyInAnyOrder("c PLANNED", "r KEPT");
      assertThat(status.remembered()).isEqualTo(2);
      assertThat(status.rounds()).isEmpty();
      assertThat(status.troubles()).isEmpty();
      assertThat(node.removalsAsked()).isEmpty();
      assertThat(node.containerRemovalsAsked()).isEmpty();
    }
  }

  @Test
  void status_ofAnEngineThatIsDown_saysSoInPlaceOfThePlans() {
    node.image("a").size(100).add();
    node.faults().failAlways(Operation.LIST_IMAGES, new UnreachableException("gone fishing"));
    node.faults().failAlways(Operation.LIST_CONTAINERS, new UnreachableException("gone fishing"));
    try (NodeGc gc = builder().build()) {
      NodeStatus status = gc.status();
      assertThat(status.images()).isEmpty();
      assertThat(status.imagesTrouble().orElseThrow()).hasMessage("gone fishing");
      ContainerGcReport containers = status.containers().orElseThrow();
      assertThat(containers.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(containers.cause().orElseThrow()).hasMessage("gone fishing");
      assertThat(status.filesystems().get(0).stats()).isPresent();
    }
  }

  @Test
  void status_duringARound_saysThatItIsBusy() {
    node.fillTo(90);
    AtomicReference<NodeStatus> status = new AtomicReference<>();
    try (NodeGc gc = builder().maxWait(Duration.ZERO).build()) {
      node.faults().beforeNext(Operation.LIST_IMAGES, () -> status.set(gc.status()));
      gc.images().garbageCollect();
      assertThat(status.get().imagesTrouble().orElseThrow())
          .isInstanceOf(BusyException.class)
          .hasMessageStartingWith("garbageCollect has been running");
      assertThat(status.get().containers().orElseThrow().outcome()).isEqualTo(Outcome.BUSY);
      assertThat(status.get().filesystems().get(0).stats()).isPresent();
    }
  }

  @Test
  void status_troublesOfEveryPart_beginAndEnd() {
    node.rootDisk().inodes(100);
    node.image("a").size(100).add();
    node.faults().failAlways(Operation.LIST_CONTAINERS, new UnreachableException("gone fishing"));
    node.faults().failAlways(Operation.MEASURE_ROOT, new UnreachableException("the disk is gone"));
    try (NodeGc gc = builder().build()) {
      gc.images().deleteUnusedImages();
      collect(gc);
      gc.pressure().look();
      List<GcEvent> troubles = gc.status().troubles();
      assertThat(types(troubles))
          .contains(
              GcEventType.IMAGE_GC_FAILED,
              GcEventType.CONTAINER_GC_FAILED,
              GcEventType.SIGNAL_UNKNOWN);
      assertThat(troubles).extracting(GcEvent::phase).containsOnly(GcEvent.Phase.BEGAN);
      assertThat(troubles)
          .extracting(GcEvent::message)
          .anyMatch(message -> message.contains("gone fishing"))
          .anyMatch(message -> message.contains("the disk is gone"));

      collect(gc); // goes on as before
      assertThat(gc.status().troubles()).hasSameSizeAs(troubles);

      node.faults().heal();
      gc.images().deleteUnusedImages();
      collect(gc);
      assertThat(types(gc.status().troubles())).containsExactly(GcEventType.SIGNAL_UNKNOWN);
      gc.pressure().look();
      assertThat(gc.status().troubles()).isEmpty();
    }
  }

  @Test
  void status_troublesOfTwoImages_endEachForItself() {
    node.image("a").size(100).add();
    node.image("b").size(100).add();
    node.faults().failNextRemoval("a", RemovalResult.of(RemovalOutcome.FAILED, "no"));
    node.faults().failRemovals("b", RemovalResult.of(RemovalOutcome.FAILED, "no"));
    try (NodeGc gc = builder().build()) {
      gc.images().deleteUnusedImages();
      assertThat(types(gc.status().troubles()))
          .containsExactly(GcEventType.IMAGE_REMOVAL_FAILED, GcEventType.IMAGE_REMOVAL_FAILED);
      node.clock().advance(Duration.ofHours(2)); // behind the back-off
      gc.images().deleteUnusedImages();
      assertThat(gc.status().troubles())
          .extracting(event -> event.decision().orElseThrow().image().id().text())
          .containsExactly("b");
    }
  }

  @Test
  void status_roundsAreTheLastTenOfAllParts_theNewestFirst() {
    dead("c", 1).add();
    try (NodeGc gc = builder().build()) {
      collect(gc);
      gc.images().deleteUnusedImages();
      assertThat(types(gc.status().rounds()))
          .containsExactly(GcEventType.ROUND_FINISHED, GcEventType.CONTAINER_GC_FINISHED);
      assertThat(gc.status().rounds().get(1).containerReport().orElseThrow().removed())
          .hasSize(1);

      for (int i = 0; i < 2 * NodeGc.ROUNDS; i++) {
        node.image("image-" + i).size(1).add();
        node.clock().advance(Duration.ofMinutes(1));
        assertThat(gc.images().deleteUnusedImages().removed()).hasSize(1);
      }
      List<GcEvent> rounds = gc.status().rounds();
      assertThat(rounds).hasSize(10);
      assertThat(rounds.get(0).at()).isEqualTo(node.clock().instant());
      assertThat(rounds.get(9).at()).isEqualTo(node.clock().instant().minus(Duration.ofMinutes(9)));
    }
  }

  @Test
  void status_ofRoundsThatFoundTheSameAndRemovedNothing_hasTheNewestOnly() {
    try (NodeGc gc = builder().build()) {
      for (int i = 0; i < 5; i++) {
        node.clock().advance(Duration.ofMinutes(1));
        gc.images().garbageCollect();
        collect(gc);
      }
      List<GcEvent> rounds = gc.status().rounds();
      assertThat(types(rounds))
          .containsExactly(GcEventType.CONTAINER_GC_FINISHED, GcEventType.ROUND_FINISHED);
      assertThat(rounds)
          .allSatisfy(event -> assertThat(event.at()).isEqualTo(node.clock().instant()));
    }
  }

  @Test
  void status_conditions_areThoseOfTheLastLook() {
    try (NodeGc gc = builder().build()) {
      gc.pressure().look();
      assertThat(gc.status().conditions())
          .extracting(DiskCondition::isUnderPressure)
          .containsOnly(false);
      node.fillTo(90);
      gc.pressure().look();
      assertThat(gc.status().conditions())
          .filteredOn(DiskCondition::isUnderPressure)
          .extracting(DiskCondition::filesystem)
          .contains(NodeFs.IMAGEFS);
    }
  }

  // Settings that contradict each other

  @Test
  void defaultsOfTheKubelet_doNotContradict() {
    try (NodeGc gc = builder()
        .pressurePolicy(imagesBelow(PressureValue.ofPercent(15)).build())
        .build()) {
      gc.pressure().look();
      assertThat(gc.status().contradictions()).isEmpty();
    }
    try (NodeGc gc = builder().pressurePolicy(PressurePolicy.ofDefaults()).build()) {
      gc.pressure().look();
      assertThat(gc.status().contradictions()).isEmpty();
    }
    assertThat(listener.events(GcEventType.SETTINGS_CONTRADICT)).isEmpty();
  }

  @Test
  void minimumReclaimAboveWhatLowLeaves_isNamedOnceWhenBuilt() {
    PressurePolicy policy = imagesBelow(PressureValue.ofPercent(15))
        .minimumReclaim(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.ofPercent(10))
        .build();
    try (NodeGc gc = builder().pressurePolicy(policy).build()) {
      assertThat(listener.events(GcEventType.SETTINGS_CONTRADICT)).hasSize(1);
      assertThat(node.calls()).isEmpty();
      assertThat(gc.status().contradictions())
          .containsExactly(
              "threshold imagefs.available<15% (hard) with a minimum reclaim of 10% is over at 25%"
                  + " available, and lowPercent 80 lets image collection stop at 20%: collection"
                  + " stops while pressure goes on");
      gc.pressure().look();
      gc.pressure().look();
      assertThat(listener.events(GcEventType.SETTINGS_CONTRADICT)).hasSize(1);
    }
  }

  @Test
  void thresholdAboveWhatHighLeaves_isNamedOnceWhenBuilt() {
    try (NodeGc gc = builder()
        .pressurePolicy(imagesBelow(PressureValue.ofPercent(30)).build())
        .build()) {
      assertThat(listener.events(GcEventType.SETTINGS_CONTRADICT)).hasSize(2);
      gc.pressure().look();
      gc.pressure().relieve();
      assertThat(gc.status().contradictions())
          .hasSize(2)
          .anyMatch(words -> words.endsWith("pressure acts before collection does"))
          .anyMatch(words -> words.endsWith("collection stops while pressure goes on"));
      assertThat(listener.events(GcEventType.SETTINGS_CONTRADICT)).hasSize(2);
    }
  }

  @Test
  void quantity_isNamedInBytesAtTheFirstMeasurement_once() {
    try (NodeGc gc =
        builder().pressurePolicy(imagesBelow(PressureValue.of(180)).build()).build()) {
      assertThat(gc.status().contradictions()).isEmpty();
      gc.pressure().look();
      assertThat(gc.status().contradictions())
          .containsExactly(
              "threshold imagefs.available<180 (hard) is met below 180 B available, and"
                  + " highPercent 85 lets image collection begin below 160 B (usage counts in"
                  + " whole percent): pressure acts before collection does");
      gc.pressure().look();
      gc.pressure().relieve();
      assertThat(listener.events(GcEventType.SETTINGS_CONTRADICT)).hasSize(1);
    }
  }

  // Timers

  @Test
  void start_runsImagesContainersAndPressureByTimer_eachAtOnceAndInItsInterval() {
    ManualScheduler scheduler = new ManualScheduler(node.clock());
    node.image("a").size(300).add();
    dead("c", 1).add();
    node.fillTo(90);
    Duration patience = Duration.ofDays(1); // the clock moves while the watch may still list
    try (NodeGc gc = builder()
        .scheduler(scheduler)
        .deadlines(Deadlines.builder()
            .firstList(patience)
            .list(patience, Duration.ZERO)
            .build())
        .images(
            part -> part.relistInterval(Duration.ZERO).collectionInterval(Duration.ofMinutes(7)))
        .containers(part -> part.interval(Duration.ofMinutes(3)))
        .pressure(part -> part.interval(Duration.ofSeconds(20)))
        .build()) {
      assertThat(scheduler.pendingCount()).isZero();
      gc.start();
      listener.await(GcEventType.CONTAINER_GC_FINISHED);
      listener.await(GcEventType.ROUND_FINISHED);
      awaitPending(scheduler, 4);
      while (!gc.images().watchHealth().state().equals(WatchState.STREAMING)) {
        Thread.onSpinWait();
      }
      assertThat(node.hasImage("a")).isFalse();
      assertThat(scheduler.pendingDelays())
          .contains(Duration.ofMinutes(7), Duration.ofMinutes(3), Duration.ofSeconds(20));

      listener.clear();
      node.fillTo(90);
      scheduler.advance(Duration.ofSeconds(20));
      listener.await(GcEventType.DISK_PRESSURE_HANDLED);
      awaitPending(scheduler, 4);
      listener.clear();
      advanceInSteps(scheduler, Duration.ofMinutes(3).minusSeconds(20), 4);
      listener.await(GcEventType.CONTAINER_GC_FINISHED);
      advanceInSteps(scheduler, Duration.ofMinutes(4), 4);
      listener.await(GcEventType.ROUND_FINISHED);
      assertThatThrownBy(gc::start)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("start() may be called once");
    }
    scheduler.advance(Duration.ofHours(1));
    assertThat(scheduler.pendingCount()).isZero();
    assertThat(scheduler.isShutdown()).isFalse(); // it is the host's
  }

  @Test
  void withoutContainersAndThresholds_onlyImagesAreLookedAtByTimer() {
    ManualScheduler scheduler = new ManualScheduler(node.clock());
    dead("c", 1).add();
    try (NodeGc gc = builder()
        .runtime(node.plainRuntime()) // no stream: it would list while the clock moves
        .scheduler(scheduler)
        .collectsContainers(false)
        .pressurePolicy(NO_THRESHOLDS)
        .build()) {
      gc.start();
      listener.await(GcEventType.ROUND_FINISHED);
      awaitPending(scheduler, 2); // detection and collection
      advanceInSteps(scheduler, Duration.ofMinutes(30), 2);
      listener.await(GcEventType.ROUND_FINISHED);
      assertThat(node.calls(Operation.MEASURE_ROOT)).isZero();
      assertThat(node.calls(Operation.MEASURE_CONTAINERS)).isZero();
      assertThat(node.containerRemovalsAsked()).isEmpty();
    }
  }

  @Test
  void start_aPartThatCannotStart_closesAll_soThatNothingRunsWithoutTheRest() {
    ManualScheduler scheduler = new ManualScheduler(node.clock());
    NodeGc gc = builder().scheduler(scheduler).build();
    gc.containers().orElseThrow().close();

    assertThatThrownBy(gc::start)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this ContainerGcManager is closed");

    assertClosed(() -> gc.images().garbageCollect());
    assertClosed(() -> gc.pressure().look());
    assertClosed(gc::start);
    scheduler.advance(Duration.ofHours(1));
    assertThat(scheduler.pendingCount()).isZero();
  }

  @Test
  void start_twice_isRefused_andWhatRunsGoesOn() {
    try (NodeGc gc = builder().build()) {
      gc.start();
      assertThatThrownBy(gc::start)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("start() may be called once");
      assertThat(gc.images().garbageCollect().outcome()).isEqualTo(Outcome.NOT_NEEDED);
    }
  }

  // The end

  @Test
  void build_thatFails_closesWhatWasBuilt_andKeepsWhatWasThrown() {
    AtomicReference<ContainerGcManager.Builder> kept = new AtomicReference<>();
    Error thrown = new AssertionError("no settings today");
    NodeGc.Builder builder = builder().containers(kept::set).diskSpace(part -> {
      throw thrown;
    });

    assertThatThrownBy(builder::build).isSameAs(thrown);

    dead("c", 1).add();
    try (ContainerGcManager another = kept.get().build()) { // with what all parts had in common
      assertThat(another.collect().removed()).hasSize(1);
      assertThat(listener.events()).isEmpty();
    }
  }

  @Test
  void build_settingsThatAPartRefuses_areNamed() {
    assertThatThrownBy(
            () -> builder().diskSpace(part -> part.imageThresholdMb(-1)).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("imageThresholdMb must be 0 to ")
        .hasMessageEndingWith("but is -1");
  }

  @Test
  void close_endsEveryPart_andTwiceIsNoMore() {
    NodeGc gc = builder().build();
    gc.start();
    gc.close();
    gc.close();
    assertClosed(gc::start);
    assertClosed(gc::status);
    assertClosed(() -> gc.images().garbageCollect());
    assertClosed(() -> gc.containers().orElseThrow().collect());
    assertClosed(() -> gc.diskSpace().imageFs());
    assertClosed(() -> gc.pressure().relieve());
  }

  @Test
  void start_afterClose_isRefused() {
    NodeGc gc = builder().build();
    gc.close();
    assertClosed(gc::start);
  }

  @Test
  void close_endsWithinItsBound_whileACallToTheEngineHangsInEachPart() throws Exception {
    for (Operation hanging : List.of(Operation.LIST_IMAGES, Operation.REMOVE_CONTAINER)) {
      FakeNode stuck = FakeNode.withDisk(1000).withOneDisk();
      stuck.image("a").size(300).add();
      dead(stuck, "c", 1).add();
      stuck.fillTo(90);
      CountDownLatch asked = new CountDownLatch(1);
      CountDownLatch never = new CountDownLatch(1);
      stuck.faults().beforeNext(hanging, () -> {
        asked.countDown();
        awaitStubbornly(never);
      });
      NodeGc gc = builder()
          .runtime(stuck.runtime())
          .fsStats(stuck.fsStats())
          .clock(stuck.clock())
          .build();
      CompletableFuture<PressureReport> pass = inThread(() -> gc.pressure().relieve());
      asked.await();
      CompletableFuture<Void> closing = CompletableFuture.runAsync(gc::close, THREADS);
      stuck.clock().awaitWaiters(4); // the engine's call, and the three parts that wait for it
      stuck.clock().advance(Duration.ofSeconds(10));
      closing.get();
      assertThat(pass).isNotDone(); // only the call itself waits on
      stuck.clock().awaitWaiters(1);
      stuck.clock().advance(Duration.ofMinutes(5));
      assertThat(pass.get().outcome()).as("%s", hanging).isNotEqualTo(Outcome.DONE);
      never.countDown();
    }
  }

  @Test
  void close_inTheMiddleOfPressure_removesNothingMore_andAsksTheHostForNothing() throws Exception {
    node.image("a").size(100).add();
    node.image("b").size(100).add();
    node.fillTo(100);
    List<PressureShortfall> shortfalls = new CopyOnWriteArrayList<>();
    AtomicReference<CompletableFuture<Void>> closing = new AtomicReference<>();
    NodeGc gc =
        builder().pressure(part -> part.shortfallHandler(shortfalls::add)).build();
    node.faults().afterNext(Operation.REMOVE_IMAGE, () -> {
      closing.set(CompletableFuture.runAsync(gc::close, THREADS));
      node.clock().awaitWaiters(4); // the engine's call, and the three parts that wait for it
    });
    PressureReport report = gc.pressure().relieve();
    closing.get().get();
    assertThat(node.removalsAsked()).hasSize(1);
    assertThat(shortfalls).isEmpty();
    assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
  }

  @Test
  void close_leavesTheHostsListenerAloneAfterwards() throws Exception {
    AtomicInteger heard = new AtomicInteger();
    NodeGc gc = builder().listener(event -> heard.incrementAndGet()).build();
    gc.images().deleteUnusedImages();
    gc.close();
    int before = heard.get();
    assertThat(before).isPositive();
    assertClosed(() -> gc.images().deleteUnusedImages());
    assertThat(heard).hasValue(before);
  }

  private static void assertClosed(Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  private static ContainerGcReport collect(NodeGc gc) {
    return gc.containers().orElseThrow().collect();
  }

  private static PressurePolicy.Builder imagesBelow(PressureValue value) {
    return PressurePolicy.builder().hard(DiskSignal.IMAGEFS_AVAILABLE, value);
  }

  /** All parts on the node: images and ended containers may go at once; pressure below 15 %. */
  private NodeGc.Builder builder() {
    return NodeGc.builder()
        .runtime(node.runtime())
        .fsStats(node.fsStats())
        .clock(node.clock())
        .listener(listener)
        .imagePolicy(LruGcPolicy.builder().minAge(Duration.ZERO).build())
        .containerPolicy(ContainerGcPolicy.builder().maxPerUnit(0).build())
        .images(part -> part.relistInterval(Duration.ZERO));
  }

  private ContainerSpec dead(String id, int second) {
    return dead(node, id, second);
  }

  /** A container of a pod, which ended. */
  private static ContainerSpec dead(FakeNode node, String id, int second) {
    return node.container(id)
        .label("io.kubernetes.pod.uid", "pod")
        .label("io.kubernetes.container.name", "main")
        .state(ContainerState.EXITED)
        .createdAt(Instant.ofEpochSecond(second));
  }

  private static GcEvent happened(GcEventType type, String message) {
    return GcEvent.builder(type, GcEvent.Phase.HAPPENED, Instant.EPOCH, message).build();
  }

  private static List<GcEventType> types(List<GcEvent> events) {
    return events.stream().map(GcEvent::type).toList();
  }

  private static <T> CompletableFuture<T> inThread(Supplier<T> call) {
    return CompletableFuture.supplyAsync(call, THREADS);
  }

  /** Until every timer has its next beat; a run that is due ends on a thread of the collector. */
  private static void awaitPending(ManualScheduler scheduler, int tasks) {
    while (scheduler.pendingCount() < tasks) {
      Thread.onSpinWait();
    }
  }

  /** Lets time pass, but not while other threads do what is due: their deadlines would pass too. */
  private static void advanceInSteps(ManualScheduler scheduler, Duration duration, int tasks) {
    Duration left = duration;
    while (scheduler.pendingDelays().get(0).compareTo(left) <= 0) {
      Duration step = scheduler.pendingDelays().get(0);
      scheduler.advance(step);
      awaitPending(scheduler, tasks);
      left = left.minus(step);
    }
    scheduler.advance(left);
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** As code does that knows no interrupts. */
  private static void awaitStubbornly(CountDownLatch latch) {
    boolean over = false;
    while (!over) {
      try {
        latch.await();
        over = true;
      } catch (InterruptedException e) {
        // goes on
      }
    }
  }
}
