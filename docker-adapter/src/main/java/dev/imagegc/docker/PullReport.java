/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One object of the stream that answers a pull.
 *
 * @param id the layer in short, or the tag, or empty
 * @param status what the engine is doing
 * @param current bytes that have come, 0 if not told
 * @param total bytes that are to come, 0 if not told
 * @param error why the pull has failed, or null
 */
record PullReport(
    String id,
    String status,
    long current,
    long total,
    @Nullable String error) {
  static PullReport parse(JsonReader in) throws IOException {
    Fields fields = new Fields();
    Json.object(in, fields);
    return new PullReport(
        fields.id == null ? "" : fields.id,
        fields.status == null ? "" : fields.status,
        Math.max(0, fields.current),
        Math.max(0, fields.total),
        fields.message == null ? fields.error : fields.message);
  }

  private static final class Fields implements Json.Member {
    private @Nullable String id;
    private @Nullable String status;
    private @Nullable String error;
    private @Nullable String message;
    private long current;
    private long total;

    @Override
    public void read(String member, JsonReader in) throws IOException {
      switch (member) {
        case "id" -> id = Json.string(in);
        case "status" -> status = Json.string(in);
        case "error" -> error = Json.string(in);
        case "errorDetail" -> readError(in);
        case "progressDetail" -> Json.objectOrNull(in, this::readProgress);
        default -> in.skipValue();
      }
    }

    /** Whatever it is, that it is there says that the pull has failed. */
    private void readError(JsonReader in) throws IOException {
      message = message == null ? "" : message;
      if (in.peek() != JsonToken.BEGIN_OBJECT) {
        in.skipValue();
        return;
      }
      Json.object(in, (member, value) -> {
        if (member.equals("message")) {
          String words = Json.string(value);
          message = words == null ? "" : words;
        } else {
          value.skipValue();
        }
      });
    }

    private void readProgress(String member, JsonReader in) throws IOException {
      switch (member) {
        case "current" -> current = orZero(Json.number(in));
        case "total" -> total = orZero(Json.number(in));
        default -> in.skipValue();
      }
    }

    private static long orZero(@Nullable Long number) {
      return number == null ? 0 : number;
    }
  }
}
