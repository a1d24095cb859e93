/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Where a running agent says how it is: a unix socket in its state directory. Whoever connects is sent one JSON object, and hung
 * up on. Who may connect is a matter of the directory's permissions.
 */
final class StatusSocket implements AutoCloseable {
  private static final String NAME = "status.sock";

  private static final int CALLERS = 4;
  private static final int WAITING = 16;
  private static final Duration STALL = Duration.ofSeconds(10);
  private static final long REST_NANOS = Duration.ofMillis(100).toNanos();

  private final Path path;
  private final ServerSocketChannel server;
  private final Duration stall;
  private final ThreadPoolExecutor callers;
  private final Set<SocketChannel> connected = ConcurrentHashMap.newKeySet();

  private StatusSocket(Path path, ServerSocketChannel server, Duration stall) {
    this.path = path;
    this.server = server;
    this.stall = stall;
    this.callers = new ThreadPoolExecutor(
        CALLERS, CALLERS, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING), task -> {
          Thread thread = new Thread(task, "status-answer");
          thread.setDaemon(true);
          return thread;
        });
  }

  /**
   * Begins to answer, on daemon threads, a few callers at a time. Who does not read for 10 s is hung up on, and so is who
   * calls when too many wait.
   *
   * @param stateDirectory which no other agent has
   * @param answer says how it is; bounded, and asked by several threads
   * @throws IOException if there can be no socket in that directory, because its path is too long for one, say
   */
  static StatusSocket open(Path stateDirectory, Supplier<Object> answer) throws IOException {
    return open(stateDirectory, answer, STALL);
  }

  static StatusSocket open(Path stateDirectory, Supplier<Object> answer, Duration stall)
      throws IOException {
    Path path = stateDirectory.resolve(NAME);
    Files.deleteIfExists(path); // of an agent that was killed
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(path));
    } catch (IOException | RuntimeException e) {
      server.close();
      throw new IOException(
          "no socket can be made at " + path + ", " + path.toString().length() + " characters: "
              + e.getMessage(),
          e);
    }
    StatusSocket socket = new StatusSocket(path, server, stall);
    Thread accepting = new Thread(() -> socket.acceptAll(answer), "status-socket");
    accepting.setDaemon(true);
    accepting.start();
    return socket;
  }

  private void acceptAll(Supplier<Object> answer) {
    while (server.isOpen()) {
      SocketChannel caller;
      try {
        caller = server.accept();
      } catch (IOException e) {
        // The socket was closed, or there are too many open files.
        LockSupport.parkNanos(REST_NANOS);
        continue;
      }
      connected.add(caller);
      try {
        callers.execute(() -> {
          tell(caller, answer);
          hangUp(caller);
        });
      } catch (RejectedExecutionException e) {
        hangUp(caller);
      }
    }
  }

  private void tell(SocketChannel caller, Supplier<Object> answer) {
    try (Selector selector = Selector.open()) {
      ByteBuffer bytes = ByteBuffer.wrap((answer.get() + "\n").getBytes(StandardCharsets.UTF_8));
      caller.configureBlocking(false);
      caller.register(selector, SelectionKey.OP_WRITE);
      while (bytes.hasRemaining() && selector.select(stall.toMillis()) > 0) {
        selector.selectedKeys().clear();
        caller.write(bytes);
      }
    } catch (IOException e) {
      // The caller went away.
    } catch (RuntimeException e) {
      // The node was closed meanwhile: the caller is sent nothing.
    }
  }

  private void hangUp(SocketChannel caller) {
    connected.remove(caller);
    try {
      caller.close();
    } catch (IOException e) {
      // It is gone.
    }
  }

  /**
   * Asks the agent that has a state directory.
   *
   * @param patience how long to wait for its answer
   * @return one JSON object, or empty if nobody listens there, or hangs up without a word
   * @throws TimeoutException if there is an agent, and it has not answered
   */
  static Optional<String> ask(Path stateDirectory, Duration patience)
      throws InterruptedException, TimeoutException {
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
    } catch (ExecutionException e) {
      return Optional.empty(); // nobody listens there any more
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
      var unused = callers.shutdownNow();
      connected.forEach(this::hangUp); // who waits is sent nothing
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
