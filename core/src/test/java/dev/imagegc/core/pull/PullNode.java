/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageGoingException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageLeases;
import dev.imagegc.api.ImageLookup;
import dev.imagegc.api.ImagePuller;
import dev.imagegc.api.Lease;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.testkit.TestClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A scripted engine with names, images and pulls, and leases on them, in virtual time. Thread-safe. */
final class PullNode {
  private static final int PATIENCE_MILLIS = 30_000;

  final TestClock clock = new TestClock();
  final Engine engine = new Engine();
  final Leases leases = new Leases();

  ImagePullManager.Builder pulls() {
    return ImagePullManager.builder()
        .puller(engine)
        .lookup(engine)
        .leases(leases)
        .clock(clock);
  }

  /** Waits until a request has joined a transfer that is held, which reports progress. */
  static void awaitJoined(ImagePull pull) {
    while (pull.progress().isEmpty()) {
      Thread.onSpinWait();
    }
  }

  static PullResult result(ImagePull pull) {
    return pull.await(Duration.ofDays(3650)).orElseThrow();
  }

  /** Removes every image that neither its id nor one of its names holds: what a collector may do at any moment. */
  void collect() {
    synchronized (engine) {
      synchronized (leases) { // nothing is leased between the last look and the removal
        for (ImageId id : Set.copyOf(engine.images)) {
          boolean held =
              leases.isHeld(id.text()) || engine.namesOf(id).stream().anyMatch(leases::isHeld);
          if (!held) {
            engine.remove(id);
          }
        }
      }
    }
  }

  /** What a scripted pull does in place of bringing an image, or before. */
  interface PullScript {
    void run(Optional<RegistryCredentials> credentials, Consumer<PullProgress> progress);
  }

  /** A pull that stays in the engine until it is let go on, or is interrupted and minds it. */
  static final class Held implements PullScript {
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch interrupted = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final boolean stubborn;

    Held(boolean stubborn) {
      this.stubborn = stubborn;
    }

    @Override
    public void run(Optional<RegistryCredentials> credentials, Consumer<PullProgress> progress) {
      progress.accept(PullProgress.of(10, OptionalLong.of(100), "Downloading"));
      begun.countDown();
      while (true) {
        try {
          goOn.await();
          return;
        } catch (InterruptedException e) {
          interrupted.countDown();
          if (!stubborn) {
            throw new CancelledException("interrupted", e);
          }
        }
      }
    }

    void awaitBegun() throws InterruptedException {
      begun.await();
    }

    void awaitInterrupted() throws InterruptedException {
      interrupted.await();
    }

    boolean hasBegun() {
      return begun.getCount() == 0;
    }

    boolean wasInterrupted() {
      return interrupted.getCount() == 0;
    }

    void goOn() {
      goOn.countDown();
    }
  }

  final class Engine implements ImagePuller, ImageLookup {
    final List<String> pulled = new ArrayList<>(); // in the order in which they began
    final List<Long> begunAt = new ArrayList<>();
    private final Map<String, ImageId> names = new HashMap<>();
    private final Set<ImageId> images = new HashSet<>();
    private final Map<String, List<PullScript>> scripts = new HashMap<>();
    private final Map<String, Integer> running = new HashMap<>();
    private int runningInAll;
    private int mostRunning;
    private int mostRunningOfOne;
    private int lookUps;
    private Runnable afterPull = () -> {};
    private Runnable beforeLookUp = () -> {};
    private Runnable afterLookUp = () -> {};

    /** Puts an image there. */
    synchronized void add(String reference, String id) {
      names.put(reference, ImageId.of(id));
      images.add(ImageId.of(id));
    }

    synchronized void remove(ImageId id) {
      images.remove(id);
      names.values().remove(id);
    }

    synchronized boolean has(ImageId id) {
      return images.contains(id);
    }

    synchronized List<String> namesOf(ImageId id) {
      return names.keySet().stream().filter(name -> names.get(name).equals(id)).toList();
    }

    /** Adds to what the next pulls of a reference do. */
    synchronized void script(String reference, PullScript script) {
      scripts.computeIfAbsent(reference, key -> new ArrayList<>()).add(script);
    }

    void fail(String reference, RuntimeException failure) {
      script(reference, (credentials, progress) -> {
        throw failure;
      });
    }

    Held hold(String reference) {
      Held held = new Held(false);
      script(reference, held);
      return held;
    }

    Held holdStubbornly(String reference) {
      Held held = new Held(true);
      script(reference, held);
      return held;
    }

    /** Sets what happens on the engine's thread after each pull. */
    synchronized void afterPull(Runnable hook) {
      afterPull = hook;
    }

    synchronized void beforeLookUp(Runnable hook) {
      beforeLookUp = hook;
    }

    synchronized void afterLookUp(Runnable hook) {
      afterLookUp = hook;
    }

    synchronized int mostRunning() {
      return mostRunning;
    }

    synchronized int mostRunningOfOne() {
      return mostRunningOfOne;
    }

    synchronized int running() {
      return runningInAll;
    }

    synchronized int lookUps() {
      return lookUps;
    }

    synchronized List<String> pulled() {
      return List.copyOf(pulled);
    }

