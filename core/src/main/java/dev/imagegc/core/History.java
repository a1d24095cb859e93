/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.BootTime;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.RecordStore;
import dev.imagegc.api.StoreException;
import dev.imagegc.core.internal.BoundedCalls;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Events;
import dev.imagegc.core.internal.Schedule;
import dev.imagegc.core.internal.Timeline;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the records over restarts, where the host gave a store. A store in trouble never stops the collector: history then
 * starts again, and every image counts as first seen now.
 *
 * <p>What changed is saved some time after the first change, on a thread that does not wait for a round, and when the collector is
 * closed. Nothing is saved before what is stored was read: it may be worth more. Thread-safe.
 */
final class History {
  /** After this long an unchanged history is saved too: images get older, and a reboot forgets what was not saved. */
  private static final Duration OLDEST = Duration.ofHours(1);

  /** What the host sets. */
  record Settings(
      Optional<RecordStore> store,
      Duration saveDelay,
      boolean trustWallClock,
      Deadlines deadlines) {}

  private final Settings settings;
  private final BoundedCalls calls;
  private final GcClock clock;
  private final Timeline timeline;
  private final RecordBook book;
  private final Leases leases;
  private final Events events;
  private final Schedule schedule;
  private final Executor lane;

  private final AtomicLong changes = new AtomicLong();
  private volatile long savedChanges; // as many of them are stored
  private volatile Instant savedAt; // on the time line, when it was that what is stored was true
  private volatile @Nullable String trouble; // with the last save
  private volatile boolean loaded;
  private boolean found;

  private boolean planned; // guarded by this: a save will come
  private boolean closed; // guarded by this
  /** The last save by timer; guarded by this. */
  private CompletableFuture<Boolean> saving = CompletableFuture.completedFuture(true);

  History(
      Settings settings,
      GcClock clock,
      Timeline timeline,
      RecordBook book,
      Leases leases,
      Events events,
      Schedule schedule) {
    this.settings = settings;
    this.calls = new BoundedCalls("the record store", clock, StoreException::new);
    this.clock = clock;
    this.timeline = timeline;
    this.book = book;
    this.leases = leases;
    this.events = events;
    this.schedule = schedule;
    this.lane = schedule.lane();
    this.savedAt = timeline.now();
  }

  /** Loads once; tries again the next time if the store could not be read. For one thread at a time. */
  void load() {
    if (loaded || settings.store().isEmpty()) {
      return;
    }
    GcException first = tryLoad();
    GcException again = first == null || loaded
        ? null
        : tryLoad(); // a damaged snapshot was set aside by the first try
    if (!loaded && again != null) {
      events.began(GcEventType.STORE_FAILED, again.getMessage(), again, null);
      events.note(again.getMessage());
      return;
    }
    events.ended(GcEventType.STORE_FAILED, "history is loaded");
    if (first != null && !found) {
      events.happened(
          GcEventType.HISTORY_LOST,
          "stored history is lost, every image counts as first seen now: " + first.getMessage(),
          null,
          null);
      events.note(first.getMessage());
    }
    if (isUnsaved()) {
      planSave();
    }
  }

  /** Takes note that something changed that is to be stored. Waits for nobody. */
  void changed() {
    changes.incrementAndGet();
    planSave();
  }

  /** Sees to it that even an unchanged history is saved from time to time. */
  void refresh() {
    if (loaded && isOld()) {
      changed();
    }
  }

  /** Tells the report of the running call if history cannot be saved. */
  void noteTrouble() {
    String message = trouble;
    if (message != null) {
      events.note(message);
    }
  }

  /** Saves what is not saved yet, and ends; takes at most the store's deadline. */
  void close() {
    CompletableFuture<Boolean> running;
    synchronized (this) {
      closed = true;
      running = saving;
    }
    long start = clock.nanoTime();
    Duration deadline = settings.deadlines().store();
    boolean idle = awaitEnd(running, deadline);
    Duration left = deadline.minusNanos(clock.nanoTime() - start);
    if (idle && loaded && (isUnsaved() || isOld()) && !left.isNegative() && !left.isZero()) {
      save(left);
    }
    calls.close();
  }

