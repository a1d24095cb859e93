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
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEvent.Phase;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.RecordingListener;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a pass does, and what it does about trouble. No dead container is kept. */
@Timeout(60)
class ContainerSweepTest {
  private final FakeNode node = FakeNode.withDisk(1000);
  private final RecordingListener listener = new RecordingListener();

  private ContainerGcManager.Builder builder() {
    return collector(node, policy(0, 0, -1)).listener(listener);
  }

  private ContainerGcReport collect() {
    try (ContainerGcManager gc = builder().build()) {
      return gc.collect();
    }
  }

  private void deadOnes(String... ids) {
    for (int i = 0; i < ids.length; i++) {
      dead(node, ids[i], "pod", "app", i).add();
    }
  }

  // Outcomes of one removal

  @Test
  void removed_isToldAsAnEvent_andTheReportIsDone() {
    deadOnes("a", "b");
    ContainerGcReport report = collect();
    assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    assertThat(removed(report)).containsExactly("a", "b");
    assertThat(node.containerIds()).isEmpty();
    assertThat(listener.types())
        .containsExactly(
            GcEventType.CONTAINER_REMOVED,
            GcEventType.CONTAINER_REMOVED,
            GcEventType.CONTAINER_GC_FINISHED);
    GcEvent first = listener.events().get(0);
    assertThat(first.containerDecision().orElseThrow().container().id()).isEqualTo("a");
    assertThat(first.containerDecision().orElseThrow().decision()).isEqualTo(Decision.REMOVED);
    assertThat(first.message())
        .isEqualTo("removed container a: maxPerUnit is 0 and its unit pod/app has newer ones");
    GcEvent last = listener.events().get(2);
    assertThat(last.containerReport().orElseThrow().removed()).hasSize(2);
    assertThat(last.message())
        .isEqualTo("container collection DONE: removed 2 of 2 containers, in 0s");
  }

  @Test
  void passWithNothingToDo_isToldAsFinishedOnly() {
    assertThat(collect().outcome()).isEqualTo(Outcome.NOT_NEEDED);
    assertThat(listener.types()).containsExactly(GcEventType.CONTAINER_GC_FINISHED);
  }

  @Test
  void startedAgainMeanwhile_isRefusedByTheEngine_andIsAKeptContainer() {
    deadOnes("a", "b");
    node.faults().beforeNext(Operation.REMOVE_CONTAINER, () -> node.start("a"));
    ContainerGcReport report = collect();
    assertThat(decision(report, "a")).isEqualTo(Decision.KEPT);
    assertThat(reason(report, "a")).isEqualTo(ContainerReason.RUNNING);
    assertThat(removed(report)).containsExactly("b");
    assertThat(ids(report.decisions())).containsExactly("b", "a");
    assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
    assertThat(listener.events(GcEventType.CONTAINER_REMOVAL_FAILED)).isEmpty();
  }

  @Test
  void goneMeanwhile_isSuccess() {
    deadOnes("a");
    node.faults().beforeNext(Operation.REMOVE_CONTAINER, () -> node.removeContainer("a"));
    ContainerGcReport report = collect();
    assertThat(decision(report, "a")).isEqualTo(Decision.GONE);
    assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    assertThat(report.removed()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"FAILED", "UNKNOWN", "HAS_CHILDREN"})
  void refused_isReported_andTheOthersAreTried(String outcome) {
    deadOnes("a", "b");
    node.faults()
        .failContainerRemovals("a", RemovalResult.of(RemovalOutcome.of(outcome), "device busy"));
    ContainerGcReport report = collect();
    assertThat(decision(report, "a")).isEqualTo(Decision.FAILED);
    assertThat(reason(report, "a"))
        .isEqualTo(
            outcome.equals("UNKNOWN")
                ? ContainerReason.OUTCOME_UNKNOWN
                : ContainerReason.REMOVAL_FAILED);
    assertThat(find(report, "a").detail()).isEqualTo("device busy");
    assertThat(removed(report)).containsExactly("b");
    assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
    assertThat(report.cause()).isEmpty();
  }

  @Test
  void removalThatThrows_isNotAssumedDone_andTheOthersAreTried() {
    deadOnes("a", "b", "c");
    node.faults().failContainerRemovals("a", new ProtocolException("what?"));
    node.faults().failContainerRemovals("b", new IllegalStateException("a bug"));
    ContainerGcReport report = collect();
    assertThat(decision(report, "a")).isEqualTo(Decision.FAILED);
    assertThat(reason(report, "a")).isEqualTo(ContainerReason.OUTCOME_UNKNOWN);
    assertThat(decision(report, "b")).isEqualTo(Decision.FAILED);
    assertThat(find(report, "b").detail()).contains("a bug");
    assertThat(removed(report)).containsExactly("c");
    assertThat(node.containerIds()).containsExactly("a", "b");
  }

