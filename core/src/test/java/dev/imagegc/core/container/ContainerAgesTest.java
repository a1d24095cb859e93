/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import static dev.imagegc.core.container.Containers.collector;
import static dev.imagegc.core.container.Containers.dead;
import static dev.imagegc.core.container.Containers.find;
import static dev.imagegc.core.container.Containers.going;
import static dev.imagegc.core.container.Containers.policy;
import static dev.imagegc.core.container.Containers.reason;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerState;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ages of containers, and wall clocks that are set. minAge is an hour, and no dead container is kept. */
@Timeout(60)
class ContainerAgesTest {
  private final FakeNode node = FakeNode.withDisk(1000);

  private ContainerGcManager build() {
    return collector(node, policy(60, 0, -1)).build();
  }

  private void deadAndCreated(String id, Duration ago) {
    dead(node, id, "pod", "app", 0).createdAt(node.clock().instant().minus(ago)).add();
  }

  @Test
  void firstSeen_theWallClockTellsTheAge() {
    deadAndCreated("c", Duration.ofHours(1));
    try (ContainerGcManager gc = build()) {
      assertThat(going(gc.plan())).containsExactly("c");
    }
  }

  @Test
  void wallClockSetForward_makesNoContainerOlder() {
    deadAndCreated("c", Duration.ZERO);
    try (ContainerGcManager gc = build()) {
      gc.plan();
      node.clock().jumpWall(Duration.ofDays(365));
      ContainerGcReport report = gc.plan();
      assertThat(reason(report, "c")).isEqualTo(ContainerReason.TOO_YOUNG);
      node.clock().advance(Duration.ofMinutes(59));
      assertThat(going(gc.plan())).isEmpty();
      node.clock().advance(Duration.ofMinutes(1));
      assertThat(going(gc.plan())).containsExactly("c");
    }
  }

  @Test
  void wallClockSetBack_makesNoContainerYounger() {
    deadAndCreated("c", Duration.ofMinutes(30));
    try (ContainerGcManager gc = build()) {
      gc.plan();
      node.clock().jumpWall(Duration.ofDays(-365));
      node.clock().advance(Duration.ofMinutes(29));
      assertThat(going(gc.plan())).isEmpty();
      node.clock().advance(Duration.ofMinutes(1));
      assertThat(going(gc.plan())).containsExactly("c");
    }
  }

  @Test
  void createdInTheFuture_isOfAgeZero_andAgesFromThere() {
    deadAndCreated("c", Duration.ofDays(-1));
    try (ContainerGcManager gc = build()) {
      assertThat(find(gc.plan(), "c").detail()).isEqualTo("created 0s ago, minAge is 1h");
      node.clock().advance(Duration.ofHours(1));
      assertThat(going(gc.plan())).containsExactly("c");
    }
  }

  @Test
  void wallClockSetForward_beforeANewContainerIsFirstSeen_makesItNoOlderThanTheListBefore() {
    try (ContainerGcManager gc = build()) {
      gc.plan(); // it is not there yet
      node.clock().advance(Duration.ofMinutes(1));
      deadAndCreated("c", Duration.ZERO);
      node.clock().jumpWall(Duration.ofDays(365));
      assertThat(find(gc.plan(), "c").detail()).isEqualTo("created 1m ago, minAge is 1h");
    }
  }

  @Test
  void createdWhileContainersWereListed_isAsOldAsItIs() {
    node.faults().afterNext(Operation.LIST_CONTAINERS, () -> {
      deadAndCreated("c", Duration.ZERO); // too late for this list
      node.clock().advance(Duration.ofMinutes(1));
    });
    try (ContainerGcManager gc = build()) {
      assertThat(gc.plan().decisions()).isEmpty();
      assertThat(find(gc.plan(), "c").detail()).isEqualTo("created 1m ago, minAge is 1h");
    }
  }

  @Test
  void containerThatComesBack_isNoOlderThanTheListThatMissedIt() {
    Instant created = node.clock().instant();
    deadAndCreated("c", Duration.ZERO);
    try (ContainerGcManager gc = build()) {
      gc.plan();
      node.removeContainer("c");
      node.clock().advance(Duration.ofHours(3));
      gc.plan();
      node.clock().advance(Duration.ofMinutes(1));
      dead(node, "c", "pod", "app", 0).createdAt(created).add();
      assertThat(find(gc.plan(), "c").detail()).isEqualTo("created 1m ago, minAge is 1h");
    }
  }

  @Test
  void idThatIsUsedAgain_isAnotherContainer() {
    deadAndCreated("c", Duration.ofHours(2));
    try (ContainerGcManager gc = build()) {
      assertThat(going(gc.plan())).containsExactly("c");
      node.removeContainer("c");
      deadAndCreated("c", Duration.ZERO);
      assertThat(reason(gc.plan(), "c")).isEqualTo(ContainerReason.TOO_YOUNG);
    }
  }

  @Test
  void neverStarted_goesAnHourAfterMinAge_andNotANanosecondBefore() {
    dead(node, "c", "pod", "app", 0)
        .state(ContainerState.CREATED)
        .createdAt(node.clock().instant())
        .add();
    try (ContainerGcManager gc = build()) {
      gc.plan();
      node.clock().advance(Duration.ofHours(2).minusNanos(1));
      ContainerGcReport report = gc.plan();
      assertThat(reason(report, "c")).isEqualTo(ContainerReason.TOO_YOUNG);
      assertThat(find(report, "c").detail())
          .isEqualTo(
              "created 1h59m59s ago and never started; it goes 1h after minAge, which is 1h");
      node.clock().advance(Duration.ofNanos(1));
      assertThat(going(gc.plan())).containsExactly("c");
    }
  }
}
