/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.gson.JsonPrimitive;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.docker.StubDaemon.Reply;
import dev.imagegc.docker.StubDaemon.Request;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pulls: what is sent, what is heard of them, and every way in which they end. */
@Timeout(60)
class PullTest extends DaemonTest {
  private static final String PULL = "POST /images/create";
  private static final String DIGEST = "sha256:" + "ab".repeat(32);

  private final List<PullProgress> progress = new ArrayList<>();

  private void pull(String reference) {
    runtime.pull(reference, Optional.empty(), progress::add);
  }

  /** An answer of the registry's image {@code a/b:1} that consists of these objects. */
  private void answer(String... objects) {
    engine.offer("a/b:1", () -> StubDaemon.chunked(String.join("\r\n", objects)));
  }

  private static String report(String layer, String status, long current, long total) {
    return "{\"status\":\"" + status + "\",\"progressDetail\":{\"current\":" + current
        + ",\"total\":" + total + "},\"progress\":\"[==>]\",\"id\":\"" + layer + "\"}";
  }

  private static String report(String layer, String status) {
    return "{\"status\":\"" + status + "\",\"progressDetail\":{},\"id\":\"" + layer + "\"}";
  }

  private String sent() {
    return URLDecoder.decode(
        daemon.calls().stream()
            .filter(call -> call.startsWith(PULL))
            .findFirst()
            .orElseThrow(),
        StandardCharsets.UTF_8);
  }

  // ---- what is sent ----

  @ParameterizedTest
  @CsvSource({
    "app, docker.io/library/app, latest",
    "app:1, docker.io/library/app, 1",
    "reg.example:5000/a/b, reg.example:5000/a/b, latest",
    "localhost/a:2, localhost/a, 2",
  })
  void reference_isAskedForInFullAndAlwaysWithATag(
      String reference, String repository, String tag) {
    engine.offer(
        reference.contains(":2") || reference.contains(":1") ? reference : reference + ":latest");

    pull(reference);

    assertThat(sent()).isEqualTo(PULL + "?fromImage=" + repository + "&tag=" + tag);
    assertThat(runtime.findImage(reference)).isPresent();
  }

  @Test
  void digest_isAskedForInPlaceOfATag() {
    engine.offer("a/b@" + DIGEST);

    pull("a/b:1@" + DIGEST);

    assertThat(sent()).isEqualTo(PULL + "?fromImage=docker.io/a/b&tag=" + DIGEST);
  }

  @Test
  void whatIsNoReference_isRefusedWithoutAsking() {
    assertThatThrownBy(() -> pull("A B")).isInstanceOf(IllegalArgumentException.class);
    assertThat(daemon.requests()).isEmpty();
  }

  @Test
  void withoutCredentials_noneAreSent() {
    engine.offer("a/b:1");
    pull("a/b:1");

    assertThat(request().headers()).doesNotContainKey("x-registry-auth");
  }

