/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import static dev.imagegc.core.container.Containers.collector;
import static dev.imagegc.core.container.Containers.dead;
import static dev.imagegc.core.container.Containers.decision;
import static dev.imagegc.core.container.Containers.find;
import static dev.imagegc.core.container.Containers.going;
import static dev.imagegc.core.container.Containers.ids;
import static dev.imagegc.core.container.Containers.policy;
import static dev.imagegc.core.container.Containers.reason;
import static dev.imagegc.core.container.Containers.removed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Decision;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.WorkloadView;
import dev.imagegc.api.Workloads;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which containers go and which stay. */
@Timeout(60)
class ContainerPlanTest {
  private final FakeNode node = FakeNode.withDisk(1000);

  private ContainerGcReport plan(ContainerGcPolicy.Builder policy, Workloads workloads) {
    try (ContainerGcManager gc = collector(node, policy).workloads(workloads).build()) {
      return gc.plan();
    }
  }

  private ContainerGcReport plan(ContainerGcPolicy.Builder policy) {
    return plan(policy, Workloads.unknown());
  }

  // States

  @ParameterizedTest
  @CsvSource({
    "EXITED,PLANNED,OVER_UNIT_LIMIT",
    "DEAD,PLANNED,OVER_UNIT_LIMIT",
    "STOPPED,KEPT,RUNNING",
    "CREATED,PLANNED,OVER_UNIT_LIMIT",
    "UNKNOWN,PLANNED,OVER_UNIT_LIMIT",
    "RUNNING,KEPT,RUNNING",
    "PAUSED,KEPT,RUNNING",
    "RESTARTING,KEPT,RUNNING",
    "REMOVING,KEPT,RUNNING",
    "STOPPING,KEPT,RUNNING",
    "CHECKPOINTED,KEPT,RUNNING"
  })
  void state_saysWhetherItMayGo(String state, String decision, String reason) {
    dead(node, "c", "pod", "app", 0).state(ContainerState.of(state)).add();
    ContainerGcReport report = plan(policy(0, 0, -1));
    assertThat(decision(report, "c")).isEqualTo(Decision.of(decision));
    assertThat(reason(report, "c")).isEqualTo(ContainerReason.of(reason));
  }

  @Test
  void state_deletedWorkload_stillTouchesNoContainerThatRuns() {
    dead(node, "c", "pod", "app", 0).state(ContainerState.RUNNING).add();
    dead(node, "d", "pod", "app", 0).state(ContainerState.of("NEW")).add();
    ContainerGcReport report = plan(policy(0, 0, 0), () -> WorkloadView.of(Set.of()));
    assertThat(reason(report, "c")).isEqualTo(ContainerReason.RUNNING);
    assertThat(reason(report, "d")).isEqualTo(ContainerReason.RUNNING);
    assertThat(find(report, "d").detail()).isEqualTo("its state is NEW");
  }

  // Ages

  @Test
  void minAge_ofExactlyThatAge_mayGo_andANanosecondYoungerStays() {
    dead(node, "c", "pod", "app", 0)
        .createdAt(node.clock().instant().minusSeconds(60))
        .add();
    dead(node, "d", "pod", "app", 0)
        .createdAt(node.clock().instant().minusSeconds(60).plusNanos(1))
        .add();
    ContainerGcReport report = plan(policy(1, 0, -1));
    assertThat(going(report)).containsExactly("c");
    assertThat(reason(report, "d")).isEqualTo(ContainerReason.TOO_YOUNG);
    assertThat(find(report, "d").detail()).isEqualTo("created 59s ago, minAge is 1m");
  }

  @Test
  void minAge_countsFromCreation_notFromTheEnd() {
    dead(node, "c", "pod", "app", 0).finishedAt(node.clock().instant()).add();
    assertThat(going(plan(policy(60, 0, -1)))).containsExactly("c");
  }

