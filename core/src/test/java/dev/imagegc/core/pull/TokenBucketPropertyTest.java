/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

class TokenBucketPropertyTest {
  private static final double NANOS = 1e9;

  @Property(tries = 300)
  void noWindow_hasMoreThanBurstAndRate(
      @ForAll long seed,
      @ForAll @DoubleRange(min = 0.01, max = 1000) double rate,
      @ForAll @IntRange(min = 1, max = 20) int burst) {
    List<Long> taken = take(new Random(seed), new TokenBucket(rate, burst), rate);
    for (int from = 0; from < taken.size(); from++) {
      for (int to = from; to < taken.size(); to++) {
        double seconds = (taken.get(to) - taken.get(from)) / NANOS;
        assertThat(to - from + 1)
            .isLessThanOrEqualTo((int) Math.floor(burst + rate * seconds + 1e-6));
      }
    }
  }

  /** Whoever waits as long as the bucket says gets a token then, and not a nanosecond before. */
  @Property(tries = 300)
  void theWaitThatIsTold_isExact(
      @ForAll long now,
      @ForAll @DoubleRange(min = 0.01, max = 1000) double rate,
      @ForAll @IntRange(min = 1, max = 20) int burst) {
    TokenBucket bucket = new TokenBucket(rate, burst);
    for (int i = 0; i < burst; i++) {
      assertThat(bucket.tryTake(now)).isZero();
    }
    long missing = bucket.tryTake(now);
    assertThat(missing).isPositive();
    assertThat(bucket.tryTake(now + missing - 1)).isEqualTo(1);
    assertThat(bucket.tryTake(now + missing)).isZero();
  }

  /** Over a long time the rate is reached: a bucket that never gives anything would keep every bound. */
  @Property(tries = 100)
  void someoneWhoTakesAllThereIs_getsTheRate(
      @ForAll @DoubleRange(min = 0.01, max = 1000) double rate,
      @ForAll @IntRange(min = 1, max = 20) int burst) {
    TokenBucket bucket = new TokenBucket(rate, burst);
    long now = 0;
    int taken = 0;
    while (taken < burst + 100) {
      long missing = bucket.tryTake(now);
      now += missing;
      taken += missing == 0 ? 1 : 0;
    }
    assertThat(now / NANOS * rate).isBetween(99.999, 100.001);
  }

  /** Comes in bursts and after pauses; time starts near the end of what a long holds, as elapsed time may. */
  private static List<Long> take(Random random, TokenBucket bucket, double rate) {
    List<Long> taken = new ArrayList<>();
    long start = Long.MAX_VALUE - 1_000_000_000L;
    long elapsed = 0;
    for (int i = 0; i < 200; i++) {
      if (bucket.tryTake(start + elapsed) == 0) {
        taken.add(elapsed);
      }
      elapsed += random.nextInt(4) == 0
          ? (long) (random.nextDouble() * 5 * NANOS / rate)
          : random.nextInt(3);
    }
    return taken;
  }
}
