/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A server on a unix socket or a local port that answers each request as a script says, faults included. */
final class StubDaemon implements AutoCloseable {
  /** One request, without its version: {@code /v1.41/images/json} is {@code /images/json} of version 1.41. */
  record Request(String method, String version, String path, Map<String, String> headers) {
    @Override
    public String toString() {
      return method + " " + path;
    }
  }

  /** What to do with a connection once the request was read. */
  interface Reply {
    void send(Connection connection) throws IOException, InterruptedException;
  }

  /** The server's end of a connection. */
  final class Connection {
    private final SocketChannel channel;
    private final OutputStream out;

    private Connection(SocketChannel channel) {
      this.channel = channel;
      this.out = Channels.newOutputStream(channel);
    }

    void write(String text) throws IOException {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Waits until the daemon is closed, or the faults are over. */
    void hang() throws InterruptedException {
      released.await();
    }

    void pause(int millis) throws InterruptedException {
      boolean over = released.await(millis, TimeUnit.MILLISECONDS);
      assert !over || stopped;
    }

    /** Waits until the client closes the connection; what it sends until then is lost. */
    void awaitClose() {
      try {
        while (channel.read(ByteBuffer.allocate(100)) >= 0) {}
      } catch (IOException e) {
        // closed as well
      }
    }

    /** Has something done when the daemon is closed. */
    void atClose(Runnable action) {
      atClose.add(action);
      if (stopped) {
        action.run();
      }
    }

    void reset() throws IOException {
      channel.setOption(java.net.StandardSocketOptions.SO_LINGER, 0);
    }
  }

  static Reply json(int status, String body) {
    return connection -> connection.write(head(status, "Content-Length: " + length(body)) + body);
  }

  static Reply message(int status, String message) {
    return json(status, "{\"message\":\"" + message.replace("\"", "\\\"") + "\"}");
  }

  static Reply empty(int status) {
    return json(status, "");
  }

  /** Sends exactly this and closes the connection. */
  static Reply raw(String text) {
    return connection -> connection.write(text);
  }

  static Reply chunked(String body) {
    return connection -> {
      StringBuilder answer = new StringBuilder(head(200, "Transfer-Encoding: chunked"));
      for (int i = 0; i < body.length(); i += 7) {
        String chunk = body.substring(i, Math.min(i + 7, body.length()));
        answer
            .append(Integer.toHexString(length(chunk)))
            .append("\r\n")
            .append(chunk)
            .append("\r\n");
      }
      connection.write(answer.append("0\r\n\r\n").toString());
    };
  }

  /** Closes the connection without an answer. */
  static Reply closed() {
    return connection -> {};
  }

  /** Never answers. */
  static Reply hang() {
    return Connection::hang;
  }

  /** Sends the head and the beginning of a body, and then nothing. */
  static Reply hangInBody(String beginning) {
    return connection -> {
      connection.write(head(200, "Content-Length: 100000") + beginning);
      connection.hang();
    };
  }

  /** Sends the head and the beginning of a body, and closes the connection. */
  static Reply cutOff(String beginning) {
    return connection -> connection.write(head(200, "Content-Length: 100000") + beginning);
  }

  /** Sends a body of blanks that does not end, one byte at a time: each read succeeds. */
  static Reply drip() {
    return connection -> {
      connection.write(head(200, "Content-Length: 100000"));
      for (int i = 0; i < 100_000; i++) {
        connection.write(" ");
        connection.pause(5);
      }
    };
  }

  static String head(int status, String header) {
    return "HTTP/1.1 " + status + " Stub\r\nContent-Type: application/json\r\n" + header
        + "\r\n\r\n";
  }

  private static int length(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  private final ServerSocketChannel server;
  private final Thread acceptor;
  private final Function<Request, Reply> script;
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private final CountDownLatch released = new CountDownLatch(1);
  private final List<Runnable> atClose = new CopyOnWriteArrayList<>();
  private volatile boolean stopped;

  private StubDaemon(ServerSocketChannel server, Function<Request, Reply> script) {
    this.server = server;
    this.script = script;
    this.acceptor = start(this::accept);
  }

  /** Starts a daemon on a unix socket; a file that is there is replaced. */
  static StubDaemon onSocket(Path socket, Function<Request, Reply> script) {
    try {
      Files.deleteIfExists(socket);
      ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(socket));
      return new StubDaemon(server, script);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts a daemon on a free port of the loopback address. */
  static StubDaemon onPort(Function<Request, Reply> script) {
    try {
      ServerSocketChannel server = ServerSocketChannel.open();
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      return new StubDaemon(server, script);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    try {
      return ((InetSocketAddress) server.getLocalAddress()).getPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All requests so far, in order. */
  List<Request> requests() {
    return List.copyOf(requests);
  }

  /** All requests so far but those for the version, as {@code METHOD path}. */
  List<String> calls() {
    return requests.stream()
        .filter(request -> !request.path().equals("/version"))
        .map(Request::toString)
        .toList();
  }

  void forgetCalls() {
    requests.clear();
  }

  @Override
  public void close() {
    stopped = true;
    released.countDown();
    atClose.forEach(Runnable::run);
    try {
      server.close();
      acceptor.interrupt(); // it may wait for a request
      acceptor.join(); // until then a connection could still be made
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Thread start(Runnable task) {
    Thread thread = new Thread(task, "stub-daemon");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private void accept() {
    while (!stopped) {
      try {
        SocketChannel channel = server.accept();
        if (stopped) {
          channel.close();
        } else {
          receive(channel);
        }
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  /** Reads the request before the next connection is taken, so that requests are in the order of their connections. */
  private void receive(SocketChannel channel) throws IOException {
    Request request;
    try {
      request = read(channel);
    } catch (IOException e) {
      request = null; // the client went away, which is what many tests are about
    }
    if (request == null) {
      channel.close();
      return;
    }
    requests.add(request);
    Reply reply = script.apply(request);
    start(() -> send(reply, channel));
  }

  private void send(Reply reply, SocketChannel channel) {
    try (channel) {
      reply.send(new Connection(channel));
    } catch (IOException | InterruptedException e) {
      // As above.
    }
  }

  private static Request read(SocketChannel channel) throws IOException {
    InputStream in = new BufferedInputStream(Channels.newInputStream(channel));
    List<String> lines = new ArrayList<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      lines.add(line);
    }
    if (lines.isEmpty()) {
      return null;
    }
    String[] parts = lines.get(0).split(" ", 3);
    String path = parts[1];
    String version = "";
    if (path.startsWith("/v1.")) {
      int slash = path.indexOf('/', 1);
      version = path.substring(2, slash);
      path = path.substring(slash);
    }
    Map<String, String> headers = new LinkedHashMap<>();
    for (String header : lines.subList(1, lines.size())) {
      String[] nameAndValue = header.split(": *", 2);
      headers.put(nameAndValue[0].toLowerCase(Locale.ROOT), nameAndValue[1]);
    }
    return new Request(parts[0], version, path, headers);
  }

  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
      line.write(b);
    }
    return line.toString(StandardCharsets.ISO_8859_1).strip();
  }
}
