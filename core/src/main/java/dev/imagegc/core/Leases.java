/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ImmutableSet;
import com.google.common.math.LongMath;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageGoingException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageLeases;
import dev.imagegc.api.ImageReference;
import dev.imagegc.api.Lease;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.Verdict;
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

  private final GcClock clock;
  private final Timeline timeline;
  private volatile Runnable onChange = () -> {};
  private final Set<Held> active = new LinkedHashSet<>(); // guarded by this
  private final Map<ImageId, Going> going = new HashMap<>(); // guarded by this

  Leases(GcClock clock, Timeline timeline) {
    this.clock = clock;
    this.timeline = timeline;
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
    /** The removal is over for us, but the engine may still be at it. */
    private volatile boolean unsettled;

    Going(Image image) {
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
    for (Map.Entry<ImageId, Going> removal : going.entrySet()) {
      if (held.covers(removal.getKey(), removal.getValue().names)) {
        return removal.getValue();
      }
    }
    held.untilNanos = after(ttl);
    active.add(held);
    return null;
  }

  private void awaitEnd(Held held, Going removal, Duration atMost) {
    try {
      if (!clock.await(removal.ended, atMost)) {
        throw new ImageGoingException("image " + removal.name + " is just being removed, so '"
            + held.subject() + "' cannot be leased now"
            + (removal.unsettled ? "; the engine has not said yet what became of it" : ""));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException(
          "interrupted while waiting for the removal of image " + removal.name + " to end", e);
    }
  }

  /** Returns what says of many images that a leased one stays, as of now. */
  Function<Image, Verdict> verdicts() {
    Map<ImageId, Held> byId = new HashMap<>();
    Map<String, Held> byName = new HashMap<>();
    synchronized (this) {
      dropExpired();
      for (Held held : active) {
        if (held.image != null) {
          byId.putIfAbsent(held.image, held);
        }
        held.spellings.forEach(name -> byName.putIfAbsent(name, held));
      }
    }
    return image -> {
      Held held = byId.get(image.id());
      for (int i = 0; held == null && i < image.references().size(); i++) {
        held = byName.get(image.references().get(i));
      }
      return held == null ? Verdict.mayGo() : held.verdict();
    };
  }

  /**
   * Announces that an image goes now: nobody can lease it until {@link #endRemoval}. If it is leased nothing is announced.
   *
   * @return why it stays, or that it may go
   */
  synchronized Verdict beginRemoval(Image image) {
    Verdict verdict = verdict(image.id(), image.references());
    if (verdict.reason().isEmpty()) {
      going.put(image.id(), new Going(image));
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
   * Ends an announced removal.
   *
   * @param settled whether it is known what became of it; if not, it goes on until {@link #settle}
   */
  void endRemoval(ImageId image, boolean settled) {
    Going ended;
    synchronized (this) {
      ended = going.get(image);
      if (ended == null) {
        return;
      }
      if (!settled) {
        ended.unsettled = true;
        return;
      }
      going.remove(image);
    }
    ended.ended.complete(true);
  }

  /** The node was listed anew: that settles what became of earlier removals. */
  void settle() {
    ImmutableSet<ImageId> unsettled;
    synchronized (this) {
      unsettled = going.entrySet().stream()
          .filter(removal -> removal.getValue().unsettled)
          .map(Map.Entry::getKey)
          .collect(ImmutableSet.toImmutableSet());
    }
    unsettled.forEach(image -> endRemoval(image, true));
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
    private long untilNanos; // guarded by Leases.this

    Held(String subject, @Nullable ImageId image, Set<String> spellings) {
      this.subject = subject;
      this.image = image;
      this.spellings = spellings;
    }

    boolean covers(ImageId id, Collection<String> names) {
      return image == null ? names.stream().anyMatch(spellings::contains) : image.equals(id);
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