  private Request request() {
    return daemon.requests().stream()
        .filter(request -> request.toString().startsWith(PULL))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void credentials_areSentWithTheRegistryThatTheyAreFor() {
    engine.offer("reg.example:5000/a/b:1");
    runtime.pull(
        "reg.example:5000/a/b:1",
        Optional.of(RegistryCredentials.of("me", "pass\"wörd?>~")),
        progress::add);

    assertThat(auth())
        .isEqualTo("{\"username\":\"me\",\"password\":\"pass\\\"wörd?>~\","
            + "\"serveraddress\":\"reg.example:5000\"}");
  }

  @Test
  void identityTokenForDockersOwnRegistry_isSentWithItsOldAddress() {
    engine.offer("app:1");
    runtime.pull(
        "app:1", Optional.of(RegistryCredentials.ofIdentityToken("token-1")), progress::add);

    assertThat(auth())
        .isEqualTo(
            "{\"identitytoken\":\"token-1\",\"serveraddress\":\"https://index.docker.io/v1/\"}");
  }

  private String auth() {
    byte[] json = Base64.getUrlDecoder().decode(request().headers().get("x-registry-auth"));
    return new String(json, StandardCharsets.UTF_8);
  }

  // ---- progress ----

  @Test
  void progress_addsUpLayersAndNeverGoesBack() {
    answer(
        "{\"status\":\"Pulling from a/b\",\"id\":\"1\"}",
        report("old", "Already exists"),
        report("l1", "Pulling fs layer"),
        report("l1", "Downloading", 10, 100),
        report("l2", "Downloading", 50, 300),
        report("l1", "Downloading", 60, 100),
        report("l1", "Downloading", 5, 100), // begun again
        report("l1", "Verifying Checksum"),
        report("l2", "Download complete"),
        report("l1", "Extracting", 1, 100),
        report("l1", "Pull complete"),
        "{\"status\":\"Status: Downloaded newer image for a/b:1\"}");

    pull("a/b:1");

    assertThat(progress)
        .extracting(PullProgress::transferredBytes)
        .containsExactly(0L, 0L, 0L, 10L, 60L, 110L, 110L, 150L, 400L, 400L, 400L, 400L);
    assertThat(progress.get(2).totalBytes()).isEmpty();
    assertThat(progress)
        .extracting(come -> come.totalBytes().orElse(-1))
        .containsExactly(-1L, -1L, -1L, 100L, 400L, 400L, 400L, 400L, 400L, 400L, 400L, 400L);
    assertThat(progress.get(3).status()).isEqualTo("Downloading");
  }

  @Test
  void layerThatIsLongerThanItWasSaidToBe_countsAsLongAsItIs() {
    answer(report("l1", "Downloading", 10, 0), report("l1", "Downloading", 120, 100));

    pull("a/b:1");

    assertThat(progress)
        .extracting(PullProgress::toString)
        .containsExactly("10 of 10 bytes, Downloading", "120 of 120 bytes, Downloading");
  }

  @Test
  void progress_isToldOnTheCallingThread() {
    engine.offer("a/b:1");
    List<Thread> threads = new ArrayList<>();

    runtime.pull("a/b:1", Optional.empty(), come -> threads.add(Thread.currentThread()));

    assertThat(threads).isNotEmpty().containsOnly(Thread.currentThread());
  }

  @Test
  void hostThatThrowsOnProgress_getsItsImage() {
    engine.offer("a/b:1");

    runtime.pull("a/b:1", Optional.empty(), come -> {
      throw new IllegalStateException("of the host");
    });

    assertThat(runtime.findImage("a/b:1")).isPresent();
  }

  @Test
  void hostThatIsSlowToHear_missesReportsButNotTheirSum() {
    String[] reports = new String[1000];
    for (int i = 0; i < reports.length; i++) {
      reports[i] = report("l1", "Downloading", i + 1, 1000);
    }
    StubStream stream = new StubStream().send(String.join("", reports));
    engine.offer("a/b:1", () -> stream);
    boolean[] first = {true};

    runtime.pull("a/b:1", Optional.empty(), come -> {
      progress.add(come);
      if (first[0]) {
        first[0] = false;
        stream.end();
      }
    });

    assertThat(progress)
        .hasSizeBetween(1, 1000)
        .isSortedAccordingTo(Comparator.comparing(PullProgress::transferredBytes));
  }

  // ---- ends ----

  @Test
  void errorInTheStream_failsInTheEnginesWords() {
    answer(
        report("l1", "Downloading", 1, 2),
        "{\"errorDetail\":{\"code\":1,\"message\":\"write /x: no space\\nleft on device\"},"
            + "\"error\":\"short\"}");

    assertThatThrownBy(() -> pull("a/b:1"))
        .isInstanceOf(PullException.class)
        .hasMessageContaining("docker.io/a/b:1")
        .hasMessageContaining("write /x: no space left on device");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"error\":\"denied\"}",
        "{\"errorDetail\":{\"message\":\"denied\"}}",
        "{\"errorDetail\":\"denied\",\"error\":\"denied\"}",
        "{\"errorDetail\":{}}"
      })
  void anyFormOfError_isOne(String object) {
    answer(object);

    assertThatThrownBy(() -> pull("a/b:1")).isInstanceOf(PullException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 403, 404, 500})
  void errorStatus_failsInTheEnginesWords(int status) {
    engine.next(PULL, StubDaemon.message(status, "pull access denied for a/b"));

    assertThatThrownBy(() -> pull("a/b:1"))
        .isInstanceOf(PullException.class)
        .hasMessageContaining(status + ": pull access denied for a/b");
  }