  @Test
  void minAge_alsoAppliesToContainersOfDeletedWorkloads_andToUnownedOnes() {
    dead(node, "c", "pod", "app", 0).createdAt(node.clock().instant()).add();
    node.container("d").state(ContainerState.EXITED).add();
    ContainerGcReport report =
        plan(policy(1, 0, 0).collectsUnowned(true), () -> WorkloadView.of(Set.of()));
    assertThat(reason(report, "c")).isEqualTo(ContainerReason.TOO_YOUNG);
    assertThat(reason(report, "d")).isEqualTo(ContainerReason.TOO_YOUNG);
  }

  @Test
  void creationUnknown_stays() {
    dead(node, "c", "pod", "app", 0).withoutTimes().add();
    ContainerGcReport report = plan(policy(0, 0, 0), () -> WorkloadView.of(Set.of()));
    assertThat(reason(report, "c")).isEqualTo(ContainerReason.AGE_UNKNOWN);
    assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
  }

  @Test
  void tooYoung_doesNotCountTowardTheLimits() {
    dead(node, "new", "pod", "app", 0).createdAt(node.clock().instant()).add();
    dead(node, "old", "pod", "app", 0).add();
    ContainerGcReport report = plan(policy(1, 1, 1));
    assertThat(reason(report, "new")).isEqualTo(ContainerReason.TOO_YOUNG);
    assertThat(reason(report, "old")).isEqualTo(ContainerReason.KEPT_NEWEST);
  }

  // Units and limits

  @Test
  void defaults_keepTheNewestOfEachUnit_whateverTheirNumber() {
    for (int pod = 0; pod < 50; pod++) {
      dead(node, "old-" + pod, "pod-" + pod, "app", 1).add();
      dead(node, "new-" + pod, "pod-" + pod, "app", 2).add();
      dead(node, "side-" + pod, "pod-" + pod, "sidecar", 1).add();
    }
    ContainerGcReport report = plan(ContainerGcPolicy.builder());
    assertThat(going(report)).hasSize(50).allMatch(id -> id.startsWith("old-"));
  }

  @Test
  void sameCreation_theIdDecides() {
    dead(node, "b", "pod", "app", 1).add();
    dead(node, "c", "pod", "app", 1).add();
    dead(node, "a", "pod", "app", 1).add();
    assertThat(going(plan(policy(0, 1, -1)))).containsExactly("a", "b");
  }

  @Test
  void maxContainers_isSharedByTheUnits_beforeTheOldestOfAllGo() {
    for (int second = 0; second < 6; second++) {
      dead(node, "a" + second, "pod-a", "app", 100 + second).add();
    }
    dead(node, "b0", "pod-b", "app", 0).add();
    dead(node, "b1", "pod-b", "app", 1).add();
    ContainerGcReport report = plan(policy(0, -1, 5)); // 5 / 2 units = 2 each
    assertThat(going(report)).containsExactly("a0", "a1", "a2", "a3");
    assertThat(reason(report, "a3")).isEqualTo(ContainerReason.OVER_TOTAL_LIMIT);
    assertThat(reason(report, "b0")).isEqualTo(ContainerReason.KEPT_NEWEST);
  }

  @Test
  void maxContainers_belowTheNumberOfUnits_leavesTheNewestUnits() {
    dead(node, "a", "pod-a", "app", 3).add();
    dead(node, "b", "pod-b", "app", 1).add();
    dead(node, "c", "pod-c", "app", 2).add();
    ContainerGcReport report = plan(policy(0, -1, 2));
    assertThat(going(report)).containsExactly("b");
    assertThat(reason(report, "b")).isEqualTo(ContainerReason.OVER_TOTAL_LIMIT);
  }

  @Test
  void maxContainers_belowTheNumberOfUnits_goesByWhatEachUnitHasLeft_notByWhatItHad() {
    dead(node, "a-old", "pod-a", "app", 1).add();
    dead(node, "a-new", "pod-a", "app", 9).add();
    dead(node, "b", "pod-b", "app", 2).add();
    dead(node, "c", "pod-c", "app", 3).add();
    assertThat(going(plan(policy(0, -1, 2)))).containsExactly("a-old", "b");
  }

