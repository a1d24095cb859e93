/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HumanTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "1023, 1023 B",
    "1024, 1.0 KiB",
    "1610612736, 1.5 GiB",
    "-1048576, -1.0 MiB",
    "9223372036854775807, 8.0 EiB"
  })
  void bytes_anyLong_hasAUnit(long bytes, String expected) {
    assertThat(Human.bytes(bytes)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"0, now", "-5, now", "59, 59s ago", "60, 1m ago", "7200, 2h ago", "200000, 2d ago"})
  void ago_age_isItsLargestUnit(long seconds, String expected) {
    Instant now = Instant.parse("2026-01-01T00:00:00Z");

    assertThat(Human.ago(now.minusSeconds(seconds), now)).isEqualTo(expected);
  }

  @Test
  void wrapped_longText_breaksBetweenWords() {
    String text = Human.wrapped("word ".repeat(30).strip(), "  ");

    assertThat(text.lines()).hasSize(2).allMatch(line -> line.length() <= 100);
    assertThat(text.replaceAll("\\s+", " ")).isEqualTo("word ".repeat(30).strip());
  }
}