  @Test
  void streamThatEndsInGoodOrder_isDone_alsoIfSomebodyHasRemovedTheImageSince() {
    engine.next(PULL, StubDaemon.chunked("{\"status\":\"Pulling\"}"));

    pull("a/b:1");

    assertThat(runtime.findImage("a/b:1")).isEmpty();
  }

  @Test
  void cutConnection_isUnreachable() {
    engine.offer(
        "a/b:1", () -> new StubStream().send(report("l1", "Downloading", 1, 2)).cut());

    assertThatThrownBy(() -> pull("a/b:1")).isInstanceOf(UnreachableException.class);
  }

  @Test
  void connectionCutWithinAnObject_isUnreachable() {
    engine.offer("a/b:1", () -> new StubStream().send("{\"status\":\"Down").cut());

    assertThatThrownBy(() -> pull("a/b:1")).isInstanceOf(UnreachableException.class);
  }

  @Test
  void connectionClosedBeforeAnAnswer_isUnreachable() {
    engine.next(PULL, StubDaemon.closed());

    assertThatThrownBy(() -> pull("a/b:1")).isInstanceOf(UnreachableException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "garbage",
        "{\"status\":1}",
        "{\"status\":\"a\"} ]",
        "{\"progressDetail\":{\"total\":\"x\"}}"
      })
  void garbage_isAProtocolError(String body) {
    answer(body);

    assertThatThrownBy(() -> pull("a/b:1")).isInstanceOf(ProtocolException.class);
  }

  @Test
  void silence_timesOutAndClosesTheConnection() throws Exception {
    become(builder().pullSilence(MEDIUM)); // the head comes
    StubStream stream = new StubStream().send(report("l1", "Downloading", 1, 2));
    engine.offer("a/b:1", () -> stream);

    assertThatThrownBy(() -> pull("a/b:1"))
        .isInstanceOf(TimedOutException.class)
        .hasMessageContaining("nothing has moved for 2000 ms");

    stream.awaitClosedByClient();
  }

  @Test
  void silenceBeforeTheHead_timesOut() {
    become(builder().pullSilence(SHORT));
    engine.next(PULL, StubDaemon.hang());

    assertThatThrownBy(() -> pull("a/b:1")).isInstanceOf(TimedOutException.class);
  }

  @Test
  void pullThatMoves_mayTakeLongerThanAnyDeadline() {
    become(builder().callTimeout(MEDIUM).pullSilence(LONG));
    engine.offer("a/b:1", () -> connection -> {
      connection.pause(2_500);
      StubDaemon.chunked(report("l1", "Downloading", 1, 2)).send(connection);
    });

    pull("a/b:1");

    assertThat(progress).hasSize(1);
  }

  @Test
  void interrupt_cancelsAndClosesTheConnectionAndStaysSet() throws Exception {
    StubStream stream = new StubStream().send(report("l1", "Downloading", 1, 2));
    engine.offer("a/b:1", () -> stream);
    CountDownLatch begun = new CountDownLatch(1);
    FutureTask<Boolean> call = new FutureTask<>(() -> {
      assertThatThrownBy(() -> runtime.pull("a/b:1", Optional.empty(), come -> begun.countDown()))
          .isInstanceOf(CancelledException.class);
      return Thread.currentThread().isInterrupted();
    });
    Thread thread = new Thread(call);
    thread.start();
    begun.await();

    thread.interrupt();

    assertThat(call.get()).isTrue();
    stream.awaitClosedByClient();
  }

  @Test
  void closeOfTheRuntime_cancels() throws Exception {
    engine.offer("a/b:1", () -> new StubStream().send(report("l1", "Downloading", 1, 2)));
    CountDownLatch begun = new CountDownLatch(1);
    FutureTask<Throwable> call = new FutureTask<>(() ->
        catchThrowable(() -> runtime.pull("a/b:1", Optional.empty(), come -> begun.countDown())));
    new Thread(call).start();
    begun.await();

    runtime.close();

    assertThat(call.get()).isInstanceOf(CancelledException.class);
    assertThatThrownBy(() -> pull("a/b:1")).isInstanceOf(IllegalStateException.class);
  }

  // ---- secrets ----

  private static final String PASSWORD = "s3cret\"&<pass wörd>";
  private static final String TOKEN = "eyJhbGciOi.t0ken-of_identity==";

