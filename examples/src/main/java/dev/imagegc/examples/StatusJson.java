/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.Decision;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.WatchHealth;
import dev.imagegc.core.disk.DiskSpace;
import dev.imagegc.core.node.NodeStatus;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What {@code status --json} prints, and what a running agent answers, schema 1: the components are the fields, in this order. Later
 * schemas only add fields. Null is "unknown", unless said otherwise. Times are ISO 8601 in UTC.
 *
 * @param schema 1
 * @param kind {@code status}
 * @param at when it was so
 * @param agent whether an agent that runs has answered; else this is what one look shows
 * @param filesystems those that are measured, that of the images first
 * @param images what a round would do now
 * @param containers what a pass over the containers would do now; null if containers are not collected
 * @param conditions one for each filesystem that has pressure thresholds
 * @param watch how use is heard of between two detections
 * @param remembered of how many images there is a record
 * @param troubles states that have begun and not ended, the oldest first
 * @param rounds how the last rounds ended, the newest first
 * @param contradictions settings that contradict each other, for people
 */
record StatusJson(
    int schema,
    String kind,
    String at,
    boolean agent,
    List<FilesystemJson> filesystems,
    DecisionsJson images,
    @Nullable DecisionsJson containers,
    List<ConditionJson> conditions,
    WatchJson watch,
    int remembered,
    List<EventJson> troubles,
    List<EventJson> rounds,
    List<String> contradictions) {
  private static final int SCHEMA = 1;

  /**
   * A filesystem and what it is held against.
   *
   * @param kind {@code imagefs}, {@code nodefs} or {@code containerfs}
   * @param source where the numbers come from, for people
   * @param error why it could not be measured; null if it was
   * @param thresholds for people
   * @param space {@code AVAILABLE}, {@code OUT} or {@code UNKNOWN}; null if its disk space has no threshold
   * @param spaceThresholdBytes below how many available bytes it is OUT; null likewise
   */
  record FilesystemJson(
      String kind,
      @Nullable String path,
      @Nullable Long capacityBytes,
      @Nullable Long availableBytes,
      @Nullable Long inodes,
      @Nullable Long inodesFree,
      @Nullable String source,
      @Nullable String error,
      List<String> thresholds,
      @Nullable String space,
      @Nullable Long spaceThresholdBytes) {
    static FilesystemJson of(NodeStatus.Filesystem filesystem) {
      Optional<FsStats> stats = filesystem.stats();
      return new FilesystemJson(
          filesystem.kind().toString(),
          stats.map(FsStats::path).orElse(null),
          stats.map(known -> Json.orNull(known.capacityBytes())).orElse(null),
          stats.map(known -> Json.orNull(known.availableBytes())).orElse(null),
          stats.map(known -> Json.orNull(known.inodes())).orElse(null),
          stats.map(known -> Json.orNull(known.inodesFree())).orElse(null),
          stats.map(FsStats::source).filter(words -> !words.isEmpty()).orElse(null),
          stats.isPresent() ? null : filesystem.error(),
          filesystem.thresholds(),
          filesystem.space().map(space -> space.status().name()).orElse(null),
          filesystem.space().map(DiskSpace::thresholdBytes).orElse(null));
    }
  }

  /**
   * Images or containers by decision.
   *
   * @param outcome a code of {@link dev.imagegc.api.Outcome}: FAILED or BUSY if there are no decisions
   * @param error why there are no decisions; null if there are
   * @param count how many there are in all
   * @param decisions one for each decision and reason; first those of what would go
   */
  record DecisionsJson(
      String outcome, @Nullable String error, int count, List<DecisionJson> decisions) {
    static DecisionsJson ofImages(Optional<GcPlan> plan, Optional<GcException> trouble) {
      if (plan.isEmpty()) {
        Outcome outcome =
            trouble.orElse(null) instanceof BusyException ? Outcome.BUSY : Outcome.FAILED;
        return new DecisionsJson(
            outcome.code(), trouble.map(GcException::getMessage).orElse(""), 0, List.of());
      }
      return new DecisionsJson(
          plan.get().outcome().code(),
          null,
          plan.get().decisions().size(),
          counted(plan.get().decisions().stream()
              .map(image -> new DecisionJson(
                  image.decision().code(),
                  image.reason().code(),
                  1,
                  Json.orNull(image.exclusiveBytes())))));
    }

    static DecisionsJson ofContainers(ContainerGcReport plan) {
      return new DecisionsJson(
          plan.outcome().code(),
          plan.cause().map(GcException::getMessage).orElse(null),
          plan.decisions().size(),
          counted(plan.decisions().stream()
              .map(container -> new DecisionJson(
                  container.decision().code(), container.reason().code(), 1, null))));
    }

    private static List<DecisionJson> counted(Stream<DecisionJson> each) {
      Map<String, DecisionJson> sums = new LinkedHashMap<>();
      each.forEach(one -> sums.merge(one.decision() + " " + one.reason(), one, DecisionJson::plus));
      return sums.values().stream()
          .sorted((a, b) -> Boolean.compare(b.goes(), a.goes())) // stable
          .toList();
    }
  }

  /**
   * Images or containers with the same decision and reason.
   *
   * @param bytes what the images each hold alone, added up; null if unknown, and of containers
   */
  record DecisionJson(
      String decision, String reason, int count, @Nullable Long bytes) {
    boolean goes() {
      return decision.equals(Decision.PLANNED.code());
    }

    DecisionJson plus(DecisionJson other) {
      Long sum = bytes == null || other.bytes == null ? null : (Long) (bytes + other.bytes);
      return new DecisionJson(decision, reason, count + other.count, sum);
    }
  }

  /** A filesystem under pressure, or no longer. */
  record ConditionJson(
      String filesystem,
      boolean pressure,
      List<String> hardSignals,
      List<String> softSignals,
      List<String> unknownSignals,
      @Nullable String since,
      @Nullable String lastObserved,
      String message) {
    static ConditionJson of(DiskCondition condition) {
      return new ConditionJson(
          condition.filesystem().toString(),
          condition.isUnderPressure(),
          names(condition.hardSignals()),
          names(condition.softSignals()),
          names(condition.unknownSignals()),
          condition.since().map(Instant::toString).orElse(null),
          condition.lastObserved().map(Instant::toString).orElse(null),
          condition.message());
    }

    private static List<String> names(Set<DiskSignal> signals) {
      return signals.stream().map(DiskSignal::toString).toList();
    }
  }

  /** How use is heard of; null is never, and no trouble. */
  record WatchJson(
      String state,
      String since,
      @Nullable String lastListedAt,
      @Nullable String trouble) {
    static WatchJson of(WatchHealth health) {
      return new WatchJson(
          health.state().code(),
          health.since().toString(),
          health.lastListedAt().map(Instant::toString).orElse(null),
          health.trouble().orElse(null));
    }
  }

  /** A round that ended, or a state that began. */
  record EventJson(String at, String type, String message) {
    static EventJson of(GcEvent event) {
      return new EventJson(event.at().toString(), event.type().code(), event.message());
    }
  }

  static StatusJson of(NodeStatus status, boolean agent) {
    return new StatusJson(
        SCHEMA,
        "status",
        status.at().toString(),
        agent,
        status.filesystems().stream().map(FilesystemJson::of).toList(),
        DecisionsJson.ofImages(status.images(), status.imagesTrouble()),
        status.containers().map(DecisionsJson::ofContainers).orElse(null),
        status.conditions().stream().map(ConditionJson::of).toList(),
        WatchJson.of(status.watchHealth()),
        status.remembered(),
        status.troubles().stream().map(EventJson::of).toList(),
        status.rounds().stream().map(EventJson::of).toList(),
        status.contradictions());
  }

  /** Reads what {@link #toString()} wrote; empty if that was another release, or nobody. */
  static Optional<StatusJson> parse(String line) {
    return Json.parse(line, StatusJson.class).filter(status -> status.schema() == SCHEMA);
  }

  /** Returns one line without its end. */
  @Override
  public String toString() {
    return Json.line(this);
  }
}
