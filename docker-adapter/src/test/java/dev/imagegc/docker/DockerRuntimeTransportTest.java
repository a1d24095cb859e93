/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Connections, deadlines and answers that are none. */
@Timeout(60)
class DockerRuntimeTransportTest extends DaemonTest {
  private static final String LIST = "GET /images/json";

  @Test
  void build_connectsToNothing() {
    assertThat(daemon.requests()).isEmpty();
  }

  @Test
  void list_chunkedAnswer_isReadWhole() {
    engine.next(LIST, StubDaemon.chunked("[{\"Id\":\"sha256:aa\",\"RepoTags\":[\"ü/a:1\"]}]"));

    assertThat(listed("aa").references()).containsExactly("ü/a:1");
  }

  @Test
  void list_answerWithoutLength_isReadToTheEnd() {
    engine.next(LIST, StubDaemon.raw("HTTP/1.0 200 OK\r\n\r\n[{\"Id\":\"sha256:aa\"}]"));

    assertThat(runtime.listImages()).hasSize(1);
  }

  @Test
  void list_overTcp_works() {
    try (StubDaemon onPort = StubDaemon.onPort(engine);
        DockerRuntime tcp = builder().host("tcp://127.0.0.1:" + onPort.port()).build()) {
      engine.image("a/b:1");

      assertThat(tcp.listImages()).hasSize(1);
    }
  }

  @Test
  void calls_leaveNoFileOpen() {
    UnixOperatingSystemMXBean process =
        ManagementFactory.getPlatformMXBean(UnixOperatingSystemMXBean.class);
    runtime.listContainers();
    long before = process.getOpenFileDescriptorCount();
    for (int i = 0; i < 200; i++) {
      runtime.listContainers();
    }
    // The stub closes its ends when its threads get to it.
    assertThat(process.getOpenFileDescriptorCount()).isLessThan(before + 100);
  }

  @Test
  void noSocket_isUnreachable() {
    runtime = builder().host("unix://" + directory.resolve("none.sock")).build();

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(UnreachableException.class)
        .hasMessageContaining("none.sock")
        .hasMessageContaining("there is no such socket");
  }

  @Test
  void socketThatNobodyListensOn_isUnreachable() {
    daemon.close();

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(UnreachableException.class)
        .hasMessageContaining("nothing listens on the socket");
  }

  @Test
  void ordinaryFileInsteadOfASocket_isUnreachable() throws Exception {
    runtime =
        builder().host(Files.createFile(directory.resolve("file")).toString()).build();

    assertThatThrownBy(runtime::listImages).isInstanceOf(UnreachableException.class);
  }

