/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.node;

import com.google.common.util.concurrent.ThreadFactoryBuilder;
import dev.imagegc.api.BusyException;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Runtime;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.SingleWriter;
import dev.imagegc.core.SystemGcClock;
import dev.imagegc.core.container.ContainerGcManager;
import dev.imagegc.core.container.ContainerGcPolicy;
import dev.imagegc.core.disk.DiskSpaceManager;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.pressure.DiskPressureManager;
import dev.imagegc.core.pressure.PressurePolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a node's disks from filling: collects images and dead containers, says whether there is room, and acts on disk pressure. It
 * puts {@link ImageGcManager}, {@link ContainerGcManager}, {@link DiskSpaceManager} and {@link DiskPressureManager} together so that
 * they take turns on one node, tell one listener, and know of each other's leases. Each of them also works alone.
 *
 * <p>{@link #start()} does it all by timer; the parts' own calls do it on demand. Thread-safe. The host closes what it handed in (the
 * runtime, the store, its scheduler) itself, after {@link #close()}.
 *
 * <pre>{@code
 * NodeGc node = NodeGc.builder()
 *     .runtime(docker)
 *     .fsStats(LocalFsStatsProvider.locatedBy(docker::imageFsPath).withInodes())
 *     .build();
 * node.start();
 * }</pre>
 */
public final class NodeGc implements AutoCloseable {
  /** How many rounds {@link #status()} remembers. */
  public static final int ROUNDS = 10;

  /** How much longer the parts wait: a listener that hangs is given up once for all of them, before each of them does. */
  private static final Duration MARGIN = Duration.ofSeconds(1);

  private static final Duration LONG = Duration.ofDays(1); // where a margin makes no difference

  private static final Logger LOG = LoggerFactory.getLogger(NodeGc.class);

  private final GcClock clock;
  private final FilesystemsInWords filesystems;
  private final RecentEvents events;
  private final @Nullable ScheduledExecutorService ownScheduler;
  private final ImageGcManager images;
  private final @Nullable ContainerGcManager containers;
  private final DiskSpaceManager diskSpace;
  private final DiskPressureManager pressure;
  private final List<AutoCloseable> parts = new ArrayList<>(); // that of the images first
  private final AtomicBoolean started = new AtomicBoolean();
  private final AtomicBoolean closed = new AtomicBoolean();

  private NodeGc(Builder builder, Runtime runtime, FsStatsProvider fsStats) {
    this.clock = builder.clock;
    Deadlines deadlines = builder.deadlines;
    GcPolicy imagePolicy = builder.imagePolicy;
    PressurePolicy pressurePolicy = builder.pressurePolicy;
    this.filesystems =
        new FilesystemsInWords(fsStats, imagePolicy, pressurePolicy, deadlines.measure(), clock);
    this.events = new RecentEvents(builder.listener, deadlines.listener(), clock, ROUNDS);
    Deadlines ofParts = withMargin(deadlines);
    SingleWriter writer = SingleWriter.create(clock);
    ScheduledExecutorService scheduler = builder.scheduler;
    this.ownScheduler = scheduler == null
        ? Executors.newSingleThreadScheduledExecutor(new ThreadFactoryBuilder()
            .setDaemon(true)
            .setNameFormat("imagegc-node-timer-%d")
            .build())
        : null;
    ScheduledExecutorService beat =
        ownScheduler == null ? Objects.requireNonNull(scheduler) : ownScheduler;
    // What the host sets for a part comes first: what all parts must have in common is not for it
    // to change.
    try {
      ImageGcManager.Builder imageBuilder =
          ImageGcManager.builder().deadlines(ofParts).maxWait(builder.maxWait);
      builder.images.accept(imageBuilder);
      this.images = opened(imageBuilder
          .runtime(runtime)
          .fsStats(fsStats)
          .policy(imagePolicy)
          .listener(events)
          .clock(clock)
          .scheduler(beat)
          .writer(writer)
          .build());
      this.containers = builder.collectsContainers.orElse(runtime instanceof ContainerRemover)
          ? opened(containers(builder, runtime, images, writer, beat))
          : null;
      DiskSpaceManager.Builder spaceBuilder = DiskSpaceManager.builder().deadlines(deadlines);
      builder.diskSpace.accept(spaceBuilder);
      this.diskSpace = opened(spaceBuilder.fsStats(fsStats).clock(clock).build());
      DiskPressureManager.Builder pressureBuilder =
          DiskPressureManager.builder().deadlines(ofParts).maxWait(builder.maxWait);
      builder.pressure.accept(pressureBuilder);
      pressureBuilder
          .runtime(runtime)
          .fsStats(fsStats)
          .policy(pressurePolicy)
          .images(images)
          .imageThresholds(imagePolicy::thresholds)
          .listener(events)
          .clock(clock)
          .scheduler(beat)
          .writer(writer);
      if (containers != null) {
        pressureBuilder.containers(containers);
      }
      this.pressure = opened(pressureBuilder.build());
    } catch (Throwable e) { // whatever the host's settings threw
      end();
      throw e;
    }
  }

  private <T extends AutoCloseable> T opened(T part) {
    parts.add(part);
    return part;
  }

  private static Deadlines withMargin(Deadlines deadlines) {
    Duration listener = deadlines.listener();
    return listener.compareTo(LONG) > 0
        ? deadlines
        : deadlines.toBuilder().listener(listener.plus(MARGIN)).build();
  }

  private ContainerGcManager containers(
      Builder builder,
      Runtime runtime,
      ImageGcManager images,
      SingleWriter writer,
      ScheduledExecutorService beat) {
    ContainerGcManager.Builder containerBuilder = ContainerGcManager.builder()
        .deadlines(withMargin(builder.deadlines))
        .maxWait(builder.maxWait);
    builder.containers.accept(containerBuilder);
    return containerBuilder
        .runtime(runtime)
        .policy(builder.containerPolicy)
        .leases(images::isLeased)
        .listener(events)
        .clock(clock)
        .scheduler(beat)
        .writer(writer)
        .build();
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
   * Returns what collects images, with its leases and its calls on demand.
   *
   * @return the part; always the same object; not to be started or closed by itself
   */
  public ImageGcManager images() {
    return images;
  }

  /**
   * Returns what collects dead containers.
   *
   * @return the part; always the same object; not to be started or closed by itself; empty if the engine cannot remove containers,
   *     or the host did not want it
   */
  public Optional<ContainerGcManager> containers() {
    return Optional.ofNullable(containers);
  }

  /**
   * Returns what says whether there is room.
   *
   * @return the part; always the same object; not to be closed by itself
   */
  public DiskSpaceManager diskSpace() {
    return diskSpace;
  }

  /**
   * Returns what watches for disk pressure.
   *
   * @return the part; always the same object; not to be started or closed by itself
   */
  public DiskPressureManager pressure() {
    return pressure;
  }

  /**
   * Begins to collect images and containers and to watch for pressure by timer, each at once and then in its interval, until {@link
   * #close()}. Does not wait. If a part cannot start, because it was started by itself, say, everything is closed: what has
   * begun without the rest would not keep the node in order.
   *
   * @throws IllegalStateException if it, or a part of it, was started or closed before
   */
  public void start() {
    if (closed.get()) {
      throw new IllegalStateException("this NodeGc is closed");
    }
    if (!started.compareAndSet(false, true)) {
      throw new IllegalStateException("start() may be called once");
    }
    try {
      images.start();
      if (containers != null) {
        containers.start();
      }
      if (!pressure.policy().thresholds().isEmpty()) {
        pressure.start();
      }
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /**
   * Looks at the node and says how it is, with a plan for images and containers that is made now. Touches nothing. Blocks as {@link
   * ImageGcManager#plan()} does; what cannot be had is said in its place.
   *
   * @return the status
   * @throws IllegalStateException if it was closed
   */
  public NodeStatus status() {
    GcPlan plan = null;
    GcException trouble = null;
    try {
      plan = images.plan();
    } catch (GcException e) {
      trouble = e;
    }
    return new NodeStatus(
        clock.instant(),
        filesystems.of(diskSpace),
        plan,
        trouble,
        containers == null ? null : containerPlan(containers),
        pressure.conditions(),
        images.watchHealth(),
        images.records().size(),
        events.lasting(),
        events.rounds(),
        pressure.contradictions());
  }

  private ContainerGcReport containerPlan(ContainerGcManager part) {
    try {
      return part.plan();
    } catch (GcException e) {
      return ContainerGcReport.builder(clock.instant())
          .outcome(e instanceof BusyException ? Outcome.BUSY : Outcome.FAILED, e)
          .build();
    }
  }

  /**
   * Ends the timers, lets a running call stop before its next step, and waits for that for at most {@link
   * Deadlines.Builder#close}, then for history to be saved, as {@link ImageGcManager#close()} does. Closing twice does nothing.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    end();
  }

  /** Closes what there is: the parts all at once, because they wait for the same call. */
  private void end() {
    List<Thread> others = parts.stream()
        .skip(1)
        .map(part -> new Thread(() -> close(part), "imagegc-close"))
        .toList();
    others.forEach(thread -> thread.setDaemon(true));
    others.forEach(Thread::start);
    parts.stream().limit(1).forEach(NodeGc::close); // here, because history has to be saved
    others.forEach(NodeGc::join);
    filesystems.close();
    events.close();
    if (ownScheduler != null) {
      ownScheduler.shutdown();
    }
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      LOG.warn("A part could not be closed", e);
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // it ends by itself
    }
  }

  /**
   * Builds a {@link NodeGc}. Not thread-safe.
   *
   * <p>What sets a part is given the builder of that part once, by {@link #build()}. The engine, the measure, the policies, the
   * listener, the clock and the scheduler of all parts win over what it sets, and so does what joins the parts: one writer, the leases, who
   * makes room under disk pressure. Deadlines and maxWait of all parts are what it begins with.
   */
  public static final class Builder {
    private @Nullable Runtime runtime;
    private @Nullable FsStatsProvider fsStats;
    private GcPolicy imagePolicy = LruGcPolicy.ofDefaults();
    private ContainerGcPolicy containerPolicy = ContainerGcPolicy.ofDefaults();
    private PressurePolicy pressurePolicy = PressurePolicy.ofDefaults();
    private Optional<Boolean> collectsContainers = Optional.empty();
    private GcListener listener = GcListener.noop();
    private GcClock clock = SystemGcClock.instance();
    private Deadlines deadlines = Deadlines.defaults();
    private Duration maxWait = Duration.ofSeconds(30);
    private @Nullable ScheduledExecutorService scheduler;
    private Consumer<ImageGcManager.Builder> images = builder -> {};
    private Consumer<ContainerGcManager.Builder> containers = builder -> {};
    private Consumer<DiskSpaceManager.Builder> diskSpace = builder -> {};
    private Consumer<DiskPressureManager.Builder> pressure = builder -> {};

    private Builder() {}

    /**
     * Sets the container engine. Required. What it can do beside listing and removing images is used, as the parts say.
     *
     * @param newRuntime the engine
     * @return this builder
     */
    public Builder runtime(Runtime newRuntime) {
      runtime = Objects.requireNonNull(newRuntime, "runtime");
      return this;
    }

    /**
     * Sets what measures the node's filesystems. Required. Thresholds on filesystems or inodes that it does not know are not
     * watched, which is told.
     *
     * @param provider the measure
     * @return this builder
     */
    public Builder fsStats(FsStatsProvider provider) {
      fsStats = Objects.requireNonNull(provider, "fsStats");
      return this;
    }

    /**
     * Sets what decides about images.
     *
     * @param newPolicy the policy; the default is {@link LruGcPolicy#ofDefaults()}
     * @return this builder
     */
    public Builder imagePolicy(GcPolicy newPolicy) {
      imagePolicy = Objects.requireNonNull(newPolicy, "imagePolicy");
      return this;
    }

    /**
     * Sets what decides about dead containers.
     *
     * @param newPolicy the policy; the default is {@link ContainerGcPolicy#ofDefaults()}
     * @return this builder
     */
    public Builder containerPolicy(ContainerGcPolicy newPolicy) {
      containerPolicy = Objects.requireNonNull(newPolicy, "containerPolicy");
      return this;
    }

    /**
     * Sets whether dead containers are collected.
     *
     * @param collects the default is to do so if the engine is a {@link ContainerRemover}
     * @return this builder
     */
    public Builder collectsContainers(boolean collects) {
      collectsContainers = Optional.of(collects);
      return this;
    }

    /**
     * Sets when a filesystem is under pressure.
     *
     * @param newPolicy the policy; the default is {@link PressurePolicy#ofDefaults()}, one without thresholds switches it off
     * @return this builder
     */
    public Builder pressurePolicy(PressurePolicy newPolicy) {
      pressurePolicy = Objects.requireNonNull(newPolicy, "pressurePolicy");
      return this;
    }

    /**
     * Sets what hears of everything, of all parts one event at a time.
     *
     * @param newListener the listener; the default ignores all
     * @return this builder
     */
    public Builder listener(GcListener newListener) {
      listener = Objects.requireNonNull(newListener, "listener");
      return this;
    }

    /**
     * Sets what tells time.
     *
     * @param newClock the clock; the default is the machine's
     * @return this builder
     */
    public Builder clock(GcClock newClock) {
      clock = Objects.requireNonNull(newClock, "clock");
      return this;
    }

    /**
     * Sets how long the engine, the disk measure, the listener and the host's functions may take.
     *
     * @param newDeadlines the deadlines; the default is {@link Deadlines#defaults()}
     * @return this builder
     */
    public Builder deadlines(Deadlines newDeadlines) {
      deadlines = Objects.requireNonNull(newDeadlines, "deadlines");
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
     * Sets what gives the beat of the timers. It only hands work to threads of the collector and is never blocked.
     *
     * @param newScheduler the host's scheduler; the host closes it. The default is an own daemon thread
     * @return this builder
     */
    public Builder scheduler(ScheduledExecutorService newScheduler) {
      scheduler = Objects.requireNonNull(newScheduler, "scheduler");
      return this;
    }

    /**
     * Sets what only the collection of images has: a store, limits, a veto, intervals.
     *
     * @param settings is given the builder of that part, as {@link Builder} says
     * @return this builder
     */
    public Builder images(Consumer<ImageGcManager.Builder> settings) {
      images = Objects.requireNonNull(settings, "images");
      return this;
    }

    /**
     * Sets what only the collection of containers has: units, workloads, its interval.
     *
     * @param settings is given the builder of that part, as {@link Builder} says
     * @return this builder
     */
    public Builder containers(Consumer<ContainerGcManager.Builder> settings) {
      containers = Objects.requireNonNull(settings, "containers");
      return this;
    }

    /**
     * Sets what only disk space has: its thresholds and its hold time.
     *
     * @param settings is given the builder of that part, as {@link Builder} says
     * @return this builder
     */
    public Builder diskSpace(Consumer<DiskSpaceManager.Builder> settings) {
      diskSpace = Objects.requireNonNull(settings, "diskSpace");
      return this;
    }

    /**
     * Sets what only disk pressure has: who hears of conditions and of what cannot be reclaimed, its interval.
     *
     * @param settings is given the builder of that part, as {@link Builder} says
     * @return this builder
     */
    public Builder pressure(Consumer<DiskPressureManager.Builder> settings) {
      pressure = Objects.requireNonNull(settings, "pressure");
      return this;
    }

    /**
     * Returns the collector of the node. Settings that contradict each other are logged and told as {@link
     * dev.imagegc.api.GcEventType#SETTINGS_CONTRADICT}, here if they do whatever the size of the disk, else at the first measurement.
     *
     * @return the collector, which does nothing by itself until {@link NodeGc#start()}
     * @throws IllegalStateException if the runtime or the disk measure is missing
     * @throws IllegalArgumentException if containers are to be collected and the engine cannot remove any, or a part refuses its
     *     settings; then nothing stays behind, nor does it if what sets a part throws
     */
    public NodeGc build() {
      if (runtime == null) {
        throw new IllegalStateException("runtime must be set");
      }
      if (fsStats == null) {
        throw new IllegalStateException("fsStats must be set");
      }
      if (collectsContainers.orElse(false) && !(runtime instanceof ContainerRemover)) {
        throw new IllegalArgumentException(
            "collectsContainers is true, so runtime must be able to remove containers, but "
                + runtime.getClass().getName() + " is no ContainerRemover");
      }
      return new NodeGc(this, runtime, fsStats);
    }
  }
}