  @Test
  void maxContainers_countsWhatDeletedWorkloadsAndTheUnitLimitLeave() {
    dead(node, "gone", "deleted", "app", 9).add();
    dead(node, "a1", "pod-a", "app", 1).add();
    dead(node, "a2", "pod-a", "app", 2).add();
    dead(node, "b", "pod-b", "app", 1).add();
    ContainerGcReport report =
        plan(policy(0, 1, 2), () -> WorkloadView.of(Set.of("pod-a", "pod-b")));
    assertThat(going(report)).containsExactly("a1", "gone");
    assertThat(reason(report, "a2")).isEqualTo(ContainerReason.KEPT_NEWEST);
    assertThat(reason(report, "b")).isEqualTo(ContainerReason.KEPT_NEWEST);
  }

  @Test
  void order_isOldestFirstOverAllReasons_andThatOfRemoval() {
    dead(node, "total", "pod-c", "app", 1).add();
    dead(node, "unit-new", "pod-a", "app", 9).add();
    dead(node, "unit-old", "pod-a", "app", 3).add();
    dead(node, "deleted", "pod-b", "app", 2).add();
    node.container("unowned")
        .state(ContainerState.EXITED)
        .createdAt(Instant.ofEpochSecond(4))
        .add();
    node.faults().shuffleListings(7);
    try (ContainerGcManager gc = collector(node, policy(0, 1, 1).collectsUnowned(true))
        .workloads(() -> WorkloadView.of(Set.of("pod-a", "pod-c")))
        .build()) {
      List<String> plan = going(gc.plan());
      assertThat(plan).containsExactly("total", "deleted", "unit-old", "unowned");
      assertThat(removed(gc.collect())).isEqualTo(plan);
      assertThat(node.containerRemovalsAsked()).isEqualTo(plan);
    }
  }

  @Test
  void plan_touchesNothing_andHasThoseThatGoFirst() {
    dead(node, "keep", "pod", "app", 2).add();
    dead(node, "go", "pod", "app", 1).add();
    node.run("run", node.image("i").size(1).add().imageIds().get(0));
    ContainerGcReport report = plan(ContainerGcPolicy.builder());
    assertThat(report.outcome()).isEqualTo(Outcome.PLANNED);
    assertThat(ids(report.decisions())).containsExactly("go", "keep", "run");
    assertThat(node.containerRemovalsAsked()).isEmpty();
    assertThat(node.calls(Operation.STOP_CONTAINER)).isZero();
  }

  // Workloads

  @Test
  void deletedWorkload_losesAll() {
    dead(node, "a1", "pod-a", "app", 1).add();
    dead(node, "a2", "pod-a", "app", 2).add();
    dead(node, "b", "pod-b", "app", 1).add();
    ContainerGcReport report = plan(policy(0, -1, -1), () -> WorkloadView.of(Set.of("pod-b")));
    assertThat(going(report)).containsExactly("a1", "a2");
    assertThat(reason(report, "a1")).isEqualTo(ContainerReason.WORKLOAD_DELETED);
    assertThat(reason(report, "b")).isEqualTo(ContainerReason.KEPT_NEWEST);
  }

  @Test
  void incompleteView_removesNothingOnTheGroundOfDeletion_butTheLimitsHold() {
    dead(node, "a1", "pod-a", "app", 1).add();
    dead(node, "a2", "pod-a", "app", 2).add();
    WorkloadView incomplete =
        WorkloadView.incomplete("pods are not synced").withTerminated(Set.of("pod-a"));
    try (ContainerGcManager gc =
        collector(node, policy(0, 1, -1)).workloads(() -> incomplete).build()) {
      ContainerGcReport report = gc.collectForSpace();
      assertThat(removed(report)).containsExactly("a1");
      assertThat(reason(report, "a1")).isEqualTo(ContainerReason.OVER_UNIT_LIMIT);
      assertThat(reason(report, "a2")).isEqualTo(ContainerReason.KEPT_NEWEST);
      assertThat(report.problems())
          .containsExactly("containers of deleted workloads are not known: pods are not synced");
    }
  }

