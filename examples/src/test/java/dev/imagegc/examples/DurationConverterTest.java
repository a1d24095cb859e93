/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class DurationConverterTest {
  private final DurationConverter converter = new DurationConverter();

  @ParameterizedTest
  @CsvSource({
    "90s, PT90S",
    "2m, PT2M",
    "1h30m, PT90M",
    "7d, P7D",
    "1d2h3m4s, P1DT2H3M4S",
    "0s, PT0S",
    "off, PT0S",
    "106751d, P106751D"
  })
  void convert_durationAsPeopleWriteIt_isRead(String text, Duration expected) {
    assertThat(converter.convert(text)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", " ", "5", "s", "5x", "1.5h", "5 m", "30m1h", "1h1h", "PT5M", "OFF", "++5s"})
  void convert_whatIsNoDuration_isRefusedWithTheRule(String text) {
    assertThatThrownBy(() -> converter.convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage("'" + text + "' is not a duration like 90s, 2m, 1h30m, 7d, or off");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-5s", "-1h30m", "-x"})
  void convert_negative_isRefused(String text) {
    assertThatThrownBy(() -> converter.convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage("'" + text + "' must not be negative");
  }

  @ParameterizedTest
  @ValueSource(strings = {"106752d", "9223372036854775807d", "99999999999999999999999999999s"})
  void convert_tooLong_isRefusedInsteadOfOverflowing(String text) {
    assertThatThrownBy(() -> converter.convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage("'" + text + "' must be at most 292 years");
  }
}
