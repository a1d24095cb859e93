/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Outcome;
import picocli.CommandLine.Command;

/** Runs one threshold round. */
@Command(
    name = "collect",
    description =
        "Runs one round: at or above the high threshold, removes unused images, least recently used first,"
            + " down to the low one.")
final class CollectCommand extends OneShotCommand {
  CollectCommand(Connector connector, Console console) {
    super("collect", connector, console);
  }

  @Override
  Result perform(Node node, Warnings warnings) {
    GcReport report = node.images().garbageCollect();
    if (report.outcome().equals(Outcome.NOT_NEEDED) && report.decisions().isEmpty()) {
      report = lookAtTheEngine(node, report);
    }
    warnings.addProblems(report.problems());
    return Result.of(node, report);
  }

  /**
   * A round below the threshold does not ask the engine. But this may be the only look for hours: it learns what is in use
   * for the next one's order, and an engine that cannot be reached should not go unnoticed until the disk is full.
   */
  private static GcReport lookAtTheEngine(Node node, GcReport report) {
    try {
      node.images().detectImages();
      return report;
    } catch (GcException e) {
      GcReport.Builder failed = GcReport.builder(report.operation(), report.startedAt())
          .duration(report.duration())
          .problems(report.problems())
          .outcome(Outcome.FAILED, e);
      FsStats stats = report.filesystemBefore().orElseThrow();
      int usage = report.usagePercentBefore().orElseThrow();
      return failed.before(stats, usage).after(stats, usage).neededBytes(0).build();
    }
  }
}