  private boolean awaitEnd(CompletableFuture<Boolean> running, Duration atMost) {
    boolean interrupted = Thread.interrupted();
    try {
      return clock.await(running, atMost);
    } catch (InterruptedException e) {
      interrupted = true;
      return running.isDone();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private boolean isUnsaved() {
    return settings.store().isPresent() && changes.get() != savedChanges;
  }

  private boolean isOld() {
    return settings.store().isPresent()
        && Duration.between(savedAt, timeline.now()).compareTo(OLDEST) >= 0;
  }

  private synchronized void planSave() {
    if (loaded && !planned && !closed && settings.store().isPresent()) {
      planned = schedule.once(settings.saveDelay(), lane, this::saveByTimer);
    }
  }

  private void saveByTimer() {
    CompletableFuture<Boolean> mine = new CompletableFuture<>();
    synchronized (this) {
      planned = false; // what changes from here on needs another save
      if (closed) {
        return;
      }
      saving = mine;
    }
    try {
      save(settings.deadlines().store());
    } finally {
      mine.complete(true);
      if (isUnsaved()) {
        planSave();
      }
    }
  }

  private void save(Duration deadline) {
    long including = changes.get();
    Instant now = timeline.now();
    try {
      RecordSnapshot snapshot = snapshot(now);
      calls.callEvenIfInterrupted("save", deadline, () -> {
        settings.store().orElseThrow().save(snapshot);
        return true;
      });
      savedChanges = including;
      savedAt = now;
      trouble = null;
      events.ended(GcEventType.STORE_FAILED, "history is saved again");
    } catch (GcException e) {
      trouble = e.getMessage();
      events.began(GcEventType.STORE_FAILED, e.getMessage(), e, null);
    }
  }

  private RecordSnapshot snapshot(Instant now) {
    RecordSnapshot.Builder snapshot = RecordSnapshot.builder(now, clock.instant());
    clock.bootTime().ifPresent(snapshot::bootTime);
    book.store(snapshot);
    return snapshot.leases(leases.entries()).build();
  }

  /** Returns what went wrong, or null. */
  private @Nullable GcException tryLoad() {
    RecordStore store = settings.store().orElseThrow();
    Duration deadline = settings.deadlines().store();
    try {
      Optional<RecordSnapshot> snapshot = calls.call("load", deadline, store::load);
      if (snapshot.isPresent()) {
        restore(snapshot.get());
        found = true;
      }
      loaded = true;
      return null;
    } catch (GcException e) {
      return e;
    } catch (DateTimeException | ArithmeticException e) {
      return setAside(store, "its times cannot be: " + e.getMessage());
    } catch (IllegalArgumentException e) {
      return setAside(store, "its leases cannot be: " + e.getMessage());
    }
  }

  /** A snapshot that makes no sense must not be overwritten: so it counts as loaded only when it is out of the way. */
  private GcException setAside(RecordStore store, String why) {
    try {
      String where = calls.call(
          "set a snapshot aside", settings.deadlines().store(), () -> store.setAside(why));
      loaded = true;
      return new StoreException(
          "stored history makes no sense (" + why + "); it was set aside as " + where);
    } catch (GcException e) {
      return new StoreException(
          "stored history makes no sense (" + why + ") and stays as it is: " + e.getMessage(), e);
    }
  }

  private void restore(RecordSnapshot saved) {
    Instant now = timeline.now();
    Optional<Duration> proven = provenDowntime(saved);
    Duration downtime = proven.orElseGet(() -> trustedDowntime(saved));
    RecordSnapshot moved = new Moved(saved, downtime, now).snapshot();
    leases.restore(moved.leases()); // first, because it throws if they make no sense
    book.restore(moved, now);
    savedAt = moved.savedAt();
    if (proven.isEmpty()) {
      changes.incrementAndGet(); // what passes from here on can only be proven from here on
    }
  }

  private Optional<Duration> provenDowntime(RecordSnapshot saved) {
    Optional<BootTime> then = saved.bootTime();
    return clock
        .bootTime()
        .filter(today -> then.isPresent() && then.get().bootId().equals(today.bootId()))
        .map(today -> atLeastZero(today.uptime().minus(then.orElseThrow().uptime())));
  }

  private Duration trustedDowntime(RecordSnapshot saved) {
    return settings.trustWallClock()
        ? atLeastZero(Duration.between(saved.wallTime(), clock.instant()))
        : Duration.ZERO;
  }

  private static Duration atLeastZero(Duration duration) {
    return duration.isNegative() ? Duration.ZERO : duration;
  }

  /**
   * A snapshot on the time line of this process: everything ages by the downtime, as far as it is proven. Throws {@link
   * DateTimeException} or {@link ArithmeticException} if it has times that cannot be.
   */
  private static final class Moved {
    private final RecordSnapshot saved;
    private final Duration shift;
    private final Instant now;
    private final Instant earliest;

    Moved(RecordSnapshot saved, Duration downtime, Instant now) {
      this.saved = saved;
      this.shift = Duration.between(saved.savedAt(), now).minus(downtime);
      this.now = now;
      this.earliest = now.minus(Durations.LONGEST);
    }

    RecordSnapshot snapshot() {
      List<RecordSnapshot.Entry> entries = new ArrayList<>(saved.entries().size());
      for (RecordSnapshot.Entry entry : saved.entries()) {
        Instant firstDetected = past(entry.firstDetected());
        entries.add(
            entry.lastUsed().isPresent()
                ? RecordSnapshot.Entry.of(
                    entry.id(), firstDetected, past(entry.lastUsed().get()))
                : RecordSnapshot.Entry.of(entry.id(), firstDetected));
      }
      return RecordSnapshot.builder(past(saved.savedAt()), saved.wallTime())
          .entries(entries)
          .remembered(saved.remembered().stream()
              .map(entry -> RecordSnapshot.RememberedEntry.of(
                  entry.id(), past(entry.lastUsed()), past(entry.goneAt())))
              .toList())
          .leases(saved.leases().stream()
              .map(this::lease)
              .filter(lease -> lease.expiresAt().isAfter(now))
              .toList())
          .build();
    }

    /** What happened before the snapshot was made. */
    private Instant past(Instant time) {
      Instant moved = (time.isAfter(saved.savedAt()) ? saved.savedAt() : time).plus(shift);
      if (moved.isBefore(earliest)) {
        throw new DateTimeException(time + " is more than 292 years before now");
      }
      return moved;
    }

    private RecordSnapshot.LeaseEntry lease(RecordSnapshot.LeaseEntry lease) {
      Instant latest = saved.savedAt().plus(Durations.LONGEST);
      Instant expiresAt =
          (lease.expiresAt().isAfter(latest) ? latest : lease.expiresAt()).plus(shift);
      return lease.image().isPresent()
          ? RecordSnapshot.LeaseEntry.of(lease.image().get(), expiresAt)
          : RecordSnapshot.LeaseEntry.of(lease.reference().orElseThrow(), expiresAt);
    }
  }
}
