/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.imagegc.testkit.FakeNode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;

/** One run of the agent in this process, with what it printed. */
record AgentRun(int exitCode, String out, String err) {
  static AgentRun of(Connector connector, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Console console = new Console(new PrintWriter(out), new PrintWriter(err));
    int exitCode = Agent.commandLine(connector, console, StopSignal::new).execute(args);
    return new AgentRun(exitCode, out.toString(), err.toString());
  }

  static AgentRun on(FakeNode node, String... args) {
    return of(connector(node), args);
  }

  static Connector connector(FakeNode node) {
    return (options, disks) ->
        new Connector.Connection(node.runtime(), node.fsStats(), node.clock(), () -> {});
  }

  /** Parses the one line that standard output must be. */
  JsonObject json() {
    if (!out.endsWith("\n") || out.strip().contains("\n")) {
      throw new AssertionError("not one line: " + out);
    }
    return JsonParser.parseString(out).getAsJsonObject();
  }

  List<String> errorLines() {
    return err.lines().filter(line -> line.startsWith("error: ")).toList();
  }

  List<String> warnings() {
    return err.lines().filter(line -> line.startsWith("warning: ")).toList();
  }
}
