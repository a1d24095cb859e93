/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.docker.EngineHttp.Answer;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The calls of the Docker Engine API that end one container: its removal, never by force, and its stop.
 *
 * <p>The engine looks at the container itself, under its own lock, before it removes it. So what was listed need not be looked
 * at again here, and its refusal is the last word. Docker refuses with 409, Podman with 500, each in words of its own; where the
 * words are not known, the state of the container says what they meant.
 */
final class ContainerCalls {
  private static final Pattern WHOLE_ID = Pattern.compile("[0-9a-f]{64}");

  /** How Docker 20.10, Docker since 25 and Podman say it. Names of containers have no blanks, so none can read like it. */
  private static final Pattern ALIVE = Pattern.compile("a (running|paused|restarting) container"
      + "|container is (running|paused|restarting)"
      + "|as it is (running|paused|stopping)");

  private static final String ABSENT = "no such container";
  private static final String IN_PROGRESS = "already in progress";
  private static final Set<ContainerState> RUNS =
      Set.of(ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.RESTARTING);
  private static final int NO_CONTENT = 204;
  private static final int NOT_MODIFIED = 304;
  private static final int NOT_FOUND = 404;

  private final EngineApi api;
  private final String path;

  /**
   * Creates it; asks nothing yet.
   *
   * @throws IllegalArgumentException if the container's id is not a whole one
   */
  ContainerCalls(EngineApi api, Container container) {
    String id = Objects.requireNonNull(container, "container").id();
    if (!WHOLE_ID.matcher(id).matches()) {
      throw new IllegalArgumentException(
          "the id of a container must be 64 hexadecimal digits, but is '" + id + "'");
    }
    this.api = api;
    this.path = "/containers/" + id;
  }

  /**
   * Removes the container if it does not run.
   *
   * @param deadline how long the DELETE may take
   * @param volumes whether its volumes without a name go with it
   * @throws GcException if there is no answer, and looking the container up fails too
   */
  RemovalResult remove(Duration deadline, boolean volumes) {
    Answer answer;
    try {
      answer = api.delete(path + "?v=" + (volumes ? 1 : 0), deadline);
    } catch (TimedOutException | UnreachableException | ProtocolException e) {
      return settleWithoutAnswer(e);
    }
    if (answer.status() == NO_CONTENT) {
      return RemovalResult.of(RemovalOutcome.REMOVED);
    }
    String words = words(answer);
    if (isAbsent(answer)) {
      return RemovalResult.of(RemovalOutcome.GONE, words);
    }
    if (!answer.isSuccess() && ALIVE.matcher(words.toLowerCase(Locale.ROOT)).find()) {
      return RemovalResult.of(RemovalOutcome.IN_USE, words);
    }
    return settle(answer, words);
  }

  private RemovalResult settle(Answer answer, String words) {
    Optional<ContainerState> now;
    try {
      now = state();
    } catch (UnreachableException e) {
      // Docker cannot describe each container that it cannot remove, and is well all the same.
      return RemovalResult.of(
          RemovalOutcome.UNKNOWN, words + "; and it cannot be looked up: " + e.getMessage());
    }
    if (now.isEmpty()) {
      return answer.isSuccess()
          ? RemovalResult.of(RemovalOutcome.REMOVED)
          : RemovalResult.of(RemovalOutcome.GONE, words);
    }
    if (RUNS.contains(now.get())
        || now.get().equals(ContainerState.REMOVING)
        || words.contains(IN_PROGRESS)) {
      return RemovalResult.of(RemovalOutcome.IN_USE, words);
    }
    return RemovalResult.of(
        answer.isSuccess() ? RemovalOutcome.UNKNOWN : RemovalOutcome.FAILED, words);
  }

  /** A container that is still there says nothing: the engine may yet be at work. */
  private RemovalResult settleWithoutAnswer(GcException trouble) {
    Optional<ContainerState> now;
    try {
      now = state();
    } catch (GcException e) {
      trouble.addSuppressed(e);
      throw trouble;
    }
    return now.isEmpty()
        ? RemovalResult.of(
            RemovalOutcome.GONE,
            "the container is gone, but no answer came: " + trouble.getMessage())
        : RemovalResult.of(RemovalOutcome.UNKNOWN, trouble.getMessage());
  }

  /**
   * Stops the container if it runs, and returns when it has ended.
   *
   * @param grace how long it may take to end by itself
   * @param beyond how long the engine may take beyond that
   * @throws GcException if it runs on, or that is not known
   */
  void stop(Duration grace, Duration beyond) {
    if (grace.isNegative()) {
      throw new IllegalArgumentException("grace must be zero or more, but is " + grace);
    }
    long whole = Math.min(Integer.MAX_VALUE - 1, grace.toSeconds());
    long seconds = whole + (grace.compareTo(Duration.ofSeconds(whole)) > 0 ? 1 : 0);
    String call = path + "/stop?t=" + seconds;
    Answer answer = api.post(call, Duration.ofSeconds(seconds).plus(beyond));
    if (answer.status() == NO_CONTENT || answer.status() == NOT_MODIFIED || isAbsent(answer)) {
      return;
    }
    String answered = "the engine answered " + answer.status() + ": " + EngineApi.words(answer);
    Optional<ContainerState> now;
    try {
      now = state();
    } catch (UnreachableException e) { // of one container, as in a removal
      throw new ProtocolException(
          "POST " + call + " at " + api.host() + ": " + answered + "; and " + e.getMessage(), e);
    }
    if (now.isPresent() && !hasEnded(now.get())) {
      throw new ProtocolException("POST " + call + " at " + api.host() + ": the container is "
          + now.get().code() + ", and " + answered);
    }
  }

  private static boolean hasEnded(ContainerState state) {
    return state.equals(ContainerState.CREATED)
        || state.equals(ContainerState.EXITED)
        || state.equals(ContainerState.DEAD);
  }

  /**
   * Asks for the state of the container.
   *
   * @return empty if there is no such container
   * @throws GcException if there is no clear answer
   */
  private Optional<ContainerState> state() {
    Answer answer = api.get(path + "/json");
    if (isAbsent(answer)) {
      return Optional.empty();
    }
    if (!answer.isSuccess()) {
      throw api.failed("GET " + path + "/json", answer);
    }
    return Optional.of(api.parse("GET " + path + "/json", answer, ContainerCalls::state));
  }

  private static ContainerState state(JsonReader in) throws IOException {
    String[] status = new String[1];
    Json.object(in, (member, value) -> {
      if (member.equals("State")) {
        Json.object(value, (stateMember, stateValue) -> {
          if (stateMember.equals("Status")) {
            status[0] = Json.string(stateValue);
          } else {
            stateValue.skipValue();
          }
        });
      } else {
        value.skipValue();
      }
    });
    if (status[0] == null) {
      throw Json.malformed("the container has no State.Status");
    }
    return ContainerListing.state(status[0]);
  }

  /** A 404 alone may also come from what stands between, and knows nothing of this call. */
  private static boolean isAbsent(Answer answer) {
    return answer.status() == NOT_FOUND
        && EngineApi.said(answer).toLowerCase(Locale.ROOT).contains(ABSENT);
  }

  private static String words(Answer answer) {
    String words = EngineApi.words(answer);
    return words.isEmpty() ? "the engine answered " + answer.status() : words;
  }
}
