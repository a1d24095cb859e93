/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SingleWriterTest {
  private static final int THREADS = 6;

  @Test
  void callsThatDoNotJoin_neverWorkAtTheSameTime() throws Exception {
    SingleWriter writer = new SingleWriter(SystemGcClock.instance(), Duration.ofMinutes(1));
    SingleWriter.Kind<Integer> kind = new SingleWriter.Kind<>("work", Integer.class, false);
    AtomicInteger working = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    List<Future<?>> done = new ArrayList<>();
    for (int thread = 0; thread < THREADS; thread++) {
      done.add(threads.submit(() -> {
        for (int i = 0; i < 3000; i++) {
          writer.run(kind, () -> {
            most.accumulateAndGet(working.incrementAndGet(), Math::max);
            Thread.onSpinWait();
            return working.decrementAndGet();
          });
        }
      }));
    }
    for (Future<?> future : done) {
      future.get();
    }
    threads.shutdown();
    assertThat(most).hasValue(1);
  }
}
