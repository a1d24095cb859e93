/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class SizeConverterTest {
  private final SizeConverter converter = new SizeConverter();

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "1000, 1000",
    "7B, 7",
    "3KiB, 3072",
    "500MiB, 524288000",
    "2GiB, 2147483648",
    "1TiB, 1099511627776",
    "-1, -1",
    "9223372036854775807, 9223372036854775807"
  })
  void convert_size_isItsBytes(String text, long bytes) {
    assertThat(converter.convert(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "GiB", "2GB", "2G", "2 GiB", "2gib", "1.5GiB", "0x10"})
  void convert_somethingElse_isRefused(String text) {
    assertThatThrownBy(() -> converter.convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage("'" + text + "' is not a size like 1048576, 500MiB or 2GiB");
  }

  @ParameterizedTest
  @ValueSource(strings = {"9223372036854775808", "8388608TiB", "99999999999999999999GiB"})
  void convert_moreThanALong_isRefused(String text) {
    assertThatThrownBy(() -> converter.convert(text))
        .hasMessage("'" + text + "' must be below 8388608TiB");
  }
}
