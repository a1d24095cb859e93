/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Numbers and times as people read them. */
final class Human {
  private static final int LINE = 100;
  private static final int TERMINAL = 120;
  private static final String[] UNITS = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

  private Human() {}

  /** {@code 512 B}, {@code 1.5 GiB}. */
  static String bytes(long bytes) {
    double value = bytes;
    int unit = -1;
    while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return unit < 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
  }

  static String bytes(OptionalLong bytes) {
    return bytes.isPresent() ? bytes(bytes.getAsLong()) : "unknown";
  }

  static String percent(OptionalInt percent) {
    return percent.isPresent() ? percent.getAsInt() + "%" : "unknown";
  }

  /** {@code 3d ago}; whatever is less than a second ago, or ahead, is {@code now}. */
  static String ago(Instant then, Instant now) {
    return ago(Duration.between(then, now));
  }

  /** {@code 3d ago}; whatever is less than a second is {@code now}. */
  static String ago(Duration age) {
    return age.toSeconds() < 1 ? "now" : coarse(age) + " ago";
  }

  /** The largest unit alone: {@code 3d}, {@code 12s}. */
  static String coarse(Duration duration) {
    if (duration.toDays() > 0) {
      return duration.toDays() + "d";
    }
    if (duration.toHours() > 0) {
      return duration.toHours() + "h";
    }
    return duration.toMinutes() > 0 ? duration.toMinutes() + "m" : duration.toSeconds() + "s";
  }

  /** {@code 1h30m}, {@code 0.25s}. */
  static String duration(Duration duration) {
    return duration.toString().substring(2).toLowerCase(Locale.ROOT);
  }

  /** Engines and registries choose names and words; none of them shall steer a terminal. */
  static String clean(String text) {
    return text.replaceAll("\\p{Cntrl}+", " ").strip();
  }

  static String count(int number, String thing) {
    return number + " " + thing + (number == 1 ? "" : "s");
  }

  /** Breaks a paragraph into lines; those after the first begin with the indent. */
  static String wrapped(String words, String indent) {
    return wrapped(words, indent, 0, LINE);
  }

  /** Breaks a paragraph into lines that stand behind a heading, as in a column that reaches to the edge of a terminal. */
  static String hanging(String heading, String words) {
    return heading + wrapped(words, " ".repeat(heading.length()), heading.length(), TERMINAL);
  }

  private static String wrapped(String words, String indent, int start, int edge) {
    StringBuilder text = new StringBuilder();
    int column = start;
    boolean begun = false;
    for (String word : words.split(" ", -1)) {
      if (begun && column + 1 + word.length() > edge) {
        text.append('\n').append(indent);
        column = indent.length();
      } else if (begun) {
        text.append(' ');
        column++;
      }
      text.append(word);
      column += word.length();
      begun |= column > start;
    }
    return text.toString();
  }
}
