/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageLeases;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.RecordStore;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.Verdict;
import dev.imagegc.api.WatchHealth;
import dev.imagegc.core.internal.Disk;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Events;
import dev.imagegc.core.internal.Schedule;
import dev.imagegc.core.internal.Timeline;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Keeps a node's image filesystem from filling, without taking away an image that somebody needs.
 *
 * <p>Calls that act ({@link #garbageCollect()}, {@link #freeSpace(long)}, {@link #reclaim(SpaceTarget)}, {@link
 * #deleteUnusedImages()}) return a report and never throw for trouble with the engine, the disk or the policy. {@link #plan()}
 * and {@link #detectImages()} touch nothing and throw the typed {@link GcException}. All of these block for as long as the engine
 * takes, within the {@link Deadlines}, and run one at a time: a call waits at most {@code maxWait} for another one, and an equal
 * call that is running is joined.
 * {@link #records()}, {@link #leases()} and {@link #watchHealth()} never wait.
 *
 * <p>In every kind of round an image stays that a container holds, that is {@linkplain #leases() leased} or pinned by the engine,
 * that the policy keeps (protected, not owned, among the newest of its repository, younger than minAge, used less than grace ago),
 * or for which the host has a {@linkplain Builder#veto veto}. Use and leases are checked again right before each removal.
 *
 * <p>{@link #start()} does it all by timer, and hears of use in between; without it nothing happens by itself, except that changed
 * history is saved to the store, if there is one, after {@link Builder#saveDelay} and by {@link #close()}. Thread-safe. The host
 * closes what it handed in (the runtime, the store, its scheduler) itself, after {@link #close()}.
 *
 * <pre>{@code
 * ImageGcManager gc = ImageGcManager.builder()
 *     .runtime(docker)
 *     .fsStats(LocalFsStatsProvider.locatedBy(docker::imageFsPath))
 *     .build();
 * GcReport report = gc.garbageCollect();
 * }</pre>
 */
public final class ImageGcManager implements AutoCloseable {
  private final SingleWriter.Kind<GcReport> collectKind =
      SingleWriter.Kind.joining("garbageCollect", GcReport.class);
  private final SingleWriter.Kind<GcReport> freeSpaceKind =
      SingleWriter.Kind.of("freeSpace", GcReport.class);
  private final SingleWriter.Kind<GcReport> reclaimKind =
      SingleWriter.Kind.of("reclaim", GcReport.class);
  private final SingleWriter.Kind<GcReport> purgeKind =
      SingleWriter.Kind.joining("deleteUnusedImages", GcReport.class);
  private final SingleWriter.Kind<GcPlan> planKind =
      SingleWriter.Kind.joining("plan", GcPlan.class);
  private final SingleWriter.Kind<Boolean> detectKind =
      SingleWriter.Kind.joining("detectImages", Boolean.class);

  /** A timer does not list images again before this many times the last list's duration has passed. */
  private static final int REST_FACTOR = 20;

  private final GcClock clock;
  private final Deadlines deadlines;
  private final Duration detectionInterval;
  private final Duration collectionInterval;
  private final Engine engine;
  private final Meter meter;
  private final RecordBook book;
  private final Leases leases;
  private final EventFeed feed;
  private final History history;
  private final Events events;
  private final Round round;
  private final SingleWriter writer;
  private final Duration maxWait;
  private final ImageListCache imageList;
  private final Schedule schedule;
  private final AtomicBoolean started = new AtomicBoolean();
  private final CompletableFuture<Boolean> closed = new CompletableFuture<>();

  private ImageGcManager(Builder builder, Runtime runtime, FsStatsProvider fsStats) {
    this.clock = builder.clock;
    this.deadlines = builder.deadlines;
    this.detectionInterval = builder.detectionInterval;
    this.collectionInterval = builder.collectionInterval;
    this.events = new Events(
        builder.listener,
        deadlines.listener(),
        clock,
        LoggerFactory.getLogger(ImageGcManager.class));
    this.engine = new Engine(runtime, deadlines, clock);
    this.meter = new Meter(fsStats, deadlines, clock, events);
    Timeline timeline = new Timeline(clock);
    Random random = new Random();
    this.schedule = new Schedule(builder.scheduler, builder.jitter, random);
    this.leases = new Leases(clock, timeline, deadlines.removal());
    this.book =
        new RecordBook(new RememberedImages(builder.rememberedImages, builder.rememberedAge));
    this.history = new History(
        new History.Settings(
            Optional.ofNullable(builder.store),
            builder.saveDelay,
            builder.trustWallClock,
            deadlines),
        clock,
        timeline,
        book,
        leases,
        events,
        schedule);
    book.onChange(history::changed);
    leases.onChange(history::changed);
    this.round = new Round(
        new Sweep.Tools(
            engine,
            meter,
            book,
            leases,
            new BackOff(builder.limits, events),
            timeline,
            clock,
            events,
            builder.limits,
            closed),
        new PolicyGuard(builder.policy, builder.veto, events),
        history,
        detectionInterval);
    this.writer = builder.writer == null ? SingleWriter.create(clock) : builder.writer;
    this.maxWait = builder.maxWait;
    this.imageList = new ImageListCache(engine, clock);
    Executor watching = schedule.lane();
    this.feed = new EventFeed(
        engine,
        book,
        timeline,
        clock,
        events,
        builder.relistInterval,
        (delay, step) -> schedule.once(delay, watching, step),
        random);
  }

  /**
   * Starts with the defaults; a runtime and a disk measure must be given.
   *
   * @return a builder; not thread-safe
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Looks at the node and remembers: which images there are, and which are in use now. Touches nothing.
   *
   * @return what is remembered of every image of the node
   * @throws GcException if the engine could not be asked, or another call ran for too long
   */
  public Collection<ImageRecord> detectImages() {
    checkOpen();
    detect();
    return records();
  }

  /**
   * Says what {@link #garbageCollect()} would do now, for every image and with the reason. Touches nothing, and always asks
   * the engine, also when nothing is needed.
   *
   * @return the plan
   * @throws GcException if the engine, the disk or the policy could not be asked, or another call ran for too long
   */
  public GcPlan plan() {
    checkOpen();
    return writer.run(
        planKind, maxWait, () -> round.plan((thresholds, disk) -> new Goal.Threshold(thresholds)));
  }

  /**
   * Runs one threshold round: removes what maxAge makes due, and when usage is at or above the high threshold, frees down to
   * the low one. Below it, with nothing due, the engine is not asked at all.
   *
   * @return what was done
   */
  public GcReport garbageCollect() {
    checkOpen();
    return act(
        collectKind, Operation.COLLECT, (thresholds, disk) -> new Goal.Threshold(thresholds));
  }

  /**
   * Frees a number of bytes, whatever the usage is, in the policy's order.
   *
   * @param bytes how many bytes more than now shall be available, above 0
   * @return what was done; {@link Outcome#SHORT} if there was not enough that may go
   * @throws IllegalArgumentException if {@code bytes} is not above 0
   */
  public GcReport freeSpace(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("bytes must be above 0, but is " + bytes);
    }
    checkOpen();
    return act(
        freeSpaceKind,
        Operation.FREE_SPACE,
        (thresholds, disk) -> Goal.FreeSpace.from(disk, bytes));
  }

  /**
   * Frees images in the policy's order until the image filesystem has so much room, as disk pressure asks for it. With that much
   * room already nothing is removed and the engine is not asked; images that maxAge makes due are left to {@link
   * #garbageCollect()}. Never joins another call.
   *
   * @param target the available bytes, the free inodes, or both
   * @return what was done; {@link Outcome#SHORT} if there was not enough that may go, {@link Outcome#FAILED} if inodes are wanted
   *     and the disk measure does not know them
   */
  public GcReport reclaim(SpaceTarget target) {
    Objects.requireNonNull(target, "target");
    checkOpen();
    return act(reclaimKind, Operation.RECLAIM, (thresholds, disk) -> new Goal.Reclaim(target));
  }

  /**
   * Removes every image that nothing holds back, whatever the usage is. What stays in other rounds because it is in use, leased,
   * pinned, kept by the policy, too young or vetoed stays here too.
   *
   * @return what was done
   */
  public GcReport deleteUnusedImages() {
    checkOpen();
    return act(purgeKind, Operation.PURGE, (thresholds, disk) -> new Goal.Purge());
  }

  /**
   * Returns what is remembered of every image that the last detection or round has seen, with the use heard since. Never waits.
   *
   * @return the records, in no particular order; a view of one moment that does not change
   */
  public Collection<ImageRecord> records() {
    return book.records();
  }

  /**
   * Returns the node's images for a status display, largest first: from a list that is at most 30 s old, or else from the
   * engine. Does not wait for a running round, but for the engine if the list is too old.
   *
   * @return the images by listed size descending, then by id; those of unknown size last
   * @throws GcException if the list is too old and the engine could not be asked
   */
  public List<Image> images() {
    checkOpen();
    return imageList.images();
  }

  /**
   * Returns where hosts lease images that they are about to use: an image that is leased is not collected in any kind of round.
   * These are the leases of this collector; they have no effect on another one. With a {@linkplain Builder#store store} they are
   * part of history: after a restart, a lease that was saved holds for what is left of its time, and nobody can close it.
   *
   * @return the leases; always the same object
   */
  public ImageLeases leases() {
    return leases;
  }

  /**
   * Returns whether an image is leased now, by its id or by a name that the last detection or round saw it with. One that is not
   * in {@link #records()} may have any name, so it counts as leased while a name is. For those who remove what holds an image:
   * {@code dev.imagegc.core.container.ContainerGcManager} asks it about containers that were never started. Never waits.
   *
   * @param image its id
   * @return whether it is leased, or may be
   */
  public boolean isLeased(ImageId image) {
    Objects.requireNonNull(image, "image");
    return book.record(image)
        .map(record -> leases.verdicts().apply(record).reason().isPresent())
        .orElseGet(() -> leases.mayCover(image));
  }

  /**
   * Returns how the collector hears of use between two detections, and how well. Never waits.
   *
   * @return the health of this moment
   */
  public WatchHealth watchHealth() {
    return feed.health();
  }

  /**
   * Begins to detect and to collect by timer, each at once and then in its interval, until {@link #close()}. Does not wait.
   *
   * <p>In between it hears of use from the engine's events, if the runtime is a {@link dev.imagegc.api.RuntimeEventSource}. While
   * there is no such stream it compares lists of containers, every {@link Builder#relistInterval}. A stream that is lost is told
   * as {@link dev.imagegc.api.GcEventType#EVENT_STREAM_LOST} and asked for again after 1 s, then after twice as long each time up
   * to a minute, less a random part. {@link #watchHealth()} says how it is.
   *
   * @throws IllegalStateException if it was started or closed before
   */
  public void start() {
    checkOpen();
    if (!started.compareAndSet(false, true)) {
      throw new IllegalStateException("start() may be called once");
    }
    feed.start();
    schedule.start(detectionInterval, this::detectByTimer);
    schedule.start(collectionInterval, this::collectByTimer);
  }

  /**
   * Ends the timers and the stream of events, lets a running call stop before its next removal, and waits for that for at most
   * {@link Deadlines.Builder#close}; then what still hangs is interrupted and left alone. At last history, with the leases, is
   * saved if it changed or is an hour old, within {@link Deadlines.Builder#store}.
   *
   * <p>After it {@link #records()}, {@link #watchHealth()}, {@link #leases()} and {@link #isLeased} can still be asked; every other
   * call throws {@code IllegalStateException}. Leases then only say how long they would hold: they are saved no more. Closing twice
   * does nothing.
   */
  @Override
  public void close() {
    if (!closed.complete(true)) {
      return;
    }
    feed.close();
    schedule.stop();
    try {
      writer.awaitIdle(deadlines.close());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // then there is no time to wait
    }
    engine.close();
    meter.close();
    history.close();
    events.close();
  }

  private GcReport act(
      SingleWriter.Kind<GcReport> kind,
      Operation operation,
      BiFunction<GcThresholds, Disk, Goal> goalAt) {
    try {
      return writer.run(kind, maxWait, () -> round.act(operation, goalAt));
    } catch (BusyException e) {
      return notRun(operation, Outcome.BUSY, e);
    } catch (CancelledException e) {
      return notRun(operation, Outcome.FAILED, e);
    }
  }

  private GcReport notRun(Operation operation, Outcome outcome, GcException cause) {
    return GcReport.builder(operation, clock.instant()).outcome(outcome, cause).build();
  }

  private void collectByTimer() {
    if (!closed.isDone()) {
      GcReport report =
          act(collectKind, Operation.COLLECT, (thresholds, disk) -> new Goal.Threshold(thresholds));
      events.doneByTimer(GcEventType.IMAGE_GC_BUSY, report.cause());
    }
  }

  private void detectByTimer() {
    if (closed.isDone() || engine.needsRest(REST_FACTOR)) {
      return;
    }
    try {
      detect();
    } catch (GcException e) {
      // Told as an event if it is trouble; if another call was in the way, that one has looked at
      // the node.
    }
  }

  private void detect() {
    writer.run(detectKind, maxWait, () -> {
      round.detect();
      return true;
    });
  }

  private void checkOpen() {
    if (closed.isDone()) {
      throw new IllegalStateException("this ImageGcManager is closed");
    }
  }

  /** Builds an {@link ImageGcManager}. Not thread-safe. */
  public static final class Builder {
    private @Nullable Runtime runtime;
    private @Nullable FsStatsProvider fsStats;
    private GcPolicy policy = LruGcPolicy.ofDefaults();
    private GcListener listener = GcListener.noop();
    private GcClock clock = SystemGcClock.instance();
    private @Nullable RecordStore store;
    private boolean trustWallClock;
    private Duration saveDelay = Duration.ofSeconds(30);
    private int rememberedImages = 10_000;
    private Duration rememberedAge = Duration.ofDays(30);
    private Deadlines deadlines = Deadlines.defaults();
    private RoundLimits limits = RoundLimits.defaults();
    private Function<ImageRecord, Verdict> veto = image -> Verdict.mayGo();
    private Duration maxWait = Duration.ofSeconds(30);
    private @Nullable SingleWriter writer;
    private Duration detectionInterval = Duration.ofMinutes(5);
    private Duration collectionInterval = Duration.ofMinutes(5);
    private Duration relistInterval = Duration.ofSeconds(1);
    private Duration jitter = Duration.ZERO;
    private @Nullable ScheduledExecutorService scheduler;

    private Builder() {}

    /**
     * Sets the container engine. Required. If it is a {@link dev.imagegc.api.RuntimeEventSource} too, use is heard from its
     * events; if it is an {@link dev.imagegc.api.ImageLookup}, the names of an image are looked up again before it is removed.
     *
     * @param newRuntime the engine; the host closes it
     * @return this builder
     */
    public Builder runtime(Runtime newRuntime) {
      runtime = Objects.requireNonNull(newRuntime, "runtime");
      return this;
    }

    /**
     * Sets the disk measure. Required.
     *
     * @param newFsStats measures the filesystem that holds the images
     * @return this builder
     */
    public Builder fsStats(FsStatsProvider newFsStats) {
      fsStats = Objects.requireNonNull(newFsStats, "fsStats");
      return this;
    }

    /**
     * Sets the policy.
     *
     * @param newPolicy the default is {@link LruGcPolicy#ofDefaults()}
     * @return this builder
     */
    public Builder policy(GcPolicy newPolicy) {
      policy = Objects.requireNonNull(newPolicy, "policy");
      return this;
    }

    /**
     * Sets who hears of events. Use {@link GcListener#composite} for several.
     *
     * @param newListener the default ignores everything
     * @return this builder
     */
    public Builder listener(GcListener newListener) {
      listener = Objects.requireNonNull(newListener, "listener");
      return this;
    }

    /**
     * Sets the time, for tests.
     *
     * @param newClock the default is the machine's
     * @return this builder
     */
    public Builder clock(GcClock newClock) {
      clock = Objects.requireNonNull(newClock, "clock");
      return this;
    }

    /**
     * Sets where history, with the leases, survives a restart. Without it every image counts as first seen when the process first
     * looks.
     *
     * @param newStore the store; the host closes it
     * @return this builder
     */
    public Builder store(RecordStore newStore) {
      store = Objects.requireNonNull(newStore, "store");
      return this;
    }

    /**
     * Sets whether the time between two processes counts by the wall clock where the machine's uptime cannot prove it. Off by
     * default: images then look younger than they are, never older.
     *
     * @param trust whether the host vouches for the wall clock
     * @return this builder
     */
    public Builder trustWallClock(boolean trust) {
      trustWallClock = trust;
      return this;
    }

    /**
     * Sets how long after a change history is saved to the store, at the latest: what a process that is killed may lose. Saving is
     * done on a thread of the collector that does not wait for rounds, whether or not {@link ImageGcManager#start()} was called;
     * the {@linkplain #scheduler scheduler} gives the beat. An unchanged history is saved once an hour at most, so that a reboot
     * does not make images younger than that.
     *
     * @param delay above zero; the default is 30 s
     * @return this builder
     */
    public Builder saveDelay(Duration delay) {
      saveDelay = Durations.positive("saveDelay", delay);
      return this;
    }

    /**
     * Sets of how many removed or vanished images it is remembered when they were last used, and for how long: an image that comes
     * back then has its place in the order of use again. Its age begins anew. Of an image that was never seen in use nothing is
     * remembered. One takes about 130 bytes.
     *
     * @param images how many at most, those that went last; 0 is none; the default is 10,000
     * @param age for how long at most, above zero; the default is 30 days
     * @return this builder
     */
    public Builder remember(int images, Duration age) {
      if (images < 0) {
        throw new IllegalArgumentException("images must be zero or more, but is " + images);
      }
      rememberedAge = Durations.positive("age", age);
      rememberedImages = images;
      return this;
    }

    /**
     * Sets how long the collector waits for the engine, the disk measure, the listener and the store.
     *
     * @param newDeadlines the default is {@link Deadlines#defaults()}
     * @return this builder
     */
    public Builder deadlines(Deadlines newDeadlines) {
      deadlines = Objects.requireNonNull(newDeadlines, "deadlines");
      return this;
    }

    /**
     * Sets what bounds a round besides its goal.
     *
     * @param newLimits the default is {@link RoundLimits#defaults()}
     * @return this builder
     */
    public Builder limits(RoundLimits newLimits) {
      limits = Objects.requireNonNull(newLimits, "limits");
      return this;
    }

    /**
     * Sets the host's own word on images that the policy lets go: what the host knows and no policy can. A {@link Verdict} that
     * stays, with a {@link dev.imagegc.api.Reason} of the host's, is the veto.
     *
     * <p>Asked once a round or plan, on the thread that runs it and without a deadline, for each image that is not in use, not
     * pinned, and let go by the policy. It must be quick and must not call this collector. An image for which it throws or
     * answers null stays ({@link dev.imagegc.api.Reason#POLICY_FAILED}).
     *
     * @param newVeto says whether an image may go; the default lets all go
     * @return this builder
     */
    public Builder veto(Function<ImageRecord, Verdict> newVeto) {
      veto = Objects.requireNonNull(newVeto, "veto");
      return this;
    }

    /**
     * Sets how long a call waits for another one that is running before it reports BUSY.
     *
     * @param wait zero or more; the default is 30 s
     * @return this builder
     */
    public Builder maxWait(Duration wait) {
      maxWait = Durations.notNegative("maxWait", wait);
      return this;
    }

    /**
     * Sets whom this collector takes turns with: calls of collectors with the same writer never interleave. {@code
     * dev.imagegc.core.node.NodeGc} sets it.
     *
     * @param newWriter the writer; the default is one of its own
     * @return this builder
     */
    public Builder writer(SingleWriter newWriter) {
      writer = Objects.requireNonNull(newWriter, "writer");
      return this;
    }

    /**
     * Sets the pause between two detections by timer. Detection is what tells for certain which images there are and which are in
     * use; it is put off while the last list took more than a twentieth of the time since.
     *
     * @param interval above zero; the default is 5 minutes
     * @return this builder
     */
    public Builder detectionInterval(Duration interval) {
      detectionInterval = Durations.positive("detectionInterval", interval);
      return this;
    }

    /**
     * Sets the pause between two threshold rounds by timer.
     *
     * @param interval above zero; the default is 5 minutes
     * @return this builder
     */
    public Builder collectionInterval(Duration interval) {
      collectionInterval = Durations.positive("collectionInterval", interval);
      return this;
    }

    /**
     * Sets the pause between two lists of containers while the engine tells no events: because it has none, or because its
     * stream is lost. The pause is at least twenty times what a list takes.
     *
     * @param interval zero for no such lists; the default is 1 s, the kubelet's
     * @return this builder
     */
    public Builder relistInterval(Duration interval) {
      relistInterval = Durations.notNegative("relistInterval", interval);
      return this;
    }

    /**
     * Sets the longest random time that is added to each pause between two detections and between two rounds, so that many nodes
     * do not act at the same moment.
     *
     * @param longest zero or more; the default is zero
     * @return this builder
     */
    public Builder jitter(Duration longest) {
      jitter = Durations.notNegative("jitter", longest);
      return this;
    }

    /**
     * Sets what gives the beat of the timers. It only hands work to a thread of the collector and is never blocked.
     *
     * @param newScheduler the host's scheduler; the host closes it. The default is an own daemon thread
     * @return this builder
     */
    public Builder scheduler(ScheduledExecutorService newScheduler) {
      scheduler = Objects.requireNonNull(newScheduler, "scheduler");
      return this;
    }

    /**
     * Returns the collector. Until {@link ImageGcManager#start()} it does nothing by itself but save what calls have changed.
     *
     * @return the collector
     * @throws IllegalStateException if the runtime or the disk measure is missing
     */
    public ImageGcManager build() {
      if (runtime == null) {
        throw new IllegalStateException("runtime must be set");
      }
      if (fsStats == null) {
        throw new IllegalStateException("fsStats must be set");
      }
      return new ImageGcManager(this, runtime, fsStats);
    }
  }
}
