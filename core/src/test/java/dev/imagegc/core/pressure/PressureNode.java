/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Decision;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PressureShortfall;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.SingleWriter;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A fake node with all that disk pressure works with, on one writer. Ended containers go as the step for containers; what the host
 * hears is written down.
 */
final class PressureNode implements AutoCloseable {
  static final long MIB = 1L << 20;
  static final long GIB = 1L << 30;

  final FakeNode node;
  final SingleWriter writer;
  final ImageGcManager images;
  final RecordingListener listener = new RecordingListener();
  final List<DiskCondition> conditions = new ArrayList<>();
  final List<PressureShortfall> shortfalls = new ArrayList<>();
  int containerSteps;

  PressureNode(FakeNode node) {
    this.node = node;
    this.writer = SingleWriter.create(node.clock());
    this.images = ImageGcManager.builder()
        .runtime(node.runtime())
        .fsStats(node.fsStats())
        .clock(node.clock())
        .relistInterval(Duration.ZERO)
        .policy(LruGcPolicy.builder().minAge(Duration.ZERO).build())
        .writer(writer)
        .build();
  }

  /** A manager with everything. */
  DiskPressureManager.Builder manager(PressurePolicy policy) {
    return bare(policy, node.fsStats()).images(images).containerStep(this::removeEnded);
  }

  /** A manager that can remove nothing. */
  DiskPressureManager.Builder bare(PressurePolicy policy, FsStatsProvider fsStats) {
    return DiskPressureManager.builder()
        .fsStats(fsStats)
        .policy(policy)
        .runtime(node.runtime())
        .conditionListener(conditions::add)
        .shortfallHandler(shortfalls::add)
        .listener(listener)
        .clock(node.clock())
        .writer(writer);
  }

  /** What a pass comes to whose manager is closed while containers are removed. */
  PressureReport closedDuringAPass(DiskPressureManager.Builder manager) {
    CompletableFuture<DiskPressureManager> self = new CompletableFuture<>();
    CompletableFuture<Void> closing = new CompletableFuture<>();
    DiskPressureManager pressure = manager
        .containerStep(() -> {
          closing.completeAsync(() -> {
            self.join().close();
            return null;
          });
          node.clock().awaitWaiters(1);
          return ContainerGcReport.builder(node.clock().instant()).build();
        })
        .build();
    self.complete(pressure);
    PressureReport report = pressure.relieve();
    closing.join();
    return report;
  }

  private ContainerGcReport removeEnded() {
    containerSteps++;
    List<ContainerDecision> removed = new ArrayList<>();
    for (Container container : node.runtime().listContainers()) {
      if (container.state().equals(ContainerState.EXITED)) {
        node.removeContainer(container.id());
        removed.add(ContainerDecision.of(
            container, Optional.empty(), Decision.REMOVED, ContainerReason.of("TEST"), ""));
      }
    }
    return ContainerGcReport.builder(node.clock().instant())
        .outcome(removed.isEmpty() ? Outcome.NOT_NEEDED : Outcome.DONE)
        .decisions(removed)
        .build();
  }

  void advance(Duration time) {
    node.clock().advance(time);
  }

  @Override
  public void close() {
    images.close();
  }
}
