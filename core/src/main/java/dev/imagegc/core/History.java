/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.BootTime;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.RecordStore;
import dev.imagegc.api.StoreException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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
  private boolean found;

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
    GcException first = tryLoad();
    if (first == null) {
      return;
    }
    GcException again =
        loaded ? null : tryLoad(); // a damaged snapshot was set aside by the first try
    if (again != null) {
      events.began(GcEventType.STORE_FAILED, again.getMessage(), again, null);
      events.note(again.getMessage());
    } else if (!found) {
      events.happened(
          GcEventType.HISTORY_LOST,
          "stored history is lost, every image counts as first seen now: " + first.getMessage(),
          null,
          null);
      events.note(first.getMessage());
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
      calls.callEvenIfInterrupted("save", deadlines.store(), () -> {
        store.get().save(snapshot);
        return true;
      });
      events.ended(GcEventType.STORE_FAILED, "history is saved again");
    } catch (GcException e) {
      events.began(GcEventType.STORE_FAILED, e.getMessage(), e, null);
      events.note(e.getMessage());
    }
  }

  void close() {
    calls.close();
  }

  /** Returns what went wrong, or null. */
  private @Nullable GcException tryLoad() {
    Optional<RecordSnapshot> snapshot;
    try {
      snapshot = calls.call("load", deadlines.store(), () -> store.orElseThrow().load());
    } catch (GcException e) {
      return e;
    }
    loaded = true;
    Instant now = timeline.now();
    try {
      snapshot.ifPresent(saved -> book.restore(saved, shift(saved, now), now));
      found = snapshot.isPresent();
      return null;
    } catch (DateTimeException | ArithmeticException e) {
      return new StoreException("stored history has times that cannot be: " + e.getMessage(), e);
    }
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
