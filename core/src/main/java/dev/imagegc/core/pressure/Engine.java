/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.Runtime;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.internal.BoundedCalls;
import dev.imagegc.core.internal.Events;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is asked of the engine, with a deadline on every question. What cannot be had, or without an engine, is not known. */
final class Engine {
  private final @Nullable Runtime runtime;
  private final Deadlines deadlines;
  private final Events events;
  private final BoundedCalls calls;

  Engine(@Nullable Runtime runtime, Deadlines deadlines, GcClock clock, Events events) {
    this.runtime = runtime;
    this.deadlines = deadlines;
    this.events = events;
    this.calls = new BoundedCalls("the engine", clock, ProtocolException::new);
  }

  /** The containers of the node; none if they are not known. */
  List<Container> containers() {
    Runtime engine = runtime;
    if (engine == null) {
      return List.of();
    }
    try {
      return calls.call(
          "list containers", deadlines.firstList(), () -> List.copyOf(engine.listContainers()));
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) {
      events.problem("ranking", "the running containers are not known: " + e.getMessage());
      return List.of();
    }
  }

  /** Whether space comes back some time after a removal. */
  boolean freesSpaceLater() {
    if (runtime == null) {
      return false;
    }
    try {
      return calls.call(
          "say whether it frees space later", deadlines.measure(), runtime::freesSpaceLater);
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) {
      events.problem("frees space later", e.getMessage());
      return false;
    }
  }

  void close() {
    calls.close();
  }
}
