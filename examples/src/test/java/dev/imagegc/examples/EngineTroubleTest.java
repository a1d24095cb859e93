/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The agent with the real adapter at sockets that are not a healthy engine: exit code 4, one sentence, no stack trace. */
@Timeout(120) // guards against a hang, measures nothing
class EngineTroubleTest {
  private Path directory; // a short path: a unix socket's name may have some 100 characters
  private Path socket;
  private final List<AutoCloseable> open = new CopyOnWriteArrayList<>(); // a stub's thread adds too

  @BeforeEach
  void makeDirectory() throws IOException {
    directory = Files.createTempDirectory("igc");
    socket = directory.resolve("s");
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable closeable : open) {
      closeable.close();
    }
    Files.deleteIfExists(socket);
    Files.delete(directory);
  }

  @ParameterizedTest
  @ValueSource(strings = {"plan", "collect", "purge"})
  void noSocket_isFour(String command) {
    assertTrouble(run(command), "s: there is no such socket");
  }

  @ParameterizedTest
  @ValueSource(strings = {"plan", "collect", "purge"})
  void noSocketButAnImageFs_isFourAllTheSame(String command) {
    assertTrouble(run(command, "--image-fs", directory.toString()), "there is no such socket");
  }

  @Test
  void socketWithoutAListener_isFour() throws IOException {
    listen().close();

    assertTrouble(run("plan"), "unix://" + socket);
  }

  @Test
  void regularFile_isFour() throws IOException {
    Files.writeString(socket, "I am not a socket");

    assertTrouble(run("plan"), "unix://" + socket);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnope\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
        "220 mail.example ESMTP\r\n",
        ""
      })
  void somethingThatIsNoEngine_isFour(String greeting) throws IOException {
    answerEveryConnectionWith(greeting);

    assertTrouble(run("plan"), "unix://" + socket);
  }

  @ParameterizedTest
  @ValueSource(strings = {"plan", "collect", "purge"})
  void engineThatDoesNotAnswer_isFourAfterTheTimeout(String command) throws IOException {
    listen(); // the kernel accepts, nobody answers

    assertTrouble(run(command, "--timeout", "1s"), "unix://" + socket);
  }

  @Test
  void engineThatStopsInMidAnswer_isFourAfterTheTimeout() throws IOException {
    ServerSocketChannel server = listen();
    inBackground(() -> {
      SocketChannel peer = server.accept();
      open.add(peer);
      send(
          peer,
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"Api");
    });

    assertTrouble(run("plan", "--timeout", "1s"), "unix://" + socket);
  }

  @Test
  void imageFsThatDoesNotExist_isFour() {
    Path missing = directory.resolve("missing");

    assertTrouble(run("plan", "--image-fs", missing.toString()), missing + " does not exist");
  }

  private AgentRun run(String command, String... options) {
    List<String> args = new ArrayList<>(List.of(command, "--json", "--host", "unix://" + socket));
    args.addAll(List.of(options));
    return AgentRun.of(Connector::docker, args.toArray(String[]::new));
  }

  private static void assertTrouble(AgentRun run, String words) {
    assertThat(run.exitCode()).isEqualTo(4);
    assertThat(run.errorLines()).hasSize(1).first().asString().contains(words);
    assertThat(run.err()).doesNotContain("\tat ").doesNotContain("Exception");
    assertThat(run.json().get("outcome").getAsString()).isEqualTo("FAILED");
    assertThat("error: " + run.json().get("error").getAsString())
        .isEqualTo(run.errorLines().get(0));
  }

  private ServerSocketChannel listen() throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    open.add(server);
    return server;
  }

  private void answerEveryConnectionWith(String text) throws IOException {
    ServerSocketChannel server = listen();
    inBackground(() -> {
      while (true) {
        try (SocketChannel peer = server.accept()) {
          if (!text.isEmpty()) {
            peer.read(ByteBuffer.allocate(4096));
            send(peer, text);
          }
        }
      }
    });
  }

  private static void send(SocketChannel peer, String text) throws IOException {
    peer.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  private interface Body {
    void run() throws IOException;
  }

  private static void inBackground(Body body) {
    Thread thread = new Thread(() -> {
      try {
        body.run();
      } catch (IOException e) {
        // The test is over and has closed the socket.
      }
    });
    thread.setDaemon(true);
    thread.start();
  }
}
