/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.JsonParseException;
import com.google.gson.stream.JsonReader;
import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.docker.EngineHttp.Answer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Docker Engine API over {@link EngineHttp}: speaks the newest version that both sides know, and turns answers that
 * are none into exceptions.
 *
 * <p>The version is read from the engine once, and again after trouble, because a restart may bring another engine. It
 * is never pinned: engines drop old versions (Docker 29 begins at 1.44) as well as lack new ones (Docker 20.10 ends at
 * 1.41).
 */
final class EngineApi {
  /** The oldest version that this adapter is tested with: Docker 20.10, Podman 4.3. */
  static final ApiVersion OLDEST = new ApiVersion(1, 41);

  /** The newest version that this adapter is tested with: Docker 28.5. */
  static final ApiVersion NEWEST = new ApiVersion(1, 51);

  private static final Logger LOG = LoggerFactory.getLogger(EngineApi.class);
  private static final int MAX_WORDS = 300;
  static final int MAX_REPEATS = 25;

  /** An answer, with what a parser made of it if it was a success. */
  private record Parsed<T>(Answer answer, @Nullable T value) {}

  private final EngineHttp http;
  private final Duration callTimeout;
  private volatile @Nullable ApiVersion negotiated;

  EngineApi(EngineHttp http, Duration callTimeout) {
    this.http = http;
    this.callTimeout = callTimeout;
  }

  /** Returns the same with another time for ordinary calls, if it is shorter. */
  EngineApi within(Duration limit) {
    EngineApi other = new EngineApi(http, shorter(limit));
    other.negotiated = negotiated;
    return other;
  }

  EngineHost host() {
    return http.host();
  }

  /** Sends a GET within the time for ordinary calls; the answer may have any status but 401 and 403. */
  Answer get(String path) {
    return send("GET", path, callTimeout, EngineApi::text).answer();
  }

  /** Sends a POST without a body within the time for ordinary calls. */
  Answer post(String path) {
    return send("POST", path, callTimeout, EngineApi::text).answer();
  }

  /** Sends a POST without a body. */
  Answer post(String path, Duration deadline) {
    return send("POST", path, deadline, EngineApi::text).answer();
  }

  /** Sends a DELETE. */
  Answer delete(String path, Duration deadline) {
    return send("DELETE", path, deadline, EngineApi::text).answer();
  }

  /** Reads the JSON document that answers a GET; any status but success is an exception. */
  <T> T read(String path, Duration deadline, Json.Parser<T> parser) {
    EngineHttp.Reader<Parsed<T>> reader = reader(parser);
    Parsed<T> parsed = send("GET", path, deadline, reader);
    for (int i = 0; i < MAX_REPEATS && overtaken(parsed.answer()); i++) {
      parsed = send("GET", path, deadline, reader);
    }
    if (parsed.value() == null) {
      throw failed("GET " + path, parsed.answer());
    }
    return parsed.value();
  }

  /**
   * Opens a stream in the newest version that both sides know.
   *
   * @return the stream, or an answer of any other status
   * @see EngineHttp#open
   */
  EngineHttp.Stream open(
      String method,
      String path,
      Map<String, String> headers,
      Duration deadline,
      EngineHttp.Tail tail) {
    EngineHttp.Stream stream = openOnce(method, path, headers, deadline, tail);
    if (versionRefused(stream.answer())) {
      negotiated = null;
      stream = openOnce(method, path, headers, deadline, tail);
    }
    if (versionRefused(stream.answer())) {
      throw failed(method + " " + path, stream.answer());
    }
    return stream;
  }

  private EngineHttp.Stream openOnce(
      String method,
      String path,
      Map<String, String> headers,
      Duration deadline,
      EngineHttp.Tail tail) {
    try {
      return http.open(method, "/v" + version() + path, headers, deadline, tail);
    } catch (UnreachableException | ProtocolException e) {
      negotiated = null;
      throw e;
    }
  }

