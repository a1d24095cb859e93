/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import java.math.BigInteger;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations as people write them: {@code 90s}, {@code 2m}, {@code 1h30m}, {@code 7d}, or {@code off} for none. */
final class DurationConverter implements ITypeConverter<Duration> {
  private static final Pattern PARTS =
      Pattern.compile("(?:(\\d+)d)?(?:(\\d+)h)?(?:(\\d+)m)?(?:(\\d+)s)?");
  private static final int[] SECONDS = {86_400, 3_600, 60, 1};
  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);

  @Override
  public Duration convert(String text) {
    if (text.equals("off")) {
      return Duration.ZERO;
    }
    if (text.startsWith("-")) {
      throw new TypeConversionException("'" + text + "' must not be negative");
    }
    Matcher parts = PARTS.matcher(text);
    if (text.isEmpty() || !parts.matches()) {
      throw new TypeConversionException(
          "'" + text + "' is not a duration like 90s, 2m, 1h30m, 7d, or off");
    }
    BigInteger seconds = BigInteger.ZERO;
    for (int i = 0; i < SECONDS.length; i++) {
      String number = parts.group(i + 1);
      if (number != null) {
        seconds = seconds.add(new BigInteger(number).multiply(BigInteger.valueOf(SECONDS[i])));
      }
    }
    if (seconds.compareTo(BigInteger.valueOf(LONGEST.toSeconds())) > 0) {
      throw new TypeConversionException("'" + text + "' must be at most 292 years");
    }
    return Duration.ofSeconds(seconds.longValueExact());
  }
}
