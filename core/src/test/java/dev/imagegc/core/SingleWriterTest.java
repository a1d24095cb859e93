/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.BusyException;
import dev.imagegc.testkit.TestClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
    SingleWriter writer = SingleWriter.create();
    SingleWriter.Kind<Integer> kind = SingleWriter.Kind.of("work", Integer.class);
    AtomicInteger working = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    List<Future<?>> done = new ArrayList<>();
    for (int thread = 0; thread < THREADS; thread++) {
      done.add(threads.submit(() -> {
        for (int i = 0; i < 3000; i++) {
          writer.run(kind, Duration.ofMinutes(1), () -> {
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

  @Test
  void callInsideACallOfTheSameThread_isAPartOfIt_andOthersWait() {
    TestClock clock = new TestClock();
    SingleWriter writer = SingleWriter.create(clock);
    SingleWriter.Kind<String> outer = SingleWriter.Kind.of("outer", String.class);
    SingleWriter.Kind<String> inner = SingleWriter.Kind.joining("inner", String.class);
    String result = writer.run(outer, Duration.ZERO, () -> {
      String part = writer.run(inner, Duration.ZERO, () -> "part");
      assertThat(CompletableFuture.supplyAsync(() -> busy(writer, inner)).join())
          .as("after the inner call has ended")
          .startsWith("outer has been running since");
      return part + " of the whole";
    });
    assertThat(result).isEqualTo("part of the whole");
  }

  @Test
  void threadThatWorks_doesNotWaitForItselfToBeIdle() {
    SingleWriter writer = SingleWriter.create(new TestClock());
    SingleWriter.Kind<Boolean> kind = SingleWriter.Kind.of("work", Boolean.class);
    assertThat(writer.run(kind, Duration.ZERO, () -> isIdle(writer))).isTrue();
    assertThat(writer.run(
            kind,
            Duration.ZERO,
            () -> CompletableFuture.supplyAsync(() -> isIdle(writer)).join()))
        .isFalse();
  }

  private static boolean isIdle(SingleWriter writer) {
    try {
      return writer.awaitIdle(Duration.ZERO);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static String busy(SingleWriter writer, SingleWriter.Kind<String> kind) {
    try {
      return writer.run(kind, Duration.ZERO, () -> "ran");
    } catch (BusyException e) {
      return e.getMessage();
    }
  }
}