  Duration callTimeout() {
    return callTimeout;
  }

  private static <T> EngineHttp.Reader<Parsed<T>> reader(Json.Parser<T> parser) {
    return (status, body) -> {
      boolean success = status >= 200 && status < 300;
      return success
          ? new Parsed<>(new Answer(status, ""), Json.document(body, parser))
          : new Parsed<>(new Answer(status, EngineHttp.text(body)), null);
    };
  }

  /** Reads the JSON document that answers a GET, asking once; any status but success is empty. */
  <T> Optional<T> find(String path, Duration deadline, Json.Parser<T> parser) {
    return Optional.ofNullable(
        send("GET", path, shorter(deadline), reader(parser)).value());
  }

  private Duration shorter(Duration deadline) {
    return deadline.compareTo(callTimeout) < 0 ? deadline : callTimeout;
  }

  /**
   * Whether a list failed because an image went while it was made. Podman ("500 ... image not known") and the containerd
   * store ("404 content digest ...: not found") fail the whole list then; asked again, they answer.
   */
  private static boolean overtaken(Answer answer) {
    return (answer.status() == 500 || answer.status() == 404)
        && (answer.body().contains("not known") || answer.body().contains(": not found"));
  }

  <T> T read(String path, Json.Parser<T> parser) {
    return read(path, callTimeout, parser);
  }

  /** Reads the JSON document that an answer holds. */
  <T> T parse(String call, Answer answer, Json.Parser<T> parser) {
    try {
      return Json.document(
          new ByteArrayInputStream(answer.body().getBytes(StandardCharsets.UTF_8)), parser);
    } catch (IOException
        | IllegalStateException
        | IllegalArgumentException
        | JsonParseException e) {
      throw new ProtocolException(
          call + " at " + host() + ": the answer is malformed: " + e.getMessage(), e);
    }
  }

  /** The exception for an answer that means that the engine cannot do a call that must always work. */
  GcException failed(String call, Answer answer) {
    String sentence =
        call + " at " + host() + ": the engine answered " + answer.status() + ": " + words(answer);
    return answer.status() >= 500
        ? new UnreachableException(sentence)
        : new ProtocolException(sentence);
  }

  /** What the engine said, shortened: the message of a JSON answer, or else its text. */
  static String words(Answer answer) {
    return shortened(said(answer));
  }

  /** What the engine said, whole: the message of a JSON answer, or else its text. */
  static String said(Answer answer) {
    try {
      return Json.document(
              new ByteArrayInputStream(answer.body().getBytes(StandardCharsets.UTF_8)),
              EngineApi::message)
          .orElse(answer.body());
    } catch (IOException | IllegalStateException | IllegalArgumentException e) {
      return answer.body();
    }
  }

  /** One line of words, not too long. */
  static String shortened(String text) {
    String words = text.strip().replaceAll("\\s+", " ");
    return words.length() > MAX_WORDS ? words.substring(0, MAX_WORDS) + "..." : words;
  }

  private static Optional<String> message(JsonReader in) throws IOException {
    String[] message = new String[1];
    Json.object(in, (name, value) -> {
      if (name.equals("message")) {
        message[0] = Json.string(value);
      } else {
        value.skipValue();
      }
    });
    return Optional.ofNullable(message[0]);
  }

  private static Parsed<Answer> text(int status, InputStream body) throws IOException {
    return new Parsed<>(new Answer(status, EngineHttp.text(body)), null);
  }

  private <T> Parsed<T> send(
      String method, String path, Duration deadline, EngineHttp.Reader<Parsed<T>> reader) {
    Parsed<T> parsed = sendOnce(method, path, deadline, reader);
    if (versionRefused(parsed.answer())) {
      // Refused before anything was done, so it may be sent again, also if it is a DELETE.
      negotiated = null;
      parsed = sendOnce(method, path, deadline, reader);
    }
    Answer answer = parsed.answer();
    if (versionRefused(answer)) {
      throw failed(method + " " + path, answer);
    }
    if (answer.status() == 401 || answer.status() == 403) {
      throw denied(method + " " + path, answer);
    }
    return parsed;
  }

