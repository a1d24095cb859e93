/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import static dev.imagegc.core.container.Containers.collector;
import static dev.imagegc.core.container.Containers.going;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.ContainerUnit;
import dev.imagegc.api.WorkloadView;
import dev.imagegc.testkit.ContainerSpec;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Passes on nodes of every kind, against a small model of the rules that is written another way. */
class ContainerGcPropertyTest {
  private static final Set<ContainerState> LIVE = Set.of(
      ContainerState.RUNNING,
      ContainerState.PAUSED,
      ContainerState.RESTARTING,
      ContainerState.REMOVING,
      ContainerState.of("OTHER"));
  private static final List<ContainerState> STATES = List.of(
      ContainerState.EXITED,
      ContainerState.EXITED,
      ContainerState.EXITED,
      ContainerState.DEAD,
      ContainerState.CREATED,
      ContainerState.UNKNOWN,
      ContainerState.RUNNING,
      ContainerState.PAUSED,
      ContainerState.RESTARTING,
      ContainerState.REMOVING,
      ContainerState.of("OTHER"));
  private static final Comparator<Container> OLDEST_FIRST = Comparator.comparing(
          (Container container) -> container.createdAt().orElseThrow())
      .thenComparing(Container::id);

  /** A node, and what its host wants. */
  private static final class Scene {
    private final FakeNode node = FakeNode.withDisk(1000);
    private final Random random;
    private final ContainerGcPolicy policy;
    private final WorkloadView view;
    private final boolean forSpace;
    private final List<Container> before;

    Scene(long seed) {
      random = new Random(seed);
      policy = ContainerGcPolicy.builder()
          .minAge(Duration.ofMinutes(30L * random.nextInt(3)))
          .maxPerUnit(random.nextInt(5) - 1)
          .maxContainers(random.nextBoolean() ? -1 : random.nextInt(8))
          .collectsUnowned(random.nextInt(3) == 0)
          .build();
      forSpace = random.nextBoolean();
      view = random.nextInt(4) == 0
          ? WorkloadView.incomplete("some are missing").withTerminated(pods())
          : WorkloadView.of(pods()).withTerminated(pods());
      int containers = random.nextInt(25);
      for (int i = 0; i < containers; i++) {
        add("c" + i);
      }
      before = node.runtime().listContainers();
      node.faults().shuffleListings(seed);
    }

    private Set<String> pods() {
      Set<String> pods = new HashSet<>();
      for (int pod = 0; pod < 4; pod++) {
        if (random.nextInt(3) > 0) {
          pods.add("pod-" + pod);
        }
      }
      return pods;
    }

    private void add(String id) {
      long minutes = 10L * (random.nextInt(24) - 1); // ties, and one in the future
      ContainerSpec spec = node.container(id)
          .state(STATES.get(random.nextInt(STATES.size())))
          .createdAt(node.clock().instant().minus(Duration.ofMinutes(minutes)));
      if (random.nextInt(15) == 0) {
        spec.withoutTimes();
      }
      String pod = "pod-" + random.nextInt(4);
      if (random.nextInt(6) == 0) {
        spec.label("io.kubernetes.pod.uid", pod).label("io.kubernetes.container.name", "POD");
      } else if (random.nextInt(8) > 0) {
        spec.label("io.kubernetes.pod.uid", pod)
            .label("io.kubernetes.container.name", "app-" + random.nextInt(2))
            .label("io.kubernetes.sandbox.id", "c" + random.nextInt(25));
      }
      spec.add();
    }

    ContainerGcManager build() {
      return collector(node).policy(policy).workloads(() -> view).build();
    }

    boolean isGone(String workload) {
      return view.isDeleted(workload) || (forSpace && view.isTerminated(workload));
    }

