/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class StatusSocketTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String MORE_THAN_FITS = "x".repeat(10_000_000); // into a socket's buffers

  @TempDir
  Path state;

  @Test
  void everyCallerIsToldHowItIsNow_andNobodyAfterTheEnd() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (StatusSocket socket =
        StatusSocket.open(state, () -> "{\"asked\":" + asked.incrementAndGet() + "}")) {
      assertThat(StatusSocket.ask(state, PATIENCE)).contains("{\"asked\":1}\n");
      assertThat(StatusSocket.ask(state, PATIENCE)).contains("{\"asked\":2}\n");
    }
    assertThat(StatusSocket.ask(state, PATIENCE)).isEmpty();
    assertThat(state).isEmptyDirectory();
  }

  @Test
  void longAnswer_arrivesWhole() throws Exception {
    String answer = "x".repeat(5_000_000);
    try (StatusSocket socket = StatusSocket.open(state, () -> answer)) {
      assertThat(StatusSocket.ask(state, PATIENCE).orElseThrow().strip()).isEqualTo(answer);
    }
  }

  @Test
  void answerThatFails_isNoAnswer_andTheNextOneIs() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (StatusSocket socket = StatusSocket.open(state, () -> {
      if (asked.incrementAndGet() == 1) {
        throw new IllegalStateException("closed");
      }
      return "{}";
    })) {
      assertThat(StatusSocket.ask(state, PATIENCE)).isEmpty();
      assertThat(StatusSocket.ask(state, PATIENCE)).contains("{}\n");
    }
  }

  @Test
  void socketOfAnAgentThatWasKilled_isNoAnswer_andIsTakenOver() throws Exception {
    Files.createFile(state.resolve("status.sock"));
    assertThat(StatusSocket.ask(state, PATIENCE)).isEmpty();
    try (StatusSocket socket = StatusSocket.open(state, () -> "{}")) {
      assertThat(StatusSocket.ask(state, PATIENCE)).contains("{}\n");
    }
  }

  @Test
  void socketFileThatNobodyListensTo_isNoAnswer_andIsTakenOver() throws Exception {
    leaveSocketBehind(state);
    assertThat(StatusSocket.ask(state, PATIENCE)).isEmpty();
    try (StatusSocket socket = StatusSocket.open(state, () -> "{}")) {
      assertThat(StatusSocket.ask(state, PATIENCE)).contains("{}\n");
    }
  }

  @Test
  void callerThatNeverReads_doesNotKeepOthersFromTheirAnswer() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    CountDownLatch begun = new CountDownLatch(1);
    try (StatusSocket socket = StatusSocket.open(state, () -> {
          boolean first = asked.incrementAndGet() == 1;
          begun.countDown();
          return first ? MORE_THAN_FITS : "{}";
        });
        SocketChannel silent = connect()) {
      begun.await();
      assertThat(StatusSocket.ask(state, PATIENCE)).contains("{}\n");
      assertThat(silent.isOpen()).isTrue();
    }
  }

  @Test
  void callersThatNeverRead_areHungUpOn_howeverManyTheyAre() throws Exception {
    CountDownLatch begun = new CountDownLatch(8);
    List<SocketChannel> silent = new ArrayList<>();
    Supplier<Object> answer = () -> {
      boolean over = begun.getCount() == 0;
      begun.countDown();
      return over ? "{}" : MORE_THAN_FITS;
    };
    try (StatusSocket socket = StatusSocket.open(state, answer, Duration.ofMillis(50))) {
      for (int i = 0; i < 8; i++) { // more than are answered at a time
        silent.add(connect());
      }
      begun.await();
      assertThat(StatusSocket.ask(state, PATIENCE)).contains("{}\n");
    } finally {
      for (SocketChannel channel : silent) {
        channel.close();
      }
    }
  }

  @Test
  void close_hangsUpOnWhoStillWaits() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    StatusSocket socket = StatusSocket.open(state, () -> {
      begun.countDown();
      return MORE_THAN_FITS;
    });
    try (SocketChannel silent = connect()) {
      begun.await();
      socket.close();
      byte[] cut = Channels.newInputStream(silent).readAllBytes(); // comes to an end
      assertThat(cut.length).isLessThan(MORE_THAN_FITS.length());
    }
  }

  @Test
  void directoryThatIsTooDeepForASocket_isSaid() throws Exception {
    Path deep = Files.createDirectories(state.resolve("d".repeat(120)));
    assertThatThrownBy(() -> StatusSocket.open(deep, () -> "{}"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("no socket can be made at " + deep.resolve("status.sock") + ", ");
  }

  private SocketChannel connect() throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(state.resolve("status.sock")));
  }

  /** As an agent that was killed does. */
  static void leaveSocketBehind(Path state) throws IOException {
    try (ServerSocketChannel killed = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      killed.bind(UnixDomainSocketAddress.of(state.resolve("status.sock")));
    }
    assertThat(state.resolve("status.sock")).exists();
  }
}
