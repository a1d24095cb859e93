/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.Accounting;
import dev.imagegc.api.Decision;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.HeldBytes;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;

/** Plans and reports as people read them. */
final class TextReport {
  private TextReport() {}

  static String of(GcPlan plan, GcThresholds thresholds) {
    FsStats disk = plan.filesystem();
    Facts facts = new Facts()
        .add("Image filesystem", disk.path())
        .add("Capacity", capacity(disk))
        .add("Usage", plan.usagePercent() + "%" + rule(thresholds));
    plan.neededBytes().ifPresent(need -> facts.add("Need", need(need)));
    return facts + images(plan.decisions(), disk.measuredAt()) + "\n" + conclusion(plan);
  }

  static String of(GcReport report, GcThresholds thresholds) {
    if (report.filesystemBefore().isEmpty()) {
      return "";
    }
    FsStats before = report.filesystemBefore().get();
    Facts facts = new Facts()
        .add("Image filesystem", before.path())
        .add("Capacity", capacity(before))
        .add("Usage before", Human.percent(report.usagePercentBefore()) + rule(thresholds))
        .add("Usage after", Human.percent(report.usagePercentAfter()));
    report.neededBytes().ifPresent(need -> facts.add("Need", need(need)));
    if (!report.decisions().isEmpty()) {
      facts.add("Predicted", prediction(report.predictedBytes(), report.accounting()));
      facts.add("Freed", Human.bytes(report.freedBytes()) + ", measured" + difference(report));
    }
    return facts + images(report.decisions(), report.startedAt()) + "\n" + conclusion(report);
  }

  /** Every image: those that go or went first, then those that may go next, then those that stay. */
  private static String images(List<ImageDecision> images, Instant now) {
    if (images.isEmpty()) {
      return "";
    }
    Table table =
        new Table(">#", "DECISION", "REASON", ">SIZE", ">FREED", "SEEN", "USED", "IMAGE", "DETAIL");
    int turn = 0;
    for (ImageDecision image : images) {
      table.row(
          hasTurn(image) ? String.valueOf(++turn) : "",
          image.decision().code(),
          image.reason().code(),
          Human.bytes(image.image().sizeBytes()),
          image.measuredBytes().isPresent() ? Human.bytes(image.measuredBytes()) : "",
          Human.ago(image.record().firstDetected(), now),
          image.record().lastUsed().map(used -> Human.ago(used, now)).orElse("never"),
          name(image.image()),
          image.detail());
    }
    return "\n" + table;
  }

  /** Whether an image has a place in the order of removal. */
  private static boolean hasTurn(ImageDecision image) {
    return !image.decision().equals(Decision.KEPT) || image.reason().equals(Reason.ENOUGH_FREED);
  }

  static String name(Image image) {
    List<String> references = image.references();
    if (references.isEmpty()) {
      return "<none> " + image.id().shortText();
    }
    return references.size() == 1
        ? references.get(0)
        : references.get(0) + " (+" + (references.size() - 1) + ")";
  }

  private static String conclusion(GcPlan plan) {
    String all = Human.count(plan.decisions().size(), "image");
    if (plan.outcome().equals(Outcome.NOT_NEEDED)) {
      return "NOT_NEEDED: none of " + all + " would be removed.";
    }
    String victims = plan.victims().isEmpty()
        ? "PLANNED: none of " + all + " may be removed."
        : Human.wrapped(
            "PLANNED: " + plan.victims().size() + " of " + all
                + " would be removed, predicted to free "
                + prediction(plan.predictedBytes(), plan.accounting()) + ".",
            "");
    return plan.shortfallBytes().orElse(0) > 0
        ? victims + "\nThat is not enough: " + Human.bytes(plan.shortfallBytes())
            + " would still be missing."
        : victims;
  }

  private static String conclusion(GcReport report) {
    StringBuilder text = new StringBuilder(report.outcome().code()).append(": ");
    if (report.decisions().isEmpty()) {
      text.append("no image was touched.");
    } else {
      text.append("removed ")
          .append(report.removed().size())
          .append(" of ")
          .append(Human.count(report.decisions().size(), "image"))
          .append('.');
    }
    if (report.missingBytes().orElse(0) > 0) {
      text.append("\nStill missing: ")
          .append(Human.bytes(report.missingBytes()))
          .append('.');
    }
    for (HeldBytes held : report.held()) {
      text.append("\n  held by ")
          .append(Human.count(held.imageCount(), "image"))
          .append(' ')
          .append(held.reason())
          .append(": ")
          .append(Human.bytes(held.bytes()));
    }
    report
        .otherDataBytes()
        .ifPresent(
            bytes -> text.append("\n  data that is not images: ").append(Human.bytes(bytes)));
    return text.toString();
  }

  private static String capacity(FsStats disk) {
    return Human.bytes(disk.capacityBytes()) + ", " + Human.bytes(disk.availableBytes())
        + " available";
  }

  private static String rule(GcThresholds thresholds) {
    return thresholds.highPercent() == 100
        ? " (usage starts no round)"
        : " (a round starts at " + thresholds.highPercent() + "% and frees down to "
            + thresholds.lowPercent() + "%)";
  }

  private static String need(long bytes) {
    return bytes == 0 ? "nothing" : Human.bytes(bytes);
  }

  private static String prediction(OptionalLong bytes, Accounting accounting) {
    if (accounting.equals(Accounting.SIZES)) {
      return "at most " + Human.bytes(bytes)
          + ", by listed sizes (shared layers count in every image)";
    }
    return Human.bytes(bytes);
  }

  private static String difference(GcReport report) {
    OptionalLong difference = report.filesystemDifferenceBytes();
    return difference.isPresent()
        ? "; the filesystem's own difference is " + Human.bytes(difference.getAsLong())
        : "";
  }

  /** Names and values in two columns. */
  private static final class Facts {
    private final StringBuilder lines = new StringBuilder();

    Facts add(String name, String value) {
      lines.append(String.format("%-18s%s%n", name, Human.clean(value)));
      return this;
    }

    @Override
    public String toString() {
      return lines.toString();
    }
  }
}
