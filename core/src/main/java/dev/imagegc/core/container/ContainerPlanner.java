/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerUnit;
import dev.imagegc.api.Decision;
import dev.imagegc.api.WorkloadView;
import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Says of every container of a node whether it goes, and why. It touches nothing; equal inputs give an equal plan. */
final class ContainerPlanner {
  /** Engines make a container and start it in two steps, and the second may have to wait for others. */
  static final Duration UNTIL_STARTED = Duration.ofHours(1);

  private final ContainerGcPolicy policy;
  private final WorkloadView workloads;
  private final boolean forSpace;
  private final Function<Container, Optional<String>> leases;

  /**
   * Creates it.
   *
   * @param forSpace whether containers of terminated workloads go like those of deleted ones
   * @param leases says why a container that was never started stays for its image's sake, if it does
   */
  ContainerPlanner(
      ContainerGcPolicy policy,
      WorkloadView workloads,
      boolean forSpace,
      Function<Container, Optional<String>> leases) {
    this.policy = policy;
    this.workloads = workloads;
    this.forSpace = forSpace;
    this.leases = leases;
  }

  /** Returns a decision on each: first those that go, in the order in which they go, then the others. */
  List<ContainerDecision> plan(Collection<Member> node) {
    List<Member> all = node.stream().sorted(Member.OLDEST_FIRST).toList();
    List<Member> containers = all.stream().filter(member -> !member.isSandbox()).toList();
    Map<String, ContainerDecision> decided = new HashMap<>();
    Map<ContainerUnit, List<Member>> units = new LinkedHashMap<>(); // the oldest first in each
    for (Member member : containers) {
      Optional<ContainerDecision> decision = withoutLimits(member);
      if (decision.isPresent()) {
        decided.put(member.id(), decision.get());
      } else {
        units
            .computeIfAbsent(member.unit().orElseThrow(), unit -> new ArrayList<>())
            .add(member);
      }
    }
    applyLimits(units, decided);
    List<ContainerDecision> decisions = new ArrayList<>();
    add(decisions, containers, decided, true);
    decided.putAll(sandboxes(all, idsOf(decisions)));
    List<Member> sandboxes = all.stream().filter(Member::isSandbox).toList();
    add(decisions, sandboxes, decided, true);
    add(decisions, all, decided, false);
    return decisions;
  }

  private static void add(
      List<ContainerDecision> decisions,
      List<Member> members,
      Map<String, ContainerDecision> decided,
      boolean going) {
    for (Member member : members) {
      ContainerDecision decision = decided.get(member.id());
      if (decision == null) {
        throw new IllegalStateException("no decision on container " + member.id());
      }
      if (decision.decision().equals(Decision.PLANNED) == going) {
        decisions.add(decision);
      }
    }
  }

  private static Set<String> idsOf(List<ContainerDecision> decisions) {
    Set<String> ids = new HashSet<>();
    decisions.forEach(decision -> ids.add(decision.container().id()));
    return ids;
  }

  // Containers

  /** Decides on a container to which the limits do not apply; empty if they do. */
  private Optional<ContainerDecision> withoutLimits(Member member) {
    Container container = member.container();
    if (!Member.isRemovable(container)) {
      return Optional.of(
          member.stays(ContainerReason.RUNNING, "its state is " + container.state()));
    }
    if (member.unit().isEmpty()) {
      if (!member.trouble().isEmpty()) {
        return Optional.of(member.stays(ContainerReason.NOT_OWNED, member.trouble()));
      }
      if (!policy.collectsUnowned()) {
        return Optional.of(member.stays(ContainerReason.NOT_OWNED, "it belongs to no unit"));
      }
      if (Member.isOfUnknownState(container)) {
        return Optional.of(member.stays(
            ContainerReason.STATE_UNKNOWN, "it belongs to no unit, so it is not stopped"));
      }
    }
    Optional<ContainerDecision> young = tooYoung(member);
    if (young.isPresent()) {
      return young;
    }
    if (Member.isNeverStarted(container)) {
      Optional<String> leased = leases.apply(container);
      if (leased.isPresent()) {
        return Optional.of(member.stays(ContainerReason.LEASED, leased.get()));
      }
    }
    if (member.unit().isEmpty()) {
      return Optional.of(member.goes(ContainerReason.UNOWNED, "it belongs to no unit"));
    }
    return ofGoneWorkload(member, member.unit().get().workload());
  }

