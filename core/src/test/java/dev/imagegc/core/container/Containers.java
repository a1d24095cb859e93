/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.Decision;
import dev.imagegc.testkit.ContainerSpec;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** What tests of container collection have in common. */
final class Containers {
  private Containers() {}

  static ContainerGcManager.Builder collector(FakeNode node) {
    return ContainerGcManager.builder()
        .runtime(node.runtime())
        .clock(node.clock())
        .units(ContainerUnits.firstOf(ContainerUnits.kubernetes(), ContainerUnits.compose()));
  }

  static ContainerGcManager.Builder collector(FakeNode node, ContainerGcPolicy.Builder policy) {
    return collector(node).policy(policy.build());
  }

  /** A policy with the three numbers of the kubelet. */
  static ContainerGcPolicy.Builder policy(int minutes, int perUnit, int total) {
    return ContainerGcPolicy.builder()
        .minAge(Duration.ofMinutes(minutes))
        .maxPerUnit(perUnit)
        .maxContainers(total);
  }

  /** A container of a pod that ended, and was created so many seconds after some moment in 1970. */
  static ContainerSpec dead(FakeNode node, String id, String pod, String name, int second) {
    return node.container(id)
        .label("io.kubernetes.pod.uid", pod)
        .label("io.kubernetes.container.name", name)
        .state(ContainerState.EXITED)
        .createdAt(Instant.ofEpochSecond(second));
  }

  static ContainerSpec sandbox(FakeNode node, String id, String pod, int second) {
    return dead(node, id, pod, "POD", second).label("io.kubernetes.docker.type", "podsandbox");
  }

  static List<String> going(ContainerGcReport report) {
    return ids(report.decisions().stream()
        .filter(container -> container.decision().equals(Decision.PLANNED))
        .toList());
  }

  static List<String> removed(ContainerGcReport report) {
    return ids(report.removed());
  }

  static List<String> ids(List<ContainerDecision> containers) {
    return containers.stream().map(container -> container.container().id()).toList();
  }

  static ContainerDecision find(ContainerGcReport report, String id) {
    return report.decisions().stream()
        .filter(container -> container.container().id().equals(id))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no container " + id + " in " + report.decisions()));
  }

  static ContainerReason reason(ContainerGcReport report, String id) {
    return find(report, id).reason();
  }

  static Decision decision(ContainerGcReport report, String id) {
    return find(report, id).decision();
  }
}
