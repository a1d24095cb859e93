/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ImageId;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullOutcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** What holds however requests, cancellations, failures and a collector come together. */
class PullSharingPropertyTest {
  private static final String APP = "docker.io/library/app:latest";

  /** Any of the requests cancel, in any order, before and after the transfer: the others never notice. */
  @Property(tries = 60)
  void cancellations_neverTouchTheOthers(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 6) int requests) throws Exception {
    PullNode fresh = new PullNode();
    Random random = new Random(seed);
    PullNode.Held held = fresh.engine.hold(APP);
    try (ImagePullManager pulls = fresh.pulls().build()) {
      List<ImagePull> all = new ArrayList<>();
      for (int i = 0; i < requests; i++) {
        all.add(pulls.start(
            "app", random.nextBoolean() ? PullPolicy.ALWAYS : PullPolicy.IF_NOT_PRESENT));
        PullNode.awaitJoined(all.get(i));
      }
      List<ImagePull> order = new ArrayList<>(all);
      Collections.shuffle(order, random);
      List<ImagePull> cancelled = order.subList(0, random.nextInt(requests + 1));
      cancelled.forEach(pull -> assertThat(pull.cancel()).isTrue());
      cancelled.forEach(
          pull -> assertThat(PullNode.result(pull).outcome()).isEqualTo(PullOutcome.CANCELLED));
      List<ImagePull> left = order.subList(cancelled.size(), requests);
      if (left.isEmpty()) {
        held.awaitInterrupted();
      }
      assertThat(fresh.leases.held()).hasSize(left.size());
      held.goOn();
      for (ImagePull pull : left) {
        assertThat(PullNode.result(pull).outcome()).isEqualTo(PullOutcome.PULLED);
      }
      assertThat(held.wasInterrupted()).isEqualTo(left.isEmpty());
      assertThat(fresh.engine.pulled()).hasSize(1);
      assertThat(fresh.leases.held()).hasSize(2 * left.size());
      left.forEach(pull -> PullNode.result(pull).close());
      assertThat(fresh.leases.held()).isEmpty();
    }
  }

  /**
   * Threads ask for a few images, cancel, and let go, while transfers fail now and then and a collector takes what is not
   * leased, all the time. Whoever gets an image has it, and nothing is left over in the end.
   */
  @Property(tries = 40)
  void whoeverGetsAnImage_hasIt_andNothingIsLeftOver(@ForAll long seed) throws Exception {
    PullNode fresh = new PullNode();
    Random random = new Random(seed);
    for (int i = 0; i < 3; i++) {
      script(fresh, random, "docker.io/library/app:" + i);
    }
    int parallel = 1 + random.nextInt(3);
    AtomicBoolean over = new AtomicBoolean();
    ExecutorService threads = Executors.newCachedThreadPool();
    try (ImagePullManager pulls = fresh
        .pulls()
        .parallel(parallel)
        .rate(random.nextInt(3) * 100, 3)
        .backOff(Duration.ofMillis(1), Duration.ofMillis(5))
        .build()) {
      Future<?> collector = threads.submit(() -> {
        while (!over.get()) {
          fresh.collect();
        }
      });
      List<Future<?>> hosts = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        long own = random.nextLong();
        hosts.add(threads.submit(() -> ask(fresh, pulls, new Random(own))));
      }
      for (Future<?> host : hosts) {
        host.get();
      }
      over.set(true);
      collector.get();
      fresh.leases.awaitNoneHeld();
      assertThat(fresh.engine.mostRunning()).isLessThanOrEqualTo(parallel);
    } finally {
      over.set(true);
      threads.shutdownNow();
    }
    fresh.engine.awaitIdle();
  }

  private static void script(PullNode node, Random random, String reference) {
    for (int i = 0; i < 30; i++) {
      switch (random.nextInt(4)) {
        case 0 -> node.engine.fail(reference, new PullException("no"));
        case 1 -> node.engine.script(reference, (credentials, progress) -> node.collect());
        default -> node.engine.script(reference, (credentials, progress) -> Thread.onSpinWait());
      }
    }
  }

  private static void ask(PullNode node, ImagePullManager pulls, Random random) {
    PullPolicy[] policies = PullPolicy.values();
    for (int i = 0; i < 25; i++) {
      ImagePull pull =
          pulls.start("app:" + random.nextInt(3), policies[random.nextInt(policies.length)]);
      node.clock.advance(Duration.ofMillis(1));
      boolean cancels = random.nextInt(3) == 0;
      if (cancels) {
        for (int spin = random.nextInt(2000); spin > 0; spin--) {
          Thread.onSpinWait();
        }
        cancels = pull.cancel();
      }
      PullResult result = PullNode.result(pull);
      assertThat(result.outcome().equals(PullOutcome.CANCELLED))
          .as("%s", result)
          .isEqualTo(cancels);
      assertThat(result.lease().isPresent()).isEqualTo(result.imageId().isPresent());
      ImageId id = result.imageId().orElse(null);
      if (id != null) {
        assertThat(result.lease().orElseThrow().isActive()).isTrue();
        assertThat(node.engine.has(id)).as("%s", result).isTrue();
        result.close();
      }
    }
  }
}
