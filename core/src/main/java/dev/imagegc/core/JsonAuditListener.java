/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerUnit;
import dev.imagegc.api.Decision;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a JSON line for each image and each container that was removed, and for each round but those that had nothing to do, to
 * an SLF4J logger of its own: enough to tell later why an image or a container went and how much came back. Where the lines go,
 * and for how long they are kept, is a matter of the host's logging.
 *
 * <pre>{@code
 * {"audit":1,"event":"removed","at":"2026-01-01T00:00:00Z","round":"2026-01-01T00:00:00Z","operation":"COLLECT",
 *  "image":"sha256:...","references":["app:1"],"reason":"SPACE",
 *  "detail":"usage is 91%, highPercent is 85","sizeBytes":100,"exclusiveBytes":40,"reclaimableBytes":60,
 *  "creditedBytes":40,"measuredBytes":40,"firstDetected":"...","lastUsed":null,"ageSeconds":3600,"unusedForSeconds":null}
 * {"audit":1,"event":"round","at":"...","round":"...","operation":"COLLECT","outcome":"DONE","filesystem":"/var/lib/docker",
 *  "capacityBytes":1000,"availableBytesBefore":90,"availableBytesAfter":210,"usagePercentBefore":91,
 *  "usagePercentAfter":79,"neededBytes":110,"missingBytes":0,"neededInodes":null,"missingInodes":null,"accounting":"LAYERS",
 *  "predictedBytes":120,"freedBytes":120,"filesystemDifferenceBytes":120,"removed":3,"gone":0,"failed":0,"kept":5,"stoppedBy":null,"explanation":"","cause":null,
 *  "problems":[],"durationMillis":812}
 * }</pre>
 *
 * <p>An image that cannot be removed, or whose removal had no clear answer, has a line like the first with the event
 * {@code failing} and a {@code message} when that begins, and one with {@code failingEnded} when it is removed, gone or in use.
 *
 * <p>Container collection has lines of its own: for a container that was removed, and, with the events {@code containerFailing}
 * and {@code containerFailingEnded} and a {@code message}, for one that could not be; and for each pass but those that had nothing
 * to do.
 *
 * <pre>{@code
 * {"audit":1,"event":"containerRemoved","at":"2026-01-01T00:00:00Z","container":"...","name":"web-1","images":["sha256:..."],
 *  "workload":"web","unit":"app","state":"EXITED","reason":"OVER_UNIT_LIMIT","detail":"...","createdAt":"...","finishedAt":null}
 * {"audit":1,"event":"containerPass","at":"...","startedAt":"...","outcome":"DONE","removed":3,"gone":0,"failed":0,"kept":5,
 *  "cause":null,"problems":[],"durationMillis":41}
 * }</pre>
 *
 * <p>Each is one line. Those of images belong together by {@code round}, which is when the round began. Unknown numbers are null;
 * a later release may add members. Thread-safe; does not block longer than the logger does.
 */
public final class JsonAuditListener implements GcListener {
  /** The name of the logger that the lines go to, at level INFO. */
  public static final String LOGGER = "dev.imagegc.audit";

  private static final Logger AUDIT = LoggerFactory.getLogger(LOGGER);
  private static final int VERSION = 1;
  private static final OptionalLong UNKNOWN = OptionalLong.empty();

  private final Consumer<String> lines;

  /** Creates a listener; one is enough, also for several collectors. */
  public JsonAuditListener() {
    this(line -> AUDIT.info("{}", line));
  }

  JsonAuditListener(Consumer<String> lines) {
    this.lines = lines;
  }

  @Override
  public void onEvent(GcEvent event) {
    if (event.type().equals(GcEventType.IMAGE_REMOVED) && event.decision().isPresent()) {
      lines.accept(removal(event, event.decision().get()).toString());
    } else if (event.type().equals(GcEventType.IMAGE_REMOVAL_FAILED)
        && event.decision().isPresent()) {
      String kind = event.phase().equals(GcEvent.Phase.ENDED) ? "failingEnded" : "failing";
      lines.accept(image(
              begin(event, kind).text("message", event.message()),
              event.decision().get())
          .toString());
    } else if (event.type().equals(GcEventType.ROUND_FINISHED)
        && event.report().filter(JsonAuditListener::isWorthALine).isPresent()) {
      lines.accept(round(event, event.report().get()).toString());
    } else {
      onContainerEvent(event);
    }
  }

  private void onContainerEvent(GcEvent event) {
    if (event.type().equals(GcEventType.CONTAINER_REMOVED)
        && event.containerDecision().isPresent()) {
      lines.accept(container(
              beginContainers(event, "containerRemoved"),
              event.containerDecision().get())
          .toString());
    } else if (event.type().equals(GcEventType.CONTAINER_REMOVAL_FAILED)
        && event.containerDecision().isPresent()) {
      String kind =
          event.phase().equals(GcEvent.Phase.ENDED) ? "containerFailingEnded" : "containerFailing";
      lines.accept(container(
              beginContainers(event, kind).text("message", event.message()),
              event.containerDecision().get())
          .toString());
    } else if (event.type().equals(GcEventType.CONTAINER_GC_FINISHED)
        && event
            .containerReport()
            .filter(report -> !report.outcome().equals(Outcome.NOT_NEEDED))
            .isPresent()) {
      lines.accept(pass(event, event.containerReport().get()).toString());
    }
  }