  @Test
  void closedPort_isUnreachable() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    runtime = builder().host("tcp://127.0.0.1:" + port).build();

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(UnreachableException.class)
        .hasMessageContaining("cannot connect");
  }

  @Test
  void unknownHost_isUnreachable() {
    runtime =
        builder().host("tcp://no-such-host.invalid:2375").connectTimeout(LONG).build();

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(UnreachableException.class)
        .hasMessageContaining("unknown host");
  }

  @Test
  void fullBacklog_timesOutConnecting() throws Exception {
    daemon.close();
    Files.deleteIfExists(socket());
    List<SocketChannel> waiting = new ArrayList<>();
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket()), 1);
      for (boolean queued = true; queued; ) { // nobody accepts, so the queue fills
        SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX);
        waiting.add(client);
        client.configureBlocking(false);
        try {
          queued = client.connect(UnixDomainSocketAddress.of(socket()));
        } catch (java.io.IOException e) {
          queued = false;
        }
      }

      assertThatThrownBy(become(builder().connectTimeout(SHORT))::listImages)
          .isInstanceOf(TimedOutException.class)
          .hasMessageContaining("no connection within 200 ms");
    } finally {
      for (SocketChannel client : waiting) {
        client.close();
      }
    }
  }

  @Test
  void hangBeforeTheHead_timesOut() {
    becomeImpatient();
    engine.always(LIST, StubDaemon.hang());

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(TimedOutException.class)
        .hasMessageContaining("GET /v1.51/images/json?all=1 at unix://")
        .hasMessageContaining("no whole answer within 200 ms");
  }

  @Test
  void hangInTheBody_timesOut() {
    becomeImpatient();
    engine.always(LIST, StubDaemon.hangInBody("[{\"Id\":\"sha256:aa\"},"));

    assertThatThrownBy(runtime::listImages).isInstanceOf(TimedOutException.class);
  }

  @Test
  void bodyThatDripsForEver_timesOut() {
    becomeImpatient();
    engine.always(LIST, StubDaemon.drip());

    assertThatThrownBy(runtime::listImages).isInstanceOf(TimedOutException.class);
  }

  @Test
  void hangOnTheVersion_timesOut() {
    engine.always("", StubDaemon.hang());

    assertThatThrownBy(become(builder().callTimeout(SHORT))::listContainers)
        .isInstanceOf(TimedOutException.class);
  }

  @Test
  void afterATimeout_theSameRuntimeWorksAgain() {
    becomeImpatient();
    String id = engine.image("a/b:1").id;
    engine.next(LIST, StubDaemon.hang());
    assertThatThrownBy(runtime::listImages).isInstanceOf(TimedOutException.class);

    assertThat(runtime.findImage(ImageId.of(id))).isPresent();
  }

  /** Goes on with a runtime whose lists have a short deadline, but for the first, and that is behind it. */
  private void becomeImpatient() {
    become(builder().listTimeout(LONG, SHORT, Duration.ofNanos(1))).listImages();
  }

  @Test
  void firstListing_hasMoreTimeThanLaterOnes() {
    become(builder().listTimeout(LONG, SHORT, Duration.ofNanos(1)));
    engine.next(LIST, slowly("[]"));
    assertThat(runtime.listImages()).isEmpty();
    engine.next(LIST, StubDaemon.hang());

    assertThatThrownBy(runtime::listImages).isInstanceOf(TimedOutException.class);
  }

  @Test
  void laterListing_hasMoreTimeForMoreImages() {
    become(builder().listTimeout(LONG, SHORT, Duration.ofSeconds(15)));
    engine.image("a/b:1");
    engine.image("a/b:2");
    runtime.listImages();
    engine.next("GET /containers/json", slowly("[]"));

    assertThat(runtime.listContainers()).isEmpty();
  }

  /** Answers later than the short deadline. */
  private static StubDaemon.Reply slowly(String body) {
    return connection -> {
      connection.pause(600);
      StubDaemon.json(200, body).send(connection);
    };
  }

  @Test
  void restartedEngine_worksAgain() {
    engine.image("a/b:1");
    runtime.listImages();
    restart(engine);

    assertThat(runtime.listImages()).hasSize(1);
  }

  @Test
  void engineThatWasAway_worksAgain() {
    runtime.listImages();
    daemon.close();
    assertThatThrownBy(runtime::listImages).isInstanceOf(UnreachableException.class);
    restart(engine);

    assertThat(runtime.listImages()).isEmpty();
  }

  @Test
  void removalOnARestartedEngine_isSentOnceAndWorks() {
    String id = engine.image("a/b:1").id;
    Image image = listed(id);
    restart(engine);

    assertThat(runtime.removeImage(image).outcome().code()).isEqualTo("REMOVED");
    assertThat(daemon.calls()).containsExactly("DELETE /images/" + id + "?noprune=1");
  }

  @Test
  void bodyCutOff_isAProtocolError() {
    engine.next(LIST, StubDaemon.cutOff("[{\"Id\":\"sha256:aa\"}]"));

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("malformed or cut short");
  }

  @Test
  void chunksCutOff_areAProtocolError() {
    engine.next(
        LIST,
        StubDaemon.raw(StubDaemon.head(200, "Transfer-Encoding: chunked") + "2\r\n[]\r\n5\r\n  "));

    assertThatThrownBy(runtime::listImages).isInstanceOf(ProtocolException.class);
  }

  @Test
  void connectionClosedInsteadOfAnAnswer_isUnreachable() {
    runtime.listImages();
    engine.next(LIST, StubDaemon.closed());

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(UnreachableException.class)
        .hasMessageContaining("the connection was lost before an answer came");
  }

  @Test
  void connectionReset_isUnreachable() {
    try (StubDaemon onPort = StubDaemon.onPort(engine);
        DockerRuntime tcp = builder().host("tcp://127.0.0.1:" + onPort.port()).build()) {
      tcp.listImages();
      engine.next(LIST, StubDaemon.Connection::reset);

      assertThatThrownBy(tcp::listImages).isInstanceOf(UnreachableException.class);
    }
  }

  @Test
  void denied_isAccessDeniedInTheEnginesWords() {
    engine.next(LIST, StubDaemon.message(403, "authorization denied by plugin"));

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(AccessDeniedException.class)
        .hasMessageContaining("authorization denied by plugin");
  }

  @Test
  void errorOfTheEngine_isUnreachableInItsWords() {
    engine.next(LIST, StubDaemon.message(503, "shutting down"));

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(UnreachableException.class)
        .hasMessageContaining("503: shutting down");
  }

  @Test
  void redirect_isNotFollowed() {
    engine.next(LIST, StubDaemon.raw(StubDaemon.head(302, "Location: /images/other") + ""));

    assertThatThrownBy(runtime::listImages).isInstanceOf(ProtocolException.class);
    assertThat(daemon.calls()).containsExactly("GET /images/json?all=1");
  }

  @Test
  void listThatAnImageLeftMeanwhile_isAskedForAgain() {
    engine.image("a/b:1");
    engine.next(LIST, StubDaemon.message(500, "retrieving size of image \"x\": image not known"));
    engine.next(LIST, StubDaemon.message(404, "content digest sha256:aa: not found"));

    assertThat(runtime.listImages()).hasSize(1);
    assertThat(daemon.calls()).hasSize(3);
  }

  @Test
  void listThatAlwaysFailsSo_isGivenUp() {
    engine.always(LIST, StubDaemon.message(500, "layer not known"));

    assertThatThrownBy(runtime::listImages).isInstanceOf(UnreachableException.class);
    assertThat(daemon.calls()).hasSize(1 + EngineApi.MAX_REPEATS);
  }

  @Test
  void interrupt_endsACallAndStaysSet() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    engine.always(LIST, connection -> {
      asked.countDown();
      connection.hang();
    });
    FutureTask<Boolean> call = new FutureTask<>(() -> {
      assertThatThrownBy(runtime::listImages).isInstanceOf(CancelledException.class);
      return Thread.currentThread().isInterrupted();
    });
    Thread thread = new Thread(call);
    thread.start();
    asked.await();

    thread.interrupt();

    assertThat(call.get()).isTrue();
  }

  @Test
  void close_endsARunningCall() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    engine.always(LIST, connection -> {
      asked.countDown();
      connection.hang();
    });
    FutureTask<Void> call = new FutureTask<>(() -> {
      assertThatThrownBy(runtime::listImages).isInstanceOf(CancelledException.class);
      return null;
    });
    new Thread(call).start();
    asked.await();

    runtime.close();

    call.get();
  }

  @Test
  void close_twice_doesNothingAndCallsAfterwardsAreRefused() {
    Image image = listed(engine.image("a/b:1").id);
    runtime.close();
    runtime.close();

    assertThatThrownBy(runtime::listImages).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(runtime::listContainers).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> runtime.removeImage(image)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(runtime::imageFsPath)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("is closed");
  }

  @Test
  void calls_startDaemonThreadsOnly() {
    runtime.listImages();

    assertThat(Thread.getAllStackTraces().keySet())
        .filteredOn(thread -> thread.getName().startsWith("imagegc-docker"))
        .isNotEmpty()
        .allMatch(Thread::isDaemon);
  }
}
