/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.GcException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/** A small node agent: the library with a command line. */
@Command(
    name = "imagegc-agent",
    description =
        "Keeps a node's disk from filling with container images. Without a command: demo.",
    footer = {"", "Begin with 'demo', which needs no engine, then 'plan', which touches nothing."})
public final class Agent implements Callable<Integer> {
  private static final int HELP_WIDTH = 100;

  private final DemoCommand demo;

  private Agent(DemoCommand demo) {
    this.demo = demo;
  }

  /**
   * Runs the agent and ends the process with its exit code.
   *
   * @param args a command and its options
   */
  public static void main(String[] args) {
    Console console = new Console(writer(FileDescriptor.out), writer(FileDescriptor.err));
    System.exit(commandLine(Connector::docker, console, StopSignal::ofProcess).execute(args));
  }

  /** Programs read the output, so it is UTF-8 whatever the locale is. */
  private static PrintWriter writer(FileDescriptor descriptor) {
    OutputStream stream = new FileOutputStream(descriptor);
    return new PrintWriter(stream, true, StandardCharsets.UTF_8);
  }

  static CommandLine commandLine(
      Connector connector, Console console, Supplier<StopSignal> signals) {
    DemoCommand demo = new DemoCommand(console);
    CommandLine commandLine = new CommandLine(new Agent(demo))
        .addSubcommand(demo)
        .addSubcommand(new PlanCommand(connector, console))
        .addSubcommand(new StatusCommand(connector, console))
        .addSubcommand(new CollectCommand(connector, console))
        .addSubcommand(new PurgeCommand(connector, console))
        .addSubcommand(new RunCommand(connector, console, signals));
    commandLine.registerConverter(Duration.class, new DurationConverter());
    commandLine.registerConverter(Path.class, Agent::path);
    commandLine.registerConverter(int.class, Agent::number);
    commandLine.registerConverter(Integer.class, Agent::number);
    commandLine.setOut(console.out());
    commandLine.setErr(console.err());
    commandLine.setParameterExceptionHandler((e, args) -> badUsage(e, console));
    commandLine.setExecutionExceptionHandler((e, command, parsed) -> failed(e, command, console));
    addHelp(commandLine);
    for (CommandLine command : commandLine.getSubcommands().values()) {
      addHelp(command);
      command
          .getCommandSpec()
          .usageMessage()
          .sortOptions(false)
          .abbreviateSynopsis(true)
          .exitCodeListHeading("%nExit codes:%n")
          .exitCodeList(ExitCodes.LIST);
    }
    return commandLine;
  }

  /** What a script makes of a variable that is not set must not be the directory that it happens to be in. */
  private static Path path(String text) {
    if (text.isBlank()) {
      throw new TypeConversionException("'" + text + "' is not a path: it must not be empty");
    }
    return Path.of(text);
  }

  private static Integer number(String text) {
    if (!text.matches("-?[0-9]{1,9}")) {
      throw new TypeConversionException("'" + text + "' is not a whole number of up to 9 digits");
    }
    return Integer.valueOf(text);
  }

  private static void addHelp(CommandLine command) {
    command.setUsageHelpWidth(HELP_WIDTH);
    command.setUsageHelpAutoWidth(true); // that of the terminal, if there is one
    command
        .getCommandSpec()
        .addOption(OptionSpec.builder("-h", "--help")
            .usageHelp(true)
            .description("Show this help and end.")
            .build());
  }

  @Override
  public Integer call() {
    return demo.call();
  }

  private static int badUsage(ParameterException e, Console console) {
    return badUsage(String.valueOf(e.getMessage()), e.getCommandLine(), console);
  }

  private static int badUsage(String sentence, CommandLine command, Console console) {
    console.error(sentence);
    console.note("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    return ExitCodes.BAD_USAGE;
  }

  private static int failed(Exception e, CommandLine command, Console console) {
    if (e instanceof UsageException) {
      return badUsage(String.valueOf(e.getMessage()), command, console);
    }
    if (e instanceof GcException trouble) {
      console.error(String.valueOf(trouble.getMessage()));
      return ExitCodes.of(trouble);
    }
    console.error("a fault of the agent: " + e);
    e.printStackTrace(console.err());
    console.err().flush();
    return ExitCodes.OUR_FAULT;
  }
}
