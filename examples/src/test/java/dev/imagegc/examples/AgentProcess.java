/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The agent in a process of its own, as its users run it. */
final class AgentProcess implements AutoCloseable {
  private final Process process;
  private final Path err;
  private final BufferedReader out;

  private AgentProcess(Process process, Path err) {
    this.process = process;
    this.err = err;
    this.out = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Starts the agent with this test's own classes. */
  static AgentProcess start(Path directory, List<String> args) throws IOException {
    List<String> command = new ArrayList<>(List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-cp",
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
        "dev.imagegc.examples.Agent"));
    command.addAll(args);
    Path err = Files.createTempFile(directory, "agent", ".err");
    Process process = new ProcessBuilder(command)
        .redirectError(Redirect.appendTo(err.toFile()))
        .start();
    return new AgentProcess(process, err);
  }

  /** Reads the next line as JSON; fails if there is none, with what was said on standard error. */
  JsonObject nextRound() throws IOException {
    String line = out.readLine();
    if (line == null) {
      throw new AssertionError("the agent printed nothing more: " + err());
    }
    return JsonParser.parseString(line).getAsJsonObject();
  }

  /** Sends SIGTERM. */
  void terminate() {
    process.destroy();
  }

  int exitCode() throws InterruptedException {
    if (!process.waitFor(5, TimeUnit.MINUTES)) {
      throw new AssertionError("the agent does not end");
    }
    return process.exitValue();
  }

  String err() throws IOException {
    return Files.readString(err);
  }

  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    out.close();
  }
}
