/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.escape.Escaper;
import com.google.common.escape.Escapers;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** A flat JSON object on one line; what is unknown is null. */
final class JsonLine {
  private static final Escaper ESCAPER = escaper();

  private final StringBuilder text = new StringBuilder("{");

  JsonLine text(String name, Object value) {
    return raw(name, quoted(value));
  }

  JsonLine text(String name, Optional<?> value) {
    return raw(name, value.map(JsonLine::quoted).orElse("null"));
  }

  JsonLine texts(String name, List<String> values) {
    return raw(
        name, values.stream().map(JsonLine::quoted).collect(Collectors.joining(",", "[", "]")));
  }

  JsonLine number(String name, long value) {
    return raw(name, Long.toString(value));
  }

  JsonLine number(String name, Optional<Long> value) {
    return raw(name, value.map(String::valueOf).orElse("null"));
  }

  JsonLine number(String name, OptionalLong value) {
    return raw(name, value.isPresent() ? Long.toString(value.getAsLong()) : "null");
  }

  JsonLine number(String name, OptionalInt value) {
    return raw(name, value.isPresent() ? Integer.toString(value.getAsInt()) : "null");
  }

  private JsonLine raw(String name, String value) {
    text.append(text.length() == 1 ? "" : ",").append(quoted(name)).append(':').append(value);
    return this;
  }

  private static String quoted(Object value) {
    return '"' + ESCAPER.escape(value.toString()) + '"';
  }

  /** What RFC 8259 forbids in a string, and what some tools take for line ends or do not print. */
  private static Escaper escaper() {
    Escapers.Builder escaper = Escapers.builder().addEscape('"', "\\\"").addEscape('\\', "\\\\");
    for (char control = 0; control < ' '; control++) {
      escaper.addEscape(control, String.format("\\u%04x", (int) control));
    }
    return escaper
        .addEscape((char) 0x7f, "\\u007f")
        .addEscape((char) 0x85, "\\u0085")
        .addEscape((char) 0x2028, "\\u2028")
        .addEscape((char) 0x2029, "\\u2029")
        .build();
  }

  @Override
  public String toString() {
    return text + "}";
  }
}
