/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.UnreachableException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which version of the API is spoken, and what is no engine at all. */
class NegotiationTest extends DaemonTest {
  @ParameterizedTest(name = "engine {0} to {1}: speaks {2}")
  @CsvSource({
    "1.12, 1.41, 1.41",
    "1.24, 1.45, 1.45",
    "1.24, 1.51, 1.51",
    "1.44, 1.53, 1.51",
    "1.51, 1.99, 1.51",
  })
  void version_isTheNewestThatBothKnow(String oldest, String newest, String spoken) {
    engine.version(
        "{\"ApiVersion\":\"" + newest + "\",\"MinAPIVersion\":\"" + oldest + "\",\"More\":[{}]}");

    runtime.listImages();
    runtime.listContainers();

    assertThat(daemon.requests())
        .extracting(StubDaemon.Request::version)
        .containsExactly("", spoken, spoken);
  }

  @ParameterizedTest(name = "engine {0} to {1}")
  @CsvSource({"1.12, 1.40", "1.52, 1.60", "2.0, 2.1"})
  void versionsThatDoNotMeet_areAProtocolErrorNamingBothRanges(String oldest, String newest) {
    engine.version("{\"ApiVersion\":\"" + newest + "\",\"MinAPIVersion\":\"" + oldest + "\"}");

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining(oldest + " to " + newest)
        .hasMessageContaining("1.41 to 1.51");
  }

  @Test
  void engineWithoutOldestVersion_isSpokenTo() {
    engine.version("{\"ApiVersion\":\"1.41\"}");

    assertThat(runtime.listImages()).isEmpty();
  }

  @Test
  void otherEngineAfterARestart_isSpokenToInItsVersion() {
    runtime.listImages();
    daemon.close();
    assertThatThrownBy(runtime::listImages).isInstanceOf(UnreachableException.class);
    engine.version("{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}");
    restart(engine);

    runtime.listImages();

    assertThat(daemon.requests())
        .extracting(StubDaemon.Request::version)
        .containsExactly("", "1.41");
  }

  @Test
  void versionThatIsRefused_isNegotiatedAgain() {
    Image image = listed(engine.image("a/b:1").id);
    engine.version("{\"ApiVersion\":\"1.45\",\"MinAPIVersion\":\"1.24\"}");
    engine.next(
        "DELETE",
        StubDaemon.message(
            400, "client version 1.51 is too new. Maximum supported API version is 1.45"));

    assertThat(runtime.removeImage(image).outcome().code()).isEqualTo("REMOVED");
    assertThat(daemon.requests().get(daemon.requests().size() - 1).version()).isEqualTo("1.45");
  }

  @Test
  void versionThatIsRefusedAgain_isAProtocolError() {
    engine.always(
        "GET /images", StubDaemon.message(400, "client version 1.51 is too old. Minimum is 1.60"));

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("too old");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<html>It works!</html>",
        "{}",
        "{\"ApiVersion\":null}",
        "{\"ApiVersion\":\"new\"}",
        "{\"ApiVersion\":141}",
        "[]",
        "\"1.41\"",
        "",
        "{\"ApiVersion\":\"1.41\"} and more",
      })
  void otherAnswerToTheVersion_isNotAnEngine(String body) {
    engine.version(body);

    assertNotAnEngine();
  }

  @Test
  void otherHttpServer_isNotAnEngine() {
    engine.always("", StubDaemon.raw("HTTP/1.1 404 Not Found\r\n\r\n<h1>Not Found</h1>"));

    assertNotAnEngine();
  }

  @Test
  void randomBytes_areNotAnEngine() {
    engine.always("", StubDaemon.raw("\u0000\u0001\u0002 SSH-2.0-OpenSSH_9.2\r\n\u0007"));

    assertNotAnEngine();
  }

  @Test
  void endlessLine_isNotAnEngine() {
    engine.always("", connection -> {
      for (int i = 0; i < 1000; i++) {
        connection.write("x".repeat(1000));
      }
    });

    assertNotAnEngine();
  }

  @Test
  void connectionThatIsClosedAtOnce_isNotAnEngine() {
    engine.always("", StubDaemon.closed());

    assertNotAnEngine();
  }

  private void assertNotAnEngine() {
    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(ProtocolException.class)
        .hasMessageStartingWith("What listens at unix://" + socket())
        .hasMessageContaining("does not speak the Docker Engine API");
  }

  @Test
  void deniedVersion_isAccessDenied() {
    engine.next("GET /version", StubDaemon.message(401, "who are you?"));

    assertThatThrownBy(runtime::listImages)
        .isInstanceOf(AccessDeniedException.class)
        .hasMessageContaining("who are you?");
  }

  @Test
  void engineThatIsStarting_isUnreachable() {
    engine.next("GET /version", StubDaemon.message(503, "starting"));

    assertThatThrownBy(runtime::listImages).isInstanceOf(UnreachableException.class);
  }
}
