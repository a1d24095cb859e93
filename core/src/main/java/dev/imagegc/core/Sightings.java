/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.ImageId;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What was heard of images before a listing has shown them. Bounded: of too many the oldest are forgotten, and look younger and
 * less used then than they could. Thread-safe.
 */
final class Sightings {
  private static final int MOST = 10_000;

  /**
   * What was heard of an image.
   *
   * @param firstSeen when it came, if that was heard
   * @param lastUsed when a container was created from it, started, ended or was removed, if that was heard
   * @param heardAt when something was last heard
   */
  record Sighting(@Nullable Instant firstSeen, @Nullable Instant lastUsed, Instant heardAt) {}

  private final Map<ImageId, Sighting> byId = bounded(); // guarded by this
  private final Map<String, Instant> usedByName = bounded(); // guarded by this

  private static <K, V> Map<K, V> bounded() {
    return new LinkedHashMap<>() {
      @Override
      protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
        return size() > MOST;
      }
    };
  }

  synchronized void used(ImageId id, Instant now) {
    Sighting known = byId.get(id);
    byId.put(id, new Sighting(known == null ? null : known.firstSeen(), now, now));
  }

  synchronized void usedByName(String name, Instant now) {
    usedByName.put(name, now);
  }

  synchronized void came(ImageId id, Instant now) {
    Sighting known = byId.get(id);
    Instant firstSeen = known == null || known.firstSeen() == null ? now : known.firstSeen();
    byId.put(id, new Sighting(firstSeen, known == null ? null : known.lastUsed(), now));
  }

  /** It may come again, and is new then. */
  synchronized void deleted(ImageId id, Instant now) {
    Sighting known = byId.get(id);
    if (known != null) {
      byId.put(id, new Sighting(null, known.lastUsed(), now));
    }
  }

  /**
   * Returns what was heard so far, and forgets what is of no more use: of images that a listing has shown, whose records say
   * more from then on, and what was heard before that listing began, which never will show it.
   */
  synchronized Map<ImageId, Sighting> take(Instant listingBegan, Predicate<ImageId> isShown) {
    Map<ImageId, Sighting> taken = byId.isEmpty() ? Map.of() : new HashMap<>(byId);
    byId.entrySet()
        .removeIf(heard ->
            isShown.test(heard.getKey()) || heard.getValue().heardAt().isBefore(listingBegan));
    return taken;
  }

  /** Returns what was heard so far of those of whom only the name was told, and forgets what was heard before a listing began. */
  synchronized Map<String, Instant> takeNames(Instant listingBegan) {
    Map<String, Instant> taken = usedByName.isEmpty() ? Map.of() : new HashMap<>(usedByName);
    usedByName.values().removeIf(heardAt -> heardAt.isBefore(listingBegan));
    return taken;
  }
}
