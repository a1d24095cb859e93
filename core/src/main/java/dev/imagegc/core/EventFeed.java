/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.RuntimeEventSource.Subscription;
import dev.imagegc.api.RuntimeEventType;
import dev.imagegc.api.WatchHealth;
import dev.imagegc.api.WatchState;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Events;
import dev.imagegc.core.internal.Timeline;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Hears of use between two detections: from the engine's stream of events, and while there is none by comparing lists of
 * containers. What it hears can make an image look more used, newer, or as old as it is, and nothing else: so a missed or doubled
 * event does no harm. The lists of the rounds stay the truth.
 *
 * <p>Its work is a chain of steps, one at a time: connect if it is time to, list, and go on after a pause, until there is a
 * stream; its end begins a new chain, with a list at once. A list follows each connect too, for what happened just before.
 */
final class EventFeed {
  private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
  private static final Duration LONGEST_RETRY = Duration.ofMinutes(1);
  /** A list is not repeated before this many times its duration has passed. */
  private static final int REST_FACTOR = 20;

  private final Engine engine;
  private final RecordBook book;
  private final Timeline timeline;
  private final GcClock clock;
  private final Events events;
  private final Duration relistInterval;
  private final BiConsumer<Duration, Runnable> later;
  private final RandomGenerator random;
  private final ContainerWatch containers = new ContainerWatch();

  private WatchState state = WatchState.OFF; // guarded by this, as all below
  private Instant since;
  private @Nullable Stream stream; // the open one
  private @Nullable Stream
      lastAskedFor; // the open one, one that the engine has not answered yet, or one that is over
  private boolean stopped;
  private boolean noSource;
  private int chain; // the number of the chain of steps that goes on
  private int losses; // in a row
  private long retryAtNanos;
  private @Nullable String streamTrouble;
  private @Nullable String listTrouble;

  /**
   * Creates it; nothing happens before {@link #start}.
   *
   * @param relistInterval the pause between two lists while there is no stream; zero is no lists
   * @param later runs a step after a delay, one at a time, on a thread that may wait for the engine
   */
  EventFeed(
      Engine engine,
      RecordBook book,
      Timeline timeline,
      GcClock clock,
      Events events,
      Duration relistInterval,
      BiConsumer<Duration, Runnable> later,
      RandomGenerator random) {
    this.engine = engine;
    this.book = book;
    this.timeline = timeline;
    this.clock = clock;
    this.events = events;
    this.relistInterval = relistInterval;
    this.later = later;
    this.random = random;
    this.since = clock.instant();
    this.retryAtNanos = clock.nanoTime();
  }

  void start() {
    enter(WatchState.RELISTING);
    begin(() -> {});
  }

  /** Ends the stream and the lists. Closing twice does nothing. */
  void close() {
    Stream last;
    synchronized (this) {
      stopped = true;
      last = lastAskedFor;
      stream = null;
    }
    enter(WatchState.OFF);
    if (last != null) {
      last.close();
    }
  }

  synchronized WatchHealth health() {
    return WatchHealth.of(
        state,
        since,
        engine.lastContainerList(),
        Optional.ofNullable(listTrouble == null ? streamTrouble : listTrouble));
  }

  /** Begins a chain of steps in place of the one that may be there. */
  private void begin(Runnable first) {
    int mine;
    synchronized (this) {
      mine = ++chain;
    }
    later.accept(Duration.ZERO, () -> {
      first.run();
      step(mine);
    });
  }

  private void step(int mine) {
    if (isTimeToConnect()) {
      connect();
    }
    long began = clock.nanoTime();
    if (isStreaming() || !relistInterval.isZero()) {
      list();
    }
    Duration took = Duration.ofNanos(clock.nanoTime() - began);
    if (goesOn(mine)) {
      later.accept(Durations.longer(pause(), restAfter(took)), () -> step(mine));
    }
  }

  /** Not once there is a stream and the list that belongs to it, nor if there is nothing to wait for. */
  private synchronized boolean goesOn(int mine) {
    boolean over = stopped
        || mine != chain
        || (stream != null && listTrouble == null)
        || (noSource && relistInterval.isZero());
    return !over;
  }

  /** How long one that failed took says nothing of the next one. */
  private synchronized Duration restAfter(Duration listTook) {
    Duration rest = listTook.multipliedBy(REST_FACTOR);
    return listTrouble == null ? rest : Durations.shorter(rest, LONGEST_RETRY);
  }

  private synchronized boolean isTimeToConnect() {
    return !stopped && !noSource && stream == null && clock.nanoTime() - retryAtNanos >= 0;
  }

  private synchronized boolean isStreaming() {
    return stream != null;
  }

