/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.DiskConditionListener;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PressureShortfall;
import dev.imagegc.api.PressureShortfallHandler;
import dev.imagegc.api.Runtime;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.SingleWriter;
import dev.imagegc.core.SystemGcClock;
import dev.imagegc.core.container.ContainerGcManager;
import dev.imagegc.core.internal.DiskMeasures;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Events;
import dev.imagegc.core.internal.Schedule;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Watches the filesystems of a node, makes room on one that runs out of it, and hands to the host what it cannot reclaim.
 *
 * <p>A pass measures, tells the host's {@link DiskConditionListener} which filesystems are under pressure, and acts on thresholds
 * that are met and past their grace: on the filesystem that is short, and nowhere else, it removes ended containers, then as many
 * images as are needed for the threshold and its minimum reclaim; after each step it measures again. What is short then is told to
 * the {@link PressureShortfallHandler}, so that the host can stop workloads. This class never does.
 *
 * <p>What cannot be measured is neither pressure nor relief: its threshold is not watched meanwhile, which {@link
 * GcEventType#SIGNAL_UNKNOWN} says, and conditions stay as they are. Grace and transition count elapsed time.
 *
 * <p>Calls that act never throw for trouble with the engine or the disk. With the {@link SingleWriter} of the collectors that it
 * works with, a pass is one of their calls, and nobody interleaves. {@link #start()} makes passes by timer; without it nothing
 * happens by itself. Thread-safe. The host closes what it handed in itself, after {@link #close()}.
 *
 * <pre>{@code
 * SingleWriter writer = SingleWriter.create();
 * ImageGcManager images = ImageGcManager.builder().runtime(docker).fsStats(disks).writer(writer).build();
 * DiskPressureManager pressure = DiskPressureManager.builder()
 *     .fsStats(disks)
 *     .runtime(docker)
 *     .images(images)
 *     .writer(writer)
 *     .conditionListener(condition -> report(condition))
 *     .shortfallHandler(shortfall -> stopSomething(shortfall))
 *     .build();
 * pressure.start();
 * }</pre>
 */
public final class DiskPressureManager implements AutoCloseable {
  private final SingleWriter.Kind<PressureReport> passKind =
      SingleWriter.Kind.joining("a pass over disk pressure", PressureReport.class);
  private final SingleWriter.Kind<PressureReport> lookKind =
      SingleWriter.Kind.joining("a look at disk pressure", PressureReport.class);

  private final Pass.Tools tools;
  private final Pass.Memory memory;
  private final Deadlines deadlines;
  private final Duration interval;
  private final SingleWriter passes;
  private final Schedule schedule;
  private final AtomicBoolean started = new AtomicBoolean();
  private final CompletableFuture<Boolean> closed = new CompletableFuture<>();

  private DiskPressureManager(Builder builder, FsStatsProvider fsStats) {
    this.deadlines = builder.deadlines;
    this.interval = builder.interval;
    GcClock clock = builder.clock;
    PressurePolicy policy = builder.policy;
    Events events = new Events(
        builder.listener,
        deadlines.listener(),
        clock,
        LoggerFactory.getLogger(DiskPressureManager.class));
    Host host = new Host(
        builder.conditionListener,
        builder.shortfallHandler,
        builder.passListener,
        builder.imageThresholds,
        deadlines,
        clock,
        events);
    this.tools = new Pass.Tools(
        policy,
        new Filesystems(new DiskMeasures(fsStats, deadlines.measure(), clock), policy.layout()),
        new Engine(builder.runtime, deadlines, clock, events),
        host,
        builder.containers,
        builder.images,
        new SettingsCheck(policy, host, events),
        builder.writer == null ? SingleWriter.create(clock) : builder.writer,
        builder.maxWait,
        builder.settleTime,
        clock,
        events,
        closed);
    this.memory = new Pass.Memory(policy);
    this.passes = SingleWriter.create(clock);
    this.schedule = new Schedule(builder.scheduler, Duration.ZERO, new Random());
    tools.settings().atTheBeginning();
  }

  /**
   * Starts with the defaults; a disk measure must be given.
   *
   * @return a builder; not thread-safe
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Makes one pass, which makes room where there is pressure, or joins the one that is running. Blocks for as long as the disk
   * measure, the removals and the host's functions take, each within its deadline, and waits at most {@link Builder#maxWait} for a
   * pass and as long for other calls on the node.
   *
   * @return what was found and done
   * @throws IllegalStateException if this is closed
   */
  public PressureReport relieve() {
    checkOpen();
    return pass(passKind, true);
  }

  /**
   * Measures and tells conditions, as {@link #relieve()} does, but acts on nothing. Blocks for as long as the disk measure and the
   * listeners take.
   *
   * @return what was found
   * @throws IllegalStateException if this is closed
   */
  public PressureReport look() {
    checkOpen();
    return pass(lookKind, false);
  }

  /**
   * Begins to make passes by timer, at once and then in the interval, until {@link #close()}. Does not wait.
   *
   * @throws IllegalStateException if it was started or closed before
   */
  public void start() {
    checkOpen();
    if (!started.compareAndSet(false, true)) {
      throw new IllegalStateException("start() may be called once");
    }
    schedule.start(interval, () -> {
      if (!closed.isDone()) {
        pass(passKind, true);
      }
    });
  }

  /**
   * Returns how the filesystems are, by the last pass. Never waits; can be asked after {@link #close()} too.
   *
   * @return one condition for each filesystem that has thresholds, in their order
   */
  public List<DiskCondition> conditions() {
    return memory.conditions.current();
  }

  /**
   * Returns the settings that contradict each other, as far as they are known, because some are found at the first measurement
   * only: thresholds that are more than a filesystem has and, with {@link Builder#imageThresholds}, those that image collection
   * does not go with. Never waits.
   *
   * @return a sentence for each; none if all is well
   */
  public List<String> contradictions() {
    return tools.settings().found();
  }

  /**
   * Returns the policy.
   *
   * @return the policy that it was built with
   */
  public PressurePolicy policy() {
    return tools.policy();
  }

  /**
   * Ends the timer, lets a running pass stop before its next step, and waits for that for at most {@link
   * Deadlines.Builder#close}; then what still hangs is interrupted and left alone. After it {@link #conditions()}, {@link
   * #contradictions()} and {@link #policy()} can still be asked; every other call throws {@code IllegalStateException}. Closing
   * twice does nothing.
   */
  @Override
  public void close() {
    if (!closed.complete(true)) {
      return;
    }
    schedule.stop();
    try {
      passes.awaitIdle(tools.host().isHearing() ? Duration.ZERO : deadlines.close());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // then there is no time to wait
    }
    tools.filesystems().close();
    tools.engine().close();
    tools.host().close();
    tools.events().close();
  }

  private void checkOpen() {
    if (closed.isDone()) {
      throw new IllegalStateException("this DiskPressureManager is closed");
    }
  }

  private PressureReport pass(SingleWriter.Kind<PressureReport> kind, boolean acts) {
    // Whoever works on the node must not wait for a pass that may be waiting for the node, nor the
    // listener for one that waits for it.
    boolean atOnce = tools.writer().isHeldByThisThread() || tools.host().isHearing();
    Duration wait = atOnce ? Duration.ZERO : tools.maxWait();
    try {
      return passes.run(kind, wait, () -> new Pass(tools, memory, acts).run());
    } catch (BusyException e) {
      return notRun(Outcome.BUSY, e);
    } catch (CancelledException e) {
      return notRun(Outcome.FAILED, e);
    }
  }

  private PressureReport notRun(Outcome outcome, GcException cause) {
    PressureReport report = new PressureReport.Builder(tools.clock().instant())
        .outcome(outcome, cause)
        .conditions(conditions())
        .build();
    tools.host().passEnded(report);
    return report;
  }

  /** Builds a {@link DiskPressureManager}. Not thread-safe. */
  public static final class Builder {
    private @Nullable FsStatsProvider fsStats;
    private PressurePolicy policy = PressurePolicy.ofDefaults();
    private @Nullable Runtime runtime;
    private @Nullable ImageGcManager images;
    private @Nullable Supplier<ContainerGcReport> containers;
    private @Nullable Supplier<GcThresholds> imageThresholds;
    private DiskConditionListener conditionListener = DiskConditionListener.noop();
    private PressureShortfallHandler shortfallHandler = PressureShortfallHandler.noop();
    private Consumer<? super PressureReport> passListener = report -> {};
    private GcListener listener = GcListener.noop();
    private GcClock clock = SystemGcClock.instance();
    private Deadlines deadlines = Deadlines.defaults();
    private Duration interval = Duration.ofSeconds(10);
    private Duration maxWait = Duration.ofSeconds(30);
    private Duration settleTime = Duration.ofSeconds(30);
    private @Nullable ScheduledExecutorService scheduler;
    private @Nullable SingleWriter writer;

    private Builder() {}

    /**
     * Sets the disk measure. Required. Thresholds on filesystems or inodes that it does not know are not watched, which is told.
     *
     * @param newFsStats the measure
     * @return this builder
     */
    public Builder fsStats(FsStatsProvider newFsStats) {
      fsStats = Objects.requireNonNull(newFsStats, "fsStats");
      return this;
    }

    /**
     * Sets the thresholds and what belongs to them.
     *
     * @param newPolicy the default is {@link PressurePolicy#ofDefaults()}
     * @return this builder
     */
    public Builder policy(PressurePolicy newPolicy) {
      policy = Objects.requireNonNull(newPolicy, "policy");
      return this;
    }

    /**
     * Sets who removes images. Without it no image goes.
     *
     * @param newImages the collector of this node; the host closes it
     * @return this builder
     */
    public Builder images(ImageGcManager newImages) {
      images = Objects.requireNonNull(newImages, "images");
      return this;
    }

    /**
     * Sets who removes containers. Without it no container goes.
     *
     * @param newContainers the collector of this node; the host closes it
     * @return this builder
     */
    public Builder containers(ContainerGcManager newContainers) {
      return containerStep(newContainers::collectForSpace);
    }

    /**
     * Sets what image collection goes by, so that settings that contradict each other are told: as {@link
     * GcEventType#SETTINGS_CONTRADICT}, in the log and by {@link DiskPressureManager#contradictions()}.
     *
     * @param thresholds asked when this is built and in each pass until every signal has been measured, with a deadline; usually
     *     {@code policy::thresholds}
     * @return this builder
     */
    public Builder imageThresholds(Supplier<GcThresholds> thresholds) {
      imageThresholds = Objects.requireNonNull(thresholds, "imageThresholds");
      return this;
    }

    /** Sets who removes containers; it must do so on the calling thread, and bound itself. Without it no container goes. */
    Builder containerStep(Supplier<ContainerGcReport> step) {
      containers = Objects.requireNonNull(step, "step");
      return this;
    }

    /**
     * Sets the engine, which is asked for the running containers that a {@link PressureShortfall} has for the host to rank, and
     * whether it frees late. Without it there are none, and it does not.
     *
     * @param newRuntime the engine; the host closes it
     * @return this builder
     */
    public Builder runtime(Runtime newRuntime) {
      runtime = Objects.requireNonNull(newRuntime, "runtime");
      return this;
    }

    /**
     * Sets who hears of conditions.
     *
     * @param newListener the default ignores everything
     * @return this builder
     */
    public Builder conditionListener(DiskConditionListener newListener) {
      conditionListener = Objects.requireNonNull(newListener, "conditionListener");
      return this;
    }

    /**
     * Sets who hears of what cannot be reclaimed here, within {@link Deadlines.Builder#measure}.
     *
     * @param newHandler the default does nothing
     * @return this builder
     */
    public Builder shortfallHandler(PressureShortfallHandler newHandler) {
      shortfallHandler = Objects.requireNonNull(newHandler, "shortfallHandler");
      return this;
    }

    /**
     * Sets who hears what every pass came to, also one that failed or found others in the way: by timer, by {@link
     * DiskPressureManager#relieve()} and by {@link DiskPressureManager#look()}. A call that joined a pass is not told again, nor is
     * one of the listener itself. It hears of one report at a time, right after the pass and within {@link
     * Deadlines.Builder#listener}, on a thread of this manager. Other calls on the node go on meanwhile, but no other pass of this
     * manager: it must not wait for one, and a call of its own is BUSY at once. That it throws or is late is in the {@linkplain
     * PressureReport#problems() problems} of the report that the caller gets.
     *
     * @param newListener the default ignores everything
     * @return this builder
     */
    public Builder passListener(Consumer<? super PressureReport> newListener) {
      passListener = Objects.requireNonNull(newListener, "passListener");
      return this;
    }

    /**
     * Sets who hears of events. Those of the removals themselves go to the listeners of the collectors.
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
     * Sets how long the manager waits for others: for one filesystem to be measured and for each of the host's functions (the
     * shortfall handler, the thresholds of images) {@link Deadlines.Builder#measure}, for each listener {@link
     * Deadlines.Builder#listener}, for the list of containers of a shortfall {@link Deadlines.Builder#firstList}.
     *
     * @param newDeadlines the default is {@link Deadlines#defaults()}
     * @return this builder
     */
    public Builder deadlines(Deadlines newDeadlines) {
      deadlines = Objects.requireNonNull(newDeadlines, "deadlines");
      return this;
    }

    /**
     * Sets the pause between two passes by timer.
     *
     * @param pause above zero; the default is 10 s
     * @return this builder
     */
    public Builder interval(Duration pause) {
      interval = Durations.positive("interval", pause);
      return this;
    }

    /**
     * Sets how long a pass waits for another call that is running before it reports BUSY.
     *
     * @param wait zero or more; the default is 30 s
     * @return this builder
     */
    public Builder maxWait(Duration wait) {
      maxWait = Durations.notNegative("maxWait", wait);
      return this;
    }

    /**
     * Sets for how long a pass that has removed containers waits for their space before it goes on to images, with an engine that
     * is known to free late ({@link Runtime#freesSpaceLater()}). It waits no longer than until there is enough.
     *
     * @param longest zero or more; the default is 30 s, as in {@link dev.imagegc.core.RoundLimits.Builder#settleTime}
     * @return this builder
     */
    public Builder settleTime(Duration longest) {
      settleTime = Durations.notNegative("settleTime", longest);
      return this;
    }

    /**
     * Sets what gives the beat of the timer. It only hands work to a thread of this manager and is never blocked.
     *
     * @param newScheduler the host's scheduler; the host closes it. The default is an own daemon thread
     * @return this builder
     */
    public Builder scheduler(ScheduledExecutorService newScheduler) {
      scheduler = Objects.requireNonNull(newScheduler, "scheduler");
      return this;
    }

    /**
     * Sets whom this manager takes turns with: it should be the writer of the collectors that it works with.
     *
     * @param newWriter the writer; the default is one of its own
     * @return this builder
     */
    public Builder writer(SingleWriter newWriter) {
      writer = Objects.requireNonNull(newWriter, "writer");
      return this;
    }

    /**
     * Returns the manager. Until {@link DiskPressureManager#start()} it does nothing by itself.
     *
     * @return the manager
     * @throws IllegalStateException if the disk measure is missing
     */
    public DiskPressureManager build() {
      if (fsStats == null) {
        throw new IllegalStateException("fsStats must be set");
      }
      return new DiskPressureManager(this, fsStats);
    }
  }
}
