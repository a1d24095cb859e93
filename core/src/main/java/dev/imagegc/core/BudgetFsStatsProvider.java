/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.math.LongMath;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.Image;
import dev.imagegc.api.Layer;
import dev.imagegc.api.Runtime;
import dev.imagegc.core.internal.Sizes;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A fixed number of bytes that an engine's images may take, in place of a disk that cannot be measured, for instance because the
 * engine is on another machine. The capacity is the budget, and what is available is what the images leave of it. Thread-safe.
 *
 * <p>Every layer counts once, however many images hold it. An image whose layers the engine does not tell counts with its listed
 * size, so content that such images share counts several times; one of which neither is known makes the available bytes unknown.
 * Nothing else counts: not the writable layers of containers, their logs, volumes, build caches, nor what others write. So a budget
 * is no protection from a full disk, and removing containers gives nothing of it back: what they write counts as a filesystem of its
 * own, of which nothing is known. Inodes and the root filesystem are unknown.
 *
 * <p>Each measurement lists the engine's images, also those after each removal: give {@link Deadlines.Builder#measure} the time of
 * a listing.
 */
public final class BudgetFsStatsProvider implements FsStatsProvider {
  private final Runtime runtime;
  private final long bytes;
  private final InstantSource clock;

  BudgetFsStatsProvider(Runtime runtime, long bytes, InstantSource clock) {
    this.runtime = runtime;
    this.bytes = bytes;
    this.clock = clock;
  }

  /**
   * Gives the images of an engine a budget.
   *
   * @param runtime the engine
   * @param bytes what its images may take, above 0
   * @return the provider
   */
  public static BudgetFsStatsProvider of(Runtime runtime, long bytes) {
    Objects.requireNonNull(runtime, "runtime");
    if (bytes <= 0) {
      throw new IllegalArgumentException("bytes must be above 0, but is " + bytes);
    }
    return new BudgetFsStatsProvider(runtime, bytes, SystemGcClock.instance());
  }

  /**
   * Lists the images and returns what they leave of the budget, at least 0.
   *
   * @throws dev.imagegc.api.GcException if the images cannot be listed
   */
  @Override
  public FsStats imageFs() {
    Instant now = clock.instant();
    Usage usage = new Usage(runtime.listImages());
    FsStats.Builder stats = FsStats.builder("budget of " + Sizes.text(bytes) + " for images", now)
        .capacityBytes(bytes)
        .source(usage.toString());
    if (usage.unknown == 0) {
      stats.availableBytes(Math.max(0, bytes - usage.bytes));
    }
    return stats.build();
  }

  /** Returns a filesystem without numbers: what containers write is not in the budget. */
  @Override
  public Optional<FsStats> containerFs() {
    return Optional.of(FsStats.builder("what containers write, outside the budget", clock.instant())
        .source("not measured")
        .build());
  }

  /** What images take. */
  private static final class Usage {
    private final int images;
    private final Set<Layer> layers = new HashSet<>();
    private long bytes;
    private int bySize;
    private int unknown; // of neither known layers nor known size

    Usage(List<Image> listed) {
      images = listed.size();
      listed.forEach(this::add);
    }

    private void add(Image image) {
      if (image.layers().isPresent()) {
        image.layers().get().stream()
            .filter(layers::add)
            .forEach(layer -> bytes = LongMath.saturatedAdd(bytes, layer.sizeBytes()));
      } else if (image.sizeBytes().isPresent()) {
        bySize++;
        bytes = LongMath.saturatedAdd(bytes, image.sizeBytes().getAsLong());
      } else {
        unknown++;
      }
    }

    @Override
    public String toString() {
      return images + " images as the engine lists them, " + (images - bySize - unknown)
          + " by their layers and " + bySize + " by their sizes"
          + (unknown == 0 ? "" : "; available bytes unknown: neither is known of " + unknown);
    }
  }
}
