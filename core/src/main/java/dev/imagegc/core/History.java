/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.BootTime;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.RecordStore;
import dev.imagegc.api.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Keeps the records over restarts, where the host gave a store. A store in trouble never stops the collector: history then
 * starts again, and every image counts as first seen now.
 */
final class History {
  private final Optional<RecordStore> store;
  private final boolean trustWallClock;
  private final BoundedCalls calls;
  private final Deadlines deadlines;
  private final GcClock clock;
  private final Timeline timeline;
  private final RecordBook book;
  private final Events events;
  private boolean loaded;

  History(
      Optional<RecordStore> store,
      boolean trustWallClock,
      Deadlines deadlines,
      GcClock clock,
      Timeline timeline,
      RecordBook book,
      Events events) {
    this.store = store;
    this.trustWallClock = trustWallClock;
    this.calls = new BoundedCalls("the record store", clock, StoreException::new);
    this.deadlines = deadlines;
    this.clock = clock;
    this.timeline = timeline;
    this.book = book;
    this.events = events;
    this.loaded = store.isEmpty();
  }

  /** Loads once; tries again the next time if the store could not be read. */
  void load() {
    if (loaded) {
      return;
    }
    try {
      tryLoad();
    } catch (GcException first) {
      try {
        tryLoad(); // a damaged snapshot was set aside by the first try
        events.happened(
            GcEventType.HISTORY_LOST,
            "stored history is lost, every image counts as first seen now: " + first.getMessage(),
            null,
            null);
        events.problem("history", first.getMessage(), first);
      } catch (GcException again) {
        events.began(GcEventType.STORE_FAILED, again.getMessage(), again, null);
        events.problem("history", again.getMessage(), again);
      }
    }
  }

  /** Saves what is remembered, unless what is stored was never read: it may be worth more. */
  void save() {
    if (store.isEmpty() || !loaded) {
      return;
    }
    RecordSnapshot snapshot =
        RecordSnapshot.of(timeline.now(), clock.instant(), clock.bootTime(), book.entries());
    try {
      calls.call("save", deadlines.store(), () -> {
        store.get().save(snapshot);
        return true;
      });
      events.ended(GcEventType.STORE_FAILED, "history is saved again");
    } catch (GcException e) {
      events.began(GcEventType.STORE_FAILED, e.getMessage(), e, null);
      events.problem("history", e.getMessage(), e);
    }
  }

  void close() {
    calls.close();
  }

  private void tryLoad() {
    Optional<RecordSnapshot> snapshot =
        calls.call("load", deadlines.store(), () -> store.orElseThrow().load());
    Instant now = timeline.now();
    snapshot.ifPresent(saved -> book.restore(saved, shift(saved, now), now));
    loaded = true;
  }

  /** What moves a time of the snapshot to this process: everything ages by the downtime, as far as it is proven. */
  private Duration shift(RecordSnapshot saved, Instant now) {
    return Duration.between(saved.savedAt(), now).minus(downtime(saved));
  }

  private Duration downtime(RecordSnapshot saved) {
    Optional<BootTime> then = saved.bootTime();
    Optional<BootTime> today = clock.bootTime();
    if (then.isPresent()
        && today.isPresent()
        && then.get().bootId().equals(today.get().bootId())) {
      return atLeastZero(today.get().uptime().minus(then.get().uptime()));
    }
    return trustWallClock
        ? atLeastZero(Duration.between(saved.wallTime(), clock.instant()))
        : Duration.ZERO;
  }

  private static Duration atLeastZero(Duration duration) {
    return duration.isNegative() ? Duration.ZERO : duration;
  }
}