    @Override
    public void pull(
        String reference,
        Optional<RegistryCredentials> credentials,
        Consumer<PullProgress> progress) {
      PullScript script = begin(reference);
      try {
        script.run(credentials, progress);
        synchronized (this) {
          add(reference, "image-" + pulled.size());
        }
        hook(() -> afterPull).run();
      } finally {
        synchronized (this) {
          runningInAll--;
          running.merge(reference, -1, Integer::sum);
          notifyAll();
        }
      }
    }

    /** Waits until no pull is in the engine. */
    synchronized void awaitIdle() throws InterruptedException {
      while (runningInAll > 0) {
        wait();
      }
    }

    private synchronized PullScript begin(String reference) {
      pulled.add(reference);
      begunAt.add(clock.nanoTime());
      mostRunning = Math.max(mostRunning, ++runningInAll);
      mostRunningOfOne = Math.max(mostRunningOfOne, running.merge(reference, 1, Integer::sum));
      List<PullScript> planned = scripts.getOrDefault(reference, List.of());
      return planned.isEmpty() ? (credentials, progress) -> {} : planned.remove(0);
    }

    @Override
    public Optional<Image> findImage(String reference) {
      return lookUp(() -> Optional.ofNullable(names.get(reference)));
    }

    @Override
    public Optional<Image> findImage(ImageId id) {
      return lookUp(() -> images.contains(id) ? Optional.of(id) : Optional.empty());
    }

    private Optional<Image> lookUp(Supplier<Optional<ImageId>> find) {
      hook(() -> beforeLookUp).run();
      Optional<ImageId> found;
      synchronized (this) {
        lookUps++;
        found = find.get();
      }
      hook(() -> afterLookUp).run();
      return found.map(id -> Image.builder(id).build());
    }

    private synchronized Runnable hook(Supplier<Runnable> which) {
      return which.get();
    }
  }

  /** Leases in virtual time. */
  final class Leases implements ImageLeases {
    private final List<HeldLease> granted = new ArrayList<>();
    private final Map<String, CompletableFuture<Boolean>> going = new HashMap<>();
    private Runnable beforeLease = () -> {};
    private int renewals;

    /** Says that an image is being removed, until the future is done. */
    synchronized CompletableFuture<Boolean> going(String subject) {
      CompletableFuture<Boolean> end = new CompletableFuture<>();
      going.put(subject, end);
      return end;
    }

    synchronized void beforeLease(Runnable hook) {
      beforeLease = hook;
    }

    synchronized boolean isHeld(String subject) {
      return granted.stream().anyMatch(lease -> lease.subject.equals(subject) && lease.isActive());
    }

    synchronized List<String> held() {
      return granted.stream()
          .filter(Lease::isActive)
          .map(Lease::subject)
          .sorted()
          .toList();
    }

    /** How many leases were granted on something so far, over or not. */
    synchronized long granted(String subject) {
      return granted.stream().filter(lease -> lease.subject.equals(subject)).count();
    }

    /** Waits until nothing is leased: a lease that is granted while its request gives up is closed a moment later. */
    void awaitNoneHeld() {
      for (int i = 0; i < PATIENCE_MILLIS && !held().isEmpty(); i++) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
      }
      if (!held().isEmpty()) {
        throw new AssertionError("still leased: " + held());
      }
    }

    synchronized void awaitRenewals(int atLeast) throws InterruptedException {
      while (renewals < atLeast) {
        wait();
      }
    }

    synchronized int renewals() {
      return renewals;
    }

    /** Ends all leases, as a long suspension of the machine does. */
    synchronized void lapse() {
      granted.forEach(lease -> lease.closed = true);
    }

    @Override
    public Lease lease(String reference, Duration ttl, Duration maxWait) {
      return grant(reference, ttl, maxWait);
    }

    @Override
    public Lease lease(ImageId image, Duration ttl, Duration maxWait) {
      return grant(image.text(), ttl, maxWait);
    }

    private Lease grant(String subject, Duration ttl, Duration maxWait) {
      Runnable hook;
      CompletableFuture<Boolean> removal;
      synchronized (this) {
        hook = beforeLease;
        removal = going.get(subject);
      }
      hook.run();
      try {
        if (removal != null && !clock.await(removal, maxWait)) {
          throw new ImageGoingException("image " + subject + " is being removed");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CancelledException("interrupted", e);
      }
      synchronized (this) {
        going.remove(subject);
        HeldLease lease = new HeldLease(subject, clock.nanoTime() + ttl.toNanos());
        granted.add(lease);
        notifyAll();
        return lease;
      }
    }

    private final class HeldLease implements Lease {
      private final String subject;
      private long end;
      private boolean closed;

      HeldLease(String subject, long end) {
        this.subject = subject;
        this.end = end;
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
          return closed ? Duration.ZERO : Duration.ofNanos(Math.max(0, end - clock.nanoTime()));
        }
      }

      @Override
      public boolean renew(Duration ttl) {
        synchronized (Leases.this) {
          if (!isActive()) {
            return false;
          }
          end = clock.nanoTime() + ttl.toNanos();
          renewals++;
          Leases.this.notifyAll();
          return true;
        }
      }

      @Override
      public void close() {
        synchronized (Leases.this) {
          closed = true;
        }
      }
    }
  }
}
