/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** A command that looks at the node once. */
abstract class OneShotCommand implements Callable<Integer> {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  @Mixin
  private final NodeOptions options = new NodeOptions();

  private final String kind;
  private final Connector connector;
  private final Console console;

  OneShotCommand(String kind, Connector connector, Console console) {
    this.kind = kind;
    this.connector = connector;
    this.console = console;
  }

  /** What came of it, in both forms, and the filesystem as measured first. */
  record Result(RoundJson json, String text, int exitCode, Optional<FsStats> measured) {
    static Result of(Node node, GcPlan plan) {
      return new Result(
          RoundJson.of(plan, node.limits()),
          node.texts().of(plan),
          ExitCodes.of(plan),
          Optional.of(plan.filesystem()));
    }

    static Result of(Node node, GcReport report) {
      return new Result(
          RoundJson.of(report, node.limits()),
          node.texts().of(report),
          ExitCodes.of(report),
          report.filesystemBefore());
    }
  }

  /** Does the one thing, and adds what should be said beside it. */
  abstract Result perform(Node node, Warnings warnings);

  @Override
  public Integer call() {
    // The result says it all; what goes wrong beside it is told as warnings.
    Logging.level(options.verbose() ? "debug" : "off");
    options.defaultTimeout(TIMEOUT);
    Warnings warnings = new Warnings();
    try (Node node = Node.ofImages(options, connector, warnings)) {
      Result result = perform(node, warnings);
      print(result);
      if (result.json().error() == null) { // else one sentence is enough
        result.measured().map(node::idleOptions).ifPresent(idle -> idle.forEach(console::warn));
      }
      return result.exitCode();
    } catch (GcException e) {
      print(failed(e));
      return ExitCodes.of(e);
    } finally {
      warnings.tell(console);
    }
  }

  private Result failed(GcException trouble) {
    return new Result(
        RoundJson.of(kind, trouble, options.limits()), "", ExitCodes.of(trouble), Optional.empty());
  }

  private void print(Result result) {
    if (options.json()) {
      console.say(result.json());
    } else if (!result.text().isEmpty()) {
      console.say(result.text());
    }
    String error = result.json().error();
    if (error != null) {
      console.error(error);
    } else if (options.state().isEmpty()) {
      hint();
    }
  }

  /** Ages and the order of use mean nothing in a process that has just begun. */
  private void hint() {
    String hint =
        "Note: without --state DIR this command starts without history, so images go in the order of their"
            + " build time, and minAge counts from now"
            + (options.minAge().isZero()
                ? "."
                : ": with --min-age " + Human.duration(options.minAge())
                    + " nothing is old enough to go.");
    if (options.json()) {
      console.note(hint);
    } else {
      console.say("\n" + Human.wrapped(hint, ""));
    }
  }
}
