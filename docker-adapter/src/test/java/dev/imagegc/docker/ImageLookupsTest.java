/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.UnreachableException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a name or an id stands for. */
@Timeout(60)
class ImageLookupsTest extends DaemonTest {
  private static final String DIGEST = "sha256:" + "ab".repeat(32);

  @ParameterizedTest
  @CsvSource({
    "app, app:latest",
    "app:1, app:1",
    "app:1, docker.io/library/app:1",
    "docker.io/library/app:1, app:1",
    "index.docker.io/a/b, a/b:latest",
    "reg.example:5000/a/b:1, reg.example:5000/a/b:1",
    "localhost/a, localhost/a:latest"
  })
  void name_isFoundHoweverItIsWritten(String asked, String tag) {
    String id = engine.image(tag).id;

    Image image = runtime.findImage(asked).orElseThrow();

    assertThat(image.id()).isEqualTo(ImageId.of(id));
    assertThat(image.references()).containsExactly(tag);
  }

  @Test
  void image_isFoundWithAllThatIsKnownOfIt() {
    StubEngine.StubImage image = engine.image("a/b:1", "a/b:2");
    image.digests.add("a/b@" + DIGEST);

    Image found = runtime.findImage(ImageId.of(image.id)).orElseThrow();

    assertThat(found.id()).isEqualTo(ImageId.of(image.id));
    assertThat(found.references()).containsExactly("a/b:1", "a/b:2", "a/b@" + DIGEST);
    assertThat(found.sizeBytes()).hasValue(1000);
    assertThat(found.builtAt()).contains(Instant.parse("2023-11-14T22:13:20.123456789Z"));
    assertThat(found.labels()).containsEntry("of", "stub");
    assertThat(found.layers()).isEmpty();
  }

  @Test
  void digest_isFoundWithAndWithoutATagBesideIt() {
    StubEngine.StubImage image = engine.image();
    image.digests.add("a/b@" + DIGEST);

    assertThat(runtime.findImage("a/b@" + DIGEST)).isPresent();
    assertThat(runtime.findImage("docker.io/a/b:other@" + DIGEST)).isPresent();
    assertThat(runtime.findImage("a/c@" + DIGEST)).isEmpty();
    assertThat(runtime.findImage("a/b@" + DIGEST.replace('a', 'c'))).isEmpty();
  }

  @Test
  void unknownNameOrId_isEmpty() {
    assertThat(runtime.findImage("a/b:1")).isEmpty();
    assertThat(runtime.findImage(ImageId.of(DIGEST))).isEmpty();
  }

  @Test
  void nameThatAnIdBeginsWith_isNotThatImage() {
    String id = engine.image("a/b:1").id;
    String answer = "{\"Id\":\"" + id + "\",\"RepoTags\":[\"a/b:1\"]}";
    engine.always(
        "GET /images/", StubDaemon.json(200, answer)); // as Docker does, in its generosity

    assertThat(runtime.findImage(id.substring(7, 19))).isEmpty();
    assertThat(runtime.findImage(id.substring(7))).isEmpty();
    assertThat(runtime.findImage(id)).isEmpty();
    assertThat(runtime.findImage("a/b")).isEmpty();
    assertThat(runtime.findImage("a/b:1")).isPresent();
  }

  @Test
  void idThatAnotherOneBeginsWith_isNotThatImage() {
    engine.always("GET /images/", StubDaemon.json(200, "{\"Id\":\"" + DIGEST + "\"}"));

    assertThat(runtime.findImage(ImageId.of(DIGEST.substring(0, 19)))).isEmpty();
    assertThat(runtime.findImage(ImageId.of(DIGEST.substring(7)))).isPresent();
  }

  /** Podman answers so if it is asked for {@code app:1}. */
  @Test
  void nameWithoutRegistry_isNotOneOfLocalhost() {
    engine.always(
        "GET /images/",
        StubDaemon.json(200, "{\"Id\":\"" + DIGEST + "\",\"RepoTags\":[\"localhost/app:1\"]}"));

    assertThat(runtime.findImage("app:1")).isEmpty();
    assertThat(runtime.findImage("localhost/app:1")).isPresent();
  }

  @Test
  void name_isSentInFullAndItsCharactersStay() {
    runtime.findImage("app");
    runtime.findImage("reg.example:5000/a/b@" + DIGEST);

    assertThat(daemon.calls())
        .containsExactly(
            "GET /images/docker.io/library/app:latest/json",
            "GET /images/reg.example:5000/a/b@" + DIGEST + "/json");
  }

  @Test
  void whatMeansNothing_isNoName() {
    engine.always(
        "GET /images/",
        StubDaemon.json(
            200,
            "{\"Id\":\"" + DIGEST + "\",\"RepoTags\":[\"<none>:<none>\",\"\"],"
                + "\"RepoDigests\":null,\"Created\":\"0001-01-01T00:00:00Z\",\"Size\":-1,"
                + "\"GraphDriver\":null,\"Config\":{\"Labels\":null}}"));

    Image image = runtime.findImage(ImageId.of(DIGEST)).orElseThrow();

    assertThat(image.references()).isEmpty();
    assertThat(image.builtAt()).isEmpty();
    assertThat(image.sizeBytes()).isEmpty();
    assertThat(image.labels()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\"\"", "\"overlayfs\""})
  void sizeOfTheContainerdStore_isUnknownBecauseItIsNotTheOneThatIsListed(String driver) {
    engine.always(
        "GET /images/",
        StubDaemon.json(
            200,
            "{\"Id\":\"" + DIGEST + "\",\"Size\":10"
                + (driver.isEmpty() ? "" : ",\"GraphDriver\":{\"Name\":" + driver + "}") + "}"));

    assertThat(runtime.findImage(ImageId.of(DIGEST)).orElseThrow().sizeBytes()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "UPPER", "a b", "a/b:", "a/../b", "a/b?x=1", "https://a/b", "a/b@sha256:zz"})
  void whatIsNoReference_isRefusedWithoutAsking(String reference) {
    assertThatThrownBy(() -> runtime.findImage(reference))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("reference must be ")
        .hasMessageEndingWith("but is '" + reference + "'");
    assertThat(daemon.requests()).isEmpty();
  }

  @Test
  void nameThatTheEngineRefuses_isEmpty() {
    engine.next("GET /images/", StubDaemon.message(400, "invalid reference format"));
    assertThat(runtime.findImage("a/b:1")).isEmpty();
    engine.next(
        "GET /images/",
        StubDaemon.message(500, "normalizing image: normalizing name for compat API"));
    assertThat(runtime.findImage("a/b:1")).isEmpty();
  }

  @Test
  void engineThatCannotAnswer_isNotNoImage() {
    engine.next("GET /images/", StubDaemon.message(500, "broken"));
    assertThatThrownBy(() -> runtime.findImage("a/b:1")).isInstanceOf(UnreachableException.class);
    engine.next("GET /images/", StubDaemon.message(403, "denied"));
    assertThatThrownBy(() -> runtime.findImage("a/b:1")).isInstanceOf(AccessDeniedException.class);
    engine.next("GET /images/", StubDaemon.json(200, "{\"RepoTags\":[\"a/b:1\"]}"));
    assertThatThrownBy(() -> runtime.findImage("a/b:1")).isInstanceOf(ProtocolException.class);
    engine.next("GET /images/", StubDaemon.json(200, "{\"Id\":\"sha256:aa\",\"Size\":-2}"));
    assertThatThrownBy(() -> runtime.findImage("a/b:1")).isInstanceOf(ProtocolException.class);
  }
}