  @Test
  void noWorkloadsTold_isNoProblem() {
    dead(node, "a", "pod-a", "app", 1).add();
    try (ContainerGcManager gc = collector(node).build()) {
      ContainerGcReport report = gc.collect();
      assertThat(reason(report, "a")).isEqualTo(ContainerReason.KEPT_NEWEST);
      assertThat(report.problems()).isEmpty();
    }
  }

  @Test
  void terminatedWorkload_losesAll_onlyWhenSpaceIsNeeded() {
    dead(node, "a", "pod-a", "app", 1).add();
    dead(node, "b", "pod-b", "app", 1).add();
    WorkloadView view = WorkloadView.of(Set.of("pod-a", "pod-b")).withTerminated(Set.of("pod-a"));
    try (ContainerGcManager gc = collector(node).workloads(() -> view).build()) {
      ContainerGcReport report = gc.collect();
      assertThat(reason(report, "a")).isEqualTo(ContainerReason.KEPT_NEWEST);
      assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
      ContainerGcReport forSpace = gc.collectForSpace();
      assertThat(removed(forSpace)).containsExactly("a");
      assertThat(reason(forSpace, "a")).isEqualTo(ContainerReason.WORKLOAD_TERMINATED);
      assertThat(reason(forSpace, "b")).isEqualTo(ContainerReason.KEPT_NEWEST);
    }
  }

  /** Containers are listed first: asked the other way round, the host would not know the new workload yet. */
  @Test
  void workloadMadeDuringThePass_isNotTakenForDeleted() {
    dead(node, "old", "old-pod", "app", 1).add();
    AtomicReference<Set<String>> existing = new AtomicReference<>(Set.of());
    node.faults().beforeNext(Operation.LIST_CONTAINERS, () -> {
      existing.set(Set.of("new-pod"));
      dead(node, "new", "new-pod", "app", 2).add();
    });
    ContainerGcReport report =
        plan(ContainerGcPolicy.builder(), () -> WorkloadView.of(existing.get()));
    assertThat(going(report)).containsExactly("old");
    assertThat(reason(report, "new")).isEqualTo(ContainerReason.KEPT_NEWEST);
  }

  // Containers of nobody

  @Test
  void unowned_staysByDefault() {
    node.container("c").state(ContainerState.EXITED).add();
    ContainerGcReport report = plan(policy(0, 0, 0), () -> WorkloadView.of(Set.of()));
    assertThat(reason(report, "c")).isEqualTo(ContainerReason.NOT_OWNED);
    assertThat(find(report, "c").unit()).isEmpty();
  }

  @Test
  void unowned_ifTheHostWantsThat_goesWhateverTheLimitsAre_andDoesNotCount() {
    node.container("c").state(ContainerState.EXITED).add();
    node.container("run").state(ContainerState.RUNNING).add();
    dead(node, "mine", "pod", "app", 1).add();
    ContainerGcReport report = plan(policy(0, -1, 1).collectsUnowned(true));
    assertThat(going(report)).containsExactly("c");
    assertThat(reason(report, "c")).isEqualTo(ContainerReason.UNOWNED);
    assertThat(reason(report, "run")).isEqualTo(ContainerReason.RUNNING);
    assertThat(reason(report, "mine")).isEqualTo(ContainerReason.KEPT_NEWEST);
  }

  @Test
  void unowned_ofUnknownState_staysAlsoThen_becauseItMayRun() {
    node.container("c").state(ContainerState.UNKNOWN).add();
    ContainerGcReport report = plan(policy(0, 0, 0).collectsUnowned(true));
    assertThat(reason(report, "c")).isEqualTo(ContainerReason.STATE_UNKNOWN);
  }

  @Test
  void duration_ofAPass_isElapsedTime() {
    node.faults().slow(Operation.LIST_CONTAINERS, Duration.ofSeconds(3));
    assertThat(plan(ContainerGcPolicy.builder()).duration()).isEqualTo(Duration.ofSeconds(3));
  }
}