  /** Rounds that found nothing to do are no news, nor those under pressure, every few seconds, in which nothing could go. */
  private static boolean isWorthALine(GcReport report) {
    boolean tried =
        report.decisions().stream().anyMatch(image -> !image.decision().equals(Decision.KEPT));
    return report.operation().equals(Operation.RECLAIM)
        ? tried
        : !report.outcome().equals(Outcome.NOT_NEEDED);
  }

  private static JsonLine begin(GcEvent event, String kind) {
    return new JsonLine()
        .number("audit", VERSION)
        .text("event", kind)
        .text("at", event.at())
        .text("round", event.roundStartedAt())
        .text("operation", event.operation());
  }

  private static JsonLine removal(GcEvent event, ImageDecision decision) {
    return image(begin(event, "removed"), decision);
  }

  private static JsonLine image(JsonLine line, ImageDecision decision) {
    Image image = decision.image();
    return line.text("image", image.id())
        .texts("references", image.references())
        .text("reason", decision.reason())
        .text("detail", decision.detail())
        .number("sizeBytes", image.sizeBytes())
        .number("exclusiveBytes", decision.exclusiveBytes())
        .number("reclaimableBytes", decision.reclaimableBytes())
        .number("creditedBytes", decision.creditedBytes())
        .number("measuredBytes", decision.measuredBytes())
        .text("firstDetected", decision.record().firstDetected())
        .text("lastUsed", decision.record().lastUsed())
        .number("ageSeconds", decision.age().map(Duration::toSeconds))
        .number("unusedForSeconds", decision.unusedFor().map(Duration::toSeconds));
  }

  private static JsonLine round(GcEvent event, GcReport report) {
    List<ImageDecision> decisions = report.decisions();
    return begin(event, "round")
        .text("outcome", report.outcome())
        .text("filesystem", report.filesystemBefore().map(FsStats::path))
        .number(
            "capacityBytes",
            report.filesystemBefore().map(FsStats::capacityBytes).orElse(UNKNOWN))
        .number(
            "availableBytesBefore",
            report.filesystemBefore().map(FsStats::availableBytes).orElse(UNKNOWN))
        .number(
            "availableBytesAfter",
            report.filesystemAfter().map(FsStats::availableBytes).orElse(UNKNOWN))
        .number("usagePercentBefore", report.usagePercentBefore())
        .number("usagePercentAfter", report.usagePercentAfter())
        .number("neededBytes", report.neededBytes())
        .number("missingBytes", report.missingBytes())
        .number("neededInodes", report.neededInodes())
        .number("missingInodes", report.missingInodes())
        .text("accounting", report.accounting())
        .number("predictedBytes", report.predictedBytes())
        .number("freedBytes", report.freedBytes())
        .number("filesystemDifferenceBytes", report.filesystemDifferenceBytes())
        .number("removed", count(decisions, Decision.REMOVED))
        .number("gone", count(decisions, Decision.GONE))
        .number("failed", count(decisions, Decision.FAILED))
        .number("kept", count(decisions, Decision.KEPT))
        .text("stoppedBy", report.stoppedBy())
        .text("explanation", report.explanation())
        .text("cause", report.cause().map(Throwable::getMessage))
        .texts("problems", report.problems())
        .number("durationMillis", report.duration().toMillis());
  }

  private static JsonLine beginContainers(GcEvent event, String kind) {
    return new JsonLine().number("audit", VERSION).text("event", kind).text("at", event.at());
  }

  private static JsonLine container(JsonLine line, ContainerDecision decision) {
    Container container = decision.container();
    return line.text("container", container.id())
        .text("name", container.name())
        .texts("images", container.images().stream().map(ImageId::text).sorted().toList())
        .text("workload", decision.unit().map(ContainerUnit::workload))
        .text("unit", decision.unit().map(ContainerUnit::name))
        .text("state", container.state())
        .text("reason", decision.reason())
        .text("detail", decision.detail())
        .text("createdAt", container.createdAt())
        .text("finishedAt", container.finishedAt());
  }

  private static JsonLine pass(GcEvent event, ContainerGcReport report) {
    List<ContainerDecision> decisions = report.decisions();
    return beginContainers(event, "containerPass")
        .text("startedAt", report.startedAt())
        .text("outcome", report.outcome())
        .number("removed", countContainers(decisions, Decision.REMOVED))
        .number("gone", countContainers(decisions, Decision.GONE))
        .number("failed", countContainers(decisions, Decision.FAILED))
        .number("kept", countContainers(decisions, Decision.KEPT))
        .text("cause", report.cause().map(Throwable::getMessage))
        .texts("problems", report.problems())
        .number("durationMillis", report.duration().toMillis());
  }

  private static long countContainers(List<ContainerDecision> decisions, Decision decision) {
    return decisions.stream().filter(one -> one.decision().equals(decision)).count();
  }

  private static long count(List<ImageDecision> decisions, Decision decision) {
    return decisions.stream().filter(image -> image.decision().equals(decision)).count();
  }
}
