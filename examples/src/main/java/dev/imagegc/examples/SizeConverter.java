/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import java.math.BigInteger;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes as {@link Human} writes them, in whole numbers: {@code 1048576}, {@code 500MiB}, {@code 2GiB}. */
final class SizeConverter implements ITypeConverter<Long> {
  private static final Pattern SIZE = Pattern.compile("(-?\\d+)(B|KiB|MiB|GiB|TiB)?");
  private static final List<String> UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB");

  @Override
  public Long convert(String text) {
    Matcher size = SIZE.matcher(text);
    if (!size.matches()) {
      throw new TypeConversionException(
          "'" + text + "' is not a size like 1048576, 500MiB or 2GiB");
    }
    String unit = size.group(2);
    BigInteger bytes =
        new BigInteger(size.group(1)).shiftLeft(unit == null ? 0 : 10 * UNITS.indexOf(unit));
    if (bytes.bitLength() >= Long.SIZE) {
      throw new TypeConversionException("'" + text + "' must be below 8388608TiB");
    }
    return bytes.longValueExact();
  }
}
