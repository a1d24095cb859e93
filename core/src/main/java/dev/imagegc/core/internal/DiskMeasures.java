/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.internal;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.ProtocolException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Measures the node's filesystems, each with a deadline and for itself: one that hangs does not hide the others. Thread-safe. */
public final class DiskMeasures {
  private final FsStatsProvider provider;
  private final Duration deadline;
  private final Map<NodeFs, BoundedCalls> calls = new EnumMap<>(NodeFs.class);

  public DiskMeasures(FsStatsProvider provider, Duration deadline, GcClock clock) {
    this.provider = provider;
    this.deadline = deadline;
    for (NodeFs filesystem : NodeFs.values()) {
      calls.put(
          filesystem,
          new BoundedCalls("the disk measure of " + filesystem, clock, ProtocolException::new));
    }
  }

  /**
   * Measures one filesystem; empty if the provider does not know it by itself.
   *
   * @throws dev.imagegc.api.GcException why it cannot be measured
   */
  public Optional<FsStats> measure(NodeFs filesystem) {
    return Objects.requireNonNull(calls.get(filesystem))
        .call("measure " + filesystem, deadline, () -> ask(provider, filesystem));
  }

  /** Asks a provider for one filesystem, without a deadline. */
  public static Optional<FsStats> ask(FsStatsProvider provider, NodeFs filesystem) {
    return switch (filesystem) {
      case IMAGEFS -> Optional.of(provider.imageFs());
      case NODEFS -> provider.rootFs();
      case CONTAINERFS -> provider.containerFs();
    };
  }

  public void close() {
    calls.values().forEach(BoundedCalls::close);
  }
}
