/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcListener;
import dev.imagegc.core.node.NodeStatus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows how the node is. */
@Command(
    name = "status",
    description =
        "Shows how the node is: filesystems, images and containers by decision, disk pressure, history,"
            + " events and the last rounds. Asks the agent that runs with this --state; if there is none, looks once, with the"
            + " options given here. Touches nothing.")
final class StatusCommand implements Callable<Integer> {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  /** A plan waits for a round that runs, and then for lists. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  @Mixin
  private final NodeOptions options = new NodeOptions();

  @Mixin
  private final ContainerOptions containers = new ContainerOptions();

  @Mixin
  private final PressureOptions pressure = new PressureOptions();

  private final Connector connector;
  private final Console console;

  StatusCommand(Connector connector, Console console) {
    this.connector = connector;
    this.console = console;
  }

  @Override
  public Integer call() throws InterruptedException {
    Logging.level(options.verbose() ? "debug" : "off");
    Optional<StatusJson> answer = askAgent(options.timeout().orElse(PATIENCE));
    if (answer.isPresent()) {
      print(answer.get());
      return ExitCodes.FINE;
    }
    options.defaultTimeout(TIMEOUT);
    Node.Rest rest = new Node.Rest(containers, pressure, condition -> {});
    try (Node node =
        Node.ofAll(options, rest, connector, GcListener.noop(), Node.NO_TIMERS, Node.NO_TIMERS)) {
      node.all().pressure().look();
      NodeStatus status = node.all().status();
      print(StatusJson.of(status, false));
      return status.imagesTrouble().map(ExitCodes::of).orElse(ExitCodes.FINE);
    } catch (GcException e) {
      console.error(e.getMessage());
      return ExitCodes.of(e);
    }
  }

  private Optional<StatusJson> askAgent(Duration patience) throws InterruptedException {
    if (options.state().isEmpty()) {
      return Optional.empty();
    }
    Path state = options.state().get();
    try {
      return StatusSocket.ask(state, patience).flatMap(StatusJson::parse);
    } catch (TimeoutException e) {
      throw new BusyException(
          "the agent that runs with --state " + state + " has not answered within "
              + Human.duration(patience),
          e);
    }
  }

  private void print(StatusJson status) {
    console.say(options.json() ? status : StatusText.of(status).stripTrailing());
  }
}
