/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.docker.StubDaemon.Connection;
import dev.imagegc.docker.StubDaemon.Reply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

/** An answer that goes on in chunks for as long as the test says, or until the daemon is closed. */
final class StubStream implements Reply {
  private static final String END = "end";
  private static final String CUT = "cut";

  private final BlockingQueue<String> chunks = new LinkedBlockingQueue<>();
  private final CountDownLatch closedByClient = new CountDownLatch(1);

  /** Sends a chunk, now or as soon as somebody listens. */
  StubStream send(String text) {
    chunks.add("=" + text);
    return this;
  }

  /** Ends the stream in good order. */
  StubStream end() {
    chunks.add(END);
    return this;
  }

  /** Closes the connection without the end of the stream. */
  StubStream cut() {
    chunks.add(CUT);
    return this;
  }

  /** Waits until the client has closed the connection. */
  void awaitClosedByClient() throws InterruptedException {
    closedByClient.await();
  }

  @Override
  public void send(Connection connection) throws IOException, InterruptedException {
    connection.atClose(this::cut);
    Thread watcher = new Thread(
        () -> {
          connection.awaitClose();
          closedByClient.countDown();
        },
        "stub-watcher");
    watcher.setDaemon(true);
    watcher.start();
    connection.write(StubDaemon.head(200, "Transfer-Encoding: chunked"));
    for (String chunk = chunks.take(); !chunk.equals(CUT); chunk = chunks.take()) {
      if (chunk.equals(END)) {
        connection.write("0\r\n\r\n");
        return;
      }
      String text = chunk.substring(1);
      int length = text.getBytes(StandardCharsets.UTF_8).length;
      connection.write(Integer.toHexString(length) + "\r\n" + text + "\r\n");
    }
  }
}
