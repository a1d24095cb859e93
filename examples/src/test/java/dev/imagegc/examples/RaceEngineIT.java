/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PullOutcome;
import dev.imagegc.api.Reason;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LocalFsStatsProvider;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.pull.ImagePullManager;
import dev.imagegc.core.pull.PullPolicy;
import dev.imagegc.core.pull.PullResult;
import dev.imagegc.docker.DockerRuntime;
import dev.imagegc.docker.RealEngine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A collector that removes everything it may, back to back, against clients that pull, lease, create, start and remove containers of
 * 30 images, on real engines; see {@link RealEngine}.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.imagegc.docker.RealEngine#all")
class RaceEngineIT {
  private static final int IMAGES = 30;
  private static final int CLIENTS = 4;
  private static final Duration RACE = Duration.ofSeconds(60);

  @Parameter
  RealEngine engine;

  private final List<String> names = new ArrayList<>();
  private final Queue<String> losses = new ConcurrentLinkedQueue<>();
  private final AtomicInteger used = new AtomicInteger();
  private final AtomicInteger lostWithoutLease = new AtomicInteger();
  private final AtomicInteger usedWithoutLease = new AtomicInteger();
  private final AtomicInteger rounds = new AtomicInteger();
  private final AtomicInteger removed = new AtomicInteger();
  private final AtomicInteger keptForLeases = new AtomicInteger();
  private final AtomicBoolean over = new AtomicBoolean();
  private DockerRuntime docker;

  @BeforeEach
  void fillTheRegistry() {
    docker =
        DockerRuntime.builder().host("unix://" + engine.socket()).layers(false).build();
    engine.empty();
    for (int i = 0; i < IMAGES; i++) {
      String name = RealEngine.registry() + "/race/" + engine.name() + "-" + i + ":1";
      engine.importBusybox(name);
      engine.push(name);
      names.add(name);
    }
    engine.empty();
  }

  @AfterEach
  void end() {
    docker.close();
    engine.empty();
  }

  @Test
  void noClientThatHeldALeaseOrAContainer_everLostItsImage() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    try (ImageGcManager gc = ImageGcManager.builder()
            .runtime(docker)
            .fsStats(LocalFsStatsProvider.locatedBy(docker::imageFsPath))
            .policy(LruGcPolicy.builder().minAge(Duration.ZERO).build())
            .build();
        ImagePullManager pulls = ImagePullManager.builder()
            .puller(docker)
            .lookup(docker)
            .leases(gc.leases())
            .rate(0, 1)
            .parallel(CLIENTS)
            .build()) {
      List<Future<?>> all = new ArrayList<>();
      all.add(threads.submit(() -> collect(gc)));
      for (int i = 0; i < CLIENTS; i++) {
        Random random = new Random(i);
        all.add(threads.submit(() -> useWithLeases(pulls, random)));
      }
      all.add(threads.submit(() -> useWithoutLeases(new Random(CLIENTS))));
      TimeUnit.MILLISECONDS.sleep(RACE.toMillis()); // a race has a length; nothing is judged by it
      over.set(true);
      for (Future<?> each : all) {
        each.get();
      }
    } catch (ExecutionException e) {
      over.set(true);
      throw e;
    } finally {
      threads.shutdownNow();
    }
    System.out.printf(
        "Race on %s: %d rounds removed %d images and kept %d for leases; clients with leases used %d"
            + " images and lost %d; a client without leases used %d and lost %d%n",
        engine,
        rounds.get(),
        removed.get(),
        keptForLeases.get(),
        used.get(),
        losses.size(),
        usedWithoutLease.get(),
        lostWithoutLease.get());
    assertThat(losses).isEmpty();
    assertThat(removed.get()).as("it was a race").isGreaterThan(IMAGES);
    assertThat(used.get()).as("it was a race").isGreaterThan(IMAGES);
  }

  private void collect(ImageGcManager gc) {
    while (!over.get()) {
      GcReport report = gc.deleteUnusedImages();
      if (report.outcome().equals(Outcome.FAILED)) {
        losses.add("a round failed: " + report.cause().orElseThrow());
      }
      rounds.incrementAndGet();
      removed.addAndGet(report.removed().size());
      keptForLeases.addAndGet((int) report.decisions().stream()
          .filter(image -> image.reason().equals(Reason.LEASED))
          .count());
    }
  }

  private void useWithLeases(ImagePullManager pulls, Random random) {
    while (!over.get()) {
      String name = names.get(random.nextInt(IMAGES));
      ImageId image;
      String container;
      try (PullResult pulled = pulls.pull(name, PullPolicy.IF_NOT_PRESENT)) {
        Optional<ImageId> id = pulled.imageId();
        if (id.isEmpty()) {
          if (!pulled.outcome().equals(PullOutcome.BACKING_OFF)) {
            losses.add("no image: " + pulled);
          }
          continue;
        }
        image = id.get();
        check(image, "under a lease on " + name);
        container = engine.create(name, "/bin/busybox", "true");
      } catch (AssertionError e) {
        losses.add("no container of " + name + ", which is leased: " + e.getMessage());
        continue;
      }
      check(image, "in a container of " + name);
      try {
        engine.startContainer(container);
        engine.await(container);
        check(image, "in an ended container of " + name);
        engine.removeContainer(container);
        used.incrementAndGet();
      } catch (AssertionError e) {
        losses.add("a container of " + name + " failed: " + e.getMessage());
      }
    }
  }

  private void check(ImageId image, String where) {
    if (docker.findImage(image).isEmpty()) {
      losses.add("image " + image + " was lost " + where);
    }
  }

  private void useWithoutLeases(Random random) {
    while (!over.get()) {
      String name = names.get(random.nextInt(IMAGES));
      try {
        docker.pull(name, Optional.empty(), progress -> {});
        String container = engine.create(name, "/bin/busybox", "true");
        usedWithoutLease.incrementAndGet();
        engine.startContainer(container);
        engine.await(container);
        engine.removeContainer(container);
      } catch (AssertionError | RuntimeException e) {
        lostWithoutLease.incrementAndGet();
      }
    }
  }
}