    boolean mayGo(Container container) {
      if (LIVE.contains(container.state()) || container.createdAt().isEmpty()) {
        return false;
      }
      Duration age = Duration.between(container.createdAt().get(), node.clock().instant());
      Duration extra =
          container.state().equals(ContainerState.CREATED) ? Duration.ofHours(1) : Duration.ZERO;
      return (age.isNegative() ? Duration.ZERO : age).compareTo(policy.minAge().plus(extra)) >= 0;
    }
  }

  private static ContainerUnit unit(Container container) {
    return ContainerUnits.kubernetes().apply(container).orElse(null);
  }

  private static boolean isWorker(Container container) {
    ContainerUnit unit = unit(container);
    return unit == null || !unit.isSandbox();
  }

  /** The containers, sandboxes not counted, that are left by the rules. */
  private static Set<String> expectedLeft(Scene scene) {
    Set<String> left = new TreeSet<>();
    Map<ContainerUnit, List<Container>> units = new HashMap<>();
    for (Container container : scene.before) {
      ContainerUnit unit = unit(container);
      if (unit != null && unit.isSandbox()) {
        continue;
      }
      if (unit == null) {
        boolean known = !container.state().equals(ContainerState.UNKNOWN);
        if (!(scene.policy.collectsUnowned() && known && scene.mayGo(container))) {
          left.add(container.id());
        }
      } else if (!scene.mayGo(container)) {
        left.add(container.id());
      } else if (!scene.isGone(unit.workload())) {
        units.computeIfAbsent(unit, key -> new ArrayList<>()).add(container);
      }
    }
    int perUnit = scene.policy.maxPerUnit();
    units.values().forEach(members -> dropOldestDownTo(members, perUnit));
    int max = scene.policy.maxContainers();
    int total = units.values().stream().mapToInt(List::size).sum();
    List<Container> all = new ArrayList<>();
    if (max >= 0 && total > max) {
      units.values().forEach(members -> dropOldestDownTo(members, Math.max(1, max / units.size())));
    }
    units.values().forEach(all::addAll);
    dropOldestDownTo(all, max);
    all.forEach(container -> left.add(container.id()));
    return left;
  }

  private static void dropOldestDownTo(List<Container> containers, int most) {
    while (most >= 0 && containers.size() > most) {
      containers.remove(containers.stream().min(OLDEST_FIRST).orElseThrow());
    }
  }

