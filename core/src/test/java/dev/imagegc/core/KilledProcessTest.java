/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.api.RecordStore;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.ManualScheduler;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process with a collector is killed at random moments, again and again: nothing is lost that was saved when it was due. */
@Timeout(1200) // guards against a hang: 200 processes start, one after the other on a busy machine
class KilledProcessTest {
  private static final int KILLS = 200;
  private static final int LANES = Math.min(4, Runtime.getRuntime().availableProcessors());
  private static final Duration SAVE_DELAY = Duration.ofSeconds(30);
  private static final int IMAGES = 5; // on the node at a time
  private static final int REMEMBERED = 20;

  @TempDir
  Path temp;

  @Test
  void kill_atAnyMoment_losesNothingThatIsOlderThanTheSaveDelay() {
    long seed = new Random().nextLong();
    System.out.println("KilledProcessTest: seed " + seed);
    List<CompletableFuture<Integer>> lanes = IntStream.range(0, LANES)
        .mapToObj(lane -> CompletableFuture.supplyAsync(
            () -> kills(temp.resolve("state-" + lane), new Random(seed + lane)),
            task -> new Thread(task, "lane-" + lane).start()))
        .toList();
    int acknowledged = lanes.stream().mapToInt(CompletableFuture::join).sum();
    System.out.println(
        "KilledProcessTest: " + KILLS + " kills, " + acknowledged + " saves acknowledged");
    assertThat(acknowledged).as("saves, or nothing could be lost").isGreaterThan(KILLS);
  }

  /** Returns the number of the last save that was acknowledged. */
  private static int kills(Path directory, Random random) {
    int last = 0;
    for (int i = 0; i < KILLS / LANES; i++) {
      try {
        last = Math.max(last, lastAcknowledged(directory, random));
        last = check(directory, last);
      } catch (IOException | InterruptedException e) {
        throw new AssertionError("kill " + i + " in " + directory, e);
      }
    }
    return last;
  }

  /** Starts a process, kills it after some saves or already while it starts, and returns the last save it told of, or 0. */
  private static int lastAcknowledged(Path directory, Random random)
      throws IOException, InterruptedException {
    Process child = ChildJvm.start(Child.class, directory.toString());
    List<String> lines = new ArrayList<>();
    try (BufferedReader out = child.inputReader(StandardCharsets.UTF_8)) {
      boolean whileItStarts = random.nextInt(10) == 0;
      for (int i = whileItStarts ? 0 : 1 + random.nextInt(20); i > 0; i--) {
        String line = out.readLine();
        assertThat(line).as("what the process tells while it lives").isNotNull();
        lines.add(line);
      }
      LockSupport.parkNanos(
          TimeUnit.MICROSECONDS.toNanos(random.nextInt(whileItStarts ? 500_000 : 5_000)));
      child.toHandle().destroyForcibly(); // Process.destroyForcibly() would close the pipe
      out.lines().forEach(lines::add);
      child.waitFor();
    } finally {
      child.destroyForcibly();
    }
    return lines.stream()
        .filter(line -> line.endsWith("!")) // the last line may be cut short
        .mapToInt(line -> Integer.parseInt(line.substring("acked ".length(), line.length() - 1)))
        .max()
        .orElse(0);
  }

  /** Checks that what is stored is the node as it was at the last save or the one after it; returns which. */
  private static int check(Path directory, int acknowledged) throws IOException {
    if (!Files.isDirectory(directory)) {
      assertThat(acknowledged).isZero();
      return 0;
    }
    Optional<RecordSnapshot> stored;
    try (FileRecordStore store = FileRecordStore.open(directory)) {
      stored = store.load();
    }
    int found = stored.map(KilledProcessTest::newest).orElse(0);
    assertThat(found)
        .as("the newest image that is stored")
        .isBetween(acknowledged, acknowledged + 1);
    if (stored.isPresent()) {
      assertThat(stored.get().entries())
          .as("images of save %s", found)
          .extracting(entry -> entry.id().text())
          .containsExactlyInAnyOrderElementsOf(names(found - IMAGES + 1, found));
      assertThat(stored.get().entries()).allMatch(entry -> entry.lastUsed().isPresent());
      assertThat(stored.get().remembered())
          .as("remembered at save %s", found)
          .extracting(entry -> entry.id().text())
          .containsExactlyElementsOf(names(found - IMAGES - REMEMBERED + 1, found - IMAGES));
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .isSubsetOf(FileRecordStore.RECORDS, FileRecordStore.DRAFT, FileRecordStore.LOCK);
    }
    return found;
  }

  private static int newest(RecordSnapshot snapshot) {
    return snapshot.entries().stream()
        .mapToInt(entry -> Integer.parseInt(entry.id().text().substring("image-".length())))
        .max()
        .orElse(0);
  }

  private static List<String> names(int first, int last) {
    return IntStream.rangeClosed(Math.max(1, first), last)
        .mapToObj(i -> "image-" + i)
        .toList();
  }

  /** The process: goes on with the node where the last one was killed, and tells of each change that is saved. */
  static final class Child {
    private final FakeNode node = FakeNode.withDisk(1_000_000);
    private final ManualScheduler scheduler = new ManualScheduler(node.clock());
    private int saved; // guarded by this

    public static void main(String[] args) throws InterruptedException {
      new Child().run(FileRecordStore.open(Path.of(args[0])));
    }

    private void run(FileRecordStore files) throws InterruptedException {
      int number = files.load().map(KilledProcessTest::newest).orElse(0);
      names(number - IMAGES + 1, number)
          .forEach(name -> node.image(name).size(1).add());
      ImageGcManager gc = Nodes.collector(node)
          .store(telling(files))
          .saveDelay(SAVE_DELAY)
          .remember(REMEMBERED, Duration.ofDays(30))
          .scheduler(scheduler)
          // Virtual time moves on while a save, which takes real time, is about to return.
          .deadlines(Deadlines.builder().store(Duration.ofDays(365)).build())
          .build();
      gc.detectImages();
      while (true) {
        number++;
        node.image("image-" + number).size(1).add();
        node.run("user", "image-" + number);
        if (number > IMAGES) {
          node.deleteImage("image-" + (number - IMAGES));
        }
        gc.detectImages();
        scheduler.advance(SAVE_DELAY);
        awaitSaved(number);
        byte[] line = ("acked " + number + "!\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(line, 0, line.length);
        System.out.flush();
        node.removeContainer("user");
      }
    }

    private RecordStore telling(FileRecordStore files) {
      return new RecordStore() {
        @Override
        public Optional<RecordSnapshot> load() {
          return files.load();
        }

        @Override
        public void save(RecordSnapshot snapshot) {
          files.save(snapshot);
          synchronized (Child.this) {
            saved = newest(snapshot);
            Child.this.notifyAll();
          }
        }
      };
    }

    private synchronized void awaitSaved(int number) throws InterruptedException {
      while (saved < number) {
        wait();
      }
    }
  }
}