  private <T> Parsed<T> sendOnce(
      String method, String path, Duration deadline, EngineHttp.Reader<Parsed<T>> reader) {
    try {
      return http.call(method, "/v" + version() + path, deadline, reader);
    } catch (UnreachableException | ProtocolException e) {
      negotiated = null; // what comes back may be another engine
      throw e;
    }
  }

  private static boolean versionRefused(Answer answer) {
    return answer.status() == 400
        && answer.body().toLowerCase(Locale.ROOT).contains("client version");
  }

  /** The exception for a stream that is not opened. */
  GcException refused(String call, Answer answer) {
    return answer.status() == 401 || answer.status() == 403
        ? denied(call, answer)
        : failed(call, answer);
  }

  private AccessDeniedException denied(String call, Answer answer) {
    return new AccessDeniedException(call + " at " + host() + ": access was denied with "
        + answer.status() + ": " + words(answer));
  }

  private ApiVersion version() {
    ApiVersion known = negotiated;
    if (known == null) {
      known = negotiate();
      negotiated = known;
      LOG.debug("Speaking API version {} with {}", known, host());
    }
    return known;
  }

  private ApiVersion negotiate() {
    VersionRange engine = versionRange();
    ApiVersion best = engine.newest().compareTo(NEWEST) < 0 ? engine.newest() : NEWEST;
    if (best.compareTo(OLDEST) < 0 || best.compareTo(engine.oldest()) < 0) {
      throw new ProtocolException("The engine at " + host() + " speaks API versions "
          + engine.oldest() + " to " + engine.newest() + ", but this adapter speaks " + OLDEST
          + " to " + NEWEST + ".");
    }
    return best;
  }

  private record VersionRange(ApiVersion oldest, ApiVersion newest) {}

  private VersionRange versionRange() {
    Answer answer;
    try {
      answer = http.call("GET", "/version", callTimeout);
    } catch (ProtocolException e) {
      throw notAnEngine(e.getMessage(), e);
    } catch (UnreachableException e) {
      if (e.getCause() instanceof NoHttpResponseException) {
        throw notAnEngine("it closes the connection without an answer", e);
      }
      throw e;
    }
    if (answer.status() == 401 || answer.status() == 403) {
      throw denied("GET /version", answer);
    }
    if (answer.status() >= 500) {
      throw failed("GET /version", answer);
    }
    if (!answer.isSuccess()) {
      throw notAnEngine("it answers GET /version with " + answer.status(), null);
    }
    return versionRange(answer);
  }

  private VersionRange versionRange(Answer answer) {
    String[] texts = new String[2];
    try {
      parse("GET /version", answer, in -> {
        Json.object(in, (name, value) -> {
          switch (name) {
            case "ApiVersion" -> texts[0] = Json.string(value);
            case "MinAPIVersion" -> texts[1] = Json.string(value);
            default -> value.skipValue();
          }
        });
        return texts;
      });
    } catch (ProtocolException e) {
      throw notAnEngine("its answer to GET /version is not what an engine says", e);
    }
    ApiVersion newest = Optional.ofNullable(texts[0]).flatMap(ApiVersion::parse).orElse(null);
    if (newest == null) {
      throw notAnEngine("its answer to GET /version has no ApiVersion", null);
    }
    ApiVersion oldest = Optional.ofNullable(texts[1]).flatMap(ApiVersion::parse).orElse(OLDEST);
    return new VersionRange(oldest, newest);
  }

  private ProtocolException notAnEngine(@Nullable String why, @Nullable Exception cause) {
    return new ProtocolException(
        "What listens at " + host() + " does not speak the Docker Engine API: " + why + ".", cause);
  }
}
