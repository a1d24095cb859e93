/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import com.google.common.collect.ImmutableMap;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PressureShortfall;
import dev.imagegc.core.FsLayout;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What one pass over the node's filesystems found and did. Immutable. */
public final class PressureReport {
  private final Outcome outcome;
  private final @Nullable GcException cause;
  private final Instant startedAt;
  private final Duration duration;
  private final Map<NodeFs, FsStats> filesystemsBefore;
  private final Map<NodeFs, FsStats> filesystemsAfter;
  private final @Nullable FsLayout layout;
  private final Map<DiskSignal, String> unknown;
  private final List<PressureThreshold> met;
  private final List<PressureThreshold> actedOn;
  private final @Nullable ContainerGcReport containerReport;
  private final List<GcReport> imageReports;
  private final List<PressureShortfall> shortfalls;
  private final List<DiskCondition> conditions;
  private final List<String> problems;

  private PressureReport(Builder builder) {
    this.outcome = builder.outcome;
    this.cause = builder.cause;
    this.startedAt = builder.startedAt;
    this.duration = builder.duration;
    this.filesystemsBefore = builder.filesystemsBefore;
    this.filesystemsAfter = builder.filesystemsAfter;
    this.layout = builder.layout;
    this.unknown = ImmutableMap.copyOf(builder.unknown);
    this.met = List.copyOf(builder.met);
    this.actedOn = List.copyOf(builder.actedOn);
    this.containerReport = builder.containerReport;
    this.imageReports = List.copyOf(builder.imageReports);
    this.shortfalls = List.copyOf(builder.shortfalls);
    this.conditions = List.copyOf(builder.conditions);
    this.problems = List.copyOf(builder.problems);
  }

  /**
   * Returns how it ended: {@link Outcome#NOT_NEEDED} if there was nothing to act upon, {@link Outcome#DONE} if what was acted upon
   * is over, {@link Outcome#SHORT} if something is still short, {@link Outcome#FAILED} if no signal could be measured or one that
   * was acted upon cannot be any more, {@link Outcome#BUSY} if another call was in the way. Conditions are up to date all the
   * same, except that a pass which waited in vain for another pass has none of its own.
   *
   * @return the outcome
   */
  public Outcome outcome() {
    return outcome;
  }

  /**
   * Returns the trouble that ended it.
   *
   * @return the cause, if the outcome is {@link Outcome#FAILED} or {@link Outcome#BUSY}
   */
  public Optional<GcException> cause() {
    return Optional.ofNullable(cause);
  }

  /**
   * Returns when it began, by the wall clock.
   *
   * @return the time
   */
  public Instant startedAt() {
    return startedAt;
  }

  /**
   * Returns how long it took, in elapsed time.
   *
   * @return the duration
   */
  public Duration duration() {
    return duration;
  }

  /**
   * Returns the filesystems at the start.
   *
   * @return those that could be measured
   */
  public Map<NodeFs, FsStats> filesystemsBefore() {
    return filesystemsBefore;
  }

  /**
   * Returns the filesystems as they were last measured.
   *
   * @return those that could be measured
   */
  public Map<NodeFs, FsStats> filesystemsAfter() {
    return filesystemsAfter;
  }

  /**
   * Returns which filesystems are the same.
   *
   * @return the layout, or empty if it is not known yet
   */
  public Optional<FsLayout> layout() {
    return Optional.ofNullable(layout);
  }

  /**
   * Returns the signals with a threshold that could not be measured, and why.
   *
   * @return sentences for people by signal
   */
  public Map<DiskSignal, String> unknownSignals() {
    return unknown;
  }

  /**
   * Returns the thresholds that are met, those in their grace included.
   *
   * @return hard ones first, and in the order of their signals
   */
  public List<PressureThreshold> met() {
    return met;
  }

  /**
   * Returns the thresholds that were acted upon: they are met, past their grace, and were measured anew.
   *
   * @return hard ones first, and in the order of their signals
   */
  public List<PressureThreshold> actedOn() {
    return actedOn;
  }

