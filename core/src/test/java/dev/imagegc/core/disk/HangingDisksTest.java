/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.core.Deadlines;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.TestClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many callers, and disks that do not answer. Time is virtual. */
@Timeout(60)
class HangingDisksTest {
  private static final long MB = 1_048_576;

  private final FakeNode node = FakeNode.withDisk(1000 * MB).withDedicatedImageFs(1000 * MB);
  private final TestClock clock = node.clock();
  private final CountDownLatch measured = new CountDownLatch(1);
  private final DiskSpaceManager space = DiskSpaceManager.builder()
      .fsStats(node.fsStats())
      .clock(clock)
      .deadlines(Deadlines.builder().measure(Duration.ofSeconds(7)).build())
      .build();

  @AfterEach
  void close() {
    node.faults().heal();
    space.close();
  }

  @Test
  void hangingMeasure_isUnknownAtItsDeadline_andTheOtherFilesystemAnswers() {
    node.faults().hangNext(Operation.MEASURE);
    long start = clock.nanoTime();

    DiskSpace images = space.imageFs();

    assertThat(clock.nanoTime() - start).isEqualTo(Duration.ofSeconds(7).toNanos());
    assertThat(images.status()).isEqualTo(SpaceStatus.UNKNOWN);
    assertThat(images.isAvailableForKubelet()).isTrue();
    assertThat(images.error().orElseThrow())
        .isInstanceOf(TimedOutException.class)
        .hasMessage("the disk measure did not measure the image filesystem within 7s");
    assertThat(space.rootFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
    assertThat(space.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
  }

  @Test
  void measureThatIsStuck_costsNothingMore_andBlindsNobodyToTheOtherFilesystem() {
    node.faults().hangNextStubbornly(Operation.MEASURE_ROOT);
    assertThat(space.rootFs().error().orElseThrow()).isInstanceOf(TimedOutException.class);
    long start = clock.nanoTime();

    assertThat(space.rootFs().error().orElseThrow())
        .isInstanceOf(UnreachableException.class)
        .hasMessageContaining("still stuck");
    assertThat(space.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
    assertThat(space.admit(1).answer()).isEqualTo(Admission.Answer.UNKNOWN);
    assertThat(space.isOutOfDisk()).isFalse();

    assertThat(clock.nanoTime()).isEqualTo(start);
  }

  @Test
  void manyCallers_oneMeasurement() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    node.faults().beforeNext(Operation.MEASURE, waitFor(gate));
    List<Future<DiskSpace>> callers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      callers.add(start(space::imageFs));
    }
    clock.awaitWaiters(8);
    assertThat(space.rootFs().status()).isEqualTo(SpaceStatus.AVAILABLE); // waits for nobody
    gate.countDown();

    for (Future<DiskSpace> caller : callers) {
      assertThat(caller.get().status()).isEqualTo(SpaceStatus.AVAILABLE);
    }
    assertThat(node.calls(Operation.MEASURE)).isOne();
  }

  @Test
  void manyCallers_shareTheTroubleOfTheMeasurementThatTheyWaitedFor() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    UnreachableException failure = new UnreachableException("no disk");
    node.faults().beforeNext(Operation.MEASURE, waitFor(gate));
    node.faults().failNext(Operation.MEASURE, failure);
    Future<DiskSpace> first = start(space::imageFs);
    Future<DiskSpace> second = start(space::imageFs);
    clock.awaitWaiters(2);
    gate.countDown();

    assertThat(first.get().error()).containsSame(failure);
    assertThat(second.get().error()).containsSame(failure);
    assertThat(node.calls(Operation.MEASURE)).isOne();
    assertThat(space.imageFs().status()).isEqualTo(SpaceStatus.AVAILABLE);
  }

  @Test
  void hangingMeasure_withManyCallers_costsAllOfThemOneDeadline() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    node.faults().beforeNext(Operation.MEASURE, waitFor(gate));
    long start = clock.nanoTime();
    Future<DiskSpace> first = start(space::imageFs);
    measured.await(); // a call that has not begun is given up without being made
    Future<DiskSpace> second = start(space::imageFs);
    clock.awaitWaiters(2);

    clock.advance(Duration.ofSeconds(7));

    assertThat(first.get().error().orElseThrow()).isInstanceOf(TimedOutException.class);
    assertThat(second.get().error().orElseThrow()).isInstanceOf(TimedOutException.class);
    assertThat(clock.nanoTime() - start).isEqualTo(Duration.ofSeconds(7).toNanos());
    assertThat(node.calls(Operation.MEASURE)).isOne();
    gate.countDown();
  }

  @Test
  void interruptedWaiter_givesUpAlone_andKeepsItsFlag() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    node.faults().beforeNext(Operation.MEASURE, waitFor(gate));
    Future<DiskSpace> first = start(space::imageFs);
    clock.awaitWaiters(1);
    CompletableFuture<Boolean> flag = new CompletableFuture<>();
    FutureTask<DiskSpace> second = new FutureTask<>(() -> {
      DiskSpace answer = space.imageFs();
      flag.complete(Thread.currentThread().isInterrupted());
      return answer;
    });
    Thread thread = start(second);
    clock.awaitWaiters(2);

    thread.interrupt();

    assertThat(second.get().error().orElseThrow()).isInstanceOf(CancelledException.class);
    assertThat(flag.get()).isTrue();
    gate.countDown();
    assertThat(first.get().status()).isEqualTo(SpaceStatus.AVAILABLE);
  }

  @Test
  void interruptOfWhoeverMeasures_isNotTheTroubleOfThoseWhoWaitForIt() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    node.faults().beforeNext(Operation.MEASURE, waitFor(gate));
    FutureTask<DiskSpace> first = new FutureTask<>(space::imageFs);
    Thread measuring = start(first);
    measured.await(); // a call that has not begun is given up without being made
    Future<DiskSpace> second = start(space::imageFs);
    clock.awaitWaiters(2);

    measuring.interrupt();

    assertThat(first.get().error().orElseThrow()).isInstanceOf(CancelledException.class);
    assertThat(second.get().status()).isEqualTo(SpaceStatus.AVAILABLE);
    assertThat(node.calls(Operation.MEASURE)).isEqualTo(2);
  }

  @Test
  void close_endsWhatIsBeingMeasured() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    node.faults().beforeNext(Operation.MEASURE, waitFor(gate));
    Future<DiskSpace> caller = start(space::imageFs);
    clock.awaitWaiters(1);

    space.close();

    assertThat(caller.get().status()).isEqualTo(SpaceStatus.UNKNOWN);
  }

  /** Blocks a measurement, without making time skip, until the gate opens or it is interrupted. */
  private Runnable waitFor(CountDownLatch gate) {
    return () -> {
      measured.countDown();
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new CancelledException("interrupted at the gate", e);
      }
    };
  }

  private static <T> Future<T> start(Callable<T> call) {
    FutureTask<T> task = new FutureTask<>(call);
    start(task);
    return task;
  }

  private static Thread start(FutureTask<?> task) {
    Thread thread = new Thread(task, "test");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