  /** The ways in which an engine or a registry may repeat what it was sent. */
  private static List<String> echoes(Request request, String secret) {
    String header = request.headers().get("x-registry-auth");
    return List.of(
        header,
        header.replace("=", ""),
        new String(Base64.getUrlDecoder().decode(header), StandardCharsets.UTF_8),
        secret,
        "x".repeat(280) + secret, // cut in half where messages are shortened
        basic(secret.equals(TOKEN) ? TOKEN : "me:" + secret),
        URLEncoder.encode(secret, StandardCharsets.UTF_8),
        goJson(secret));
  }

  private static String goJson(String text) {
    return text.replace("\"", "\\\"")
        .replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e");
  }

  private static String basic(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "plain", "stream", "progress", "garbage", "number", "head"})
  void secrets_areInNoExceptionAndNoProgress(String way) {
    for (int i = 0; i < 8; i++) {
      for (String secret : List.of(PASSWORD, TOKEN)) {
        int echo = i;
        restart(request -> request.toString().startsWith(PULL)
            ? echo(way, echoes(request, secret).get(echo))
            : engine.apply(request));
        RegistryCredentials credentials = secret.equals(TOKEN)
            ? RegistryCredentials.ofIdentityToken(TOKEN)
            : RegistryCredentials.of("me", PASSWORD);

        Throwable failure =
            catchThrowable(() -> runtime.pull("a/b:1", Optional.of(credentials), progress::add));

        StringWriter all = new StringWriter();
        if (way.equals("progress")) {
          assertThat(failure).isNull();
          assertThat(progress).isNotEmpty();
        } else {
          assertThat(failure).isInstanceOf(GcException.class);
          failure.printStackTrace(new PrintWriter(all));
        }
        all.append(progress.toString());
        assertThat(all.toString())
            .as("%s, echo %d", way, i)
            .doesNotContain("s3cret", "t0ken", "wörd", TOKEN.substring(0, 8))
            .doesNotContain(
                basic("me:" + PASSWORD).substring(0, 12), basic(TOKEN).substring(0, 12))
            .doesNotContain("eyJ1c2VybmFt", "eyJpZGVudGl0"); // how the header begins
      }
    }
  }

  private static Reply echo(String way, String secret) {
    String quoted = new JsonPrimitive("said: " + secret).toString();
    return switch (way) {
      case "status" -> StubDaemon.json(500, "{\"message\":" + quoted + "}");
      case "plain" -> StubDaemon.json(404, "no JSON: " + secret);
      case "stream" -> StubDaemon.chunked("{\"error\":" + quoted + "}");
      case "progress" -> StubDaemon.chunked("{\"status\":" + quoted + "}");
      case "garbage" -> StubDaemon.chunked("{\"status\":{" + quoted + ":1}}");
      case "number" -> StubDaemon.chunked("{\"progressDetail\":{\"total\":" + quoted + "}}");
      default -> StubDaemon.raw("HTTP/1.1 abc " + secret + "\r\n\r\n");
    };
  }

  /** A host may log all there is, of the HTTP client too. */
  @Test
  void secrets_areInNoLogOfAnyLevel() {
    List<String> logs = RecordingLogs.record();
    try (StubDaemon onPort = StubDaemon.onPort(engine);
        DockerRuntime tcp = builder().host("tcp://127.0.0.1:" + onPort.port()).build()) {
      engine.offer("a/b:1");
      for (DockerRuntime any : List.of(runtime, tcp)) {
        any.pull("a/b:1", Optional.of(RegistryCredentials.of("me", PASSWORD)), come -> {
          throw new IllegalStateException("of the host");
        });
      }
    } finally {
      RecordingLogs.stop();
    }

    assertThat(logs)
        .anyMatch(line -> line.startsWith("DEBUG org.apache.hc.client5")) // it does log here
        .noneMatch(line -> line.contains("s3cret") || line.contains("eyJ1c2VybmFt"))
        .noneMatch(line -> line.toLowerCase(Locale.ROOT).contains("x-registry-auth"));
    assertThat(logs)
        .filteredOn(line -> line.contains("A listener of a pull threw"))
        .hasSize(2);
  }

  @Test
  void secrets_areInNoString() {
    RegistryAuth auth =
        RegistryAuth.of("reg.example", Optional.of(RegistryCredentials.of("me", PASSWORD)));

    assertThat(auth.toString()).isEqualTo("RegistryAuth[***]");
  }
}
