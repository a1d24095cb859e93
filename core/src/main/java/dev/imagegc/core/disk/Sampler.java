/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import dev.imagegc.api.InvalidCapacityException;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.core.internal.BoundedCalls;
import dev.imagegc.core.internal.Disk;
import dev.imagegc.core.internal.DiskMeasures;
import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Measures one filesystem, once for all who ask at the same time, and keeps a good answer for a moment. Whoever comes first
 * measures; the others wait for what comes of it. Thread-safe.
 */
final class Sampler {
  private static final long KEPT_NANOS = Duration.ofSeconds(2).toNanos();

  private final Filesystem filesystem;
  private final long thresholdBytes;
  private final FsStatsProvider provider;
  private final Duration deadline;
  private final GcClock clock;
  private final BoundedCalls calls;
  private @Nullable Sample last; // guarded by this
  private @Nullable CompletableFuture<DiskSpace> running; // guarded by this

  /** A good answer, and when it came. */
  private record Sample(DiskSpace space, long nanos) {}

  Sampler(
      Filesystem filesystem,
      long thresholdBytes,
      FsStatsProvider provider,
      Duration deadline,
      GcClock clock) {
    this.filesystem = filesystem;
    this.thresholdBytes = thresholdBytes;
    this.provider = provider;
    this.deadline = deadline;
    this.clock = clock;
    this.calls = new BoundedCalls("the disk measure", clock, ProtocolException::new);
  }

  /** Never throws for trouble with the disk, and takes no longer than the deadline. */
  DiskSpace sample() {
    long start = clock.nanoTime();
    Duration left = deadline;
    while (true) {
      CompletableFuture<DiskSpace> others;
      CompletableFuture<DiskSpace> own = new CompletableFuture<>();
      synchronized (this) {
        if (last != null && clock.nanoTime() - last.nanos < KEPT_NANOS) {
          return last.space;
        }
        others = running;
        if (others == null) {
          running = own;
        }
      }
      if (others == null) {
        return measureFor(own, left);
      }
      DiskSpace shared = waitFor(others, left);
      if (!wasStopped(shared) || Thread.currentThread().isInterrupted()) {
        return shared;
      }
      // Whoever measured was interrupted, which is not this caller's trouble: it measures itself.
      left = Durations.longer(deadline.minusNanos(clock.nanoTime() - start), Duration.ofMillis(1));
    }
  }

  private static boolean wasStopped(DiskSpace space) {
    return space.error().filter(CancelledException.class::isInstance).isPresent();
  }

  /** Measures, and lets all know who wait for it. */
  private DiskSpace measureFor(CompletableFuture<DiskSpace> waiting, Duration left) {
    DiskSpace space = unknown(new CancelledException("the measurement was broken off"));
    try {
      space = measure(left);
    } finally {
      synchronized (this) {
        running = null;
        if (space.status() != SpaceStatus.UNKNOWN) {
          last = new Sample(space, clock.nanoTime());
        }
      }
      waiting.complete(space);
    }
    return space;
  }

  private DiskSpace measure(Duration left) {
    try {
      Optional<FsStats> stats =
          calls.call(what(), left, () -> DiskMeasures.ask(provider, filesystem.nodeFs()));
      return DiskSpace.measured(
          filesystem,
          thresholdBytes,
          Disk.of(filesystem.words(), stats.orElseThrow(this::notThere)));
    } catch (GcException e) {
      return unknown(e);
    }
  }

  private InvalidCapacityException notThere() {
    return new InvalidCapacityException(
        filesystem.words() + " cannot be judged: the disk measure does not know it");
  }

  private DiskSpace waitFor(CompletableFuture<DiskSpace> others, Duration left) {
    try {
      if (clock.await(others, left)) {
        return others.join();
      }
      return unknown(new TimedOutException(
          "the disk measure did not " + what() + " within " + Durations.text(deadline)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return unknown(
          new CancelledException("interrupted while waiting for the disk measure to " + what(), e));
    }
  }

  private String what() {
    return "measure the " + filesystem.words();
  }

  private DiskSpace unknown(GcException error) {
    return DiskSpace.unknown(filesystem, thresholdBytes, error, lastPath());
  }

  private synchronized @Nullable String lastPath() {
    return last == null ? null : last.space.path();
  }

  void close() {
    calls.close();
  }
}
