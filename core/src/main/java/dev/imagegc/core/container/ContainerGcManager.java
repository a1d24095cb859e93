/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.ContainerUnit;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.Workloads;
import dev.imagegc.core.Deadlines;
import dev.imagegc.core.SingleWriter;
import dev.imagegc.core.SystemGcClock;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Events;
import dev.imagegc.core.internal.Schedule;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Removes containers that have ended and that nobody keeps, as the kubelet does: of each unit the newest stay, those of deleted
 * workloads go, and the oldest go first, but last those that could not be removed before. It never forces a removal, and never
 * touches a container that runs, is paused, is restarting or is being removed, or that belongs to no unit of the host, unless the
 * {@linkplain ContainerGcPolicy policy} says so.
 *
 * <p>What may go: containers that have ended and were created at least {@link ContainerGcPolicy#minAge()} ago; ones that were
 * never started an hour after that, if their image is not leased; and ones whose state the engine does not know, which are stopped
 * first. Of a workload's sandboxes the newest stays, and every one that is ready or that a container is in; all of them go with
 * their workload. Ages come from elapsed time: a wall clock that is set makes no container older.
 *
 * <p>{@link #collect()} and {@link #collectForSpace()} return a report and never throw for trouble with the engine or the host's
 * functions. {@link #plan()} touches nothing and throws the typed {@link GcException}. All block for as long as the engine takes,
 * within the {@link Deadlines}, and run one at a time: a call waits at most {@code maxWait} for another one, and an equal call that
 * is running is joined. {@link #start()} collects by timer. Thread-safe. The host closes what it handed in (the runtime, its
 * scheduler) itself, after {@link #close()}.
 *
 * <pre>{@code
 * ContainerGcManager gc = ContainerGcManager.builder()
 *     .runtime(docker)
 *     .units(ContainerUnits.compose())
 *     .leases(images::isLeased)
 *     .build();
 * ContainerGcReport report = gc.collect();
 * }</pre>
 */
public final class ContainerGcManager implements AutoCloseable {
  private final SingleWriter.Kind<ContainerGcReport> collectKind =
      SingleWriter.Kind.joining("collectContainers", ContainerGcReport.class);
  private final SingleWriter.Kind<ContainerGcReport> collectForSpaceKind =
      SingleWriter.Kind.joining("collectContainersForSpace", ContainerGcReport.class);
  private final SingleWriter.Kind<ContainerGcReport> planKind =
      SingleWriter.Kind.joining("planContainers", ContainerGcReport.class);

  private final Pass.Tools tools;
  private final SingleWriter writer;
  private final Deadlines deadlines;
  private final Duration maxWait;
  private final Duration interval;
  private final Schedule schedule;
  private final AtomicBoolean started = new AtomicBoolean();
  private final CompletableFuture<Boolean> closed = new CompletableFuture<>();

  private ContainerGcManager(Builder builder, Runtime runtime, ContainerRemover remover) {
    this.deadlines = builder.deadlines;
    this.maxWait = builder.maxWait;
    this.interval = builder.interval;
    GcClock clock = builder.clock;
    Events events = new Events(
        builder.listener,
        deadlines.listener(),
        clock,
        LoggerFactory.getLogger(ContainerGcManager.class));
    this.tools = new Pass.Tools(
        new ContainerEngine(runtime, remover, deadlines, builder.stopGrace, clock),
        new Host(
            builder.workloads,
            builder.units,
            Optional.ofNullable(builder.leases),
            deadlines.measure(),
            clock,
            events),
        new Ages(clock),
        new Failures(events, clock),
        builder.policy,
        builder.timeBudget,
        clock,
        events,
        closed);
    this.writer = builder.writer == null ? SingleWriter.create(clock) : builder.writer;
    this.schedule = new Schedule(builder.scheduler, builder.jitter, new Random());
  }

  /**
   * Starts with the defaults; a runtime must be given.
   *
   * @return a builder; not thread-safe
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Says what {@link #collect()} would do now, for every container and with the reason. Touches nothing.
   *
   * @return a report that is {@link Outcome#PLANNED} or {@link Outcome#NOT_NEEDED}
   * @throws GcException if the engine could not be asked, or another call ran for too long
   * @throws IllegalStateException if this is closed
   */
  public ContainerGcReport plan() {
    checkOpen();
    return writer.run(planKind, maxWait, () -> new Pass(tools, false).plan());
  }

  /**
   * Removes the dead containers that the policy does not keep, and those of deleted workloads.
   *
   * @return what was done
   * @throws IllegalStateException if this is closed
   */
  public ContainerGcReport collect() {
    checkOpen();
    return act(collectKind, false);
  }

  /**
   * Does what {@link #collect()} does, and removes the dead containers and sandboxes of terminated workloads too: what gives way
   * first when the disk is full.
   *
   * @return what was done
   * @throws IllegalStateException if this is closed
   */
  public ContainerGcReport collectForSpace() {
    checkOpen();
    return act(collectForSpaceKind, true);
  }

  /**
   * Begins to collect by timer, at once and then in its interval, until {@link #close()}. Does not wait.
   *
   * @throws IllegalStateException if it was started or closed before
   */
  public void start() {
    checkOpen();
    if (!started.compareAndSet(false, true)) {
      throw new IllegalStateException("start() may be called once");
    }
    schedule.start(interval, this::collectByTimer);
  }

  /**
   * Ends the timer, lets a running pass stop before its next removal, and waits for that for at most {@link
   * Deadlines.Builder#close}; then what still hangs is interrupted and left alone. Every other call then throws {@code
   * IllegalStateException}. Closing twice does nothing.
   */
  @Override
  public void close() {
    if (!closed.complete(true)) {
      return;
    }
    schedule.stop();
    try {
      writer.awaitIdle(deadlines.close());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // then there is no time to wait
    }
    tools.engine().close();
    tools.host().close();
    tools.events().close();
  }

  private ContainerGcReport act(SingleWriter.Kind<ContainerGcReport> kind, boolean forSpace) {
    try {
      return writer.run(kind, maxWait, () -> new Pass(tools, forSpace).act());
    } catch (BusyException e) {
      return notRun(Outcome.BUSY, e);
    } catch (CancelledException e) {
      return notRun(Outcome.FAILED, e);
    }
  }

  private ContainerGcReport notRun(Outcome outcome, GcException cause) {
    return ContainerGcReport.builder(tools.clock().instant())
        .outcome(outcome, cause)
        .build();
  }

  private void collectByTimer() {
    if (!closed.isDone()) {
      tools
          .events()
          .doneByTimer(GcEventType.CONTAINER_GC_BUSY, act(collectKind, false).cause());
    }
  }

  private void checkOpen() {
    if (closed.isDone()) {
      throw new IllegalStateException("this ContainerGcManager is closed");
    }
  }

  /** Builds a {@link ContainerGcManager}. Not thread-safe. */
  public static final class Builder {
    private static final Function<Container, Optional<ContainerUnit>> DEFAULT_UNITS =
        ContainerUnits.firstOf(ContainerUnits.kubernetes(), ContainerUnits.compose());

    private @Nullable Runtime runtime;
    private ContainerGcPolicy policy = ContainerGcPolicy.ofDefaults();
    private Function<Container, Optional<ContainerUnit>> units = DEFAULT_UNITS;
    private Workloads workloads = Host.SILENT;
    private @Nullable Predicate<ImageId> leases;
    private GcListener listener = GcListener.noop();
    private GcClock clock = SystemGcClock.instance();
    private Deadlines deadlines = Deadlines.defaults();
    private Duration stopGrace = Duration.ofSeconds(10);
    private Duration timeBudget = Duration.ofMinutes(5);
    private Duration maxWait = Duration.ofSeconds(30);
    private Duration interval = Duration.ofMinutes(1);
    private Duration jitter = Duration.ZERO;
    private @Nullable SingleWriter writer;
    private @Nullable ScheduledExecutorService scheduler;

    private Builder() {}

    /**
     * Sets the container engine. Required, and it must be a {@link ContainerRemover} too.
     *
     * @param newRuntime the engine; the host closes it
     * @return this builder
     */
    public Builder runtime(Runtime newRuntime) {
      runtime = Objects.requireNonNull(newRuntime, "runtime");
      return this;
    }

    /**
     * Sets the policy.
     *
     * @param newPolicy the default is {@link ContainerGcPolicy#ofDefaults()}
     * @return this builder
     */
    public Builder policy(ContainerGcPolicy newPolicy) {
      policy = Objects.requireNonNull(newPolicy, "policy");
      return this;
    }

    /**
     * Sets what says to which unit of the host a container belongs. Asked in every pass about every container, on a thread of its
     * own and with the deadline {@link Deadlines.Builder#measure} for all of them; it must not call this collector. A container
     * about which it throws or answers null stays.
     *
     * <p>A host that {@linkplain #workloads tells its workloads} must say which units they have, and name those only: a complete
     * view of its pods says of every Compose project that it is deleted.
     *
     * @param newUnits empty for a container that the host does not own; the default knows {@link ContainerUnits#kubernetes()} and
     *     {@link ContainerUnits#compose()}
     * @return this builder
     */
    public Builder units(Function<Container, Optional<ContainerUnit>> newUnits) {
      units = Objects.requireNonNull(newUnits, "units");
      return this;
    }

    /**
     * Sets who knows which workloads exist. Without it, or with an incomplete view, nothing is removed because its workload is
     * deleted or has terminated. Asked with the deadline {@link Deadlines.Builder#measure}.
     *
     * @param newWorkloads the host's word; the default is that of {@link Workloads#unknown()}
     * @return this builder
     */
    public Builder workloads(Workloads newWorkloads) {
      workloads = Objects.requireNonNull(newWorkloads, "workloads");
      return this;
    }

    /**
     * Sets what says whether an image is leased: a container that was never started stays while one of its images is. Usually
     * {@code imageGcManager::isLeased}. Asked again right before a removal, with the deadline {@link Deadlines.Builder#measure}; if
     * it throws, the container stays.
     *
     * @param isLeased whether an image is leased, or may be; the default knows no leases
     * @return this builder
     */
    public Builder leases(Predicate<ImageId> isLeased) {
      leases = Objects.requireNonNull(isLeased, "leases");
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
     * Sets how long the collector waits for the engine, the listener and the host's functions.
     *
     * @param newDeadlines the default is {@link Deadlines#defaults()}
     * @return this builder
     */
    public Builder deadlines(Deadlines newDeadlines) {
      deadlines = Objects.requireNonNull(newDeadlines, "deadlines");
      return this;
    }

    /**
     * Sets how long a container of unknown state, or a sandbox, may take to end by itself when it is stopped before its removal.
     * The engine has the deadline of a removal on top of it.
     *
     * @param grace zero or more; the default is 10 s
     * @return this builder
     */
    public Builder stopGrace(Duration grace) {
      stopGrace = Durations.notNegative("stopGrace", grace);
      return this;
    }

    /**
     * Sets after how long a pass begins no further removal, so that others have their turn on the node; the next pass goes on. A
     * container that could not be removed is left alone for 1 minute, and for twice as long after each further failure, up to an
     * hour.
     *
     * @param budget above zero; the default is 5 minutes
     * @return this builder
     */
    public Builder timeBudget(Duration budget) {
      timeBudget = Durations.positive("timeBudget", budget);
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
     * Sets the pause between two passes by timer, from the end of one to the start of the next.
     *
     * @param newInterval above zero; the default is 1 minute
     * @return this builder
     */
    public Builder interval(Duration newInterval) {
      interval = Durations.positive("interval", newInterval);
      return this;
    }

    /**
     * Sets the longest random time that is added to each pause, so that many nodes do not act at the same moment.
     *
     * @param longest zero or more; the default is zero
     * @return this builder
     */
    public Builder jitter(Duration longest) {
      jitter = Durations.notNegative("jitter", longest);
      return this;
    }

    /**
     * Sets whom this collector takes turns with: calls of collectors with the same writer never interleave.
     *
     * @param newWriter the writer; the default is one of its own
     * @return this builder
     */
    public Builder writer(SingleWriter newWriter) {
      writer = Objects.requireNonNull(newWriter, "writer");
      return this;
    }

    /**
     * Sets what gives the beat of the timer. It only hands work to a thread of the collector and is never blocked.
     *
     * @param newScheduler the host's scheduler; the host closes it. The default is an own daemon thread
     * @return this builder
     */
    public Builder scheduler(ScheduledExecutorService newScheduler) {
      scheduler = Objects.requireNonNull(newScheduler, "scheduler");
      return this;
    }

    /**
     * Returns the collector. Until {@link ContainerGcManager#start()} it does nothing by itself.
     *
     * @return the collector
     * @throws IllegalStateException if the runtime is missing, or workloads are set without units
     * @throws IllegalArgumentException if the runtime cannot remove containers
     */
    public ContainerGcManager build() {
      if (runtime == null) {
        throw new IllegalStateException("runtime must be set");
      }
      if (!(runtime instanceof ContainerRemover remover)) {
        throw new IllegalArgumentException("runtime must be able to remove containers, but "
            + runtime.getClass().getName() + " is no ContainerRemover");
      }
      if (workloads != Host.SILENT && units == DEFAULT_UNITS) {
        throw new IllegalStateException("units must be set where workloads are: by default they are"
            + " those of Kubernetes and of Compose, and a complete view takes every workload that it"
            + " does not name for deleted");
      }
      return new ContainerGcManager(this, runtime, remover);
    }
  }
}