  private synchronized Duration pause() {
    return relistInterval.isZero()
        ? Duration.ofNanos(Math.max(FIRST_RETRY.toNanos() / 2, retryAtNanos - clock.nanoTime()))
        : relistInterval;
  }

  private void connect() {
    Stream mine = new Stream();
    synchronized (this) {
      if (stopped) {
        return;
      }
      // From here on close() ends it, also if the engine answers only after that.
      lastAskedFor = mine;
    }
    try {
      if (!engine.subscribe(mine)) {
        synchronized (this) {
          noSource = true;
        }
        return;
      }
    } catch (CancelledException e) {
      mine.close();
      return;
    } catch (GcException e) {
      mine.close();
      lost(e);
      return;
    }
    GcException over = takeOver(mine);
    if (over == null) {
      events.ended(GcEventType.EVENT_STREAM_LOST, "the engine tells its events again");
    } else {
      mine.close();
      lost(over);
    }
  }

  /** Returns why the stream is over already, or null. */
  private synchronized @Nullable GcException takeOver(Stream opened) {
    if (stopped) {
      return new CancelledException("the collector was closed meanwhile");
    }
    if (opened.endedBecause == null) {
      stream = opened;
      streamTrouble = null;
      enter(WatchState.STREAMING);
    }
    return opened.endedBecause;
  }

  /** There is no stream: says so once, and when to try again. */
  private void lost(GcException cause) {
    synchronized (this) {
      if (stopped) {
        return;
      }
      losses++;
      retryAtNanos = clock.nanoTime() + backOff(losses).toNanos();
      streamTrouble = cause.getMessage();
    }
    enter(WatchState.RELISTING);
    events.began(GcEventType.EVENT_STREAM_LOST, cause.getMessage(), cause, null);
  }

  /** Twice as long after each loss, up to a bound, and a random part less: many nodes must not ask an engine's host at once. */
  private Duration backOff(int times) {
    long half = Durations.doubled(FIRST_RETRY, times, LONGEST_RETRY).toNanos() / 2;
    return Duration.ofNanos(half + random.nextLong(half + 1));
  }

  private void list() {
    String trouble = null;
    try {
      containers.compare(engine.listContainers()).forEach(this::take);
    } catch (GcException e) {
      trouble = e.getMessage();
    }
    synchronized (this) {
      listTrouble = trouble;
    }
  }

  private synchronized void enter(WatchState next) {
    if (!state.equals(next) && (!stopped || next.equals(WatchState.OFF))) {
      state = next;
      since = clock.instant();
    }
  }

  private void take(RuntimeEvent event) {
    Instant now = timeline.now();
    RuntimeEventType type = event.type();
    ImageId image = event.image().orElse(null);
    if (event.container().isPresent()) {
      if (image != null) {
        book.used(image, now);
      } else {
        event.reference().ifPresent(name -> book.usedByName(name, now));
      }
    } else if (type.equals(RuntimeEventType.IMAGE_PULLED)
        || type.equals(RuntimeEventType.IMAGE_TAGGED)) {
      if (image != null) {
        book.came(image, now);
      } else {
        book.cameUnnamed(now);
      }
    } else if (image != null && type.equals(RuntimeEventType.IMAGE_DELETED)) {
      book.deletedByHearsay(image, now);
    }
  }

  /** One stream, from the attempt to open it to its end. */
  final class Stream implements RuntimeEventListener {
    private final long openedNanos = clock.nanoTime();
    private @Nullable GcException endedBecause; // guarded by EventFeed.this, as all below
    private boolean unwanted;
    private @Nullable Subscription subscription;

    /** Takes the open stream over, which may come too late. */
    void opened(Subscription newSubscription) {
      synchronized (EventFeed.this) {
        subscription = newSubscription;
        if (!unwanted) {
          return;
        }
      }
      newSubscription.close();
    }

    @Override
    public void onEvent(RuntimeEvent event) {
      containers.follow(event);
      take(event);
    }

    @Override
    public void onEnd(GcException cause) {
      synchronized (EventFeed.this) {
        endedBecause = cause;
        if (stream != this) {
          return; // the step that opens it sees that
        }
        stream = null;
        if (clock.nanoTime() - openedNanos >= LONGEST_RETRY.toNanos()) {
          losses = 0; // one that lasted is no sign of a flapping engine
        }
        begin(() -> lost(cause)); // before a step of the old chain sees that there is no stream
      }
    }

    void close() {
      Subscription open;
      synchronized (EventFeed.this) {
        unwanted = true;
        open = subscription;
      }
      if (open != null) {
        engine.unsubscribe(open);
      }
    }
  }
}
