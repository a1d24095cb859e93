/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.Decision;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.DiskConditionListener;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PolicyException;
import dev.imagegc.api.PressureShortfall;
import dev.imagegc.api.PressureShortfallHandler;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RankedContainer;
import dev.imagegc.api.Runtime;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.SingleWriter;
import dev.imagegc.core.SpaceTarget;
import dev.imagegc.core.SystemGcClock;
import dev.imagegc.core.container.ContainerGcManager;
import dev.imagegc.core.internal.BoundedCalls;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Events;
import dev.imagegc.core.internal.Schedule;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
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
 * works with, a pass is one of their calls, and nobody interleaves. {@link #start()} makes passes by timer; without it nothing happens
 * by itself. Thread-safe. The host closes what it handed in itself, after {@link #close()}.
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
  private static final Logger LOG = LoggerFactory.getLogger(DiskPressureManager.class);

  private final SingleWriter.Kind<PressureReport> passKind =
      SingleWriter.Kind.joining("a pass over disk pressure", PressureReport.class);
  private final SingleWriter.Kind<PressureReport> lookKind =
      SingleWriter.Kind.joining("a look at disk pressure", PressureReport.class);
  private final SingleWriter.Kind<Boolean> actKind =
      SingleWriter.Kind.of("disk pressure", Boolean.class);

  private final GcClock clock;
  private final PressurePolicy policy;
  private final Filesystems filesystems;
  private final Reclaim.Tools tools;
  private final @Nullable Runtime runtime;
  private final @Nullable ImageGcManager images;
  private final DiskConditionListener conditionListener;
  private final PressureShortfallHandler shortfallHandler;
  private final BoundedCalls engineCalls;
  private final BoundedCalls conditionCalls;
  private final BoundedCalls shortfallCalls;
  private final BoundedCalls policyCalls;
  private final Deadlines deadlines;
  private final Duration interval;
  private final Duration maxWait;
  private final SingleWriter writer;
  private final SingleWriter passes;
  private final Events events;
  private final Schedule schedule;
  private final AtomicBoolean started = new AtomicBoolean();
  private final CompletableFuture<Boolean> closed = new CompletableFuture<>();

  // One pass at a time works with these.
  private final List<Watched> watched;
  private final Conditions conditions;
  private final SettingsCheck settings;
  private final Map<DiskSignal, Reading> lastActedOn = new EnumMap<>(DiskSignal.class);
  private final Set<NodeFs> untold = EnumSet.noneOf(NodeFs.class);
  private final Set<DiskSignal> loggedShort = EnumSet.noneOf(DiskSignal.class);
  private String lastUnknown = "";
  private @Nullable Outcome lastHandled; // how acting on this pressure ended last; null without any

  private DiskPressureManager(Builder builder, FsStatsProvider fsStats) {
    this.clock = builder.clock;
    this.policy = builder.policy;
    this.deadlines = builder.deadlines;
    this.filesystems =
        new Filesystems(fsStats, deadlines.measure(), policy.layout(), builder.clock);
    this.runtime = builder.runtime;
    this.images = builder.images;
    this.conditionListener = builder.conditionListener;
    this.shortfallHandler = builder.shortfallHandler;
    this.engineCalls = new BoundedCalls("the engine", clock, ProtocolException::new);
    this.conditionCalls = new BoundedCalls("the condition listener", clock, ProtocolException::new);
    this.shortfallCalls = new BoundedCalls("the shortfall handler", clock, ProtocolException::new);
    this.interval = builder.interval;
    this.maxWait = builder.maxWait;
    this.writer = builder.writer == null ? SingleWriter.create(clock) : builder.writer;
    this.passes = SingleWriter.create(clock);
    this.events = new Events(builder.listener, deadlines.listener(), clock, LOG);
    this.schedule = new Schedule(builder.scheduler, Duration.ZERO, new Random());
    this.watched = policy.thresholds().stream()
        .map(threshold -> new Watched(threshold, policy))
        .toList();
    this.conditions = new Conditions(watched);
    this.policyCalls = new BoundedCalls("the image policy", clock, PolicyException::new);
    this.settings = new SettingsCheck(
        builder.imageThresholds, policy, policyCalls, deadlines.measure(), events);
    settings.atTheBeginning();
    this.tools = new Reclaim.Tools(
        filesystems,
        builder.containers,
        images == null ? null : removalOf(images),
        policy.reclaimsEverythingUnused(),
        events,
        closed);
  }

  private static Reclaim.Images removalOf(ImageGcManager images) {
    return new Reclaim.Images() {
      @Override
      public GcReport reclaim(SpaceTarget target) {
        return images.reclaim(target);
      }

      @Override
      public GcReport deleteUnused() {
        return images.deleteUnusedImages();
      }
    };
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
   * Makes one pass: relieves what is under pressure, or joins such a pass that is running. Blocks for as long as the disk measure, the removals and the host's handler
   * take, each within its deadline, and waits at most {@link Builder#maxWait} for a pass and as long for other calls on the node.
   *
   * @return what was found and done
   * @throws IllegalStateException if this is closed
   */
  public PressureReport relieve() {
    checkOpen();
    return pass(passKind, true);
  }

  /**
   * Measures and tells conditions, as {@link #relieve()} does, but acts on nothing. Blocks for as long as the disk measure takes.
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
    return conditions.current();
  }

  /**
   * Returns the settings of image collection and of disk pressure that contradict each other, as far as they are known: some are
   * found at the first measurement only. Never waits.
   *
   * @return a sentence for each; none if all is well, or without {@link Builder#imageThresholds}
   */
  public List<String> contradictions() {
    return settings.found();
  }

  /**
   * Returns the policy.
   *
   * @return the policy that it was built with
   */
  public PressurePolicy policy() {
    return policy;
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
      passes.awaitIdle(deadlines.close());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // then there is no time to wait
    }
    filesystems.close();
    engineCalls.close();
    conditionCalls.close();
    shortfallCalls.close();
    policyCalls.close();
    events.close();
  }

  private void checkOpen() {
    if (closed.isDone()) {
      throw new IllegalStateException("this DiskPressureManager is closed");
    }
  }

  private PressureReport pass(SingleWriter.Kind<PressureReport> kind, boolean acts) {
    // Whoever works on the node must not wait for a pass that may be waiting for the node.
    Duration wait = writer.isHeldByThisThread() ? Duration.ZERO : maxWait;
    try {
      return passes.run(kind, wait, () -> passAlone(acts));
    } catch (BusyException e) {
      return notRun(Outcome.BUSY, e);
    } catch (CancelledException e) {
      return notRun(Outcome.FAILED, e);
    }
  }

  private PressureReport notRun(Outcome outcome, GcException cause) {
    return new PressureReport.Builder(clock.instant())
        .outcome(outcome, cause)
        .conditions(conditions())
        .build();
  }

  private PressureReport passAlone(boolean acts) {
    long startNanos = clock.nanoTime();
    PressureReport.Builder report = new PressureReport.Builder(clock.instant());
    events.drainProblems();
    try {
      observeAndAct(report, acts);
    } catch (BusyException e) {
      report.outcome(Outcome.BUSY, e);
    } catch (GcException e) {
      report.outcome(Outcome.FAILED, e);
    }
    return report
        .conditions(conditions())
        .duration(Duration.ofNanos(clock.nanoTime() - startNanos))
        .problems(events.drainProblems())
        .build();
  }

  private void observeAndAct(PressureReport.Builder report, boolean acts) {
    Readings readings = filesystems.measure();
    report.before(readings);
    settings.at(readings);
    long nowNanos = clock.nanoTime();
    Instant now = clock.instant();
    Map<DiskSignal, String> unknown = new EnumMap<>(DiskSignal.class);
    GcException whyUnknown = null;
    for (Watched one : watched) {
      DiskSignal signal = one.threshold().signal();
      try {
        one.observe(readings.known(signal), nowNanos, now);
      } catch (GcException e) {
        one.unknown();
        unknown.put(signal, e.getMessage());
        whyUnknown = e;
      }
    }
    report
        .unknown(unknown)
        .met(watched.stream().filter(Watched::isMet).map(Watched::threshold).toList());
    watched.stream()
        .filter(one -> !one.isMet())
        .forEach(one -> loggedShort.remove(one.threshold().signal()));
    tellUnknown(unknown);
    List<DiskCondition> changed = conditions.update(watched, unknown.keySet(), now);
    changed.forEach(condition -> untold.add(condition.filesystem()));
    changed.forEach(DiskPressureManager::log);
    conditions.current().stream()
        .filter(condition -> untold.contains(condition.filesystem()))
        .forEach(this::tell);
    List<Watched> due = watched.stream()
        .filter(one -> one.isDue() && isNew(one.threshold().signal(), readings))
        .toList();
    if (watched.stream().noneMatch(Watched::isMet)) {
      lastHandled = null;
    }
    if (acts && !due.isEmpty()) {
      act(report, due, readings);
    } else if (whyUnknown != null
        && watched.stream().allMatch(one -> unknown.containsKey(one.threshold().signal()))) {
      report.outcome(Outcome.FAILED, whyUnknown);
    }
  }

  /** Whether a signal is known, and not by the sample that was acted upon already. */
  private boolean isNew(DiskSignal signal, Readings readings) {
    return readings
        .of(signal)
        .filter(reading -> !reading.equals(lastActedOn.get(signal)))
        .isPresent();
  }

  private void act(PressureReport.Builder report, List<Watched> due, Readings start) {
    Reclaim reclaim = new Reclaim(tools, report, start);
    report.actedOn(due.stream().map(Watched::threshold).toList());
    try {
      writer.run(actKind, maxWait, () -> {
        reclaim.run(due);
        return true;
      });
    } catch (BusyException e) {
      report.actedOn(List.of());
      throw e;
    }
    rememberAsActedOn(due, reclaim, reclaim.readings());
    handOver(report, due, reclaim);
    tellHandled(report, due, start, reclaim.readings());
  }

  /** Tells the host what is still short: once for each disk, and after each the numbers are fresh again. */
  private void handOver(PressureReport.Builder report, List<Watched> due, Reclaim reclaim) {
    if (closed.isDone()) { // what is short may only be so because the reclaim was cut off
      throw new CancelledException("the manager was closed during the pass");
    }
    Readings readings = reclaim.readings();
    List<DiskSignal> told = new ArrayList<>();
    Outcome outcome = Outcome.DONE;
    GcException cause = null;
    for (Watched one : due) {
      DiskSignal signal = one.threshold().signal();
      Reading reading;
      try {
        reading = readings.known(signal);
      } catch (GcException e) {
        outcome = Outcome.FAILED;
        cause = e;
        continue;
      }
      if (!one.isShort(reading)) {
        continue;
      }
      if (reclaim.wasBusy(signal)) {
        cause = new BusyException("another call was in the way of making room for " + signal);
        outcome = Outcome.BUSY;
        continue;
      }
      if (outcome.equals(Outcome.DONE)) {
        outcome = Outcome.SHORT;
      }
      if (reclaim.isUnfinished(signal)) {
        continue; // more may go in the next pass, which is no reason to stop workloads
      }
      Readings now = readings;
      if (told.stream().noneMatch(other -> now.isSameRoom(other, signal))) {
        told.add(signal);
        PressureShortfall shortfall = shortfall(one, reading, report);
        report.shortfall(shortfall);
        if (loggedShort.add(signal)) { // it may last
          LOG.warn("{}", shortfall.message());
        } else {
          LOG.debug("{}", shortfall.message());
        }
        contained(
            shortfallCalls,
            "take a shortfall",
            deadlines.measure(),
            () -> shortfallHandler.onShortfall(shortfall));
        readings = filesystems.measure();
        report.after(readings);
        rememberAsActedOn(due, reclaim, readings);
      }
    }
    report.outcome(outcome, cause);
  }

  /** One sample is acted upon once; what met another call in the way, or a limit, has its turn yet. */
  private void rememberAsActedOn(List<Watched> due, Reclaim reclaim, Readings readings) {
    for (Watched one : due) {
      DiskSignal signal = one.threshold().signal();
      if (!reclaim.wasBusy(signal) && !reclaim.isUnfinished(signal)) {
        readings.of(signal).ifPresent(reading -> lastActedOn.put(signal, reading));
      }
    }
  }

  private PressureShortfall shortfall(Watched one, Reading reading, PressureReport.Builder report) {
    PressureThreshold threshold = one.threshold();
    long wanted = one.wanted(reading);
    return PressureShortfall.builder(threshold.signal(), threshold.isHard(), reading.measuredAt())
        .amounts(threshold.value().amountOf(reading.capacity()), wanted, reading.available())
        .containers(ranking(report))
        .message(one.describe(reading) + ": "
            + Reading.text(threshold.signal(), wanted - reading.available())
            + " are missing, and " + whyNoMore(report))
        .build();
  }

  private static String whyNoMore(PressureReport.Builder report) {
    return Stream.concat(
            report.containerReport().flatMap(ContainerGcReport::cause).stream(),
            report.imageReports().stream().flatMap(done -> done.cause().stream()))
        .findFirst()
        .map(trouble -> "removing more for it failed: " + trouble.getMessage())
        .orElse("nothing more can be removed for it here");
  }

  private List<RankedContainer> ranking(PressureReport.Builder report) {
    if (runtime == null) {
      return List.of();
    }
    Runtime engine = runtime;
    List<Container> containers;
    try {
      containers = engineCalls.call(
          "list containers", deadlines.firstList(), () -> List.copyOf(engine.listContainers()));
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) {
      events.problem("ranking", "the running containers are not known: " + e.getMessage());
      return List.of();
    }
    List<ImageDecision> decisions = report.imageReports().stream()
        .flatMap(done -> done.decisions().stream())
        .toList();
    return Ranking.of(
        containers,
        images == null
            ? List.of()
            : images.records().stream().map(ImageRecord::image).toList(),
        decisions);
  }

  private static void log(DiskCondition condition) {
    if (condition.isUnderPressure()) {
      LOG.warn("{} is under disk pressure: {}", condition.filesystem(), condition.message());
    } else {
      LOG.info("{}", condition.message());
    }
  }

  /** A host that misses an end would take the filesystem for one under pressure for ever: it is told until it has taken it. */
  private void tell(DiskCondition condition) {
    if (contained(
        conditionCalls,
        "take a condition",
        deadlines.listener(),
        () -> conditionListener.onCondition(condition))) {
      untold.remove(condition.filesystem());
    }
  }

  /** Calls the host; what it throws, or that it is late, is only told. Returns whether all went well. */
  private boolean contained(BoundedCalls calls, String what, Duration deadline, Runnable call) {
    try {
      return calls.call(what, deadline, () -> {
        call.run();
        return true;
      });
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) {
      Throwable thrown = e.getCause() == null ? e : e.getCause();
      events.problem(what + ":" + thrown.getClass().getName(), e.getMessage());
      LOG.debug("the host failed to {}", what, thrown);
      return false;
    }
  }

  /** One state for all signals; it ends and begins anew when other signals are unknown than before. */
  private void tellUnknown(Map<DiskSignal, String> unknown) {
    String signals = unknown.keySet().toString();
    if (!signals.equals(lastUnknown)) {
      lastUnknown = signals;
      events.ended(
          GcEventType.SIGNAL_UNKNOWN,
          unknown.isEmpty()
              ? "all signals with a threshold are measured again"
              : "other signals are unknown now");
    }
    if (!unknown.isEmpty()) {
      events.began(
          GcEventType.SIGNAL_UNKNOWN,
          unknown.entrySet().stream()
              .map(entry ->
                  "the threshold of " + entry.getKey() + " is not watched: " + entry.getValue())
              .collect(Collectors.joining("; ")),
          null,
          null);
    }
  }

  private void tellHandled(
      PressureReport.Builder report, List<Watched> due, Readings before, Readings after) {
    int containers = report.containerReport().map(done -> done.removed().size()).orElse(0);
    long removed = report.imageReports().stream()
        .flatMap(done -> done.decisions().stream())
        .filter(image -> image.decision().equals(Decision.REMOVED))
        .count();
    String what = due.stream()
        .map(one -> one.threshold().signal())
        .distinct()
        .map(signal -> signal + " " + text(signal, before) + " -> " + text(signal, after))
        .collect(Collectors.joining(", "));
    String message = "disk pressure " + report.outcome() + ": " + what + ", removed " + containers
        + " containers and " + removed + " images";
    boolean acted = containers > 0 || removed > 0;
    if (acted) {
      LOG.info("{}", message);
    } else {
      LOG.debug("{}", message);
    }
    boolean isNews = acted || !Objects.equals(report.outcome(), lastHandled);
    lastHandled = report.outcome();
    if (!isNews) {
      return;
    }
    List<GcReport> rounds = report.imageReports();
    events.happened(
        GcEventType.DISK_PRESSURE_HANDLED,
        message,
        null,
        rounds.isEmpty() ? null : rounds.get(rounds.size() - 1));
  }

  private static String text(DiskSignal signal, Readings readings) {
    Optional<Reading> reading = readings.of(signal);
    return reading.isPresent() ? Reading.text(signal, reading.get().available()) : "unknown";
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
    private GcListener listener = GcListener.noop();
    private GcClock clock = SystemGcClock.instance();
    private Deadlines deadlines = Deadlines.defaults();
    private Duration interval = Duration.ofSeconds(10);
    private Duration maxWait = Duration.ofSeconds(30);
    private @Nullable ScheduledExecutorService scheduler;
    private @Nullable SingleWriter writer;

    private Builder() {}

    /**
     * Sets the disk measure. Required.
     *
     * @param newFsStats measures the filesystems that have thresholds
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
     * @param thresholds asked when this is built and at the first measurement, with a deadline; usually {@code policy::thresholds}
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
     * Sets who lists the running containers that a {@link PressureShortfall} has for the host to rank. Without it, it has none.
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
     * shortfall handler, the thresholds of images) {@link Deadlines.Builder#measure}, for a listener {@link
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
