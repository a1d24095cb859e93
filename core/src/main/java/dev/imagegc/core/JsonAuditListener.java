/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.Decision;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a JSON line for each image that was removed, and for each round but those that had nothing to do, to an SLF4J
 * logger of its own: enough to tell later why an image went and how much came back. Where the lines go, and for how long
 * they are kept, is a matter of the host's logging.
 *
 * <pre>{@code
 * {"audit":1,"event":"removed","at":"2026-01-01T00:00:00Z","round":"2026-01-01T00:00:00Z","operation":"COLLECT",
 *  "image":"sha256:...","references":["app:1"],"reason":"SPACE",
 *  "detail":"usage is 91%, highPercent is 85","sizeBytes":100,"exclusiveBytes":40,"reclaimableBytes":60,
 *  "creditedBytes":40,"measuredBytes":40,"firstDetected":"...","lastUsed":null,"ageSeconds":3600,"unusedForSeconds":null}
 * {"audit":1,"event":"round","at":"...","round":"...","operation":"COLLECT","outcome":"DONE","filesystem":"/var/lib/docker",
 *  "capacityBytes":1000,"availableBytesBefore":90,"availableBytesAfter":210,"usagePercentBefore":91,
 * "usagePercentAfter":79,"neededBytes":110,"missingBytes":0,"neededInodes":null,"missingInodes":null,"accounting":"LAYERS","predictedBytes":120,"freedBytes":120,
 *  "filesystemDifferenceBytes":120,"removed":3,"gone":0,"failed":0,"kept":5,"stoppedBy":null,"explanation":"","cause":null,
 *  "problems":[],"durationMillis":812}
 * }</pre>
 *
 * <p>An image that cannot be removed, or whose removal had no clear answer, has a line like the first with the event
 * {@code failing} and a {@code message} when that begins, and one with {@code failingEnded} when it is removed, gone or in use.
 *
 * <p>Each is one line. They belong together by {@code round}, which is when the round began. Unknown numbers are null;
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
    }
  }

  /** Rounds that found nothing to do are no news. */
  private static boolean isWorthALine(GcReport report) {
    return !report.outcome().equals(Outcome.NOT_NEEDED);
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

  private static long count(List<ImageDecision> decisions, Decision decision) {
    return decisions.stream().filter(image -> image.decision().equals(decision)).count();
  }
}
