/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.internal.BoundedCalls;
import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The host's engine with a deadline on every call. Used by one thread at a time. */
final class ContainerEngine {
  private final Runtime runtime;
  private final ContainerRemover remover;
  private final Deadlines deadlines;
  private final Duration stopGrace;
  private final BoundedCalls calls;

  /** Containers in the last list; negative if there was none, or it was late. */
  private int lastCount = -1;

  ContainerEngine(
      Runtime runtime,
      ContainerRemover remover,
      Deadlines deadlines,
      Duration stopGrace,
      GcClock clock) {
    this.runtime = runtime;
    this.remover = remover;
    this.deadlines = deadlines;
    this.stopGrace = stopGrace;
    this.calls = new BoundedCalls("the engine", clock, ProtocolException::new);
  }

  List<Container> listContainers() {
    Duration first = deadlines.firstList();
    Duration deadline = lastCount < 0 ? first : deadlines.list(lastCount);
    lastCount = -1;
    List<Container> listed =
        calls.call("list containers", deadline, () -> List.copyOf(runtime.listContainers()));
    Set<String> ids = new HashSet<>();
    for (Container container : listed) {
      if (!ids.add(container.id())) {
        throw new ProtocolException("the engine listed container " + container.id() + " twice");
      }
    }
    lastCount = listed.size();
    return listed;
  }

  RemovalResult remove(Container container) {
    return calls.call(
        "remove container " + Member.name(container),
        deadlines.removal(),
        () -> remover.removeContainer(container));
  }

  /** Stops a container: it may use its grace, and then the engine ends it and answers. */
  void stop(Container container) {
    calls.call(
        "stop container " + Member.name(container),
        Durations.capped(stopGrace.plus(deadlines.removal())),
        () -> {
          remover.stopContainer(container, stopGrace);
          return true;
        });
  }

  void close() {
    calls.close();
  }
}
