/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PressureShortfall;
import dev.imagegc.api.RankedContainer;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.FsLayout;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.RoundLimits;
import dev.imagegc.core.SingleWriter;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.ManualScheduler;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a pass does when a threshold is met. */
class DiskPressureManagerTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final PressurePolicy POLICY =
      PressurePolicy.builder().hard("imagefs.available<150").build();

  private final FakeNode node = FakeNode.withDisk(1000).withOneDisk();
  private final PressureNode host = new PressureNode(node);

  @AfterEach
  void close() {
    host.close();
  }

  // Steps

  @Test
  void containersGoFirst_andImagesStay_ifThatWasEnough() {
    node.image("app").size(100).add();
    node.container("dead").state(ContainerState.EXITED).writes(200).add();
    node.otherData(600); // 100 available
    try (DiskPressureManager pressure = host.manager(POLICY).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(node.containerIds()).isEmpty();
      assertThat(report.imageReports()).isEmpty();
      assertThat(node.hasImage("app")).isTrue();
      assertThat(report.filesystemsBefore().get(NodeFs.IMAGEFS).availableBytes())
          .hasValue(100);
      assertThat(report.filesystemsAfter().get(NodeFs.IMAGEFS).availableBytes()).hasValue(300);
    }
  }

  @Test
  void imagesGoInPolicyOrder_untilThresholdAndMinimumReclaim_andSayWhy() {
    for (int i = 0; i < 5; i++) {
      node.image("image-" + i).size(100).add();
    }
    node.otherData(400); // 100 available
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<15%")
        .minimumReclaim(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.parse("10%"))
        .build();
    try (DiskPressureManager pressure = host.manager(policy).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(node.removalsAsked()).containsExactly("image-0", "image-1"); // 300, at least 250
      GcReport images = report.imageReports().get(0);
      assertThat(images.operation()).isEqualTo(dev.imagegc.api.Operation.RECLAIM);
      assertThat(images.neededBytes()).hasValue(150);
      assertThat(images.removed().get(0).detail())
          .isEqualTo("imagefs.available is 100 B, below 150 B (15%)");
      assertThat(report.met()).containsExactlyElementsOf(policy.thresholds());
      assertThat(report.actedOn()).containsExactlyElementsOf(policy.thresholds());
      assertThat(host.listener.events(GcEventType.DISK_PRESSURE_HANDLED))
          .singleElement()
          .satisfies(event -> {
            assertThat(event.message())
                .isEqualTo("disk pressure DONE: imagefs.available 100 B -> 300 B, removed 0"
                    + " containers and 2 images");
            assertThat(event.report()).containsSame(images);
          });
    }
  }

  @Test
  void everythingUnusedGoes_onlyIfThePolicySaysSo() {
    for (int i = 0; i < 5; i++) {
      node.image("image-" + i).size(100).add();
    }
    node.run("c", "image-4");
    node.otherData(400);
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<150")
        .hard("nodefs.available<150")
        .reclaimsEverythingUnused(true)
        .build();
    try (DiskPressureManager pressure = host.manager(policy).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.imageReports())
          .singleElement()
          .satisfies(
              images -> assertThat(images.operation()).isEqualTo(dev.imagegc.api.Operation.PURGE));
      assertThat(node.imageIds()).containsExactly("image-4");
    }
  }

  @Test
  void imageInUse_stays_alsoUnderPressure() {
    node.image("app").size(100).add();
    node.run("c", "app");
    node.otherData(800);
    try (DiskPressureManager pressure = host.manager(POLICY).build()) {
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.SHORT);
      assertThat(node.removalsAsked()).isEmpty();
    }
  }

  @Test
  void inodes_areFoundAndRelieved_whileBytesArePlenty() {
    node.imageDisk().inodes(1000);
    node.image("many-files").size(10).inodes(200).add();
    node.image("spare").size(10).inodes(100).add();
    node.imageDisk().otherInodes(690); // 10 free
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<15%")
        .hard("imagefs.inodesFree<5%")
        .build();
    try (DiskPressureManager pressure = host.manager(policy).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.actedOn())
          .extracting(Object::toString)
          .containsExactly("imagefs.inodesFree<5%");
      assertThat(node.removalsAsked()).containsExactly("many-files");
      assertThat(report.imageReports().get(0).removed().get(0).detail())
          .isEqualTo("imagefs.inodesFree is 10 inodes, below 50 inodes (5%)");
    }
  }

  @Test
  void twoThresholdsOnOneDisk_areWorkedOffOnce() {
    node.image("app").size(100).add();
    node.otherData(850); // 50 available
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<150")
        .hard("nodefs.available<100")
        .build();
    try (DiskPressureManager pressure = host.manager(policy).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.actedOn()).hasSize(2);
      assertThat(host.containerSteps).isEqualTo(1);
      assertThat(report.imageReports()).hasSize(1);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void largerTargetOnTheSameDisk_isReachedToo() {
    for (int i = 0; i < 5; i++) {
      node.image("image-" + i).size(100).add();
    }
    node.otherData(450); // 50 available
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<150")
        .hard("nodefs.available<250")
        .build();
    try (DiskPressureManager pressure = host.manager(policy).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.imageReports()).hasSize(2);
      assertThat(node.availableBytes()).isEqualTo(250);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void withoutCollectors_nothingIsTouched_andAllIsHandedOver() {
    node.image("app").size(100).add();
    node.otherData(800);
    try (DiskPressureManager pressure = host.bare(POLICY, node.fsStats()).build()) {
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.SHORT);
      assertThat(node.removalsAsked()).isEmpty();
      assertThat(host.shortfalls).hasSize(1);
    }
  }

  @Test
  void layoutOfThePolicy_isTakenBeforeTheDevices() {
    node.image("app").size(100).add();
    node.otherData(800);
    PressurePolicy policy = PressurePolicy.builder()
        .hard("nodefs.available<150")
        .layout(FsLayout.DEDICATED_IMAGEFS)
        .build();
    try (DiskPressureManager pressure = host.manager(policy).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.layout()).containsSame(FsLayout.DEDICATED_IMAGEFS);
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(node.removalsAsked()).isEmpty();
    }
  }

  @Test
  void providerWithoutRoot_knowsItThroughALayoutThatSaysItIsTheSame() {
    FakeNode plain = FakeNode.withDisk(1000);
    plain.image("app").size(100).add();
    plain.otherData(800);
    PressurePolicy policy = PressurePolicy.builder()
        .hard("nodefs.available<150")
        .layout(FsLayout.ONE_DISK)
        .build();
    try (PressureNode other = new PressureNode(plain);
        DiskPressureManager pressure = other.manager(policy).build()) {
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.DONE);
      assertThat(plain.removalsAsked()).containsExactly("app");
    }
  }

  @Test
  void rootThatCouldNeverBeMeasured_keepsNothingOnTheImageFs() {
    node.image("app").size(100).add();
    node.container("dead").state(ContainerState.EXITED).writes(10).add();
    node.otherData(800); // 90 available
    node.faults().failAlways(Operation.MEASURE_ROOT, new UnreachableException("away"));
    try (DiskPressureManager pressure = host.manager(POLICY).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.layout()).isEmpty();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(node.containerIds()).isEmpty();
      assertThat(node.removalsAsked()).containsExactly("app");
      assertThat(host.shortfalls).isEmpty();
    }
  }

  @Test
  void containersThatCouldNeverBeMeasured_stay_butImagesGo() {
    FakeNode split = FakeNode.withDisk(1000).withSplitImageFs(1000);
    split.image("app").size(100).add();
    split.container("dead").state(ContainerState.EXITED).writes(10).add();
    split.otherData(800); // 100 available
    split.faults().failAlways(Operation.MEASURE_CONTAINERS, new UnreachableException("away"));
    try (PressureNode other = new PressureNode(split);
        DiskPressureManager pressure = other.manager(POLICY).build()) {
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.DONE);
      assertThat(split.containerIds()).containsExactly("dead");
      assertThat(split.removalsAsked()).containsExactly("app");
    }
  }

  @Test
  void imagesUnderAQuotaOnTheSameDevice_goForWhatIsMissing_notForAll() {
    for (int i = 0; i < 4; i++) {
      node.image("image-" + i).size(100).add();
    }
    node.otherData(500); // 100 available, and the images may take 450
    FsStatsProvider quota = new FsStatsProvider() {
      @Override
      public FsStats imageFs() {
        long left = 450 - 100L * node.imageIds().size();
        return node.fsStats().imageFs().toBuilder()
            .capacityBytes(450)
            .availableBytes(Math.min(left, node.availableBytes()))
            .build();
      }

      @Override
      public Optional<FsStats> rootFs() {
        return node.fsStats().rootFs();
      }
    };
    PressurePolicy policy =
        PressurePolicy.builder().hard("nodefs.available<200").build();
    try (ImageGcManager images = ImageGcManager.builder()
            .runtime(node.runtime())
            .fsStats(quota)
            .clock(node.clock())
            .policy(LruGcPolicy.builder().minAge(Duration.ZERO).build())
            .writer(host.writer)
            .build();
        DiskPressureManager pressure = host.bare(policy, quota).images(images).build()) {
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.DONE);
      assertThat(node.removalsAsked()).containsExactly("image-0");
    }
  }

  // Trouble in a step

  @Test
  void failingStep_doesNotStopTheNextOne() {
    node.image("app").size(100).add();
    node.otherData(800);
    try (DiskPressureManager pressure = host.manager(POLICY)
        .containerStep(() -> {
          throw new IllegalStateException("closed by the host");
        })
        .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(node.removalsAsked()).containsExactly("app");
      assertThat(report.containerReport()).isEmpty();
      assertThat(report.problems())
          .containsExactly("removing containers failed: java.lang.IllegalStateException: closed by"
              + " the host");
    }
  }

  @Test
  void closedCollector_isAProblem_andTheRestIsHandedOver() {
    node.otherData(900);
    host.images.close();
    try (DiskPressureManager pressure = host.manager(POLICY).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(host.containerSteps).isEqualTo(1);
      assertThat(host.shortfalls)
          .singleElement()
          .satisfies(shortfall -> assertThat(shortfall.message())
              .contains("are missing, and removing images failed: java.lang.IllegalState"));
      assertThat(report.problems())
          .singleElement()
          .asString()
          .startsWith("removing images failed: java.lang.IllegalStateException");
    }
  }

  @Test
  void roundThatIsCutOff_endsThePass_andNothingIsHandedOver() {
    node.image("app").size(100).add();
    node.image("other").size(100).add();
    node.otherData(800);
    CompletableFuture<Void> closing = new CompletableFuture<>();
    node.faults().beforeNext(Operation.REMOVE_IMAGE, () -> {
      closing.completeAsync(() -> {
        host.images.close();
        return null;
      });
      node.clock().awaitWaiters(2); // close() for the round, and the round for this removal
    });
    PressurePolicy policy =
        PressurePolicy.builder().hard("imagefs.available<200").build();
    try (DiskPressureManager pressure = host.manager(policy).build()) {
      PressureReport report = pressure.relieve();
      closing.join();
      assertThat(node.removalsAsked()).containsExactly("app");
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause().orElseThrow())
          .hasMessage("the collector was closed during the round");
      assertThat(host.shortfalls).isEmpty();
    }
  }

  @Test
  void containerPassThatIsCutOff_endsThePass_andNoImageGoes() {
    node.image("app").size(100).add();
    node.otherData(900);
    CancelledException cut = new CancelledException("closed");
    try (DiskPressureManager pressure = host.manager(POLICY)
        .containerStep(() -> ContainerGcReport.builder(node.clock().instant())
            .outcome(Outcome.FAILED, cut)
            .build())
        .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.cause()).hasValue(cut);
      assertThat(report.containerReport()).isPresent();
      assertThat(node.removalsAsked()).isEmpty();
      assertThat(host.shortfalls).isEmpty();
    }
  }

  @Test
  void hangingEngine_costsItsDeadlines_andTheRestIsHandedOver() {
    node.image("app").size(100).add();
    node.otherData(800);
    try (DiskPressureManager pressure = host.manager(POLICY)
        .containerStep(() -> {
          host.containerSteps++;
          return ContainerGcReport.builder(node.clock().instant()).build();
        })
        .build()) {
      node.faults().hangAlways(Operation.LIST_IMAGES);
      node.faults().hangAlways(Operation.LIST_CONTAINERS);
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.imageReports())
          .singleElement()
          .satisfies(images -> assertThat(images.outcome()).isEqualTo(Outcome.FAILED));
      assertThat(host.shortfalls)
          .singleElement()
          .satisfies(shortfall -> assertThat(shortfall.containers()).isEmpty());
      assertThat(report.problems())
          .containsExactly("the running containers are not known: the engine did not list"
              + " containers within 2m");
      assertThat(report.duration()).isEqualTo(Duration.ofMinutes(4)); // two lists
      node.faults().heal();
    }
  }

  @Test
  void stoppedEngine_isHandedOver_andTriedAgainNextTime() {
    node.image("app").size(100).add();
    node.otherData(800);
    try (DiskPressureManager pressure =
        host.bare(POLICY, node.fsStats()).images(host.images).build()) {
      node.stopEngine();
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.SHORT);
      assertThat(host.shortfalls)
          .singleElement()
          .satisfies(shortfall -> assertThat(shortfall.message())
              .isEqualTo("imagefs.available is 100 B, below 150 B: 50 B are missing, and removing"
                  + " more for it failed: the engine of the fake node is stopped"));
      node.startEngine();
      host.advance(SECOND);
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.DONE);
      assertThat(node.hasImage("app")).isFalse();
    }
  }

  @Test
  void roundThatEndsAtItsLimit_isGoneOnWith_andOnlyTheRestIsHandedOver() {
    for (int i = 0; i < 3; i++) {
      node.image("image-" + i).size(100).add();
    }
    node.otherData(650); // 50 available
    PressurePolicy policy =
        PressurePolicy.builder().hard("imagefs.available<400").build();
    try (ImageGcManager slow = ImageGcManager.builder()
            .runtime(node.runtime())
            .fsStats(node.fsStats())
            .clock(node.clock())
            .policy(LruGcPolicy.builder().minAge(Duration.ZERO).build())
            .limits(RoundLimits.builder().removals(2).build())
            .writer(host.writer)
            .build();
        DiskPressureManager pressure = host.manager(policy).images(slow).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(node.imageIds()).containsExactly("image-2");
      assertThat(host.shortfalls).isEmpty();
      report = pressure.relieve(); // at once: that sample has its turn yet
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(node.imageIds()).isEmpty();
      assertThat(host.shortfalls)
          .singleElement()
          .satisfies(shortfall -> assertThat(shortfall.missing()).isEqualTo(50));
    }
  }

  // What the host is handed

  @Test
  void handOff_saysWhatIsShort_andWhatTheHostCanRank() {
    node.image("small").tag("small:1").size(100).add();
    node.image("large").tag("large:1").layer("own", 300).layer("shared", 50).add();
    node.image("sibling").layer("shared", 50).layer("other", 10).add();
    node.run("a", "small");
    node.container("b")
        .image("large")
        .name("db")
        .label("app", "db")
        .state(ContainerState.RUNNING)
        .add();
    node.container("c")
        .image("large")
        .mount("sibling")
        .state(ContainerState.PAUSED)
        .add();
    node.container("d").state(ContainerState.RUNNING).add();
    node.container("e").image("small").state(ContainerState.CREATED).add();
    node.otherData(440); // 100 available
    PressurePolicy policy = PressurePolicy.builder()
        .soft("imagefs.available<15%", MINUTE)
        .minimumReclaim(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.parse("5%"))
        .build();
    try (DiskPressureManager pressure = host.manager(policy).build()) {
      pressure.relieve();
      assertThat(host.shortfalls).isEmpty();
      host.advance(MINUTE);
      PressureReport report = pressure.relieve();
      assertThat(report.shortfalls()).isEqualTo(host.shortfalls);
      PressureShortfall shortfall = host.shortfalls.get(0);
      assertThat(shortfall.signal()).isEqualTo(DiskSignal.IMAGEFS_AVAILABLE);
      assertThat(shortfall.isHard()).isFalse();
      assertThat(shortfall.threshold()).isEqualTo(150);
      assertThat(shortfall.wanted()).isEqualTo(200);
      assertThat(shortfall.available()).isEqualTo(100);
      assertThat(shortfall.missing()).isEqualTo(100);
      assertThat(shortfall.measuredAt()).isEqualTo(node.clock().instant());
      assertThat(shortfall.message())
          .isEqualTo("imagefs.available is 100 B, below 150 B (15%), soft, grace 1m: 100 B are"
              + " missing, and nothing more can be removed for it here");
      assertThat(shortfall.containers())
          .extracting(ranked -> ranked.container().id())
          .containsExactly("c", "b", "a", "d");
      assertThat(shortfall.containers())
          .extracting(RankedContainer::exclusiveBytes)
          .containsExactly(
              OptionalLong.of(310), OptionalLong.of(300), OptionalLong.of(100), OptionalLong.of(0));
      RankedContainer database = shortfall.containers().get(1);
      assertThat(database.container().name()).contains("db");
      assertThat(database.container().labels()).containsEntry("app", "db");
      assertThat(database.images().get(0).references()).containsExactly("large:1");
    }
  }

  @Test
  void withoutAnImageStep_exclusiveBytesAreUnknown_notZero() {
    FakeNode split = FakeNode.withDisk(1000).withSplitImageFs(1000);
    split.image("app").size(100).add();
    split.run("a", "app");
    split.rootDisk().otherData(900);
    PressurePolicy policy =
        PressurePolicy.builder().hard("nodefs.available<150").build();
    try (PressureNode other = new PressureNode(split);
        DiskPressureManager pressure = other.manager(policy).build()) {
      other.images.detectImages();
      pressure.relieve();
      RankedContainer ranked = other.shortfalls.get(0).containers().get(0);
      assertThat(ranked.exclusiveBytes()).isEmpty();
      assertThat(ranked.images()).hasSize(1);
    }
  }

  @Test
  void oneDisk_isHandedOverOnce_whateverItIsCalled() {
    node.otherData(900);
    PressurePolicy policy = PressurePolicy.builder()
        .hard("nodefs.available<200")
        .hard("imagefs.available<150")
        .build();
    try (DiskPressureManager pressure = host.manager(policy).build()) {
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.SHORT);
      assertThat(host.shortfalls)
          .extracting(PressureShortfall::signal)
          .containsExactly(DiskSignal.IMAGEFS_AVAILABLE);
    }
  }

  @Test
  void twoDisks_areHandedOverBoth_unlessTheHostMadeRoomOnBothAtOnce() {
    FakeNode two = FakeNode.withDisk(1000).withDedicatedImageFs(1000);
    two.otherData(900);
    two.rootDisk().otherData(900);
    PressurePolicy policy = PressurePolicy.builder()
        .hard("nodefs.available<150")
        .hard("imagefs.available<150")
        .build();
    try (PressureNode other = new PressureNode(two);
        DiskPressureManager pressure = other.manager(policy).build()) {
      pressure.relieve();
      assertThat(other.shortfalls)
          .extracting(PressureShortfall::signal)
          .containsExactly(DiskSignal.IMAGEFS_AVAILABLE, DiskSignal.NODEFS_AVAILABLE);
    }
    List<PressureShortfall> told = new ArrayList<>();
    try (PressureNode other = new PressureNode(two);
        DiskPressureManager pressure = other
            .manager(policy)
            .shortfallHandler(shortfall -> {
              told.add(shortfall);
              two.otherData(0);
              two.rootDisk().otherData(0);
            })
            .build()) {
      pressure.relieve();
      assertThat(told).hasSize(1);
    }
  }

  @Test
  void handlerThatThrows_isContained() {
    node.otherData(900);
    try (DiskPressureManager pressure = host.manager(POLICY)
        .shortfallHandler(shortfall -> {
          throw new IllegalStateException("no idea");
        })
        .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.shortfalls()).hasSize(1);
      assertThat(report.problems())
          .containsExactly(
              "the shortfall handler broke its contract when asked to take a shortfall:"
                  + " java.lang.IllegalStateException: no idea");
    }
  }

  @Test
  void handlerThatHangs_costsItsDeadline() {
    node.otherData(900);
    node.faults().hangNext(Operation.PULL);
    try (DiskPressureManager pressure = host.manager(POLICY)
        .deadlines(Deadlines.builder().measure(Duration.ofSeconds(7)).build())
        .shortfallHandler(
            shortfall -> node.puller().pull("app:1", Optional.empty(), progress -> {}))
        .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.problems())
          .containsExactly("the shortfall handler did not take a shortfall within 7s");
      assertThat(report.duration()).isEqualTo(Duration.ofSeconds(7));
    }
  }

  @Test
  void conditionListenerThatThrows_isContained_andPressureIsActedOn() {
    node.image("app").size(100).add();
    node.otherData(800);
    try (DiskPressureManager pressure = host.manager(POLICY)
        .conditionListener(condition -> {
          throw new IllegalStateException("no idea");
        })
        .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.problems()).hasSize(1);
      assertThat(pressure.conditions().get(0).isUnderPressure()).isTrue();
    }
  }

  @Test
  void conditionListenerThatHangs_costsItsDeadline_andPressureIsActedOn() {
    node.image("app").size(100).add();
    node.otherData(800);
    node.faults().hangNext(Operation.PULL);
    try (DiskPressureManager pressure = host.manager(POLICY)
        .deadlines(Deadlines.builder().listener(Duration.ofSeconds(3)).build())
        .conditionListener(
            condition -> node.puller().pull("app:1", Optional.empty(), progress -> {}))
        .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.problems())
          .containsExactly("the condition listener did not take a condition within 3s");
      assertThat(report.duration()).isEqualTo(Duration.ofSeconds(3));
    }
  }

  // A sample is acted on once

  @Test
  void sample_isActedOnOnce() {
    node.otherData(900);
    try (DiskPressureManager pressure = host.manager(POLICY).build()) {
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.SHORT);
      PressureReport same = pressure.relieve(); // no time has passed, and nothing has changed
      assertThat(same.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(same.met()).hasSize(1);
      assertThat(same.actedOn()).isEmpty();
      assertThat(host.containerSteps).isEqualTo(1);
      assertThat(host.shortfalls).hasSize(1);
      host.advance(Duration.ofNanos(1));
      assertThat(pressure.relieve().actedOn()).hasSize(1);
      assertThat(host.shortfalls).hasSize(2);
    }
  }

  @Test
  void sampleOfAWallClockThatWasSetBack_isANewOne() {
    node.otherData(900);
    try (DiskPressureManager pressure = host.manager(POLICY).build()) {
      pressure.relieve();
      node.clock().jumpWall(Duration.ofHours(-1));
      assertThat(pressure.relieve().actedOn()).hasSize(1);
    }
  }

  @Test
  void measureThatCaches_isNotActedOnTwice() {
    node.otherData(900);
    FsStats cached = node.fsStats().imageFs();
    try (DiskPressureManager pressure = host.bare(POLICY, () -> cached).build()) {
      pressure.relieve();
      host.advance(SECOND);
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(host.shortfalls).hasSize(1);
    }
  }

  // Minimum reclaim

  @Test
  void thresholdOnceMet_staysMetUntilTheMinimumReclaimIsThere() {
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<150")
        .minimumReclaim(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.of(100))
        .build();
    try (DiskPressureManager pressure = host.manager(policy).build()) {
      node.otherData(800); // 200: never below the threshold
      assertThat(pressure.relieve().met()).isEmpty();
      node.otherData(851);
      host.advance(SECOND);
      assertThat(pressure.relieve().met()).hasSize(1);
      node.otherData(751); // 249: not enough
      host.advance(SECOND);
      assertThat(pressure.relieve().met()).hasSize(1);
      assertThat(host.shortfalls).hasSize(2);
      assertThat(host.shortfalls.get(1).missing()).isEqualTo(1);
      assertThat(host.shortfalls.get(1).message())
          .startsWith("imagefs.available is 249 B, and has to be 250 B after it was below 150 B");
      node.otherData(750);
      host.advance(SECOND);
      assertThat(pressure.relieve().met()).isEmpty();
    }
  }

  @Test
  void exactlyTheThreshold_isNotMet() {
    try (DiskPressureManager pressure = host.manager(POLICY).build()) {
      node.otherData(850);
      assertThat(pressure.relieve().met()).isEmpty();
      node.otherData(851);
      assertThat(pressure.relieve().met()).hasSize(1);
    }
  }

  // One writer

  @Test
  void anotherCallThatRuns_meansBusy_butConditionsAreThere_andTheSampleIsActedOnLater()
      throws Exception {
    node.image("app").size(100).add();
    node.otherData(800);
    CountDownLatch working = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    CompletableFuture<Boolean> other = CompletableFuture.supplyAsync(
        () -> host.writer.run(SingleWriter.Kind.of("pruning", Boolean.class), Duration.ZERO, () -> {
          working.countDown();
          return await(end);
        }));
    assertThat(await(working)).isTrue();
    try (DiskPressureManager pressure =
        host.manager(POLICY).maxWait(Duration.ZERO).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.BUSY);
      assertThat(report.cause().orElseThrow())
          .isInstanceOf(BusyException.class)
          .hasMessageContaining("pruning has been running since");
      assertThat(report.actedOn()).isEmpty();
      assertThat(host.containerSteps).isZero();
      assertThat(host.shortfalls).isEmpty();
      assertThat(node.removalsAsked()).isEmpty();
      assertThat(host.conditions).hasSize(1);
      assertThat(pressure.conditions().get(0).isUnderPressure()).isTrue();
      end.countDown();
      assertThat(other.get(30, TimeUnit.SECONDS)).isTrue();
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.DONE); // the same sample
      assertThat(node.hasImage("app")).isFalse();
    }
  }

  private static boolean await(CountDownLatch latch) {
    try {
      return latch.await(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Test
  void nobodyInterleavesWithAPass() {
    node.image("app").size(100).add();
    node.otherData(800);
    try (ImageGcManager impatient = ImageGcManager.builder()
            .runtime(node.runtime())
            .fsStats(node.fsStats())
            .clock(node.clock())
            .writer(host.writer)
            .maxWait(Duration.ZERO)
            .build();
        DiskPressureManager pressure = host.manager(POLICY)
            .containerStep(() -> {
              GcReport report =
                  CompletableFuture.supplyAsync(impatient::deleteUnusedImages).join();
              assertThat(report.outcome()).isEqualTo(Outcome.BUSY);
              assertThat(report.cause().orElseThrow())
                  .hasMessageContaining("disk pressure has been running since");
              host.containerSteps++;
              return ContainerGcReport.builder(node.clock().instant()).build();
            })
            .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.problems()).isEmpty();
      assertThat(host.containerSteps).isEqualTo(1);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void collectorOfAnotherWriterThatIsBusy_isNoReasonToStopWorkloads() {
    node.otherData(900);
    SingleWriter busy = SingleWriter.create(node.clock());
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<150")
        .hard("nodefs.available<150")
        .build();
    try (ImageGcManager images = ImageGcManager.builder()
            .runtime(node.runtime())
            .fsStats(node.fsStats())
            .clock(node.clock())
            .policy(LruGcPolicy.builder().minAge(Duration.ZERO).build())
            .writer(busy)
            .maxWait(Duration.ZERO)
            .build();
        DiskPressureManager pressure = host.manager(policy).images(images).build()) {
      CompletableFuture<PressureReport> report = new CompletableFuture<>();
      busy.run(SingleWriter.Kind.of("other", Boolean.class), Duration.ZERO, () -> {
        report.complete(CompletableFuture.supplyAsync(pressure::relieve).join());
        return true;
      });
      assertThat(report.join().outcome()).isEqualTo(Outcome.BUSY);
      assertThat(host.shortfalls).isEmpty();
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.SHORT); // the same sample
      assertThat(host.shortfalls).hasSize(1);
    }
  }

  @Test
  void roomThatOthersMadeWhileThePassWaited_isSeenBeforeActing() throws Exception {
    node.image("app").size(100).add();
    node.otherData(800);
    CountDownLatch working = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    CompletableFuture<Boolean> other = CompletableFuture.supplyAsync(
        () -> host.writer.run(SingleWriter.Kind.of("pruning", Boolean.class), Duration.ZERO, () -> {
          working.countDown();
          return await(end);
        }),
        task -> new Thread(task).start()); // the common pool may have a single thread
    assertThat(await(working)).isTrue();
    try (DiskPressureManager pressure = host.manager(POLICY).build()) {
      CompletableFuture<PressureReport> waiting = CompletableFuture.supplyAsync(pressure::relieve);
      node.clock().awaitWaiters(1);
      while (pressure.conditions().stream().noneMatch(condition -> condition.isUnderPressure())) {
        Thread.onSpinWait();
      }
      node.otherData(0);
      end.countDown();
      assertThat(other.get(30, TimeUnit.SECONDS)).isTrue();
      PressureReport report = waiting.get(30, TimeUnit.SECONDS);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(host.containerSteps).isZero();
      assertThat(node.hasImage("app")).isTrue();
    }
  }

  @Test
  void handledPressure_isToldAgain_onlyIfSomethingWent_orItEndedInAnotherWay_orItIsAnother() {
    try (DiskPressureManager pressure = host.manager(POLICY).build()) {
      node.otherData(900);
      assertThat(toldHandled(pressure)).isEqualTo(1);
      assertThat(toldHandled(pressure)).as("the same").isEqualTo(1);
      node.image("app").size(10).add();
      assertThat(toldHandled(pressure)).as("something went").isEqualTo(2);
      assertThat(node.removalsAsked()).containsExactly("app");
      node.faults()
          .beforeNext(
              Operation.LIST_CONTAINERS,
              () -> node.faults().failAlways(Operation.MEASURE, new UnreachableException("away")));
      assertThat(toldHandled(pressure)).as("it failed").isEqualTo(3);
      node.faults().heal();
      assertThat(toldHandled(pressure)).as("it is short again").isEqualTo(4);
      node.otherData(0);
      assertThat(toldHandled(pressure)).as("it is over").isEqualTo(4);
      node.otherData(900);
      assertThat(toldHandled(pressure)).as("another pressure").isEqualTo(5);
    }
  }

  /** How often the end of a pass was told, after one more some time later. */
  private int toldHandled(DiskPressureManager pressure) {
    host.advance(SECOND);
    pressure.relieve();
    return host.listener.events(GcEventType.DISK_PRESSURE_HANDLED).size();
  }

  @Test
  void reliefByWhoeverWorksOnTheNode_doesNotWaitForAPassThatWaitsForTheNode() throws Exception {
    SingleWriter writer = SingleWriter.create(node.clock());
    node.otherData(900);
    try (DiskPressureManager pressure = host.manager(POLICY).writer(writer).build()) {
      CompletableFuture<PressureReport> waiting = new CompletableFuture<>();
      Outcome outcome =
          writer.run(SingleWriter.Kind.of("prune", Outcome.class), Duration.ZERO, () -> {
            new Thread(() -> waiting.complete(pressure.relieve())).start();
            node.clock().awaitWaiters(1); // for the node
            Instant before = node.clock().instant();
            Outcome inner = pressure.relieve().outcome();
            assertThat(node.clock().instant()).isEqualTo(before);
            return inner;
          });
      assertThat(outcome).isEqualTo(Outcome.BUSY);
      assertThat(waiting.get(30, TimeUnit.SECONDS).outcome()).isEqualTo(Outcome.SHORT);
    }
  }

  // Timer and end

  @Test
  void timer_relievesAtOnceAndInTheInterval_untilClosed() {
    ManualScheduler scheduler = new ManualScheduler(node.clock());
    DiskPressureManager pressure = host.manager(POLICY).scheduler(scheduler).build();
    node.otherData(900);
    pressure.start();
    host.listener.await(GcEventType.DISK_PRESSURE_HANDLED);
    while (scheduler.pendingCount() == 0) {
      Thread.onSpinWait();
    }
    assertThat(scheduler.pendingDelays()).containsExactly(Duration.ofSeconds(10));
    int measured = node.calls(FakeNode.Operation.MEASURE);
    scheduler.advance(Duration.ofSeconds(10));
    while (node.calls(FakeNode.Operation.MEASURE) == measured) {
      Thread.onSpinWait();
    }
    pressure.close();
    assertThat(scheduler.pendingCount()).isZero();
    assertThatIllegalStateException().isThrownBy(pressure::relieve);
    assertThatIllegalStateException().isThrownBy(pressure::start);
    assertThat(pressure.conditions()).hasSize(1);
    pressure.close();
  }

  @Test
  void closeDuringAPass_endsItBeforeTheNextStep() {
    node.image("app").size(100).add();
    node.otherData(800);
    PressureReport report = host.closedDuringAPass(host.manager(POLICY));
    assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
    assertThat(report.cause().orElseThrow()).hasMessage("the manager was closed during the pass");
    assertThat(node.hasImage("app")).isTrue();
  }

  @Test
  void closeWhileAShortfallIsPutTogether_keepsItFromTheHost() {
    node.otherData(900);
    CompletableFuture<DiskPressureManager> self = new CompletableFuture<>();
    CompletableFuture<Void> closing = new CompletableFuture<>();
    node.faults().beforeNext(Operation.LIST_CONTAINERS, () -> {
      closing.completeAsync(() -> {
        self.join().close();
        return null;
      });
      node.clock().awaitWaiters(2); // close() for the pass, and the pass for this list
    });
    DiskPressureManager pressure = host.bare(POLICY, node.fsStats()).build();
    self.complete(pressure);
    PressureReport report = pressure.relieve();
    closing.join();
    assertThat(report.cause().orElseThrow()).hasMessage("the manager was closed during the pass");
    assertThat(host.shortfalls).isEmpty();
    assertThat(report.shortfalls()).isEmpty();
  }

  @Test
  void close_waitsForARunningPass_butNoLongerThanItsDeadline() {
    node.otherData(900);
    CompletableFuture<DiskPressureManager> self = new CompletableFuture<>();
    DiskPressureManager pressure = host.manager(POLICY)
        .deadlines(Deadlines.builder().close(Duration.ofSeconds(4)).build())
        .containerStep(() -> {
          CompletableFuture<Void> closing =
              CompletableFuture.runAsync(() -> self.join().close());
          node.clock().awaitWaiters(1);
          node.clock().advance(Duration.ofSeconds(3));
          assertThat(closing).isNotDone();
          node.clock().advance(Duration.ofSeconds(1));
          assertThat(closing).succeedsWithin(Duration.ofSeconds(30));
          return ContainerGcReport.builder(node.clock().instant()).build();
        })
        .build();
    self.complete(pressure);
    assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.FAILED);
  }

  @Test
  void missingMeasure_isRefused() {
    assertThatIllegalStateException()
        .isThrownBy(() -> DiskPressureManager.builder().build())
        .withMessage("fsStats must be set");
  }

  // Settings

  @Test
  void contradictions_areFoundAtTheFirstMeasurementThatHasACapacity_andToldOnce() {
    FsStats[] answer = {FsStats.builder("/x", node.clock().instant()).build()};
    PressurePolicy policy =
        PressurePolicy.builder().hard("imagefs.available<300").build();
    try (DiskPressureManager pressure = host.bare(policy, () -> answer[0])
        .imageThresholds(() -> LruGcPolicy.builder().build().thresholds())
        .build()) {
      pressure.relieve();
      assertThat(pressure.contradictions()).isEmpty();
      answer[0] = node.fsStats().imageFs();
      pressure.relieve();
      pressure.relieve();
      assertThat(pressure.contradictions()).hasSize(2); // highPercent and lowPercent
      assertThat(host.listener.events(GcEventType.SETTINGS_CONTRADICT)).hasSize(2);
    }
  }

  @Test
  void thresholdAboveTheCapacity_isToldOnce_whenTheFilesystemIsKnown_withoutThresholdsOfImages() {
    node.faults()
        .measureAs(
            NodeFs.NODEFS, stats -> FsStats.builder("/", stats.measuredAt()).build());
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<1000")
        .hard("nodefs.available<900")
        .minimumReclaim(DiskSignal.NODEFS_AVAILABLE, PressureValue.of(101))
        .build();
    try (DiskPressureManager pressure = host.manager(policy).build()) {
      pressure.look();
      assertThat(pressure.contradictions()).isEmpty();
      node.faults().heal();
      pressure.look();
      pressure.relieve();
      assertThat(pressure.contradictions())
          .containsExactly(
              "threshold nodefs.available<900 (hard) with a minimum reclaim of 101 B is"
                  + " over at 1001 B available, and nodefs has 1000 B in all: pressure never ends");
      assertThat(host.listener.events(GcEventType.SETTINGS_CONTRADICT)).hasSize(1);
    }
  }

  @Test
  void thresholdOfASignalThatIsKnownLate_isComparedThen() {
    node.faults().measureAs(stats -> stats.toBuilder().inodes(0, 0).build());
    PressurePolicy policy =
        PressurePolicy.builder().hard("imagefs.inodesFree<300").build();
    try (DiskPressureManager pressure = host.manager(policy)
        .imageThresholds(() -> GcThresholds.builder().inodesPercent(85, 80).build())
        .build()) {
      pressure.look();
      assertThat(pressure.contradictions()).isEmpty();
      node.faults().measureAs(stats -> stats.toBuilder().inodes(1000, 900).build());
      pressure.look();
      pressure.look();
      assertThat(pressure.contradictions()).hasSize(2);
      assertThat(host.listener.events(GcEventType.SETTINGS_CONTRADICT)).hasSize(2);
    }
  }

  @Test
  void thresholdAboveACapacityThatWasNotTheRealOne_isNotNamedForEver() {
    node.faults()
        .measureAs(
            stats -> stats.toBuilder().availableBytes(9).capacityBytes(10).build());
    try (DiskPressureManager pressure = host.manager(POLICY).build()) {
      pressure.look();
      assertThat(pressure.contradictions()).hasSize(1);
      node.faults().measureAs(stats -> FsStats.builder("/x", stats.measuredAt()).build());
      pressure.look();
      assertThat(pressure.contradictions()).hasSize(1); // nobody knows better
      node.faults().heal();
      pressure.look();
      assertThat(pressure.contradictions()).isEmpty();
    }
  }

  // Unknown numbers after a step

  @Test
  void numbersThatAreUnknownAfterTheSteps_fail_andAreNotHandedOver() {
    node.otherData(900);
    FsStatsProvider measure = () -> {
      if (host.containerSteps > 0) {
        throw new UnreachableException("the disk is away");
      }
      return node.fsStats().imageFs();
    };
    try (DiskPressureManager pressure = host.bare(POLICY, measure)
        .containerStep(() -> {
          host.containerSteps++;
          return ContainerGcReport.builder(node.clock().instant()).build();
        })
        .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause().orElseThrow()).hasMessage("the disk is away");
      assertThat(host.shortfalls).isEmpty();
    }
  }

  @Test
  void nothingThatCanBeMeasured_isAFailure() {
    try (DiskPressureManager pressure = host.bare(
            POLICY, () -> FsStats.builder("/x", node.clock().instant()).build())
        .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause().orElseThrow())
          .isInstanceOf(InvalidCapacityException.class)
          .hasMessage("imagefs /x cannot be judged: its capacity is unknown");
    }
  }
}