  private static Set<String> workers(List<Container> containers) {
    return containers.stream()
        .filter(ContainerGcPropertyTest::isWorker)
        .map(Container::id)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Property(tries = 1000)
  void whatIsLeft_isWhatTheModelLeaves(@ForAll long seed) {
    Scene scene = new Scene(seed);
    try (ContainerGcManager gc = scene.build()) {
      ContainerGcReport report = scene.forSpace ? gc.collectForSpace() : gc.collect();
      assertThat(report.failed()).isEmpty();
      assertThat(report.decisions()).hasSameSizeAs(scene.before);
      assertThat(workers(scene.node.runtime().listContainers())).isEqualTo(expectedLeft(scene));
    }
  }

  @Property(tries = 1000)
  void nothingLiveYoungOrForeign_isEverAskedToGo_andTheNewestOfAUnitStay(@ForAll long seed) {
    Scene scene = new Scene(seed);
    try (ContainerGcManager gc = scene.build()) {
      ContainerGcReport report = scene.forSpace ? gc.collectForSpace() : gc.collect();
      Set<String> asked = new HashSet<>(scene.node.containerRemovalsAsked());
      for (Container container : scene.before) {
        boolean isForeign = unit(container) == null && !scene.policy.collectsUnowned();
        if (LIVE.contains(container.state())
            || isForeign
            || (isWorker(container) && !scene.mayGo(container))) {
          assertThat(asked).doesNotContain(container.id());
        }
      }
      Map<ContainerUnit, List<Container>> units = scene.before.stream()
          .filter(container -> unit(container) != null && isWorker(container))
          .filter(scene::mayGo)
          .collect(Collectors.groupingBy(container -> Objects.requireNonNull(unit(container))));
      int keptInAll = 0;
      for (Map.Entry<ContainerUnit, List<Container>> unit : units.entrySet()) {
        List<Container> members = unit.getValue();
        members.sort(OLDEST_FIRST);
        List<Container> kept =
            members.stream().filter(member -> !asked.contains(member.id())).toList();
        assertThat(kept).isEqualTo(members.subList(members.size() - kept.size(), members.size()));
        keptInAll += kept.size();
        if (scene.isGone(unit.getKey().workload())) {
          assertThat(kept).isEmpty();
        } else if (scene.policy.maxContainers() < 0) {
          int most = scene.policy.maxPerUnit();
          assertThat(kept).hasSize(most < 0 ? members.size() : Math.min(most, members.size()));
        }
      }
      if (scene.policy.maxContainers() >= 0) {
        assertThat(keptInAll).isLessThanOrEqualTo(scene.policy.maxContainers());
      }
      assertThat(report.problems()).hasSize(scene.view.isComplete() ? 0 : 1);
    }
  }

  @Property(tries = 1000)
  void sandboxes_goLast_areUnused_andTheNewestOfALivingWorkloadStays(@ForAll long seed) {
    Scene scene = new Scene(seed);
    try (ContainerGcManager gc = scene.build()) {
      if (scene.forSpace) {
        gc.collectForSpace();
      } else {
        gc.collect();
      }
    }
    List<Container> left = scene.node.runtime().listContainers();
    Set<String> inhabited = left.stream()
        .flatMap(container -> ContainerUnits.kubernetes().apply(container).stream())
        .flatMap(unit -> unit.sandboxId().stream())
        .collect(Collectors.toSet());
    Set<String> leftIds = left.stream().map(Container::id).collect(Collectors.toSet());
    boolean sandboxesBegan = false;
    Map<String, Container> byId =
        scene.before.stream().collect(Collectors.toMap(Container::id, container -> container));
    Instant last = Instant.MIN;
    for (String id : scene.node.containerRemovalsAsked()) {
      Container asked = Objects.requireNonNull(byId.get(id));
      boolean sandbox = !isWorker(asked);
      if (sandbox && !sandboxesBegan) {
        last = Instant.MIN;
      }
      assertThat(sandbox || !sandboxesBegan).as("containers before sandboxes").isTrue();
      sandboxesBegan |= sandbox;
      Instant created = asked.createdAt().orElse(Instant.MAX);
      assertThat(created).as("the oldest first").isAfterOrEqualTo(last);
      last = created;
    }
    Map<String, List<Container>> sandboxes = scene.before.stream()
        .filter(container -> !isWorker(container))
        .collect(Collectors.groupingBy(
            container -> Objects.requireNonNull(unit(container)).workload()));
    sandboxes.forEach((workload, members) -> {
      List<Container> dated =
          members.stream().filter(member -> member.createdAt().isPresent()).toList();
      Container newest = dated.stream().max(OLDEST_FIRST).orElse(null);
      for (Container member : members) {
        boolean used = LIVE.contains(member.state()) || inhabited.contains(member.id());
        boolean stays = used
            || (!scene.isGone(workload) && (member.createdAt().isEmpty() || member.equals(newest)));
        assertThat(leftIds.contains(member.id())).as(member + " stays").isEqualTo(stays);
      }
    });
  }

  @Property(tries = 300)
  void plan_isWhatThePassDoes_inThatOrder(@ForAll long seed) {
    Scene scene = new Scene(seed);
    try (ContainerGcManager gc = scene.build()) {
      List<String> plan = going(gc.plan());
      assertThat(going(gc.plan())).isEqualTo(plan);
      gc.collect();
      assertThat(scene.node.containerRemovalsAsked()).isEqualTo(plan);
      assertThat(going(gc.plan())).isEmpty();
    }
  }
}
