/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.imagegc.testkit.FakeNode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** {@code run} on a thread of this process, with what it prints; stopped as by SIGTERM when it is closed. */
final class RunningAgent implements AutoCloseable {
  private final StopSignal signal = new StopSignal();
  private final LineQueue out = new LineQueue();
  private final StringWriter err = new StringWriter();
  private final CompletableFuture<Integer> exitCode;

  private RunningAgent(FakeNode node, String... options) {
    Console console = new Console(new PrintWriter(out), new PrintWriter(err));
    String[] args = Stream.concat(Stream.of("run"), Stream.of(options)).toArray(String[]::new);
    exitCode = CompletableFuture.supplyAsync(
        () -> Agent.commandLine(AgentRun.connector(node), console, () -> signal).execute(args),
        task -> new Thread(task, "agent").start());
  }

  static RunningAgent on(FakeNode node, String... options) {
    return new RunningAgent(node, options);
  }

  /** Asks it to end, and waits until it has. */
  int stop() {
    signal.ask();
    return exitCode();
  }

  int exitCode() {
    return exitCode.join();
  }

  /** Waits for the next line on standard output. */
  String take() throws InterruptedException {
    return out.take();
  }

  /** Waits for a line with these words, and drops those before it. */
  String awaitLine(String words) throws InterruptedException {
    String line = out.take();
    while (!line.contains(words)) {
      line = out.take();
    }
    return line;
  }

  JsonObject takeJson() throws InterruptedException {
    return json(take());
  }

  static JsonObject json(String line) {
    return JsonParser.parseString(line).getAsJsonObject();
  }

  String err() {
    return err.toString();
  }

  @Override
  public void close() {
    stop();
  }

  /** What was printed, line by line, for a test to wait for. */
  private static final class LineQueue extends Writer {
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final StringBuilder line = new StringBuilder();

    @Override
    public void write(char[] buffer, int offset, int length) {
      for (char c : new String(buffer, offset, length).toCharArray()) {
        if (c == '\n') {
          lines.add(line.toString());
          line.setLength(0);
        } else {
          line.append(c);
        }
      }
    }

    String take() throws InterruptedException {
      String next = lines.poll(30, TimeUnit.SECONDS);
      if (next == null) {
        throw new AssertionError("nothing was printed");
      }
      return next;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
