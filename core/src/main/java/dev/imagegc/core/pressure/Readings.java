/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcException;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.api.NodeFs;
import dev.imagegc.core.FsLayout;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The node's filesystems as measured at one moment. */
final class Readings {
  private final Map<NodeFs, FsStats> stats;
  private final Map<NodeFs, GcException> failures;
  private final @Nullable FsLayout layout;

  /**
   * Puts a measurement together.
   *
   * @param stats those that could be measured
   * @param failures why the others could not
   * @param layout which of them are the same; null if that was never known
   */
  Readings(
      Map<NodeFs, FsStats> stats, Map<NodeFs, GcException> failures, @Nullable FsLayout layout) {
    this.stats = Collections.unmodifiableMap(new EnumMap<>(stats));
    this.failures = failures;
    this.layout = layout;
  }

  Map<NodeFs, FsStats> stats() {
    return stats;
  }

  Optional<FsLayout> layout() {
    return Optional.ofNullable(layout);
  }

  /**
   * Returns what a signal is.
   *
   * @throws GcException why that is unknown
   */
  Reading known(DiskSignal signal) {
    FsStats measured = stats.get(signal.filesystem());
    if (measured != null) {
      return Reading.of(signal, measured);
    }
    GcException failure = failures.get(signal.filesystem());
    throw failure != null
        ? failure
        : new InvalidCapacityException("the disk measure does not know " + signal.filesystem());
  }

  /** Returns what a signal is, or empty if that is unknown. */
  Optional<Reading> of(DiskSignal signal) {
    try {
      return Optional.of(known(signal));
    } catch (GcException e) {
      return Optional.empty();
    }
  }

  /** Whether removing images gives room for a signal; not if nobody knows. */
  boolean imagesOn(DiskSignal signal) {
    return isSame(signal.filesystem(), NodeFs.IMAGEFS);
  }

  /** Whether removing containers gives room for a signal; not if nobody knows. */
  boolean containersOn(DiskSignal signal) {
    return isSame(signal.filesystem(), NodeFs.CONTAINERFS);
  }

  /** Whether two signals are about the same room. */
  boolean isSameRoom(DiskSignal a, DiskSignal b) {
    return a.countsInodes() == b.countsInodes() && isSame(a.filesystem(), b.filesystem());
  }

  /** A measure that never worked hides the layout, but nothing of what the other two are. */
  private boolean isSame(NodeFs a, NodeFs b) {
    return a == b || (layout == null ? measuredAsOne(a, b) : layout.isSame(a, b));
  }

  private boolean measuredAsOne(NodeFs a, NodeFs b) {
    FsStats one = stats.get(a);
    FsStats other = stats.get(b);
    return one != null
        && other != null
        && (one == other // one was taken for the other, which the measure does not know by itself
            || (one.device().isPresent() && one.device().equals(other.device())));
  }
}
