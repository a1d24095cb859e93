/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import picocli.CommandLine.Command;

/** Shows what a round would do. */
@Command(
    name = "plan",
    description =
        "Shows what collect would do now, for every image and with the reason. Touches nothing.")
final class PlanCommand extends OneShotCommand {
  PlanCommand(Connector connector, Console console) {
    super("plan", connector, console);
  }

  @Override
  Result perform(Node node, Warnings warnings) {
    return Result.of(node, node.images().plan());
  }
}
