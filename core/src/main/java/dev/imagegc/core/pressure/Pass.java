/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.Decision;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PressureShortfall;
import dev.imagegc.api.RankedContainer;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.SingleWriter;
import dev.imagegc.core.internal.Events;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One pass: measures, tells conditions, makes room, and hands over what is still short. */
final class Pass {
  static final Logger LOG = LoggerFactory.getLogger(DiskPressureManager.class);

  private static final SingleWriter.Kind<Boolean> ACT =
      SingleWriter.Kind.of("disk pressure", Boolean.class);

  /** What all passes of a manager have in common. */
  record Tools(
      PressurePolicy policy,
      Filesystems filesystems,
      Engine engine,
      Host host,
      @Nullable Supplier<ContainerGcReport> containers,
      @Nullable ImageGcManager images,
      SettingsCheck settings,
      SingleWriter writer,
      Duration maxWait,
      Duration settleTime,
      GcClock clock,
      Events events,
      Future<?> closing) {
    void refuseIfClosing() {
      if (closing.isDone()) {
        throw new CancelledException("the manager was closed during the pass");
      }
    }
  }

  /** What one pass leaves to the next. But for the conditions, used by one pass at a time. */
  static final class Memory {
    final Conditions conditions;
    private final List<Watched> watched;
    private final Map<DiskSignal, Reading> actedOn = new EnumMap<>(DiskSignal.class);
    private final Set<DiskSignal> loggedShort = EnumSet.noneOf(DiskSignal.class);
    private String unknown = "";
    private @Nullable Outcome handled; // how acting on this pressure ended last; null without any

    Memory(PressurePolicy policy) {
      watched = policy.thresholds().stream()
          .map(threshold -> new Watched(threshold, policy))
          .toList();
      conditions = new Conditions(watched);
    }
  }

  private final Tools tools;
  private final Memory memory;
  private final boolean acts;
  private final long startNanos;
  private final PressureReport.Builder report;

  Pass(Tools tools, Memory memory, boolean acts) {
    this.tools = tools;
    this.memory = memory;
    this.acts = acts;
    this.startNanos = tools.clock().nanoTime();
    this.report = new PressureReport.Builder(tools.clock().instant());
    tools.events().drainProblems();
  }

  /** Makes the pass, and tells it. Trouble that ends it is in the report. */
  PressureReport run() {
    try {
      Readings readings = observe();
      List<Watched> due = memory.watched.stream()
          .filter(one -> one.isDue() && isNew(one.threshold().signal(), readings))
          .toList();
      if (acts && !due.isEmpty()) {
        act(due, readings);
      }
    } catch (BusyException e) {
      report.outcome(Outcome.BUSY, e);
    } catch (GcException e) {
      report.outcome(Outcome.FAILED, e);
    }
    PressureReport done = report
        .conditions(memory.conditions.current())
        .duration(Duration.ofNanos(tools.clock().nanoTime() - startNanos))
        .problems(tools.events().drainProblems())
        .build();
    tools.host().passEnded(done);
    List<String> late = tools.events().drainProblems();
    return late.isEmpty()
        ? done
        : report
            .problems(Stream.concat(done.problems().stream(), late.stream()).toList())
            .build();
  }

  // Observe

  private Readings observe() {
    Readings readings = tools.filesystems().measure();
    report.before(readings);
    tools.settings().at(readings);
    long nowNanos = tools.clock().nanoTime();
    Instant now = tools.clock().instant();
    Map<DiskSignal, String> unknown = new EnumMap<>(DiskSignal.class);
    GcException whyUnknown = null;
    for (Watched one : memory.watched) {
      DiskSignal signal = one.threshold().signal();
      try {
        one.observe(readings.known(signal), nowNanos, now);
      } catch (GcException e) {
        one.unknown();
        unknown.put(signal, e.getMessage());
        whyUnknown = e;
      }
    }
    if (whyUnknown != null
        && memory.watched.stream()
            .allMatch(one -> unknown.containsKey(one.threshold().signal()))) {
      report.outcome(Outcome.FAILED, whyUnknown);
    }
    List<Watched> met = memory.watched.stream().filter(Watched::isMet).toList();
    report.unknown(unknown).met(met.stream().map(Watched::threshold).toList());
    memory.watched.stream()
        .filter(one -> !one.isMet())
        .forEach(one -> memory.loggedShort.remove(one.threshold().signal()));
    if (met.isEmpty()) {
      memory.handled = null;
    }
    tellUnknown(unknown);
    List<DiskCondition> changed = memory.conditions.update(memory.watched, unknown.keySet(), now);
    changed.forEach(Pass::log);
    tools.host().conditions(changed, memory.conditions.current());
    return readings;
  }

  private static void log(DiskCondition condition) {
    if (condition.isUnderPressure()) {
      LOG.warn("{} is under disk pressure: {}", condition.filesystem(), condition.message());
    } else {
      LOG.info("{}", condition.message());
    }
  }

