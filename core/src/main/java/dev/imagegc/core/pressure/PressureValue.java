/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An amount of bytes or inodes: a number, or a percentage of what the filesystem has. Immutable.
 *
 * <p>{@code 0%} and {@code 100%} mean off, as in the kubelet.
 */
public final class PressureValue {
  private static final int LONGEST_TEXT = 64;
  private static final BigDecimal HUNDRED = BigDecimal.valueOf(100);
  private static final BigDecimal MOST = BigDecimal.valueOf(Long.MAX_VALUE);
  private static final Pattern QUANTITY = Pattern.compile(
      "([+-]?)(\\d+\\.?\\d*|\\.\\d+)(?:([eE][+-]?\\d{1,3})|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E))?");
  private static final Pattern PERCENT = Pattern.compile("([+-]?)(\\d+\\.?\\d*|\\.\\d+)%");
  private static final Map<String, BigDecimal> UNITS = Map.ofEntries(
      Map.entry("n", BigDecimal.ONE.movePointLeft(9)),
      Map.entry("u", BigDecimal.ONE.movePointLeft(6)),
      Map.entry("m", BigDecimal.ONE.movePointLeft(3)),
      Map.entry("k", BigDecimal.ONE.movePointRight(3)),
      Map.entry("M", BigDecimal.ONE.movePointRight(6)),
      Map.entry("G", BigDecimal.ONE.movePointRight(9)),
      Map.entry("T", BigDecimal.ONE.movePointRight(12)),
      Map.entry("P", BigDecimal.ONE.movePointRight(15)),
      Map.entry("E", BigDecimal.ONE.movePointRight(18)),
      Map.entry("Ki", powerOfTwo(10)),
      Map.entry("Mi", powerOfTwo(20)),
      Map.entry("Gi", powerOfTwo(30)),
      Map.entry("Ti", powerOfTwo(40)),
      Map.entry("Pi", powerOfTwo(50)),
      Map.entry("Ei", powerOfTwo(60)));

  private final @Nullable BigDecimal percent;
  private final long amount;
  private final String text;

  private PressureValue(@Nullable BigDecimal percent, long amount, String text) {
    this.percent = percent;
    this.amount = amount;
    this.text = text;
  }

  private static BigDecimal powerOfTwo(int exponent) {
    return new BigDecimal(BigInteger.ONE.shiftLeft(exponent));
  }

  /**
   * Returns a number of bytes or inodes.
   *
   * @param amount the number, at least 0
   * @return the value
   * @throws IllegalArgumentException if it is negative
   */
  public static PressureValue of(long amount) {
    if (amount < 0) {
      throw new IllegalArgumentException("amount must not be negative, but is " + amount);
    }
    return new PressureValue(null, amount, Long.toString(amount));
  }

  /**
   * Returns a percentage of what the filesystem has.
   *
   * @param percent 0 to 100; both of these mean off
   * @return the value
   * @throws IllegalArgumentException if it is out of range
   */
  public static PressureValue ofPercent(int percent) {
    if (percent < 0 || percent > 100) {
      throw new IllegalArgumentException("percent must be from 0 to 100, but is " + percent);
    }
    return new PressureValue(BigDecimal.valueOf(percent), 0, percent + "%");
  }

  /**
   * Reads a value: a quantity as Kubernetes writes it ({@code 1Gi}, {@code 500Mi}, {@code 1.5Gi}, {@code 100M}, {@code 1e9}, {@code
   * 4096}; parts of one are rounded up), or a percentage ({@code 15%}, {@code 7.5%}).
   *
   * @param text the text, without blanks
   * @return the value
   * @throws IllegalArgumentException if it is neither; the message names the text and the rule
   */
  public static PressureValue parse(String text) {
    Objects.requireNonNull(text, "text");
    if (text.length() > LONGEST_TEXT) {
      throw new IllegalArgumentException("an amount must have at most " + LONGEST_TEXT
          + " characters, but this has " + text.length());
    }
    Matcher percentage = PERCENT.matcher(text);
    if (percentage.matches()) {
      BigDecimal percent = new BigDecimal(percentage.group(2));
      if (percentage.group(1).equals("-") || percent.compareTo(HUNDRED) > 0) {
        throw new IllegalArgumentException("'" + text + "' must be from 0% to 100%");
      }
      return new PressureValue(percent, 0, text);
    }
    Matcher quantity = QUANTITY.matcher(text);
    if (!quantity.matches()) {
      throw new IllegalArgumentException("'" + text + "' is no amount: it must be a quantity as"
          + " Kubernetes writes it (1Gi, 500Mi, 1.5Gi, 100M, 1e9, 4096) or a percentage (15%)");
    }
    return new PressureValue(null, amount(text, quantity), text);
  }

  private static long amount(String text, Matcher quantity) {
    String exponent = quantity.group(3);
    String unit = quantity.group(4);
    BigDecimal value = new BigDecimal(quantity.group(2));
    if (exponent != null) {
      value = value.scaleByPowerOfTen(Integer.parseInt(exponent.substring(1)));
    } else if (unit != null) {
      value = value.multiply(Objects.requireNonNull(UNITS.get(unit)));
    }
    if (quantity.group(1).equals("-")) {
      throw new IllegalArgumentException("'" + text + "' must not be negative");
    }
    if (value.compareTo(MOST) > 0) {
      throw new IllegalArgumentException(
          "'" + text + "' must be at most " + Long.MAX_VALUE + ", which is 8Ei less one");
    }
    return value.setScale(0, RoundingMode.CEILING).longValueExact();
  }

  /**
   * Returns whether it is a percentage.
   *
   * @return true for a percentage, false for a number
   */
  public boolean isPercent() {
    return percent != null;
  }

  /**
   * Returns whether it switches a threshold off.
   *
   * @return whether it is 0% or 100%
   */
  public boolean isOff() {
    return percent != null && (percent.signum() == 0 || percent.compareTo(HUNDRED) == 0);
  }

  /**
   * Returns how much it is on a filesystem.
   *
   * @param capacity how many bytes or inodes the filesystem has, at least 0; only a percentage depends on it
   * @return the amount, a percentage rounded down
   */
  public long amountOf(long capacity) {
    return percent == null
        ? amount
        : percent
            .multiply(BigDecimal.valueOf(capacity))
            .divide(HUNDRED)
            .setScale(0, RoundingMode.FLOOR)
            .longValueExact();
  }

  /** The percentage; null for a number. */
  @Nullable
  BigDecimal percent() {
    return percent;
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof PressureValue that)
        || amount != that.amount
        || isPercent() != that.isPercent()) {
      return false;
    }
    return percent == null
        || that.percent == null
        || percent.compareTo(that.percent) == 0; // 5% is 5.0%
  }

  @Override
  public int hashCode() {
    return percent == null
        ? Long.hashCode(amount)
        : percent.stripTrailingZeros().hashCode();
  }

  /** Returns it as it was written, for instance {@code 1Gi} or {@code 15%}. */
  @Override
  public String toString() {
    return text;
  }
}
