/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.ContainerUnit;
import dev.imagegc.api.Image;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.core.container.ContainerGcManager;
import dev.imagegc.core.container.ContainerGcPolicy;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An engine that frees the space of containers late. */
class LateContainersTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration LATE = Duration.ofSeconds(5);
  private static final PressurePolicy POLICY =
      PressurePolicy.builder().hard("imagefs.available<150").build();

  private final FakeNode node = FakeNode.withDisk(1000).withOneDisk();
  private final PressureNode host = new PressureNode(node);
  private final ContainerGcManager containers = ContainerGcManager.builder()
      .runtime(node.runtime())
      .clock(node.clock())
      .writer(host.writer)
      .units(container -> Optional.of(ContainerUnit.of("job", "step")))
      .policy(ContainerGcPolicy.builder().maxPerUnit(0).build())
      .build();

  @BeforeEach
  void anImageAndAContainer() {
    node.image("app").size(100).add();
    node.container("dead").state(ContainerState.EXITED).writes(200).add();
    node.otherData(600); // 100 available
  }

  @AfterEach
  void close() {
    containers.close();
    host.close();
  }

  private DiskPressureManager.Builder manager(PressurePolicy policy) {
    return host.manager(policy).containers(containers);
  }

  /** How long after this the removals of images begin. */
  private List<Duration> timesOfImageRemovals() {
    List<Duration> removals = new ArrayList<>();
    long start = node.clock().nanoTime();
    node.faults()
        .beforeEach(
            Operation.REMOVE_IMAGE,
            () -> removals.add(Duration.ofNanos(node.clock().nanoTime() - start)));
    return removals;
  }

  @Test
  void theirSpace_isWaitedFor_soThatNoImageGoesForNothing() {
    node.freesSpaceAfter(LATE);
    try (DiskPressureManager pressure = manager(POLICY).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(node.containerIds()).isEmpty();
      assertThat(node.removalsAsked()).isEmpty();
      assertThat(report.duration()).isEqualTo(LATE); // and no longer
      assertThat(node.availableBytes()).isEqualTo(300);
    }
  }

  @Test
  void wait_lastsUntilThereIsEnoughForAllThresholdsOnThatDisk() {
    node.container("dead-too").state(ContainerState.EXITED).writes(100).add(); // 0 available
    node.freesSpaceAfter(LATE);
    node.faults().beforeEach(Operation.REMOVE_CONTAINER, () -> node.clock().advance(SECOND));
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.available<50")
        .hard("nodefs.available<250")
        .build();
    try (DiskPressureManager pressure = manager(policy).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.actedOn()).hasSize(2);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(node.removalsAsked()).isEmpty();
      // the first comes back 5 s after its removal, the second, which is needed too, a second later
      assertThat(report.duration()).isEqualTo(SECOND.multipliedBy(2).plus(LATE));
    }
  }

  @Test
  void wait_goesOn_whileTheDiskCannotBeMeasured() {
    node.freesSpaceAfter(LATE);
    long start = node.clock().nanoTime();
    node.faults().measureAs(NodeFs.IMAGEFS, stats -> {
      long waited = node.clock().nanoTime() - start;
      if (waited > 0 && waited <= SECOND.toNanos()) {
        throw new UnreachableException("the disk is away");
      }
      return stats;
    });
    try (DiskPressureManager pressure = manager(POLICY).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.duration()).isEqualTo(LATE);
      assertThat(pressure.relieve().imageReports()).isEmpty();
    }
  }

  @Test
  void wait_hasABound_andThenImagesGo() {
    node.freesSpaceAfter(Duration.ofDays(1));
    List<Duration> removals = timesOfImageRemovals();
    try (DiskPressureManager pressure =
        manager(POLICY).settleTime(Duration.ofMillis(2_300)).build()) {
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.SHORT);
      assertThat(removals).containsExactly(Duration.ofMillis(2_300));
      assertThat(node.removalsAsked()).containsExactly("app");
    }
  }

  @Test
  void bound_isThatOfARoundByDefault() {
    node.freesSpaceAfter(Duration.ofDays(1));
    node.run("user", "app");
    try (DiskPressureManager pressure = manager(POLICY).build()) {
      assertThat(pressure.relieve().duration()).isEqualTo(Duration.ofSeconds(30));
    }
  }

  @Test
  void bound_mustNotBeNegative() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DiskPressureManager.builder().settleTime(SECOND.negated()))
        .withMessageContaining("settleTime");
  }

  @Test
  void nothingIsWaitedFor_ifNoContainerWent() {
    node.start("dead");
    node.freesSpaceAfter(LATE);
    List<Duration> removals = timesOfImageRemovals();
    try (DiskPressureManager pressure = manager(POLICY).build()) {
      pressure.relieve();
      assertThat(removals).containsExactly(Duration.ZERO);
    }
  }

  @Test
  void nothingIsWaitedFor_ifThereIsEnoughAtOnce() {
    node.freesSpaceAfter(Duration.ZERO);
    try (DiskPressureManager pressure = manager(POLICY).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.duration()).isEqualTo(Duration.ZERO);
    }
  }

  @Test
  void nothingIsWaitedFor_ifTheEngineFreesAtOnce_orIsNotGiven() {
    PressurePolicy policy =
        PressurePolicy.builder().hard("imagefs.available<350").build();
    try (DiskPressureManager pressure = manager(policy).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.duration()).isEqualTo(Duration.ZERO);
      assertThat(node.removalsAsked()).containsExactly("app");
    }
    node.freesSpaceAfter(LATE);
    node.container("dead").state(ContainerState.EXITED).writes(100).add();
    node.otherData(900);
    try (DiskPressureManager pressure = DiskPressureManager.builder()
        .fsStats(node.fsStats())
        .clock(node.clock())
        .policy(POLICY)
        .containers(containers)
        .writer(host.writer)
        .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.containerReport().orElseThrow().removed()).hasSize(1);
      assertThat(report.duration()).isEqualTo(Duration.ZERO);
    }
  }

  @Test
  void engineThatCannotSayWhetherItFreesLater_isAProblem_andImagesGo() {
    PressurePolicy policy =
        PressurePolicy.builder().hard("imagefs.available<350").build();
    Runtime broken = new Runtime() {
      @Override
      public List<Image> listImages() {
        return node.runtime().listImages();
      }

      @Override
      public List<Container> listContainers() {
        return node.runtime().listContainers();
      }

      @Override
      public RemovalResult removeImage(Image image) {
        return node.runtime().removeImage(image);
      }

      @Override
      public boolean freesSpaceLater() {
        throw new IllegalStateException("no idea");
      }
    };
    try (DiskPressureManager pressure = manager(policy).runtime(broken).build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.problems())
          .singleElement()
          .asString()
          .startsWith("the engine broke its contract when asked to say whether it frees space");
    }
  }

  @Test
  void close_endsTheWait_andNoImageGoes() {
    node.freesSpaceAfter(Duration.ofDays(1));
    CompletableFuture<DiskPressureManager> self = new CompletableFuture<>();
    List<CompletableFuture<Void>> closing = new ArrayList<>();
    node.faults().beforeEach(Operation.MEASURE, () -> {
      if (node.containerIds().isEmpty() && closing.isEmpty()) {
        closing.add(CompletableFuture.runAsync(() -> self.join().close()));
        node.clock().awaitWaiters(2); // close() for the pass, and the pass for this measurement
      }
    });
    DiskPressureManager pressure = manager(POLICY).build();
    self.complete(pressure);
    PressureReport report = pressure.relieve();
    closing.get(0).join();
    assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
    assertThat(report.cause().orElseThrow()).hasMessage("the manager was closed during the pass");
    assertThat(report.imageReports()).isEmpty();
    assertThat(report.duration()).isLessThan(SECOND);
  }
}
