/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.GcReport;
import picocli.CommandLine.Command;

/** Removes everything unused. */
@Command(
    name = "purge",
    description = "Removes every image that nothing holds back, whatever the usage is."
        + " Images in use, pinned, younger than --min-age,"
        + " within --grace, or held back by --keep and the like stay.")
final class PurgeCommand extends OneShotCommand {
  PurgeCommand(Connector connector, Console console) {
    super("purge", connector, console);
  }

  @Override
  Result perform(Node node, Warnings warnings) {
    GcReport report = node.images().deleteUnusedImages();
    warnings.addProblems(report.problems());
    return Result.of(node, report);
  }
}
