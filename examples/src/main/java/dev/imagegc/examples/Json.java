/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** JSON as all commands write it: the components of a record are the fields, and what is unknown is null. */
final class Json {
  private static final Gson GSON =
      new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

  private Json() {}

  /** Returns one line without its end. */
  static String line(Record object) {
    return GSON.toJson(object);
  }

  /** Reads what {@link #line} wrote; empty if this is not JSON, or nothing. */
  static <T extends Record> Optional<T> parse(String line, Class<T> type) {
    try {
      return Optional.ofNullable(GSON.fromJson(line, type));
    } catch (JsonParseException e) {
      return Optional.empty();
    }
  }

  static @Nullable Long orNull(OptionalLong value) {
    return value.isPresent() ? (Long) value.getAsLong() : null;
  }

  static @Nullable Integer orNull(OptionalInt value) {
    return value.isPresent() ? (Integer) value.getAsInt() : null;
  }
}
