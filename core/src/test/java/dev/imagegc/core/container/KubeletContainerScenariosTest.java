/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import static dev.imagegc.core.container.Containers.collector;
import static dev.imagegc.core.container.Containers.dead;
import static dev.imagegc.core.container.Containers.policy;
import static dev.imagegc.core.container.Containers.reason;
import static dev.imagegc.core.container.Containers.removed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.WorkloadView;
import dev.imagegc.testkit.FakeNode;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The kubelet's worked scenarios, with its numbers: pod foo, container bar, created in second N of 1970. */
@Timeout(60)
class KubeletContainerScenariosTest {
  private final FakeNode node = FakeNode.withDisk(1000);

  private ContainerGcReport collect(ContainerGcPolicy.Builder policy) {
    try (ContainerGcManager gc =
        collector(node, policy).workloads(() -> WorkloadView.of(Set.of("foo"))).build()) {
      return gc.collect();
    }
  }

  private void bar(int index, int second) {
    dead(node, String.valueOf(index), "foo", "bar", second).add();
  }

  @Test
  void c1_oneContainer_maxContainersZero_noneIsLeft() {
    bar(0, 0);
    ContainerGcReport report = collect(policy(1, 1, 0));
    assertThat(node.containerIds()).isEmpty();
    assertThat(removed(report)).containsExactly("0");
    assertThat(reason(report, "0")).isEqualTo(ContainerReason.OVER_TOTAL_LIMIT);
    assertThat(report.outcome()).isEqualTo(Outcome.DONE);
  }

  @Test
  void c2_fiveContainers_noLimitPerUnit_maxContainersFour_theOldestGoes() {
    for (int index = 0; index < 5; index++) {
      bar(index, 4 - index);
    }
    ContainerGcReport report = collect(policy(1, -1, 4));
    assertThat(node.containerIds()).containsExactly("0", "1", "2", "3");
    assertThat(removed(report)).containsExactly("4");
    assertThat(reason(report, "4")).isEqualTo(ContainerReason.OVER_TOTAL_LIMIT);
    assertThat(reason(report, "3")).isEqualTo(ContainerReason.KEPT_NEWEST);
    assertThat(report.outcome()).isEqualTo(Outcome.DONE);
  }

  @Test
  void c3_noLimits_allAreLeft() {
    bar(0, 2);
    bar(1, 1);
    bar(2, 0);
    ContainerGcReport report = collect(policy(1, -1, -1));
    assertThat(node.containerIds()).containsExactly("0", "1", "2");
    assertThat(node.containerRemovalsAsked()).isEmpty();
    assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
  }

  @Test
  void c4_createdNow_allAreTooYoung() {
    for (int index = 0; index < 3; index++) {
      dead(node, String.valueOf(index), "foo", "bar", 0)
          .createdAt(node.clock().instant())
          .add();
    }
    ContainerGcReport report = collect(policy(60, 2, 6));
    assertThat(node.containerIds()).containsExactly("0", "1", "2");
    assertThat(reason(report, "0")).isEqualTo(ContainerReason.TOO_YOUNG);
    assertThat(reason(report, "1")).isEqualTo(ContainerReason.TOO_YOUNG);
    assertThat(reason(report, "2")).isEqualTo(ContainerReason.TOO_YOUNG);
    assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
  }

  @Test
  void c5_threeContainers_twoPerUnit_theTwoNewestAreLeft() {
    bar(0, 2);
    bar(1, 1);
    bar(2, 0);
    ContainerGcReport report = collect(policy(60, 2, 6));
    assertThat(node.containerIds()).containsExactly("0", "1");
    assertThat(removed(report)).containsExactly("2");
    assertThat(reason(report, "2")).isEqualTo(ContainerReason.OVER_UNIT_LIMIT);
    assertThat(reason(report, "0")).isEqualTo(ContainerReason.KEPT_NEWEST);
    assertThat(reason(report, "1")).isEqualTo(ContainerReason.KEPT_NEWEST);
  }

  @Test
  void c6_theOldestRuns_itDoesNotCount_allAreLeft() {
    bar(0, 2);
    bar(1, 1);
    dead(node, "2", "foo", "bar", 0).state(ContainerState.RUNNING).add();
    ContainerGcReport report = collect(policy(60, 2, 6));
    assertThat(node.containerIds()).containsExactly("0", "1", "2");
    assertThat(reason(report, "0")).isEqualTo(ContainerReason.KEPT_NEWEST);
    assertThat(reason(report, "1")).isEqualTo(ContainerReason.KEPT_NEWEST);
    assertThat(reason(report, "2")).isEqualTo(ContainerReason.RUNNING);
    assertThat(report.outcome()).isEqualTo(Outcome.NOT_NEEDED);
  }
}