  /** One state for all signals; it ends and begins anew when other signals are unknown than before. */
  private void tellUnknown(Map<DiskSignal, String> unknown) {
    String signals = unknown.keySet().toString();
    if (!signals.equals(memory.unknown)) {
      memory.unknown = signals;
      tools
          .events()
          .ended(
              GcEventType.SIGNAL_UNKNOWN,
              unknown.isEmpty()
                  ? "all signals with a threshold are measured again"
                  : "other signals are unknown now");
    }
    if (!unknown.isEmpty()) {
      tools
          .events()
          .began(
              GcEventType.SIGNAL_UNKNOWN,
              unknown.entrySet().stream()
                  .map(entry ->
                      "the threshold of " + entry.getKey() + " is not watched: " + entry.getValue())
                  .collect(Collectors.joining("; ")),
              null,
              null);
    }
  }

  /** Whether a signal is known, and not by the sample that was acted upon already. */
  private boolean isNew(DiskSignal signal, Readings readings) {
    return readings
        .of(signal)
        .filter(reading -> !reading.equals(memory.actedOn.get(signal)))
        .isPresent();
  }

  // Act

  private void act(List<Watched> due, Readings start) {
    Reclaim reclaim = new Reclaim(tools, report, due, start);
    report.actedOn(due.stream().map(Watched::threshold).toList());
    try {
      tools.writer().run(ACT, tools.maxWait(), () -> {
        reclaim.run();
        return true;
      });
    } catch (BusyException e) {
      report.actedOn(List.of());
      throw e;
    }
    rememberAsActedOn(due, reclaim, reclaim.readings());
    handOver(due, reclaim);
    tellHandled(due, start, reclaim.readings());
  }

  /** One sample is acted upon once; what met another call in the way, or a limit, has its turn yet. */
  private void rememberAsActedOn(List<Watched> due, Reclaim reclaim, Readings readings) {
    for (Watched one : due) {
      DiskSignal signal = one.threshold().signal();
      if (!reclaim.wasBusy(signal) && !reclaim.isUnfinished(signal)) {
        readings.of(signal).ifPresent(reading -> memory.actedOn.put(signal, reading));
      }
    }
  }

  /** Tells the host what is still short: once for each disk, and after each the numbers are fresh again. */
  private void handOver(List<Watched> due, Reclaim reclaim) {
    tools.refuseIfClosing(); // what is short may only be so because the reclaim was cut off
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
        handOver(one, reading, reclaim.trouble());
        readings = tools.filesystems().measure();
        report.after(readings);
        rememberAsActedOn(due, reclaim, readings);
      }
    }
    report.outcome(outcome, cause);
  }

  private void handOver(Watched one, Reading reading, String trouble) {
    PressureThreshold threshold = one.threshold();
    DiskSignal signal = threshold.signal();
    long wanted = one.wanted(reading);
    PressureShortfall shortfall = PressureShortfall.builder(
            signal, threshold.isHard(), reading.measuredAt())
        .amounts(threshold.value().amountOf(reading.capacity()), wanted, reading.available())
        .containers(ranking())
        .message(one.describe(reading) + ": " + Reading.text(signal, wanted - reading.available())
            + " are missing, and " + whyNoMore(trouble))
        .build();
    tools.refuseIfClosing();
    report.shortfall(shortfall);
    if (memory.loggedShort.add(signal)) { // it may last
      LOG.warn("{}", shortfall.message());
    } else {
      LOG.debug("{}", shortfall.message());
    }
    tools.host().shortfall(shortfall);
  }

  private String whyNoMore(String trouble) {
    return Stream.concat(
            report.containerReport().flatMap(ContainerGcReport::cause).stream(),
            report.imageReports().stream().flatMap(done -> done.cause().stream()))
        .findFirst()
        .map(cause -> "removing more for it failed: " + cause.getMessage())
        .orElse(trouble.isEmpty() ? "nothing more can be removed for it here" : trouble);
  }

  private List<RankedContainer> ranking() {
    ImageGcManager images = tools.images();
    return Ranking.of(
        tools.engine().containers(),
        images == null
            ? List.of()
            : images.records().stream().map(ImageRecord::image).toList(),
        imageDecisions().toList());
  }

  private Stream<ImageDecision> imageDecisions() {
    return report.imageReports().stream().flatMap(done -> done.decisions().stream());
  }

  private void tellHandled(List<Watched> due, Readings before, Readings after) {
    int containers = report.containerReport().map(done -> done.removed().size()).orElse(0);
    long removed = imageDecisions()
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
    boolean isNews = acted || !Objects.equals(report.outcome(), memory.handled);
    memory.handled = report.outcome();
    if (isNews) {
      List<GcReport> rounds = report.imageReports();
      tools
          .events()
          .happened(
              GcEventType.DISK_PRESSURE_HANDLED,
              message,
              null,
              rounds.isEmpty() ? null : rounds.get(rounds.size() - 1));
    }
  }

  private static String text(DiskSignal signal, Readings readings) {
    Optional<Reading> reading = readings.of(signal);
    return reading.isPresent() ? Reading.text(signal, reading.get().available()) : "unknown";
  }
}
