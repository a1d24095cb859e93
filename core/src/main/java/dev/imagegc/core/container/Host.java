/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerUnit;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.PolicyException;
import dev.imagegc.api.WorkloadView;
import dev.imagegc.api.Workloads;
import dev.imagegc.core.internal.BoundedCalls;
import dev.imagegc.core.internal.Events;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The host's functions, each with a deadline of its own. One that throws, hangs or answers null leads to what keeps containers: no
 * complete view, no unit, a lease.
 */
final class Host {
  /** The word of a host that tells no workloads, which is no trouble. */
  static final Workloads SILENT = Workloads.unknown();

  private final Workloads workloads;
  private final Function<Container, Optional<ContainerUnit>> units;
  private final Optional<Predicate<ImageId>> leases;
  private final Duration deadline;
  private final Events events;
  private final BoundedCalls workloadCalls;
  private final BoundedCalls unitCalls;
  private final BoundedCalls leaseCalls;

  Host(
      Workloads workloads,
      Function<Container, Optional<ContainerUnit>> units,
      Optional<Predicate<ImageId>> leases,
      Duration deadline,
      GcClock clock,
      Events events) {
    this.workloads = workloads;
    this.units = units;
    this.leases = leases;
    this.deadline = deadline;
    this.events = events;
    this.workloadCalls = new BoundedCalls("the host", clock, PolicyException::new);
    this.unitCalls = new BoundedCalls("the host", clock, PolicyException::new);
    this.leaseCalls = new BoundedCalls("the host", clock, PolicyException::new);
  }

  WorkloadView workloads() {
    if (workloads == SILENT) {
      return workloads.view();
    }
    try {
      WorkloadView view = ask(workloadCalls, "tell its workloads", workloads::view);
      if (!view.isComplete()) {
        events.note(ofDeletedStay(view.incompleteBecause()));
      }
      return view;
    } catch (PolicyException e) {
      events.problem("workloads:" + kind(e), ofDeletedStay(e.getMessage()));
      return WorkloadView.incomplete("the host failed to tell its workloads: " + e.getMessage());
    }
  }

  private static String ofDeletedStay(String because) {
    return "containers of deleted workloads are not known: " + because;
  }

  /** Puts containers into their units. */
  List<Member> members(List<Container> containers, Map<String, Duration> ages) {
    List<Member> members;
    try {
      members = ask(
          unitCalls,
          "say to which units containers belong",
          () -> containers.stream().map(container -> member(container, ages)).toList());
    } catch (PolicyException e) {
      members = containers.stream()
          .map(container ->
              new Member(container, Optional.empty(), e.getMessage(), age(container, ages)))
          .toList();
    }
    List<Member> unknown =
        members.stream().filter(member -> !member.trouble().isEmpty()).toList();
    if (!unknown.isEmpty()) {
      events.problem(
          "units",
          unknown.get(0).trouble()
              + (unknown.size() == 1 ? "" : "; so with " + unknown.size() + " containers"));
    }
    return members;
  }

  private Member member(Container container, Map<String, Duration> ages) {
    Optional<Duration> age = age(container, ages);
    try {
      Optional<ContainerUnit> unit =
          Objects.requireNonNull(units.apply(container), "the answer is null");
      return new Member(container, unit, "", age);
    } catch (RuntimeException | LinkageError | AssertionError | StackOverflowError e) {
      String trouble = "the host failed to say to which unit container " + Member.name(container)
          + " belongs: " + e;
      return new Member(container, Optional.empty(), trouble, age);
    }
  }

  private static Optional<Duration> age(Container container, Map<String, Duration> ages) {
    return Optional.ofNullable(ages.get(container.id()));
  }

  /** Returns why a container that was never started stays for its image's sake: somebody is about to use it, or may be. */
  Optional<String> lease(Container container) {
    if (leases.isEmpty()) {
      return Optional.empty();
    }
    if (container.images().isEmpty()) {
      return Optional.of("never started, and it is not known whether its image is leased:"
          + " the engine does not say which it is");
    }
    Predicate<ImageId> isLeased = leases.get();
    try {
      boolean leased = ask(
          leaseCalls,
          "say whether an image is leased",
          () -> container.images().stream().anyMatch(isLeased));
      return leased ? Optional.of("never started, and its image is leased") : Optional.empty();
    } catch (PolicyException e) {
      events.problem("leases:" + kind(e), e.getMessage());
      return Optional.of(
          "never started, and it is not known whether its image is leased: " + e.getMessage());
    }
  }

  /**
   * Asks, and calls all trouble that of the host.
   *
   * @throws CancelledException if the waiting thread was interrupted
   */
  private <T> T ask(BoundedCalls calls, String what, Callable<T> question) {
    try {
      return calls.call(what, deadline, question);
    } catch (GcException e) {
      if (e instanceof PolicyException
          || (e instanceof CancelledException && Thread.currentThread().isInterrupted())) {
        throw e;
      }
      throw new PolicyException(e.getMessage(), e);
    }
  }

  private static String kind(PolicyException e) {
    Throwable cause = e.getCause();
    return (cause == null ? e : cause).getClass().getName();
  }

  void close() {
    workloadCalls.close();
    unitCalls.close();
    leaseCalls.close();
  }
}
