/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.GcClock;
import dev.imagegc.api.Image;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The image list for status displays: at most {@link #MAX_AGE} old, filled when somebody asks, so that no timer polls the
 * engine for it. Thread-safe; those who ask at the same time share one listing.
 */
final class ImageListCache {
  static final Duration MAX_AGE = Duration.ofSeconds(30);

  private static final Comparator<Image> LARGEST_FIRST = Comparator.comparingLong(
          (Image image) -> image.sizeBytes().orElse(-1))
      .reversed()
      .thenComparing(Image::id);

  private record Listing(List<Image> images, long atNanos) {}

  private static final SingleWriter.Kind<Listing> LIST =
      SingleWriter.Kind.joining("images", Listing.class);
  private static final Duration LONG_ENOUGH = Duration.ofDays(1); // the list itself is bounded

  private final Engine engine;
  private final GcClock clock;
  private final SingleWriter lister;
  private volatile @Nullable Listing listing;

  ImageListCache(Engine engine, GcClock clock) {
    this.engine = engine;
    this.clock = clock;
    this.lister = SingleWriter.create(clock);
  }

  List<Image> images() {
    Listing current = listing;
    if (current != null && isFresh(current)) {
      return current.images();
    }
    return lister.run(LIST, LONG_ENOUGH, this::list).images();
  }

  private Listing list() {
    Listing current = listing;
    if (current == null || !isFresh(current)) {
      long asked = clock.nanoTime();
      current = new Listing(engine.listImages().stream().sorted(LARGEST_FIRST).toList(), asked);
      listing = current;
    }
    return current;
  }

  private boolean isFresh(Listing candidate) {
    return clock.nanoTime() - candidate.atNanos() <= MAX_AGE.toNanos();
  }
}