  /**
   * Returns what the removal of containers came to.
   *
   * @return the report, or empty if that step was not taken or threw
   */
  public Optional<ContainerGcReport> containerReport() {
    return Optional.ofNullable(containerReport);
  }

  /**
   * Returns what the removals of images came to.
   *
   * @return the reports, in order
   */
  public List<GcReport> imageReports() {
    return imageReports;
  }

  /**
   * Returns what was handed to the host.
   *
   * @return the shortfalls, in order
   */
  public List<PressureShortfall> shortfalls() {
    return shortfalls;
  }

  /**
   * Returns the conditions of this pass.
   *
   * @return one for each filesystem that has thresholds
   */
  public List<DiskCondition> conditions() {
    return conditions;
  }

  /**
   * Returns trouble that did not end the pass: a step, a listener or the host's handler that threw.
   *
   * @return sentences for people, normally none
   */
  public List<String> problems() {
    return problems;
  }

  @Override
  public String toString() {
    return "PressureReport[" + outcome + " met " + met + " acted on " + actedOn
        + (unknown.isEmpty() ? "" : " unknown " + unknown.keySet())
        + (shortfalls.isEmpty() ? "" : " short " + shortfalls)
        + (cause == null ? "" : ": " + cause.getMessage()) + "]";
  }

  /** Collects what a pass does. Not thread-safe. */
  static final class Builder {
    private final Instant startedAt;
    private Outcome outcome = Outcome.NOT_NEEDED;
    private @Nullable GcException cause;
    private Duration duration = Duration.ZERO;
    private Map<NodeFs, FsStats> filesystemsBefore = Map.of();
    private Map<NodeFs, FsStats> filesystemsAfter = Map.of();
    private @Nullable FsLayout layout;
    private final Map<DiskSignal, String> unknown = new LinkedHashMap<>();
    private List<PressureThreshold> met = List.of();
    private List<PressureThreshold> actedOn = List.of();
    private @Nullable ContainerGcReport containerReport;
    private final List<GcReport> imageReports = new ArrayList<>();
    private final List<PressureShortfall> shortfalls = new ArrayList<>();
    private List<DiskCondition> conditions = List.of();
    private List<String> problems = List.of();

    Builder(Instant startedAt) {
      this.startedAt = startedAt;
    }

    Builder outcome(Outcome newOutcome, @Nullable GcException newCause) {
      outcome = newOutcome;
      cause = newCause;
      return this;
    }

    Outcome outcome() {
      return outcome;
    }

    Builder duration(Duration elapsed) {
      duration = elapsed;
      return this;
    }

    Builder before(Readings readings) {
      filesystemsBefore = readings.stats();
      return after(readings);
    }

    Builder after(Readings readings) {
      filesystemsAfter = readings.stats();
      layout = readings.layout().orElse(null);
      return this;
    }

    Builder unknown(Map<DiskSignal, String> signals) {
      unknown.putAll(signals);
      return this;
    }

    Builder met(List<PressureThreshold> thresholds) {
      met = thresholds;
      return this;
    }

    Builder actedOn(List<PressureThreshold> thresholds) {
      actedOn = thresholds;
      return this;
    }

    Builder containerReport(ContainerGcReport report) {
      containerReport = report;
      return this;
    }

    Optional<ContainerGcReport> containerReport() {
      return Optional.ofNullable(containerReport);
    }

    Builder imageReport(GcReport report) {
      imageReports.add(report);
      return this;
    }

    List<GcReport> imageReports() {
      return imageReports;
    }

    Builder shortfall(PressureShortfall shortfall) {
      shortfalls.add(shortfall);
      return this;
    }

    Builder conditions(List<DiskCondition> current) {
      conditions = current;
      return this;
    }

    Builder problems(List<String> sentences) {
      problems = sentences;
      return this;
    }

    PressureReport build() {
      return new PressureReport(this);
    }
  }
}
