/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Outcome;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Watches a node until it is told to end. */
@Command(
    name = "run",
    description =
        "Watches the node until SIGTERM or SIGINT: a round at every interval, and a look at what is in use at"
            + " least as often. An engine that is down or hangs is tried again.")
final class RunCommand implements Callable<Integer> {
  /** Use of an image is only seen when somebody looks, so a long interval does not mean few looks. */
  private static final Duration RAREST_LOOK = Duration.ofMinutes(5);

  @Mixin
  private final NodeOptions options = new NodeOptions();

  @Option(
      names = "--interval",
      paramLabel = "DURATION",
      description = "The pause between two rounds. Default: 5m.")
  private Duration interval = Duration.ofMinutes(5);

  private final Connector connector;
  private final Console console;
  private final Supplier<StopSignal> signals;

  private final AtomicReference<@Nullable Node> running = new AtomicReference<>();
  private Optional<Outcome> lastOutcome = Optional.empty(); // only used by the listener's thread
  private boolean optionsChecked; // only used by the listener's thread

  RunCommand(Connector connector, Console console, Supplier<StopSignal> signals) {
    this.connector = connector;
    this.console = console;
    this.signals = signals;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (interval.isZero()) {
      throw new UsageException("--interval must be above zero, but is 0s");
    }
    Logging.level(options.verbose() ? "debug" : "info");
    StopSignal signal = signals.get();
    try (Node node = Node.open(options, connector, this::onEvent, look(), interval)) {
      running.set(node);
      node.gc().start();
      console.note("watching, a round every " + Human.duration(interval) + limits()
          + "; end with SIGTERM or Ctrl-C");
      signal.awaitAsked();
    } catch (GcException e) {
      if (options.json()) {
        console.say(RoundJson.of("collect", e, options.limits()));
      }
      console.error(e.getMessage());
      return ExitCodes.of(e);
    } finally {
      signal.ended();
    }
    return ExitCodes.FINE;
  }

  private String limits() {
    Limits limits = options.limits();
    return limits.equals(Limits.NONE) ? "" : ", which ends at " + limits;
  }

  private Duration look() {
    return interval.compareTo(RAREST_LOOK) < 0 ? interval : RAREST_LOOK;
  }

  private void onEvent(GcEvent event) {
    if (event.type().equals(GcEventType.REFERENCES_LOST)
        || event.type().equals(GcEventType.RULE_UNMATCHED)) {
      console.warn(event.message()); // the library logs it once, among others
    }
    if (!event.type().equals(GcEventType.ROUND_FINISHED)) {
      return; // the library logs what lasts
    }
    GcReport report = event.report().orElseThrow();
    if (options.json()) {
      console.say(RoundJson.of(report, options.limits()));
    } else if (isNews(report)) {
      console.say(TextReport.line(event, report));
    }
    lastOutcome = Optional.of(report.outcome());
    report.filesystemBefore().ifPresent(this::checkOptions);
  }

  private boolean isNews(GcReport report) {
    return !report.removed().isEmpty() || !lastOutcome.equals(Optional.of(report.outcome()));
  }

  private void checkOptions(FsStats measured) {
    Node node = running.get();
    if (optionsChecked || node == null || node.gc().records().isEmpty()) {
      return;
    }
    optionsChecked = true;
    node.idleOptions(measured).forEach(console::warn);
  }
}
