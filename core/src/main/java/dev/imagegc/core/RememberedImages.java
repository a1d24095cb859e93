/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.math.LongMath;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RecordSnapshot;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * When images that are gone were last used, for the case that they come back: so many images at most, and for so long. Of an image
 * that was never seen in use there is nothing to remember, because how long it was here must not count when it comes back.
 *
 * <p>Thread-safe. Takes about 130 bytes an image.
 */
final class RememberedImages {
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  /** Two times, in nanoseconds since 1970: a third of what two objects would take. */
  private record Gone(long lastUsed, long at) {}

  private final int most;
  private final long longest; // nanoseconds
  private final Map<ImageId, Gone> gone = new LinkedHashMap<>(); // those that went first come first

  RememberedImages(int most, Duration longest) {
    this.most = most;
    this.longest = longest.toNanos();
  }

  /** Takes note that an image is gone. */
  synchronized void add(ImageId id, Optional<Instant> lastUsed, Instant now) {
    gone.remove(id);
    if (lastUsed.isPresent()) {
      putLast(id, new Gone(nanos(lastUsed.get()), nanos(now)));
      trim(now);
    }
  }

  /** Takes over what was stored, with its times on this time line; what this process has seen go itself is more recent. */
  synchronized void restore(List<RecordSnapshot.RememberedEntry> entries, Instant now) {
    Map<ImageId, Gone> own = new LinkedHashMap<>(gone);
    gone.clear();
    entries.stream()
        .sorted((a, b) -> a.goneAt().compareTo(b.goneAt()))
        .forEach(
            entry -> putLast(entry.id(), new Gone(nanos(entry.lastUsed()), nanos(entry.goneAt()))));
    own.forEach(this::putLast);
    trim(now);
  }

  synchronized @Nullable Instant lastUsed(ImageId id) {
    Gone known = gone.get(id);
    return known == null ? null : instant(known.lastUsed());
  }

  /** Takes note that an image is back; returns whether it was remembered. */
  synchronized boolean remove(ImageId id) {
    return gone.remove(id) != null;
  }

  /** Forgets what is remembered for long enough; returns whether there was any. */
  synchronized boolean forgetOld(Instant now) {
    return trim(now);
  }

  synchronized List<RecordSnapshot.RememberedEntry> entries() {
    List<RecordSnapshot.RememberedEntry> entries = new ArrayList<>(gone.size());
    gone.forEach((id, times) -> entries.add(
        RecordSnapshot.RememberedEntry.of(id, instant(times.lastUsed()), instant(times.at()))));
    return entries;
  }

  private void putLast(ImageId id, Gone times) {
    gone.remove(id);
    gone.put(id, times);
  }

  private boolean trim(Instant now) {
    long before = gone.size();
    long oldest = LongMath.saturatedSubtract(nanos(now), longest);
    Iterator<Gone> first = gone.values().iterator();
    while (first.hasNext()) {
      if (first.next().at() >= oldest && gone.size() <= most) {
        break;
      }
      first.remove();
    }
    return gone.size() != before;
  }

  private static long nanos(Instant time) {
    return LongMath.saturatedAdd(
        LongMath.saturatedMultiply(time.getEpochSecond(), NANOS_PER_SECOND), time.getNano());
  }

  private static Instant instant(long nanos) {
    return Instant.ofEpochSecond(0, nanos);
  }
}
