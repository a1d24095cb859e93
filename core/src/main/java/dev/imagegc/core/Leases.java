/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.math.LongMath;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageGoingException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageLeases;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.ImageReference;
import dev.imagegc.api.Lease;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.Verdict;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Timeline;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The leases of this process, and the images that are being removed: of one image never both at once. That is decided here,
 * under one lock that is never held while anybody waits.
 *
 * <p>A removal is announced before the last look at who uses the image, not after it. So whoever leased the image, made a
 * container of it and closed the lease either had the lease when the removal was announced, and the image stays, or has the
 * container by the time of that look. Leases of other processes would join in {@link #beginRemoval} and {@link #verdicts}.
 */
final class Leases implements ImageLeases {
  private static final Pattern ID = Pattern.compile("(?:sha256:)?[0-9a-f]{64}");
  /** What people and engines write in place of an id. It may be a name as well, so it is taken for both. */
  private static final Pattern START_OF_ID = Pattern.compile("(?:sha256:)?[0-9a-f]{12,63}");

  /** Engines store an image a moment before they give it the name that it was pulled by. */
  private static final Duration ARRIVAL = Duration.ofMinutes(1);

  private final GcClock clock;
  private final Timeline timeline;
  private final Duration removalDeadline;
  private volatile Runnable onChange = () -> {};
  private final Set<Held> active = new LinkedHashSet<>(); // guarded by this
  private final Map<ImageId, Going> going = new HashMap<>(); // guarded by this

  /**
   * Creates it without leases.
   *
   * @param removalDeadline how long an engine may be at a removal that it was asked for
   */
  Leases(GcClock clock, Timeline timeline, Duration removalDeadline) {
    this.clock = clock;
    this.timeline = timeline;
    this.removalDeadline = removalDeadline;
  }

  /** Sets what is run after each change of {@link #entries()}. */
  void onChange(Runnable listener) {
    onChange = listener;
  }

  /** An image that is being removed. */
  private static final class Going {
    private final String name;
    private final Set<String> names = new LinkedHashSet<>(); // guarded by Leases.this
    private final CompletableFuture<Boolean> ended = new CompletableFuture<>();
    private final ImageId id;
    /** The removal is over for us, but the engine may be at it until then. */
    private volatile @Nullable Long unsettledUntil; // nanos

    Going(Image image) {
      this.id = image.id();
      this.name = Planner.name(image);
      this.names.addAll(image.references());
    }
  }

  @Override
  public Lease lease(String reference, Duration ttl, Duration maxWait) {
    if (ID.matcher(reference).matches()) {
      return lease(ImageId.of(reference), ttl, maxWait);
    }
    return lease(byName(reference), ttl, maxWait);
  }

  @Override
  public Lease lease(ImageId image, Duration ttl, Duration maxWait) {
    return lease(new Held(image.text(), image, Set.of()), ttl, maxWait);
  }

  private Lease lease(Held held, Duration ttl, Duration maxWait) {
    Durations.positive("ttl", ttl);
    Durations.notNegative("maxWait", maxWait);
    long asked = clock.nanoTime();
    Going removal = grant(held, ttl);
    while (removal != null) {
      awaitEnd(held, removal, maxWait.minusNanos(clock.nanoTime() - asked));
      removal = grant(held, ttl);
    }
    onChange.run();
    return held;
  }

  /** Returns the removal that is in the way, or null if it was granted. */
  private synchronized @Nullable Going grant(Held held, Duration ttl) {
    for (Going removal : going.values()) {
      if (held.covers(removal.id, removal.names)) {
        return removal;
      }
    }
    held.untilNanos = after(ttl);
    active.add(held);
    return null;
  }

  private void awaitEnd(Held held, Going removal, Duration atMost) {
    try {
      Duration unsettled = unsettled(removal);
      if (unsettled.isZero()) {
        end(removal);
      } else if (!clock.await(removal.ended, shorter(atMost, unsettled))
          && !unsettled(removal).isZero()) {
        throw new ImageGoingException("image " + removal.name + " is just being removed, so '"
            + held.subject() + "' cannot be leased now"
            + (removal.unsettledUntil != null
                ? "; the engine has not said yet what became of it"
                : ""));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException(
          "interrupted while waiting for the removal of image " + removal.name + " to end", e);
    }
  }

  /** For how long an engine may still be at a removal that is over for us; no end is known of one that is not. */
  private Duration unsettled(Going removal) {
    Long until = removal.unsettledUntil;
    return until == null
        ? Durations.LONGEST
        : Duration.ofNanos(Math.max(0, until - clock.nanoTime()));
  }

  private static Duration shorter(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  /** Returns what says of many images that a leased one stays, as of now. */
  Function<ImageRecord, Verdict> verdicts() {
    Map<ImageId, Held> byId = new HashMap<>();
    Map<String, Held> byName = new HashMap<>();
    List<Held> byStart = new ArrayList<>();
    synchronized (this) {
      dropExpired();
      if (active.isEmpty()) {
        return record -> Verdict.mayGo(); // no look at the names of every image
      }
      for (Held held : active) {
        if (held.image != null) {
          byId.putIfAbsent(held.image, held);
        }
        if (held.startOfId != null) {
          byStart.add(held);
        }
        held.spellings.forEach(name -> byName.putIfAbsent(name, held));
      }
    }
    boolean anyName = !byName.isEmpty();
    return record -> {
      Image image = record.image();
      Held held = byId.get(image.id());
      for (int i = 0; held == null && i < image.references().size(); i++) {
        held = byName.get(image.references().get(i));
      }
      for (int i = 0; held == null && i < byStart.size(); i++) {
        held = byStart.get(i).covers(image.id(), List.of()) ? byStart.get(i) : null;
      }
      if (held != null) {
        return held.verdict();
      }
      return anyName && mayBeArriving(record) ? arriving() : Verdict.mayGo();
    };
  }

  /** Whether it may be what a pull of a leased name has brought, a moment before it gets that name. */
  private boolean mayBeArriving(ImageRecord record) {
    return record.image().references().stream().allMatch(name -> name.indexOf('@') >= 0)
        && record.firstDetected().plus(ARRIVAL).isAfter(timeline.now());
  }

  private static Verdict arriving() {
    return Verdict.stays(
        Reason.LEASED, "it has no tag yet, and may be what is being pulled for a leased one");
  }

  /**
   * Announces that an image goes now: nobody can lease it until {@link #endRemoval}. If it is leased nothing is announced.
   *
   * @return why it stays, or that it may go
   */
  synchronized Verdict beginRemoval(ImageRecord record) {
    Image image = record.image();
    Verdict verdict = verdict(image.id(), image.references());
    if (verdict.reason().isEmpty()
        && mayBeArriving(record)
        && active.stream().anyMatch(held -> held.image == null)) {
      return arriving();
    }
    if (verdict.reason().isEmpty()) {
      // One that the engine may still be at goes on: it does not end with this one.
      going.computeIfAbsent(image.id(), id -> new Going(image)).names.addAll(image.references());
    }
    return verdict;
  }

  /** Says whether an announced removal may go on, now that all names of the image are known. */
  synchronized Verdict verdictOnNames(ImageId image, Collection<String> names) {
    Going removal = going.get(image);
    if (removal != null) {
      removal.names.addAll(names);
    }
    return verdict(image, names);
  }

  /**
   * Ends an announced removal, unless it is not known what became of it, or of an earlier one: then it goes on until {@link
   * #settle}, or for as long as an engine may be at a removal.
   *
   * @param decided what became of it
   */
  void endRemoval(ImageDecision decided) {
    Going ended;
    synchronized (this) {
      ended = going.get(decided.image().id());
      if (ended == null) {
        return;
      }
      if (decided.reason().equals(Reason.OUTCOME_UNKNOWN)) {
        ended.unsettledUntil = after(removalDeadline);
        return;
      }
      boolean gone =
          decided.decision().equals(Decision.REMOVED) || decided.decision().equals(Decision.GONE);
      if (!gone && ended.unsettledUntil != null && !unsettled(ended).isZero()) {
        return;
      }
    }
    end(ended);
  }

  private void end(Going removal) {
    synchronized (this) {
      going.remove(removal.id, removal);
    }
    removal.ended.complete(true);
  }

  /** The node was listed anew: an image that is not there any more is not going any more. */
  void settle(Predicate<ImageId> isListed) {
    List<Going> over;
    synchronized (this) {
      over = going.values().stream()
          .filter(removal -> removal.unsettledUntil != null)
          .filter(removal -> !isListed.test(removal.id) || unsettled(removal).isZero())
          .toList();
    }
    over.forEach(this::end);
  }

  /** The active leases, to be stored. */
  synchronized List<RecordSnapshot.LeaseEntry> entries() {
    dropExpired();
    Instant now = timeline.now();
    return active.stream().map(held -> held.entry(now)).toList();
  }

  /**
   * Takes over stored leases, which nobody holds any more: they end with their time.
   *
   * @throws IllegalArgumentException if one is on a name that is none; then none is taken over
   */
  synchronized void restore(List<RecordSnapshot.LeaseEntry> stored) {
    Instant now = timeline.now();
    List<Held> restored = new ArrayList<>();
    for (RecordSnapshot.LeaseEntry entry : stored) {
      Held held = entry
          .image()
          .map(image -> new Held(image.text(), image, Set.of()))
          .orElseGet(() -> byName(entry.reference().orElseThrow()));
      if (entry.expiresAt().isAfter(now)) {
        held.untilNanos = after(Duration.between(now, entry.expiresAt()));
        restored.add(held);
      }
    }
    active.addAll(restored);
  }

  private Held byName(String reference) {
    return new Held(
        reference, null, Names.spellings(ImageReference.of(reference).withDefaultTag()));
  }

  private Verdict verdict(ImageId image, Collection<String> names) {
    dropExpired();
    return active.stream()
        .filter(held -> held.covers(image, names))
        .findFirst()
        .map(Held::verdict)
        .orElse(Verdict.mayGo());
  }

  private void dropExpired() {
    long now = clock.nanoTime();
    active.removeIf(held -> held.untilNanos - now <= 0);
  }

  private long after(Duration ttl) {
    return LongMath.saturatedAdd(clock.nanoTime(), ttl.toNanos());
  }

  /** One lease. */
  private final class Held implements Lease {
    private final String subject;
    private final @Nullable ImageId image;
    private final Set<String> spellings; // of the name, if it is no id
    private final @Nullable String startOfId; // if the name may be one
    private long untilNanos; // guarded by Leases.this

    Held(String subject, @Nullable ImageId image, Set<String> spellings) {
      this.subject = subject;
      this.image = image;
      this.spellings = spellings;
      this.startOfId = image == null && START_OF_ID.matcher(subject).matches()
          ? Names.withoutPrefix(subject)
          : null;
    }

    boolean covers(ImageId id, Collection<String> names) {
      if (image != null) {
        return image.equals(id);
      }
      return names.stream().anyMatch(spellings::contains)
          || (startOfId != null && Names.withoutPrefix(id.text()).startsWith(startOfId));
    }

    RecordSnapshot.LeaseEntry entry(Instant now) {
      Instant expiresAt = now.plusNanos(untilNanos - clock.nanoTime());
      return image == null
          ? RecordSnapshot.LeaseEntry.of(subject, expiresAt)
          : RecordSnapshot.LeaseEntry.of(image, expiresAt);
    }

    Verdict verdict() {
      return Verdict.stays(
          Reason.LEASED, "leased as '" + subject + "' for another " + Durations.text(remaining()));
    }

    @Override
    public String subject() {
      return subject;
    }

    @Override
    public boolean isActive() {
      return !remaining().isZero();
    }

    @Override
    public Duration remaining() {
      synchronized (Leases.this) {
        dropExpired();
        return active.contains(this)
            ? Duration.ofNanos(untilNanos - clock.nanoTime())
            : Duration.ZERO;
      }
    }

    @Override
    public boolean renew(Duration ttl) {
      Durations.positive("ttl", ttl);
      synchronized (Leases.this) {
        dropExpired();
        if (!active.contains(this)) {
          return false;
        }
        untilNanos = after(ttl);
      }
      onChange.run();
      return true;
    }

    @Override
    public void close() {
      boolean ended;
      synchronized (Leases.this) {
        ended = active.remove(this);
      }
      if (ended) {
        onChange.run();
      }
    }

    @Override
    public String toString() {
      return "Lease[" + subject + (isActive() ? " for another " + remaining() : " over") + "]";
    }
  }
}