  private Optional<ContainerDecision> tooYoung(Member member) {
    if (member.age().isEmpty()) {
      return Optional.of(
          member.stays(ContainerReason.AGE_UNKNOWN, "the engine does not say when it was created"));
    }
    Duration age = member.age().get();
    Duration minAge = policy.minAge();
    boolean neverStarted = Member.isNeverStarted(member.container());
    Duration needed = neverStarted ? minAge.plus(UNTIL_STARTED) : minAge;
    if (age.compareTo(needed) >= 0) {
      return Optional.empty();
    }
    String rule = neverStarted
        ? "and never started; it goes " + Durations.text(UNTIL_STARTED) + " after minAge, which is "
        : "minAge is ";
    return Optional.of(member.stays(
        ContainerReason.TOO_YOUNG,
        "created " + text(age) + " ago" + (neverStarted ? " " : ", ") + rule
            + Durations.text(minAge)));
  }

  private Optional<ContainerDecision> ofGoneWorkload(Member member, String workload) {
    if (workloads.isDeleted(workload)) {
      return Optional.of(member.goes(
          ContainerReason.WORKLOAD_DELETED,
          "its workload " + workload + " does not exist any more"));
    }
    if (forSpace && workloads.isTerminated(workload)) {
      return Optional.of(member.goes(
          ContainerReason.WORKLOAD_TERMINATED,
          "space is needed, and its workload " + workload + " has terminated"));
    }
    return Optional.empty();
  }

  /** Decides on the dead containers of workloads that may need them: the newest stay. */
  private void applyLimits(
      Map<ContainerUnit, List<Member>> units, Map<String, ContainerDecision> decided) {
    int perUnit = policy.maxPerUnit();
    if (perUnit >= 0) {
      keepNewest(
          units,
          perUnit,
          decided,
          ContainerReason.OVER_UNIT_LIMIT,
          unit -> "maxPerUnit is " + perUnit + " and its unit " + unit + " has newer ones");
    }
    int max = policy.maxContainers();
    int total = count(units);
    if (max >= 0 && total > max) {
      String rule = "the node has " + total + " dead containers, maxContainers is " + max;
      int share = Math.max(1, max / units.size());
      keepNewest(
          units,
          share,
          decided,
          ContainerReason.OVER_TOTAL_LIMIT,
          unit -> rule + ", so each unit keeps " + share);
      List<Member> left = units.values().stream()
          .flatMap(List::stream)
          .sorted(Member.OLDEST_FIRST)
          .toList();
      for (Member oldest : left.subList(0, Math.max(0, left.size() - max))) {
        decided.put(oldest.id(), oldest.goes(ContainerReason.OVER_TOTAL_LIMIT, rule));
      }
    }
    units.forEach((unit, members) -> members.forEach(member -> decided.putIfAbsent(
        member.id(),
        member.stays(
            ContainerReason.KEPT_NEWEST, "among the newest dead ones of its unit " + unit))));
  }

  private static int count(Map<ContainerUnit, List<Member>> units) {
    return units.values().stream().mapToInt(List::size).sum();
  }

  private static void keepNewest(
      Map<ContainerUnit, List<Member>> units,
      int newest,
      Map<String, ContainerDecision> decided,
      ContainerReason reason,
      Function<ContainerUnit, String> why) {
    units.forEach((unit, members) -> {
      List<Member> over = members.subList(0, Math.max(0, members.size() - newest));
      over.forEach(member -> decided.put(member.id(), member.goes(reason, why.apply(unit))));
      over.clear();
    });
  }

