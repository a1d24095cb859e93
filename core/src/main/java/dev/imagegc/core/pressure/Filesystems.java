/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.core.FsLayout;
import dev.imagegc.core.internal.BoundedCalls;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * Measures all filesystems of the node, each with a deadline and for itself: one that hangs or fails does not hide the others.
 * Used by one thread at a time.
 */
final class Filesystems {
  private final FsStatsProvider provider;
  private final Duration deadline;
  private final Map<NodeFs, BoundedCalls> calls = new EnumMap<>(NodeFs.class);
  private final @Nullable FsLayout setLayout;
  private @Nullable FsLayout lastLayout;

  Filesystems(
      FsStatsProvider provider, Duration deadline, Optional<FsLayout> layout, GcClock clock) {
    this.provider = provider;
    this.deadline = deadline;
    this.setLayout = layout.orElse(null);
    for (NodeFs filesystem : NodeFs.values()) {
      calls.put(
          filesystem,
          new BoundedCalls("the disk measure of " + filesystem, clock, ProtocolException::new));
    }
  }

  /**
   * Measures.
   *
   * @throws CancelledException if the calling thread was interrupted
   */
  Readings measure() {
    Map<NodeFs, FsStats> stats = new EnumMap<>(NodeFs.class);
    Map<NodeFs, GcException> failures = new EnumMap<>(NodeFs.class);
    measure(NodeFs.IMAGEFS, () -> Optional.of(provider.imageFs()), stats, failures);
    measure(NodeFs.NODEFS, provider::rootFs, stats, failures);
    measure(NodeFs.CONTAINERFS, provider::containerFs, stats, failures);
    FsLayout layout = layout(stats, failures);
    takeFromSame(stats, failures);
    return new Readings(stats, failures, layout);
  }

  private void measure(
      NodeFs filesystem,
      Callable<Optional<FsStats>> question,
      Map<NodeFs, FsStats> stats,
      Map<NodeFs, GcException> failures) {
    BoundedCalls bounded = calls.get(filesystem);
    if (bounded == null) {
      throw new IllegalStateException("no calls for " + filesystem);
    }
    try {
      bounded
          .call("measure " + filesystem, deadline, question)
          .ifPresent(measured -> stats.put(filesystem, measured));
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) {
      failures.put(filesystem, e);
    }
  }

  /** A measure that fails for once says nothing of the layout: the last one that was found holds on. */
  private @Nullable FsLayout layout(Map<NodeFs, FsStats> stats, Map<NodeFs, GcException> failures) {
    if (setLayout != null) {
      return setLayout;
    }
    FsStats images = stats.get(NodeFs.IMAGEFS);
    if (images != null && failures.isEmpty()) {
      lastLayout = FsLayout.of(
          images,
          Optional.ofNullable(stats.get(NodeFs.NODEFS)),
          Optional.ofNullable(stats.get(NodeFs.CONTAINERFS)));
    }
    return lastLayout;
  }

  /** What a provider does not know by itself, it may know as another filesystem. */
  private void takeFromSame(Map<NodeFs, FsStats> stats, Map<NodeFs, GcException> failures) {
    if (setLayout != null) {
      for (NodeFs absent : NodeFs.values()) {
        for (NodeFs other : NodeFs.values()) {
          FsStats same = stats.get(other);
          if (same != null && setLayout.isSame(absent, other) && !failures.containsKey(absent)) {
            stats.putIfAbsent(absent, same);
          }
        }
      }
    } else if (!stats.containsKey(NodeFs.CONTAINERFS)
        && !failures.containsKey(NodeFs.CONTAINERFS)) {
      FsStats images = stats.get(NodeFs.IMAGEFS); // absent means there, see FsStatsProvider
      GcException failure = failures.get(NodeFs.IMAGEFS);
      if (images != null) {
        stats.put(NodeFs.CONTAINERFS, images);
      } else if (failure != null) {
        failures.put(NodeFs.CONTAINERFS, failure);
      }
    }
  }

  void close() {
    calls.values().forEach(BoundedCalls::close);
  }
}
