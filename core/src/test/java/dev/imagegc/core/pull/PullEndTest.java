/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullOutcome;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.api.TimedOutException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Deadlines, cancellation, credentials, and closing. */
@Timeout(60)
class PullEndTest {
  private static final String APP = "docker.io/library/app:latest";
  private static final String SECRET = "hunter2";

  private final PullNode node = new PullNode();

  // Deadline

  @Test
  void transferThatTakesTooLong_isInterruptedAndTimedOut_andBacksOff() throws Exception {
    PullNode.Held held = node.engine.hold(APP);
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull pull = pulls.start("app", PullPolicy.ALWAYS);
      held.awaitBegun();
      node.clock.awaitWaiters(2);
      Instant before = node.clock.instant();
      node.clock.advance(Duration.ofMinutes(30).minusNanos(1));
      assertThat(held.wasInterrupted()).isFalse();
      node.clock.advance(Duration.ofNanos(1));
      PullResult result = PullNode.result(pull);
      assertThat(result.outcome()).isEqualTo(PullOutcome.TIMED_OUT);
      assertThat(result.cause().orElseThrow())
          .isInstanceOf(TimedOutException.class)
          .hasMessage("pulling " + APP + " did not end within 30m");
      assertThat(result.transferTime()).isEqualTo(Duration.ofMinutes(30));
      assertThat(result.backOffUntil())
          .contains(before.plus(Duration.ofMinutes(30)).plusSeconds(10));
      held.awaitInterrupted();
      assertThat(node.leases.held()).isEmpty();
    }
  }

  @Test
  void engineThatGivesUpByItself_isTimedOut() {
    node.engine.fail(APP, new TimedOutException("nothing has moved for a minute"));
    try (ImagePullManager pulls = node.pulls().build()) {
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(result.outcome()).isEqualTo(PullOutcome.TIMED_OUT);
      assertThat(result.backOffUntil()).isPresent();
    }
  }

  @Test
  void transferThatDoesNotMindTheInterrupt_keepsItsSlotUntilItEnds() throws Exception {
    PullNode.Held held = node.engine.holdStubbornly(APP);
    try (ImagePullManager pulls =
        node.pulls().maxSlotWait(Duration.ofSeconds(10)).build()) {
      ImagePull pull = pulls.start("app", PullPolicy.ALWAYS);
      held.awaitBegun();
      node.clock.awaitWaiters(2);
      node.clock.advance(Duration.ofMinutes(30));
      assertThat(PullNode.result(pull).outcome()).isEqualTo(PullOutcome.TIMED_OUT);
      held.awaitInterrupted();
      ImagePull other = pulls.start("other", PullPolicy.ALWAYS);
      node.clock.awaitWaiters(2);
      node.clock.advance(Duration.ofSeconds(10));
      assertThat(PullNode.result(other).cause().orElseThrow())
          .hasMessageEndingWith(
              "within 10s: 1 of 1 in use, 1 by a transfer that was given up but does not end");
      ImagePull third = pulls.start("third", PullPolicy.ALWAYS);
      node.clock.awaitWaiters(2);
      held.goOn();
      assertThat(PullNode.result(third).outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(node.engine.mostRunning()).isEqualTo(1);
    }
  }

  // Interrupts

  @Test
  void interruptOfTheCaller_cancelsItsPull_andStays() throws Exception {
    PullNode.Held held = node.engine.hold(APP);
    try (ImagePullManager pulls = node.pulls().build()) {
      AtomicReference<PullResult> result = new AtomicReference<>();
      CompletableFuture<Boolean> flag = new CompletableFuture<>();
      Thread caller = new Thread(() -> {
        result.set(pulls.pull("app", PullPolicy.ALWAYS));
        flag.complete(Thread.currentThread().isInterrupted());
      });
      caller.start();
      held.awaitBegun();
      caller.interrupt();
      assertThat(flag.join()).isTrue();
      assertThat(result.get().outcome()).isEqualTo(PullOutcome.CANCELLED);
      assertThat(result.get().cause().orElseThrow()).isInstanceOf(CancelledException.class);
      held.awaitInterrupted();
    }
  }

  @Test
  void interruptOfSomebodyWhoAwaits_endsTheWaitOnly() throws Exception {
    PullNode.Held held = node.engine.hold(APP);
    try (ImagePullManager pulls = node.pulls().build()) {
      ImagePull pull = pulls.start("app", PullPolicy.ALWAYS);
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> pull.await(Duration.ofSeconds(1)))
          .isInstanceOf(CancelledException.class);
      assertThat(Thread.interrupted()).isTrue();
      held.goOn();
      assertThat(PullNode.result(pull).outcome()).isEqualTo(PullOutcome.PULLED);
    }
  }

  // Credentials

  @Test
  void credentials_areAskedForEveryTransfer_withTheNameInFull() {
    List<String> asked = new ArrayList<>();
    List<Optional<String>> got = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      node.engine.script(
          APP,
          (credentials, progress) -> got.add(credentials.flatMap(RegistryCredentials::password)));
    }
    try (ImagePullManager pulls = node.pulls()
        .credentials(reference -> {
          asked.add(reference);
          return Optional.of(RegistryCredentials.of("user", SECRET + asked.size()));
        })
        .build()) {
      pulls.pull("app", PullPolicy.ALWAYS);
      pulls.pull("app", PullPolicy.IF_NOT_PRESENT);
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(asked).containsExactly(APP, APP);
      assertThat(got).containsExactly(Optional.of(SECRET + 1), Optional.of(SECRET + 2));
      assertThat(result.toString()).doesNotContain(SECRET);
      assertThat(pulls.start("app", PullPolicy.NEVER).toString()).doesNotContain(SECRET);
    }
  }

  @Test
  void credentialsThatCannotBeHad_failThePull_withoutRepeatingWhatWasSaid() {
    IllegalStateException trouble = new IllegalStateException("wrong token " + SECRET);
    try (ImagePullManager pulls = node.pulls()
        .credentials(reference -> {
          throw trouble;
        })
        .build()) {
      PullResult result = pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(result.outcome()).isEqualTo(PullOutcome.FAILED);
      assertThat(result.cause().orElseThrow())
          .isInstanceOf(PullException.class)
          .hasCause(trouble)
          .hasMessage(
              "no credentials for " + APP + ": the provider threw java.lang.IllegalStateException");
      assertThat(result.toString()).doesNotContain(SECRET);
      assertThat(node.engine.pulled()).isEmpty();
    }
  }

  @Test
  void credentialsThatAreNull_failThePull() {
    try (ImagePullManager pulls = node.pulls().credentials(reference -> null).build()) {
      assertThat(pulls.pull("app", PullPolicy.ALWAYS).cause().orElseThrow())
          .hasMessage("no credentials for " + APP + ": the provider returned null");
    }
  }

  @Test
  void credentialsThatComeTooLate_beginNoTransfer() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    try (ImagePullManager pulls = node.pulls()
        .credentials(reference -> {
          if (asked.getCount() > 0) {
            asked.countDown();
            awaitStubbornly(answer);
          }
          return Optional.empty();
        })
        .build()) {
      ImagePull pull = pulls.start("app", PullPolicy.ALWAYS);
      asked.await();
      pull.cancel();
      assertThat(PullNode.result(pull).outcome()).isEqualTo(PullOutcome.CANCELLED);
      answer.countDown();
      assertThat(pulls.pull("next", PullPolicy.ALWAYS).outcome()).isEqualTo(PullOutcome.PULLED);
      assertThat(node.engine.pulled()).containsExactly("docker.io/library/next:latest");
    }
  }

  // Closing

  @Test
  void close_cancelsWhatIsUnderWay_andKeepsWhatWasHandedOut() throws Exception {
    ImagePullManager pulls = node.pulls().build();
    PullResult there = pulls.pull("there", PullPolicy.ALWAYS);
    PullNode.Held held = node.engine.hold(APP);
    ImagePull running = pulls.start("app", PullPolicy.ALWAYS);
    held.awaitBegun();
    ImagePull queued = pulls.start("queued", PullPolicy.ALWAYS);
    pulls.close();
    pulls.close();
    assertThat(running.result().map(PullResult::outcome)).contains(PullOutcome.CANCELLED);
    assertThat(queued.result().map(PullResult::outcome)).contains(PullOutcome.CANCELLED);
    held.awaitInterrupted();
    assertThat(there.lease().orElseThrow().isActive()).isTrue();
    assertThat(node.leases.held()).containsExactly("docker.io/library/there:latest", "image-1");
    assertThatThrownBy(() -> pulls.start("app", PullPolicy.NEVER))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this ImagePullManager is closed");
    assertThatThrownBy(() -> pulls.pull("app", PullPolicy.NEVER))
        .isInstanceOf(IllegalStateException.class);
    there.close();
    assertThat(node.leases.held()).isEmpty();
  }

  @Test
  void close_doesNotWaitForATransferThatDoesNotEnd() throws Exception {
    PullNode.Held held = node.engine.holdStubbornly(APP);
    ImagePullManager pulls = node.pulls().build();
    ImagePull pull = pulls.start("app", PullPolicy.ALWAYS);
    held.awaitBegun();
    Instant before = node.clock.instant();
    pulls.close();
    assertThat(pull.result().map(PullResult::outcome)).contains(PullOutcome.CANCELLED);
    assertThat(node.clock.instant()).isEqualTo(before);
    assertThat(node.engine.running()).isEqualTo(1);
    held.goOn();
    node.engine.awaitIdle();
  }

  @Test
  void threads_doNotKeepTheHostAlive() {
    AtomicReference<Thread> transfer = new AtomicReference<>();
    CompletableFuture<Thread> request = new CompletableFuture<>();
    node.engine.script(APP, (credentials, progress) -> transfer.set(Thread.currentThread()));
    PullNode.Held held = node.engine.hold("docker.io/library/b:latest");
    try (ImagePullManager pulls = node.pulls().build()) {
      pulls.pull("app", PullPolicy.ALWAYS);
      assertThat(transfer.get().isDaemon()).isTrue();
      ImagePull pull = pulls.start("b", PullPolicy.ALWAYS);
      pull.completion().thenAccept(result -> request.complete(Thread.currentThread()));
      held.goOn();
      assertThat(request.join().isDaemon()).isTrue();
    }
  }

  // Settings

  @Test
  void badSettings_areRefused_withFieldValueAndRule() {
    ImagePullManager.Builder builder = ImagePullManager.builder();
    assertRefused(() -> builder.parallel(0), "parallel must be at least 1, but is 0");
    assertRefused(() -> builder.maxRequests(0), "maxRequests must be at least 1, but is 0");
    assertRefused(
        () -> builder.rate(-1, 1), "pullsPerSecond must be from 0 to 1000000000, but is -1.0");
    assertRefused(
        () -> builder.rate(Double.NaN, 1),
        "pullsPerSecond must be from 0 to 1000000000, but is NaN");
    assertRefused(() -> builder.rate(1, 0), "burst must be at least 1, but is 0");
    assertRefused(
        () -> builder.rate(1e-9, 10),
        "burst / pullsPerSecond must be at most 100 years, but is 10 / 1.0E-9 s");
    assertRefused(
        () -> builder.grace(Duration.ofMillis(999)), "grace must be at least 1s, but is PT0.999S");
    assertRefused(
        () -> builder.transferDeadline(Duration.ZERO),
        "transferDeadline must be at least 0.001s, but is PT0S");
    assertRefused(
        () -> builder.maxSlotWait(Duration.ofSeconds(-1)),
        "maxSlotWait must be at least 0s, but is PT-1S");
    assertRefused(
        () -> builder.maxRateWait(Duration.ofDays(40_000)),
        "maxRateWait must be at most 100 years, but is PT960000H");
    assertRefused(
        () -> builder.backOff(Duration.ofSeconds(2), Duration.ofSeconds(1)),
        "backOff longest must not be below first, but PT1S is below PT2S");
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("puller must be set");
  }

  private static void assertRefused(ThrowingCallable setting, String message) {
    assertThatThrownBy(setting).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }

  private static void awaitStubbornly(CountDownLatch latch) {
    boolean done = false;
    while (!done) {
      try {
        latch.await();
        done = true;
      } catch (InterruptedException e) {
        // goes on
      }
    }
  }
}
