/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ImageId;
import dev.imagegc.docker.EngineHttp.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What one DELETE of an image or a name was answered. Engines use one status for several meanings and several statuses
 * for one, so the words count too.
 *
 * @param kind what the answer means
 * @param words what the engine said, for people
 * @param deleted ids that a success reports as deleted: images, but with overlay2 also layers
 * @param untagged names that a success reports as taken off
 * @param trouble why there is no answer, if there is none
 */
record DeleteAnswer(
    Kind kind,
    String words,
    List<ImageId> deleted,
    List<String> untagged,
    @Nullable GcException trouble) {

  enum Kind {
    /** Something was done: names are off, and perhaps the image is deleted. */
    SUCCESS,
    /** There is no such image or name. */
    ABSENT,
    /** A container holds the image. Nothing was done. */
    IN_USE,
    /** Images are built on it. Nothing was done. */
    HAS_CHILDREN,
    /** The disk is so full that the engine cannot write down that a name is off, though it has forgotten it. */
    DISK_FULL,
    /** Another refusal or error; what was done is open. */
    ERROR,
    /** No answer came; what was done, or will yet be done, is open. */
    NONE
  }

  static DeleteAnswer none(GcException trouble) {
    String message = trouble.getMessage();
    return new DeleteAnswer(
        Kind.NONE, message == null ? "" : message, List.of(), List.of(), trouble);
  }

  static DeleteAnswer refusal(Answer answer) {
    String words = EngineApi.words(answer);
    return new DeleteAnswer(
        kind(answer.status(), words.toLowerCase(Locale.ROOT)), words, List.of(), List.of(), null);
  }

  private static Kind kind(int status, String words) {
    if (status == 404) {
      return Kind.ABSENT;
    }
    if (status == 409 && words.contains("dependent child")) {
      return Kind.HAS_CHILDREN;
    }
    if (status == 409
        && (words.contains("in use")
            || words.contains("is using")
            || words.contains("being used")
            || words.contains("used by"))) {
      return Kind.IN_USE;
    }
    return words.contains("no space left") ? Kind.DISK_FULL : Kind.ERROR;
  }

  /** Reads the body of a success: a list of {@code {"Untagged": name}} and {@code {"Deleted": id}}. */
  static DeleteAnswer success(JsonReader in) throws IOException {
    List<ImageId> deleted = new ArrayList<>();
    List<String> untagged = new ArrayList<>();
    Json.array(
        in,
        entry -> Json.object(entry, (name, value) -> {
          switch (name) {
            case "Deleted" -> deleted.add(ImageId.of(notNull(Json.string(value))));
            case "Untagged" -> untagged.add(notNull(Json.string(value)));
            default -> value.skipValue();
          }
        }));
    return new DeleteAnswer(Kind.SUCCESS, "", deleted, untagged, null);
  }

  private static String notNull(@Nullable String text) throws IOException {
    if (text == null) {
      throw Json.malformed("a name or id is null");
    }
    return text;
  }
}
