/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.Outcome;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.SingleWriter;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.ManualScheduler;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the host hears of passes as a whole. */
class PassListenerTest {
  private static final PressurePolicy POLICY =
      PressurePolicy.builder().hard("imagefs.available<150").build();

  private final FakeNode node = FakeNode.withDisk(1000).withOneDisk();
  private final PressureNode host = new PressureNode(node);
  private final List<PressureReport> told = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    host.close();
  }

  private DiskPressureManager.Builder listening() {
    return host.manager(POLICY).passListener(told::add);
  }

  @Test
  void everyPassOnDemand_isTold_asItsCallerGetsIt() {
    node.image("app").size(100).add();
    node.otherData(800);
    try (DiskPressureManager pressure = listening().build()) {
      PressureReport looked = pressure.look();
      PressureReport acted = pressure.relieve();
      PressureReport idle = pressure.relieve();
      assertThat(told).containsExactly(looked, acted, idle);
      assertThat(told)
          .extracting(PressureReport::outcome)
          .containsExactly(Outcome.NOT_NEEDED, Outcome.DONE, Outcome.NOT_NEEDED);
      assertThat(acted.imageReports()).hasSize(1);
    }
  }

  @Test
  void passByTimer_isTold() throws Exception {
    node.otherData(900);
    CompletableFuture<PressureReport> first = new CompletableFuture<>();
    ManualScheduler scheduler = new ManualScheduler(node.clock());
    try (DiskPressureManager pressure =
        host.manager(POLICY).scheduler(scheduler).passListener(first::complete).build()) {
      pressure.start();
      PressureReport report = first.get(60, TimeUnit.SECONDS);
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(report.shortfalls()).hasSize(1);
      assertThat(report.conditions()).isEqualTo(pressure.conditions());
    }
  }

  @Test
  void passThatFailed_isTold() {
    FsStats unknown = FsStats.builder("/x", node.clock().instant()).build();
    try (DiskPressureManager pressure =
        host.bare(POLICY, () -> unknown).passListener(told::add).build()) {
      assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.FAILED);
      assertThat(told).extracting(PressureReport::outcome).containsExactly(Outcome.FAILED);
    }
  }

  @Test
  void passOfAnInterruptedThread_isTold_andTheFlagIsKept() {
    CountDownLatch never = new CountDownLatch(1);
    node.faults().beforeEach(Operation.MEASURE, () -> await(never)); // so that the pass has to wait
    try (DiskPressureManager pressure = listening().build()) {
      Thread.currentThread().interrupt();
      PressureReport report = pressure.relieve();
      assertThat(Thread.interrupted()).isTrue();
      assertThat(report.cause().orElseThrow()).isInstanceOf(CancelledException.class);
      assertThat(told).containsExactly(report);
    }
  }

  @Test
  void passThatCloseCutShort_isTold() {
    node.otherData(900);
    PressureReport report = host.closedDuringAPass(listening());
    assertThat(told).containsExactly(report);
    assertThat(report.cause().orElseThrow()).hasMessage("the manager was closed during the pass");
  }

  @Test
  void passThatFoundAnotherCallOnTheNode_isTold() {
    node.otherData(900);
    try (DiskPressureManager pressure = listening().maxWait(Duration.ZERO).build()) {
      PressureReport report = host.writer.run(
          SingleWriter.Kind.of("prune", PressureReport.class),
          Duration.ZERO,
          () -> CompletableFuture.supplyAsync(pressure::relieve).join());
      assertThat(report.outcome()).isEqualTo(Outcome.BUSY);
      assertThat(told).containsExactly(report);
    }
  }

  @Test
  void callThatWaitedInVainForAnotherPass_isTold_andOneThatJoinedIsNot() {
    node.otherData(900);
    CompletableFuture<DiskPressureManager> self = new CompletableFuture<>();
    CompletableFuture<PressureReport> looked = new CompletableFuture<>();
    CompletableFuture<PressureReport> joined = new CompletableFuture<>();
    try (DiskPressureManager pressure = listening()
        .maxWait(Duration.ofSeconds(1))
        .containerStep(() -> {
          looked.completeAsync(() -> self.join().look());
          node.clock().awaitWaiters(1);
          node.clock().advance(Duration.ofSeconds(1));
          assertThat(looked).succeedsWithin(Duration.ofSeconds(60));
          joined.completeAsync(() -> self.join().relieve());
          node.clock().awaitWaiters(1);
          return ContainerGcReport.builder(node.clock().instant()).build();
        })
        .build()) {
      self.complete(pressure);
      PressureReport report = pressure.relieve();
      assertThat(looked.join().cause().orElseThrow()).isInstanceOf(BusyException.class);
      assertThat(joined.join()).isSameAs(report);
      assertThat(told).containsExactly(looked.join(), report);
    }
  }

  @Test
  void oneReportAtATime_isTold() throws Exception {
    AtomicInteger begun = new AtomicInteger();
    CountDownLatch hears = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    try (DiskPressureManager pressure = host.manager(POLICY)
        .maxWait(Duration.ZERO)
        .passListener(report -> {
          begun.incrementAndGet();
          hears.countDown();
          await(goOn);
          told.add(report);
        })
        .build()) {
      CompletableFuture<PressureReport> first = CompletableFuture.supplyAsync(pressure::relieve);
      assertThat(await(hears)).isTrue();
      CompletableFuture<PressureReport> busy = new CompletableFuture<>();
      Thread other = new Thread(() -> busy.complete(pressure.look()));
      other.start();
      while (other.isAlive() && other.getState() != Thread.State.BLOCKED && begun.get() == 1) {
        Thread.onSpinWait();
      }
      assertThat(begun).hasValue(1);
      goOn.countDown();
      assertThat(busy.get(60, TimeUnit.SECONDS).outcome()).isEqualTo(Outcome.BUSY);
      assertThat(told).containsExactly(first.get(60, TimeUnit.SECONDS), busy.join());
    }
  }

  @Test
  @Timeout(60)
  void callsOfTheListenerItself_findItsPassRunning_andDoNotWaitForIt() {
    List<PressureReport> own = new CopyOnWriteArrayList<>();
    CompletableFuture<DiskPressureManager> self = new CompletableFuture<>();
    try (DiskPressureManager pressure = host.manager(POLICY)
        .passListener(report -> {
          told.add(report);
          own.add(self.join().look());
          own.add(self.join().relieve());
        })
        .build()) {
      self.complete(pressure);
      PressureReport report = pressure.relieve();
      assertThat(report.problems()).isEmpty();
      assertThat(own)
          .extracting(PressureReport::outcome)
          .containsExactly(Outcome.BUSY, Outcome.BUSY);
      assertThat(told).containsExactly(report);
    }
  }

  @Test
  @Timeout(60)
  void listenerMayClose() {
    CompletableFuture<DiskPressureManager> self = new CompletableFuture<>();
    DiskPressureManager pressure =
        host.manager(POLICY).passListener(report -> self.join().close()).build();
    self.complete(pressure);
    assertThat(pressure.relieve().outcome()).isEqualTo(Outcome.NOT_NEEDED);
    assertThatIllegalStateException().isThrownBy(pressure::look);
  }

  @Test
  void nodeIsFree_whileAReportIsTold() {
    node.image("app").size(100).add();
    node.otherData(800);
    try (DiskPressureManager pressure = host.manager(POLICY)
        .passListener(report -> {
          if (report.outcome().equals(Outcome.DONE)) {
            told.add(report);
            assertThat(host.images.deleteUnusedImages().outcome()).isNotEqualTo(Outcome.BUSY);
          }
        })
        .build()) {
      assertThat(pressure.relieve().problems()).isEmpty();
      assertThat(told).hasSize(1);
    }
  }

  @Test
  void listenerThatThrows_isContained_andAProblemOfThatReport() {
    try (DiskPressureManager pressure = host.manager(POLICY)
        .passListener(report -> {
          told.add(report);
          throw new IllegalStateException("no idea");
        })
        .build()) {
      PressureReport report = pressure.relieve();
      assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(report.problems())
          .containsExactly("the pass listener broke its contract when asked to take a report:"
              + " java.lang.IllegalStateException: no idea");
      assertThat(told).singleElement().satisfies(early -> {
        assertThat(early.problems()).isEmpty();
        assertThat(early.startedAt()).isEqualTo(report.startedAt());
      });
      assertThat(pressure.look().problems()).hasSize(1);
    }
  }

  @Test
  void listenerThatHangs_costsItsDeadline() {
    node.image("app").size(100).add();
    node.container("dead").state(ContainerState.EXITED).add();
    node.otherData(800);
    node.faults().hangNext(Operation.PULL);
    try (DiskPressureManager pressure = host.manager(POLICY)
        .deadlines(Deadlines.builder().listener(Duration.ofSeconds(3)).build())
        .passListener(report -> node.puller().pull("app:1", Optional.empty(), progress -> {}))
        .build()) {
      long start = node.clock().nanoTime();
      PressureReport report = pressure.relieve();
      assertThat(Duration.ofNanos(node.clock().nanoTime() - start))
          .isEqualTo(Duration.ofSeconds(3));
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.problems())
          .containsExactly("the pass listener did not take a report within 3s");
    }
  }

  private static boolean await(CountDownLatch latch) {
    try {
      return latch.await(60, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
