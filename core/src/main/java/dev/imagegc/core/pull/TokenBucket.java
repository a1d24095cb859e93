/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

/**
 * So many at once and so many per second after that: in no window of t seconds are there more than burst + rate * t. Holds
 * no token but the moment at which the bucket is full again, in whole nanoseconds, so nothing is lost to rounding over the
 * years. Thread-safe.
 */
final class TokenBucket {
  private static final double NANOS = 1e9;

  private final long interval; // nanoseconds from one token to the next
  /** How far ahead of now the bucket's filling may be for a token to be left. */
  private final long slack;

  private boolean used;
  private long fullAt; // elapsed time; means nothing until the first token is taken

  /**
   * Creates a full bucket.
   *
   * @param perSecond above zero
   * @param burst at least 1
   */
  TokenBucket(double perSecond, int burst) {
    this.interval = Math.max(1, (long) Math.ceil(NANOS / perSecond));
    this.slack = Math.multiplyExact(interval, burst - 1L);
  }

  /** Takes a token if there is one, and returns 0; else returns in how many nanoseconds there will be one. */
  synchronized long tryTake(long now) {
    long ahead = used ? Math.max(0, fullAt - now) : 0;
    if (ahead > slack) {
      return ahead - slack;
    }
    used = true;
    fullAt = now + ahead + interval;
    return 0;
  }
}
