/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Where a running agent says how it is: a unix socket in its state directory. Whoever connects is sent one JSON object, and hung
 * up on. Who may connect is a matter of the directory's permissions.
 */
final class StatusSocket implements AutoCloseable {
  private static final String NAME = "status.sock";

  private final Path path;
  private final ServerSocketChannel server;

  private StatusSocket(Path path, ServerSocketChannel server) {
    this.path = path;
    this.server = server;
  }

  /**
   * Begins to answer, on a daemon thread, one caller at a time.
   *
   * @param stateDirectory which no other agent has
   * @param answer says how it is; bounded
   * @throws IOException if there can be no socket in that directory, because its path is too long for one, say
   */
  static StatusSocket open(Path stateDirectory, Supplier<Object> answer) throws IOException {
    Path path = stateDirectory.resolve(NAME);
    Files.deleteIfExists(path); // of an agent that was killed
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(path));
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
    StatusSocket socket = new StatusSocket(path, server);
    Thread answering = new Thread(() -> socket.answerAll(answer), "status-socket");
    answering.setDaemon(true);
    answering.start();
    return socket;
  }

  private void answerAll(Supplier<Object> answer) {
    while (server.isOpen()) {
      try (SocketChannel caller = server.accept()) {
        ByteBuffer bytes = ByteBuffer.wrap((answer.get() + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
          caller.write(bytes);
        }
      } catch (IOException e) {
        // The caller went away, or the socket was closed.
      } catch (RuntimeException e) {
        // The node was closed meanwhile: the caller is sent nothing.
      }
    }
  }

  /**
   * Asks the agent that has a state directory.
   *
   * @param patience how long to wait for its answer
   * @return one JSON object, or empty if no agent answers there
   */
  static Optional<String> ask(Path stateDirectory, Duration patience) throws InterruptedException {
    Path path = stateDirectory.resolve(NAME);
    if (!Files.exists(path)) {
      return Optional.empty();
    }
    CompletableFuture<String> answer = new CompletableFuture<>();
    Thread asking = new Thread(
        () -> {
          try {
            answer.complete(read(path));
          } catch (IOException | RuntimeException e) {
            answer.completeExceptionally(e);
          }
        },
        "status-question");
    asking.setDaemon(true);
    asking.start();
    try {
      return Optional.of(answer.get(patience.toMillis(), TimeUnit.MILLISECONDS))
          .filter(text -> !text.isBlank());
    } catch (ExecutionException | TimeoutException e) {
      return Optional.empty(); // nobody listens there any more, or it hangs
    } finally {
      asking.interrupt();
    }
  }

  private static String read(Path path) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      return new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Override
  public void close() {
    try {
      server.close();
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
