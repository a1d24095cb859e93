/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Outcome;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
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
            + " least as often; by options also the containers that have ended, and disk pressure. An engine that is down"
            + " or hangs is tried again. With --state DIR, 'status --state DIR' shows how it is.")
final class RunCommand implements Callable<Integer> {
  /** Use of an image is only seen when somebody looks, so a long interval does not mean few looks. */
  private static final Duration RAREST_LOOK = Duration.ofMinutes(5);

  private static final Set<GcEventType> WARNINGS = Set.of(
      GcEventType.REFERENCES_LOST,
      GcEventType.RULE_UNMATCHED,
      GcEventType.SETTINGS_CONTRADICT,
      GcEventType.SIGNAL_UNKNOWN);

  @Mixin
  private final NodeOptions options = new NodeOptions();

  @Mixin
  private final ContainerOptions containers = new ContainerOptions();

  @Mixin
  private final PressureOptions pressure = new PressureOptions();

  @Option(
      names = "--interval",
      paramLabel = "DURATION",
      description = "The pause between two rounds. Default: 5m.")
  private Duration interval = Duration.ofMinutes(5);

  private final Connector connector;
  private final Console console;
  private final Supplier<StopSignal> signals;

  private final AtomicReference<@Nullable Node> running = new AtomicReference<>();

  // Used by the listener's thread only:
  private final Map<String, Outcome> lastOutcomes = new HashMap<>(); // by kind of round
  private boolean optionsChecked;

  RunCommand(Connector connector, Console console, Supplier<StopSignal> signals) {
    this.connector = connector;
    this.console = console;
    this.signals = signals;
  }

  @Override
  @SuppressWarnings("try") // the socket answers by itself
  public Integer call() throws InterruptedException {
    if (interval.isZero()) {
      throw new UsageException("--interval must be above zero, but is 0s");
    }
    Logging.level(options.verbose() ? "debug" : "info");
    StopSignal signal = signals.get();
    Node.Rest rest = new Node.Rest(containers, pressure, this::onCondition);
    try (Node node =
            Node.ofAll(options, rest, connector, this::onEvent, detectionInterval(), interval);
        StatusSocket socket = answering(node)) {
      running.set(node);
      node.all().start();
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

  /** Answers whoever asks how the agent is; null if it cannot, which does not keep it from its work. */
  private @Nullable StatusSocket answering(Node node) {
    if (options.state().isEmpty()) {
      return null;
    }
    try {
      return StatusSocket.open(
          options.state().get(), () -> StatusJson.of(node.all().status(), true));
    } catch (IOException | RuntimeException e) {
      console.warn("nobody can ask this agent for its status: " + e.getMessage());
      return null;
    }
  }

  private String limits() {
    String limits = TextReport.text(options.limits());
    return limits.isEmpty() ? "" : ", which ends at " + limits;
  }

  private Duration detectionInterval() {
    return interval.compareTo(RAREST_LOOK) < 0 ? interval : RAREST_LOOK;
  }

  private void onEvent(GcEvent event) {
    if (WARNINGS.contains(event.type()) && event.phase() != GcEvent.Phase.ENDED) {
      console.warn(event.message()); // the library logs it once, among others
    } else if (event.type().equals(GcEventType.ROUND_FINISHED)) {
      onRound(event);
    } else if (event.type().equals(GcEventType.CONTAINER_GC_FINISHED)) {
      onContainers(event);
    } else if (event.type().equals(GcEventType.DISK_PRESSURE_HANDLED)) {
      say(event.at() + " " + event.message(), RunJson.PressureLine.of(event));
    } // the library logs what lasts
  }

  private void onRound(GcEvent event) {
    GcReport report = event.report().orElseThrow();
    boolean isNews =
        isNews(report.operation().code(), report.outcome(), !report.removed().isEmpty());
    if (options.json() && (isNews || !report.operation().equals(Operation.RECLAIM))) {
      console.say(RoundJson.of(report, options.limits()));
    } else if (!options.json() && isNews) {
      console.say(TextReport.line(event, report));
    }
    report.filesystemBefore().ifPresent(this::checkOptions);
  }

  private void onContainers(GcEvent event) {
    ContainerGcReport report = event.containerReport().orElseThrow();
    if (isNews("containers", report.outcome(), !report.removed().isEmpty())) {
      say(event.at() + " " + event.message(), RunJson.ContainersLine.of(event, report));
    }
  }

  private void onCondition(DiskCondition condition) {
    say(
        condition.since().map(Instant::toString).orElse("") + " DiskPressure on "
            + condition.filesystem()
            + (condition.isUnderPressure() ? ": " : " is over: ") + condition.message(),
        RunJson.ConditionLine.of(condition));
  }

  private void say(String text, Record json) {
    console.say(options.json() ? Json.line(json) : Human.clean(text));
  }

  private boolean isNews(String kind, Outcome outcome, boolean removed) {
    return !outcome.equals(lastOutcomes.put(kind, outcome)) || removed;
  }

  private void checkOptions(FsStats measured) {
    Node node = running.get();
    if (optionsChecked || node == null || node.images().records().isEmpty()) {
      return;
    }
    optionsChecked = true;
    node.idleOptions(measured).forEach(console::warn);
  }
}
