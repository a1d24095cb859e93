/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcException;
import dev.imagegc.api.NodeFs;
import dev.imagegc.core.FsLayout;
import dev.imagegc.core.internal.DiskMeasures;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Measures all filesystems of the node, and finds which of them are the same. One that hangs or fails does not hide the others.
 * Used by one thread at a time.
 */
final class Filesystems {
  private final DiskMeasures measures;
  private final @Nullable FsLayout setLayout;
  private @Nullable FsLayout lastLayout;

  Filesystems(DiskMeasures measures, Optional<FsLayout> layout) {
    this.measures = measures;
    this.setLayout = layout.orElse(null);
  }

  /**
   * Measures.
   *
   * @throws CancelledException if the calling thread was interrupted
   */
  Readings measure() {
    Map<NodeFs, FsStats> stats = new EnumMap<>(NodeFs.class);
    Map<NodeFs, GcException> failures = new EnumMap<>(NodeFs.class);
    for (NodeFs filesystem : NodeFs.values()) {
      try {
        measures.measure(filesystem).ifPresent(measured -> stats.put(filesystem, measured));
      } catch (CancelledException e) {
        throw e;
      } catch (GcException e) {
        failures.put(filesystem, e);
      }
    }
    FsLayout layout = layout(stats, failures);
    takeFromSame(stats, failures);
    return new Readings(stats, failures, layout);
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
    measures.close();
  }
}
