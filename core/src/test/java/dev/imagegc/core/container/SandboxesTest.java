/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import static dev.imagegc.core.container.Containers.collector;
import static dev.imagegc.core.container.Containers.dead;
import static dev.imagegc.core.container.Containers.decision;
import static dev.imagegc.core.container.Containers.find;
import static dev.imagegc.core.container.Containers.going;
import static dev.imagegc.core.container.Containers.policy;
import static dev.imagegc.core.container.Containers.reason;
import static dev.imagegc.core.container.Containers.removed;
import static dev.imagegc.core.container.Containers.sandbox;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.ContainerUnit;
import dev.imagegc.api.Decision;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.WorkloadView;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Containers that hold a workload's namespaces and do no work. */
@Timeout(60)
class SandboxesTest {
  private final FakeNode node = FakeNode.withDisk(1000);
  private WorkloadView view = WorkloadView.of(Set.of("pod"));

  private ContainerGcManager build(ContainerGcPolicy.Builder policy) {
    return collector(node, policy).workloads(() -> view).build();
  }

  private void inSandbox(String id, String sandbox, ContainerState state, int second) {
    dead(node, id, "pod", "app", second)
        .label("io.kubernetes.sandbox.id", sandbox)
        .state(state)
        .add();
  }

  @Test
  void
      existingWorkload_keepsTheNewestSandbox_andLosesOlderUnusedOnes_whateverTheLimitsAndAgesAre() {
    sandbox(node, "s1", "pod", 1).add();
    sandbox(node, "s2", "pod", 2).createdAt(node.clock().instant()).add();
    sandbox(node, "s3", "pod", 3)
        .createdAt(node.clock().instant().plusSeconds(1))
        .add();
    try (ContainerGcManager gc = build(policy(60, -1, -1))) {
      ContainerGcReport report = gc.collect();
      assertThat(removed(report)).containsExactly("s1", "s2");
      assertThat(reason(report, "s1")).isEqualTo(ContainerReason.SANDBOX_UNUSED);
      assertThat(reason(report, "s3")).isEqualTo(ContainerReason.SANDBOX_IN_USE);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void olderSandbox_thatIsReadyOrInhabited_stays() {
    sandbox(node, "ready", "pod", 1).state(ContainerState.RUNNING).add();
    sandbox(node, "paused", "pod", 2).state(ContainerState.PAUSED).add();
    sandbox(node, "inhabited", "pod", 3).add();
    sandbox(node, "newest", "pod", 4).add();
    inSandbox("c", "inhabited", ContainerState.EXITED, 5);
    try (ContainerGcManager gc = build(policy(0, 1, -1))) {
      ContainerGcReport report = gc.plan();
      assertThat(going(report)).isEmpty();
      assertThat(find(report, "ready").detail()).isEqualTo("its state is RUNNING");
      assertThat(find(report, "paused").detail()).isEqualTo("its state is PAUSED");
      assertThat(find(report, "inhabited").detail()).isEqualTo("container c is in it");
      assertThat(reason(report, "inhabited")).isEqualTo(ContainerReason.SANDBOX_IN_USE);
    }
  }

  @Test
  void newest_isOfAnyState_soARunningNewOneLetsOldOnesGo() {
    sandbox(node, "old", "pod", 1).add();
    sandbox(node, "new", "pod", 2).state(ContainerState.RUNNING).add();
    try (ContainerGcManager gc = build(ContainerGcPolicy.builder())) {
      assertThat(removed(gc.collect())).containsExactly("old");
    }
  }

  @Test
  void deletedWorkload_losesAllUnusedSandboxes_butNotAReadyOne() {
    view = WorkloadView.of(Set.of());
    sandbox(node, "dead", "pod", 1).add();
    sandbox(node, "unknownAge", "pod", 1).withoutTimes().add();
    sandbox(node, "ready", "pod", 2).state(ContainerState.RUNNING).add();
    try (ContainerGcManager gc = build(policy(60, 5, 5))) {
      ContainerGcReport report = gc.collect();
      assertThat(removed(report)).containsExactly("dead", "unknownAge");
      assertThat(reason(report, "ready")).isEqualTo(ContainerReason.SANDBOX_IN_USE);
    }
  }

  @Test
  void incompleteView_keepsTheNewestSandbox() {
    view = WorkloadView.incomplete("not synced");
    sandbox(node, "old", "pod", 1).add();
    sandbox(node, "new", "pod", 2).add();
    try (ContainerGcManager gc = build(ContainerGcPolicy.builder())) {
      assertThat(removed(gc.collectForSpace())).containsExactly("old");
    }
  }

  @Test
  void terminatedWorkload_losesItsSandboxes_onlyWhenSpaceIsNeeded() {
    view = view.withTerminated(Set.of("pod"));
    sandbox(node, "s", "pod", 1).add();
    try (ContainerGcManager gc = build(ContainerGcPolicy.builder())) {
      assertThat(removed(gc.collect())).isEmpty();
      assertThat(removed(gc.collectForSpace())).containsExactly("s");
    }
  }

  @Test
  void creationUnknown_stays_whileItsWorkloadExists() {
    sandbox(node, "unknown", "pod", 1).withoutTimes().add();
    sandbox(node, "old", "pod", 1).add();
    sandbox(node, "new", "pod", 2).add();
    try (ContainerGcManager gc = build(ContainerGcPolicy.builder())) {
      ContainerGcReport report = gc.collect();
      assertThat(removed(report)).containsExactly("old");
      assertThat(reason(report, "unknown")).isEqualTo(ContainerReason.AGE_UNKNOWN);
    }
  }

  @Test
  void sandboxWhoseContainersGo_goesAfterThem_andIsStoppedFirst() {
    view = WorkloadView.of(Set.of());
    sandbox(node, "s", "pod", 1).add();
    inSandbox("c2", "s", ContainerState.EXITED, 3);
    inSandbox("c1", "s", ContainerState.EXITED, 2);
    try (ContainerGcManager gc = build(ContainerGcPolicy.builder())) {
      assertThat(going(gc.plan())).containsExactly("c1", "c2", "s");
      assertThat(removed(gc.collect())).containsExactly("c1", "c2", "s");
      assertThat(node.calls().stream()
              .filter(call -> call.container().equals(Optional.of("s")))
              .map(FakeNode.Call::operation))
          .containsExactly(Operation.STOP_CONTAINER, Operation.REMOVE_CONTAINER);
    }
  }

  @Test
  void sandboxOneOfWhoseContainersDidNotGo_stays() {
    view = WorkloadView.of(Set.of());
    sandbox(node, "s", "pod", 1).add();
    inSandbox("c", "s", ContainerState.EXITED, 2);
    node.faults()
        .failContainerRemovals("c", RemovalResult.of(RemovalOutcome.FAILED, "device busy"));
    try (ContainerGcManager gc = build(ContainerGcPolicy.builder())) {
      ContainerGcReport report = gc.collect();
      assertThat(decision(report, "c")).isEqualTo(Decision.FAILED);
      assertThat(decision(report, "s")).isEqualTo(Decision.KEPT);
      assertThat(reason(report, "s")).isEqualTo(ContainerReason.SANDBOX_IN_USE);
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(node.calls(Operation.STOP_CONTAINER)).isZero();
      assertThat(node.containerRemovalsAsked()).containsExactly("c");
    }
  }

  @Test
  void sandboxWhoseContainerFailedBefore_stillGoesAfterIt() {
    view = WorkloadView.of(Set.of());
    sandbox(node, "s", "pod", 1).add();
    inSandbox("c", "s", ContainerState.EXITED, 2);
    node.faults().failContainerRemovals("c", RemovalResult.of(RemovalOutcome.FAILED, "busy"));
    try (ContainerGcManager gc = build(ContainerGcPolicy.builder())) {
      assertThat(removed(gc.collect())).isEmpty();
      node.faults().heal();
      node.clock().advance(Duration.ofMinutes(1));
      assertThat(removed(gc.collect())).containsExactly("c", "s");
    }
  }

  @Test
  void sandboxThatNamesItselfAsItsSandbox_isNotInhabited() {
    view = WorkloadView.of(Set.of());
    sandbox(node, "s", "pod", 1).add();
    try (ContainerGcManager gc = collector(node)
        .workloads(() -> view)
        .units(container -> Optional.of(ContainerUnit.sandboxOf("pod").inSandbox(container.id())))
        .build()) {
      assertThat(removed(gc.collect())).containsExactly("s");
    }
  }

  @Test
  void sandboxThatWasStartedMeanwhile_isNotStopped() {
    view = WorkloadView.of(Set.of());
    dead(node, "c", "pod", "app", 1).add();
    sandbox(node, "s1", "pod", 2).add();
    sandbox(node, "s2", "pod", 3).add();
    node.faults().afterNext(Operation.STOP_CONTAINER, () -> node.start("s2")); // that of s1
    try (ContainerGcManager gc = build(ContainerGcPolicy.builder())) {
      ContainerGcReport report = gc.collect();
      assertThat(removed(report)).containsExactly("c", "s1");
      assertThat(reason(report, "s2")).isEqualTo(ContainerReason.SANDBOX_IN_USE);
      assertThat(node.runtime().listContainers().get(0).state()).isEqualTo(ContainerState.RUNNING);
    }
  }

  @Test
  void node_isLookedAtAgainBeforeEachSandboxGoes() {
    view = WorkloadView.of(Set.of());
    for (int i = 0; i < 30; i++) {
      sandbox(node, "s" + i, "pod", i).add();
    }
    try (ContainerGcManager gc = collector(node).workloads(() -> view).build()) {
      assertThat(removed(gc.collect())).hasSize(30);
    }
    assertThat(node.calls(Operation.LIST_CONTAINERS)).isEqualTo(1 + 30);
    assertThat(node.calls(Operation.STOP_CONTAINER)).isEqualTo(30);
    assertThat(node.calls(Operation.REMOVE_CONTAINER)).isEqualTo(30);
  }

  @Test
  void sandboxThatWentMeanwhile_isGone() {
    view = WorkloadView.of(Set.of());
    dead(node, "c", "pod", "app", 1).add();
    sandbox(node, "s", "pod", 2).add();
    node.faults().afterNext(Operation.REMOVE_CONTAINER, () -> node.removeContainer("s"));
    try (ContainerGcManager gc = build(ContainerGcPolicy.builder())) {
      ContainerGcReport report = gc.collect();
      assertThat(decision(report, "s")).isEqualTo(Decision.GONE);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    }
  }

  @Test
  void sandboxThatCannotBeStopped_isNotRemoved_andOthersAreTried() {
    view = WorkloadView.of(Set.of());
    sandbox(node, "s1", "pod", 1).add();
    sandbox(node, "s2", "pod", 2).add();
    node.faults().failNext(Operation.STOP_CONTAINER, new ProtocolException("cannot stop"));
    try (ContainerGcManager gc = build(ContainerGcPolicy.builder())) {
      ContainerGcReport report = gc.collect();
      assertThat(decision(report, "s1")).isEqualTo(Decision.FAILED);
      assertThat(find(report, "s1").detail())
          .isEqualTo("it could not be stopped first: cannot stop");
      assertThat(removed(report)).containsExactly("s2");
      assertThat(node.containerRemovalsAsked()).containsExactly("s2");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void unitOfSomeContainerUnknown_keepsAllSandboxes_becauseItMayBeInOne(int second) {
    view = WorkloadView.of(Set.of());
    sandbox(node, "s", "pod", 2).add();
    node.container("odd")
        .state(ContainerState.EXITED)
        .createdAt(Instant.ofEpochSecond(second))
        .add();
    try (ContainerGcManager gc = collector(node)
        .workloads(() -> view)
        .units(container -> {
          if (container.id().equals("odd")) {
            throw new IllegalStateException("no idea");
          }
          return ContainerUnits.kubernetes().apply(container);
        })
        .build()) {
      assertThat(going(gc.plan())).isEmpty();
      ContainerGcReport report = gc.collect();
      assertThat(removed(report)).isEmpty();
      assertThat(reason(report, "s")).isEqualTo(ContainerReason.SANDBOX_IN_USE);
    }
  }
}