  @Test
  void failing_isAState_toldWhenItBeginsAndWhenItEnds() {
    deadOnes("a");
    node.faults()
        .failContainerRemovals("a", RemovalResult.of(RemovalOutcome.FAILED, "device busy"));
    try (ContainerGcManager gc = builder().build()) {
      gc.collect();
      node.clock().advance(Duration.ofMinutes(1));
      gc.collect();
      assertThat(listener.events(GcEventType.CONTAINER_REMOVAL_FAILED))
          .extracting(GcEvent::phase)
          .containsExactly(Phase.BEGAN);
      assertThat(listener.events(GcEventType.CONTAINER_REMOVAL_FAILED).get(0).message())
          .isEqualTo(
              "could not remove container a: device busy; tried again after 1m at the earliest");
      node.faults().heal();
      node.clock().advance(Duration.ofMinutes(2));
      gc.collect();
      gc.collect();
    }
    assertThat(listener.events(GcEventType.CONTAINER_REMOVAL_FAILED))
        .extracting(GcEvent::phase)
        .containsExactly(Phase.BEGAN, Phase.ENDED);
    assertThat(listener.events(GcEventType.CONTAINER_REMOVAL_FAILED).get(1).message())
        .isEqualTo("container a, which could not be removed, is removed");
  }

  @Test
  void containerThatCannotBeRemoved_isLeftAloneForTwiceAsLongEachTime_upToAnHour() {
    deadOnes("a", "b");
    node.faults().failContainerRemovals("a", RemovalResult.of(RemovalOutcome.FAILED, "busy"));
    try (ContainerGcManager gc = builder().build()) {
      assertThat(removed(gc.collect())).containsExactly("b");
      for (int minutes : List.of(1, 2, 4, 8, 16, 32, 60, 60)) {
        int asked = node.containerRemovalsAsked().size();
        node.clock().advance(Duration.ofMinutes(minutes).minusNanos(1));
        ContainerGcReport early = gc.collect();
        assertThat(reason(early, "a")).isEqualTo(ContainerReason.BACKING_OFF);
        assertThat(decision(early, "a")).isEqualTo(Decision.KEPT);
        assertThat(early.outcome()).isEqualTo(Outcome.SHORT);
        assertThat(reason(gc.plan(), "a")).isEqualTo(ContainerReason.BACKING_OFF);
        assertThat(node.containerRemovalsAsked()).hasSize(asked);
        node.clock().advance(Duration.ofNanos(1));
        assertThat(decision(gc.collect(), "a")).isEqualTo(Decision.FAILED);
        assertThat(node.containerRemovalsAsked()).hasSize(asked + 1);
      }
    }
  }

  @Test
  void passThatIsOutOfTime_leavesTheRestToTheNextOne() {
    deadOnes("a", "b", "c");
    node.faults().slow(Operation.REMOVE_CONTAINER, Duration.ofSeconds(40));
    try (ContainerGcManager gc = builder().timeBudget(Duration.ofMinutes(1)).build()) {
      ContainerGcReport report = gc.collect();
      assertThat(removed(report)).containsExactly("a", "b");
      assertThat(reason(report, "c")).isEqualTo(ContainerReason.LIMIT);
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      assertThat(removed(gc.collect())).containsExactly("c");
    }
  }

  @Test
  void timeBudget_thatIsUsedUpToTheNanosecond_isOver() {
    deadOnes("a", "b");
    node.faults().slow(Operation.REMOVE_CONTAINER, Duration.ofMinutes(1));
    try (ContainerGcManager gc = builder().timeBudget(Duration.ofMinutes(1)).build()) {
      assertThat(removed(gc.collect())).containsExactly("a");
    }
    deadOnes("c");
    try (ContainerGcManager gc =
        builder().timeBudget(Duration.ofMinutes(1).plusNanos(1)).build()) {
      assertThat(removed(gc.collect())).containsExactlyInAnyOrder("b", "c");
    }
  }

