/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Strict reading of JSON as a stream: an answer is whole and well-formed, or it is an {@link IOException}. */
final class Json {
  /** Reads one value. */
  interface Parser<T> {
    T parse(JsonReader in) throws IOException;
  }

  /** Reads or skips the value of one member of an object. */
  interface Member {
    void read(String name, JsonReader in) throws IOException;
  }

  /** Reads one element of an array. */
  interface Element {
    void read(JsonReader in) throws IOException;
  }

  private Json() {}

  /** Reads a document that consists of exactly one value. */
  static <T> T document(InputStream body, Parser<T> parser) throws IOException {
    JsonReader in = new JsonReader(new InputStreamReader(body, StandardCharsets.UTF_8));
    in.setStrictness(Strictness.STRICT);
    T value = parser.parse(in);
    if (in.peek() != JsonToken.END_DOCUMENT) {
      throw malformed("something follows the end of the document");
    }
    return value;
  }

  /** Reads an object, none of whose members may come twice. */
  static void object(JsonReader in, Member member) throws IOException {
    Set<String> seen = new HashSet<>();
    in.beginObject();
    while (in.hasNext()) {
      String name = in.nextName();
      if (!seen.add(name)) {
        throw malformed("'" + name + "' comes twice in one object");
      }
      member.read(name, in);
    }
    in.endObject();
  }

  /** Reads an object, or null as one without members. */
  static void objectOrNull(JsonReader in, Member member) throws IOException {
    if (!isNull(in)) {
      object(in, member);
    }
  }

  /** Reads an array; null is an empty one. */
  static void array(JsonReader in, Element element) throws IOException {
    if (isNull(in)) {
      return;
    }
    in.beginArray();
    while (in.hasNext()) {
      element.read(in);
    }
    in.endArray();
  }

  static @Nullable String string(JsonReader in) throws IOException {
    if (isNull(in)) {
      return null;
    }
    if (in.peek() != JsonToken.STRING) {
      throw malformed("there must be a string at " + in.getPath());
    }
    return in.nextString();
  }

  static @Nullable Long number(JsonReader in) throws IOException {
    return isNull(in) ? null : (Long) in.nextLong();
  }

  /** Reads an array of strings; null is an empty one, and null elements are left out. */
  static List<String> strings(JsonReader in) throws IOException {
    List<String> strings = new ArrayList<>();
    array(in, element -> {
      String string = string(element);
      if (string != null) {
        strings.add(string);
      }
    });
    return strings;
  }

  /** Reads an object of strings; null is an empty one, and null values are empty strings. */
  static Map<String, String> stringMap(JsonReader in) throws IOException {
    Map<String, String> map = new LinkedHashMap<>();
    if (!isNull(in)) {
      object(in, (name, value) -> {
        String string = string(value);
        map.put(name, string == null ? "" : string);
      });
    }
    return map;
  }

  static MalformedJsonException malformed(String problem) {
    return new MalformedJsonException(problem);
  }

  private static boolean isNull(JsonReader in) throws IOException {
    if (in.peek() != JsonToken.NULL) {
      return false;
    }
    in.nextNull();
    return true;
  }
}