  // Sandboxes

  /** Decides on all sandboxes, given the containers that go before them. */
  private Map<String, ContainerDecision> sandboxes(List<Member> all, Set<String> going) {
    Map<String, List<Member>> byWorkload = new LinkedHashMap<>(); // the oldest first in each
    for (Member sandbox : all) {
      if (sandbox.isSandbox()) {
        byWorkload
            .computeIfAbsent(sandbox.unit().orElseThrow().workload(), key -> new ArrayList<>())
            .add(sandbox);
      }
    }
    Inhabitants inhabitants = Inhabitants.of(
        all.stream().filter(member -> !going.contains(member.id())).toList());
    Map<String, ContainerDecision> decided = new HashMap<>();
    byWorkload.forEach((workload, sandboxes) -> {
      String newest = sandboxes.stream()
          .filter(sandbox -> sandbox.age().isPresent())
          .reduce((older, newer) -> newer)
          .map(Member::id)
          .orElse("");
      for (Member sandbox : sandboxes) {
        Optional<String> use = inhabitants.use(sandbox);
        decided.put(
            sandbox.id(),
            use.isPresent()
                ? sandbox.stays(ContainerReason.SANDBOX_IN_USE, use.get())
                : unused(sandbox, workload, sandbox.id().equals(newest)));
      }
    });
    return decided;
  }

  /** Decides on a sandbox that nothing is in. */
  private ContainerDecision unused(Member sandbox, String workload, boolean isNewest) {
    if (workloads.isDeleted(workload)) {
      return sandbox.goes(
          ContainerReason.SANDBOX_UNUSED,
          "nothing is in it, and its workload " + workload + " does not exist any more");
    }
    if (forSpace && workloads.isTerminated(workload)) {
      return sandbox.goes(
          ContainerReason.SANDBOX_UNUSED,
          "nothing is in it, and its workload " + workload + " has terminated");
    }
    if (sandbox.age().isEmpty()) {
      return sandbox.stays(
          ContainerReason.AGE_UNKNOWN, "the engine does not say when it was created");
    }
    if (isNewest) {
      return sandbox.stays(
          ContainerReason.SANDBOX_IN_USE, "it is the newest of its workload " + workload);
    }
    return sandbox.goes(
        ContainerReason.SANDBOX_UNUSED,
        "nothing is in it, and its workload " + workload + " has a newer one");
  }

  /**
   * Who is in which sandbox, as of one list of a node.
   *
   * @param bySandbox one container for each sandbox that has any
   * @param someUnknown whether it is not known of some container which sandbox it is in
   */
  record Inhabitants(Map<String, Member> bySandbox, boolean someUnknown) {
    static Inhabitants of(Collection<Member> members) {
      Map<String, Member> bySandbox = new HashMap<>();
      boolean someUnknown = false;
      for (Member member : members) {
        someUnknown |= !member.trouble().isEmpty();
        member
            .unit()
            .flatMap(ContainerUnit::sandboxId)
            .filter(sandbox -> !sandbox.equals(member.id()))
            .ifPresent(sandbox -> bySandbox.putIfAbsent(sandbox, member));
      }
      return new Inhabitants(bySandbox, someUnknown);
    }

    /** Returns why a sandbox must stay: it runs, or something is or may be in it. */
    Optional<String> use(Member sandbox) {
      if (!Member.isRemovable(sandbox.container())) {
        return Optional.of("its state is " + sandbox.container().state());
      }
      Member inhabitant = bySandbox.get(sandbox.id());
      if (inhabitant != null) {
        return Optional.of("container " + Member.name(inhabitant.container()) + " is in it");
      }
      return someUnknown
          ? Optional.of("it is not known of every container which sandbox it is in")
          : Optional.empty();
    }
  }

  private static String text(Duration age) {
    return Durations.text(
        age.compareTo(Duration.ofSeconds(1)) < 0 ? age : Duration.ofSeconds(age.toSeconds()));
  }
}