  @Test
  void failing_endsWhenTheContainerIsGoneOrRunsAgain() {
    deadOnes("a", "b");
    node.faults().failContainerRemovals("a", RemovalResult.of(RemovalOutcome.FAILED, "busy"));
    node.faults().failContainerRemovals("b", RemovalResult.of(RemovalOutcome.FAILED, "busy"));
    try (ContainerGcManager gc = builder().build()) {
      gc.collect();
      node.removeContainer("a");
      node.start("b");
      gc.collect();
    }
    assertThat(listener.events(GcEventType.CONTAINER_REMOVAL_FAILED))
        .filteredOn(event -> event.phase() == Phase.ENDED)
        .extracting(GcEvent::message)
        .containsExactlyInAnyOrder(
            "container a, which could not be removed, is gone",
            "container b, which could not be removed, is RUNNING");
  }

  // The engine

  @Test
  void listFails_nothingIsRemoved_andThePassFailed() {
    deadOnes("a");
    node.faults().failNext(Operation.LIST_CONTAINERS, new UnreachableException("no engine"));
    try (ContainerGcManager gc = builder().build()) {
      ContainerGcReport report = gc.collect();
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.cause()).containsInstanceOf(UnreachableException.class);
      assertThat(report.decisions()).isEmpty();
      assertThat(node.containerRemovalsAsked()).isEmpty();
      assertThat(removed(gc.collect())).containsExactly("a");
    }
    assertThat(listener.events(GcEventType.CONTAINER_GC_FAILED))
        .extracting(GcEvent::phase)
        .containsExactly(Phase.BEGAN, Phase.ENDED);
    assertThat(listener.events(GcEventType.CONTAINER_GC_FINISHED)).hasSize(2);
  }

  @Test
  void planWithoutEngine_throwsTheTypedException() {
    node.stopEngine();
    try (ContainerGcManager gc = builder().build()) {
      assertThatThrownBy(gc::plan).isInstanceOf(UnreachableException.class);
    }
  }

  @Test
  void engineGoesAway_endsThePass_andWhatWasDoneIsKept() {
    deadOnes("a", "b", "c");
    node.faults().afterNext(Operation.REMOVE_CONTAINER, node::stopEngine);
    ContainerGcReport report = collect();
    assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
    assertThat(report.cause()).containsInstanceOf(UnreachableException.class);
    assertThat(removed(report)).containsExactly("a");
    assertThat(decision(report, "b")).isEqualTo(Decision.FAILED);
    assertThat(reason(report, "b")).isEqualTo(ContainerReason.OUTCOME_UNKNOWN);
    assertThat(decision(report, "c")).isEqualTo(Decision.KEPT);
    assertThat(reason(report, "c")).isEqualTo(ContainerReason.NOT_REACHED);
    assertThat(listener.events(GcEventType.CONTAINER_GC_FINISHED)).hasSize(1);
  }

  @Test
  void engineThatHangs_costsOneRemovalAndOneList_andTheRestIsNotReached() {
    deadOnes("a", "b", "c");
    Instant start = node.clock().instant();
    node.faults().hangAlways(Operation.REMOVE_CONTAINER);
    node.faults()
        .beforeNext(
            Operation.LIST_CONTAINERS, () -> node.faults().hangAlways(Operation.LIST_CONTAINERS));
    ContainerGcReport report = collect();
    assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
    assertThat(report.cause().orElseThrow())
        .isInstanceOf(TimedOutException.class)
        .hasMessage("the engine did not list containers within 10.06s");
    assertThat(reason(report, "a")).isEqualTo(ContainerReason.OUTCOME_UNKNOWN);
    assertThat(find(report, "a").detail())
        .isEqualTo("the engine did not remove container a within 3m");
    assertThat(reason(report, "b")).isEqualTo(ContainerReason.NOT_REACHED);
    assertThat(reason(report, "c")).isEqualTo(ContainerReason.NOT_REACHED);
    assertThat(report.duration()).isEqualTo(Duration.ofMinutes(3).plusMillis(10_060));
    assertThat(node.clock().instant()).isEqualTo(start.plus(report.duration()));
  }

  @Test
  void engineThatCannotBeAskedAboutOneContainer_butListsThem_removesTheOthers() {
    deadOnes("a", "b");
    node.faults().failContainerRemovals("a", new UnreachableException("500: broken layer"));
    ContainerGcReport report = collect();
    assertThat(reason(report, "a")).isEqualTo(ContainerReason.OUTCOME_UNKNOWN);
    assertThat(removed(report)).containsExactly("b");
    assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
  }

  @Test
  void containersThatAlwaysHang_waitBehindTheOthersInTheNextPass() {
    deadOnes("a", "b", "c", "d", "e");
    for (String id : List.of("a", "b", "c")) {
      node.faults().failContainerRemovals(id, new TimedOutException("no answer about " + id));
    }
    try (ContainerGcManager gc = builder().build()) {
      assertThat(removed(gc.collect())).isEmpty();
      node.clock().advance(Duration.ofMinutes(1)); // they are tried again
      assertThat(going(gc.plan())).containsExactly("d", "e", "a", "b", "c");
      ContainerGcReport report = gc.collect();
      assertThat(removed(report)).containsExactly("d", "e");
      assertThat(ids(report.failed())).containsExactly("a", "b", "c");
    }
  }

  @Test
  void oneContainerThatHangs_doesNotStopTheOthers() {
    deadOnes("a", "b", "c");
    node.faults().hangNext(Operation.REMOVE_CONTAINER);
    ContainerGcReport report = collect();
    assertThat(reason(report, "a")).isEqualTo(ContainerReason.OUTCOME_UNKNOWN);
    assertThat(removed(report)).containsExactly("b", "c");
    assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
  }

  @Test
  void removalsThatAllHang_endThePassAtTheThird() {
    deadOnes("a", "b", "c", "d", "e");
    node.faults().hangAlways(Operation.REMOVE_CONTAINER);
    try (ContainerGcManager gc = builder().timeBudget(Duration.ofHours(1)).build()) {
      ContainerGcReport report = gc.collect();
      assertThat(ids(report.failed())).containsExactly("a", "b", "c");
      assertThat(reason(report, "d")).isEqualTo(ContainerReason.NOT_REACHED);
      assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
      assertThat(report.duration()).isEqualTo(Duration.ofMinutes(9));
    }
  }

  @Test
  void listThatNamesAContainerTwice_isNotBelieved() {
    deadOnes("a");
    var twice = new ForwardingEngine(node) {
      @Override
      public List<Container> listContainers() {
        var listed = new ArrayList<>(super.listContainers());
        listed.addAll(super.listContainers());
        return listed;
      }
    };
    try (ContainerGcManager gc = builder().runtime(twice).build()) {
      ContainerGcReport report = gc.collect();
      assertThat(report.cause().orElseThrow())
          .isInstanceOf(ProtocolException.class)
          .hasMessage("the engine listed container a twice");
      assertThat(node.containerRemovalsAsked()).isEmpty();
    }
  }

  // Unknown state

  @Test
  void unknownState_isStoppedWithTheGrace_andThenRemoved() {
    dead(node, "a", "pod", "app", 1).state(ContainerState.UNKNOWN).add();
    AtomicReference<Duration> asked = new AtomicReference<>();
    var engine = new ForwardingEngine(node) {
      @Override
      public void stopContainer(Container container, Duration grace) {
        asked.set(grace);
        super.stopContainer(container, grace);
      }
    };
    try (ContainerGcManager gc =
        builder().runtime(engine).stopGrace(Duration.ofSeconds(7)).build()) {
      assertThat(removed(gc.collect())).containsExactly("a");
    }
    assertThat(asked).hasValue(Duration.ofSeconds(7));
    assertThat(node.calls(Operation.STOP_CONTAINER)).isEqualTo(1);
  }

  @Test
  void unknownState_ifItCannotBeStopped_staysWithTheError_andTheOthersAreTried() {
    dead(node, "a", "pod", "app", 1).state(ContainerState.UNKNOWN).add();
    deadOnes("b");
    dead(node, "c", "pod", "app", 2).add();
    node.faults().failNext(Operation.STOP_CONTAINER, new ProtocolException("cannot stop"));
    try (ContainerGcManager gc = builder().build()) {
      ContainerGcReport report = gc.collect();
      assertThat(decision(report, "a")).isEqualTo(Decision.KEPT);
      assertThat(reason(report, "a")).isEqualTo(ContainerReason.STATE_UNKNOWN);
      assertThat(find(report, "a").detail())
          .isEqualTo("it could not be stopped first: cannot stop");
      assertThat(removed(report)).containsExactly("b", "c");
      assertThat(node.containerRemovalsAsked()).containsExactly("b", "c");
      assertThat(report.outcome()).isEqualTo(Outcome.SHORT);
      node.clock().advance(Duration.ofMinutes(1));
      assertThat(removed(gc.collect())).containsExactly("a");
    }
    assertThat(listener.events(GcEventType.CONTAINER_REMOVAL_FAILED))
        .extracting(GcEvent::phase)
        .containsExactly(Phase.BEGAN, Phase.ENDED);
  }

  @Test
  void unknownState_aStopThatHangs_isBounded() {
    dead(node, "a", "pod", "app", 1).state(ContainerState.UNKNOWN).add();
    node.faults().hangNext(Operation.STOP_CONTAINER);
    ContainerGcReport report = collect();
    assertThat(reason(report, "a")).isEqualTo(ContainerReason.STATE_UNKNOWN);
    assertThat(report.duration()).isEqualTo(Duration.ofSeconds(190)); // 10 s and a removal's 3 min
    assertThat(node.containerRemovalsAsked()).isEmpty();
  }

  @Test
  void unknownState_thatTurnsOutToRun_isNotStopped() {
    deadOnes("a");
    dead(node, "b", "pod", "app", 1).state(ContainerState.UNKNOWN).add();
    dead(node, "c", "pod", "app", 2).state(ContainerState.UNKNOWN).add();
    node.faults().afterNext(Operation.REMOVE_CONTAINER, () -> {
      node.exit("b");
      node.start("b");
      node.removeContainer("c");
    });
    ContainerGcReport report = collect();
    assertThat(reason(report, "b")).isEqualTo(ContainerReason.RUNNING);
    assertThat(decision(report, "c")).isEqualTo(Decision.GONE);
    assertThat(node.calls(Operation.STOP_CONTAINER)).isZero();
    assertThat(node.containerIds()).containsExactly("b");
  }

  @Test
  void unknownState_thatTurnsOutToBeNeverStarted_hasItsHour() {
    dead(node, "a", "pod", "app", 1)
        .createdAt(node.clock().instant())
        .state(ContainerState.UNKNOWN)
        .add();
    var engine = new ForwardingEngine(node) {
      private int lists;

      @Override
      public List<Container> listContainers() {
        List<Container> listed = super.listContainers();
        return lists++ == 0 ? listed : listed.stream().map(this::neverStarted).toList();
      }

      private Container neverStarted(Container container) {
        return Container.builder(container.id())
            .state(ContainerState.CREATED)
            .createdAt(container.createdAt().orElseThrow())
            .labels(container.labels())
            .build();
      }
    };
    try (ContainerGcManager gc = builder().runtime(engine).build()) {
      assertThat(reason(gc.collect(), "a")).isEqualTo(ContainerReason.TOO_YOUNG);
    }
    assertThat(node.containerIds()).containsExactly("a");
  }

  @Test
  void knownStates_areNotStopped() {
    deadOnes("a");
    dead(node, "b", "pod", "app", 1).state(ContainerState.DEAD).add();
    dead(node, "c", "pod", "app", 1).state(ContainerState.CREATED).add();
    assertThat(removed(collect())).containsExactlyInAnyOrder("a", "b", "c");
    assertThat(node.calls(Operation.STOP_CONTAINER)).isZero();
  }

  // Close

  @Test
  void closeDuringAPass_endsItBeforeTheNextRemoval_andWaitsForThat() throws Exception {
    deadOnes("a", "b");
    ContainerGcManager gc = builder().build();
    Thread closer = new Thread(gc::close, "closer");
    node.faults().afterNext(Operation.REMOVE_CONTAINER, () -> {
      closer.start();
      while (!isClosed(gc)) {
        Thread.onSpinWait();
      }
    });
    ContainerGcReport report = gc.collect();
    closer.join();
    assertThat(report.outcome()).isEqualTo(Outcome.FAILED);
    assertThat(report.cause().orElseThrow())
        .isInstanceOf(CancelledException.class)
        .hasMessage("the collector was closed during the pass");
    assertThat(removed(report)).containsExactly("a");
    assertThat(reason(report, "b")).isEqualTo(ContainerReason.NOT_REACHED);
    assertThat(node.containerRemovalsAsked()).containsExactly("a");
  }

  private static boolean isClosed(ContainerGcManager gc) {
    try {
      gc.start();
      return false;
    } catch (IllegalStateException e) {
      return e.getMessage().contains("closed");
    }
  }

  @Test
  void afterClose_callsThrow_andClosingAgainDoesNothing() {
    ContainerGcManager gc = builder().build();
    gc.close();
    gc.close();
    assertThatThrownBy(gc::collect)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this ContainerGcManager is closed");
    assertThatThrownBy(gc::collectForSpace).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(gc::plan).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(gc::start).isInstanceOf(IllegalStateException.class);
  }
}
