/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Carries the wish that the agent should end to the command that runs, and back that it has ended. Thread-safe. */
final class StopSignal {
  private static final long LONGEST_END_SECONDS = 30;

  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);

  /** Returns a signal that SIGTERM and SIGINT give; the process then ends with 0, where a JVM would say 143 or 130. */
  static StopSignal ofProcess() {
    StopSignal signal = new StopSignal();
    Runtime.getRuntime().addShutdownHook(new Thread(signal::endProcess, "stop-signal"));
    return signal;
  }

  void ask() {
    asked.countDown();
  }

  void awaitAsked() throws InterruptedException {
    asked.await();
  }

  void ended() {
    ended.countDown();
  }

  private void endProcess() {
    if (ended.getCount() == 0) {
      return; // it ended by itself, with an exit code of its own
    }
    ask();
    try {
      boolean clean = ended.await(LONGEST_END_SECONDS, TimeUnit.SECONDS);
      Runtime.getRuntime().halt(clean ? ExitCodes.FINE : ExitCodes.OUR_FAULT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody interrupts a shutdown hook
    }
  }
}
