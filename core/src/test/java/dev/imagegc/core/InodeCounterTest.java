/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.FsStats;
import dev.imagegc.testkit.TestClock;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The counter with shell scripts in place of {@code stat}, in virtual time. */
@Timeout(60) // a test that hangs is a test that fails
class InodeCounterTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  @TempDir
  Path dir;

  private final TestClock clock = new TestClock();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  @BeforeEach
  void needsAShell() {
    assumeThat(Path.of("/bin/sh")).isExecutable();
  }

  private record Counted(FsStats stats, String source) {}

  /** A program that adds a line to {@link #runs} each time, and then does this. */
  private String script(String... lines) throws IOException {
    Path script = dir.resolve("stat script");
    Files.writeString(
        script, "#!/bin/sh\necho run >> '" + runs() + "'\n" + String.join("\n", lines) + "\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    return script.toString();
  }

  private Path runs() {
    return dir.resolve("runs");
  }

  private int timesRun() throws IOException {
    return Files.exists(runs()) ? Files.readAllLines(runs()).size() : 0;
  }

  private Counted count(InodeCounter counter, Path path, String filesystem, long unallocated) {
    FsStats.Builder stats = FsStats.builder("/x", Instant.EPOCH);
    String source = counter.addTo(stats, path, filesystem, unallocated, false);
    return new Counted(stats.build(), source);
  }

  private Counted count(InodeCounter counter, long unallocated) {
    return count(counter, dir, "a", unallocated);
  }

  private void isUnknown(Counted counted, String source) {
    assertThat(counted.stats().inodes()).isEmpty();
    assertThat(counted.stats().inodesFree()).isEmpty();
    assertThat(counted.source()).isEqualTo("inodes unknown: " + source);
  }

  @Test
  void numbers_areTotalAndFree() throws Exception {
    Counted counted = count(new InodeCounter(script("echo 100 40"), clock), 1);

    assertThat(counted.stats().inodes()).hasValue(100);
    assertThat(counted.stats().inodesFree()).hasValue(40);
    assertThat(counted.source()).isEqualTo("inodes by stat -f");
  }

  @Test
  void noFreeInode_isKnownToBeNone() throws Exception {
    Counted counted = count(new InodeCounter(script("echo 100 0"), clock), 1);

    assertThat(counted.stats().inodesFree()).hasValue(0);
  }

  @Test
  void program_isAskedForThePathItself_inTheLanguageOfPrograms() throws Exception {
    Path asked = dir.resolve("asked");
    String program = script("printf '%s\\n' \"$@\" \"$LC_ALL\" > '" + asked + "'", "echo 100 40");

    count(new InodeCounter(program, clock), Path.of("-x y"), "a", 1);

    assertThat(Files.readAllLines(asked)).containsExactly("-f", "-c", "%c %d", "--", "-x y", "C");
  }

  @ParameterizedTest(name = "[{0}] is unknown: {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "echo 0 0 | the filesystem has no fixed number",
        "echo 5 9 | stat -f said that 9 of 5 are free",
        "echo hello; echo world | stat -f said 'hello world'",
        "true | stat -f said ''",
        "echo 100 | stat -f said '100'",
        "echo 100 -1 | stat -f said '100 -1'",
        "echo 100 18446744073709551615 | stat -f said '100 18446744073709551615'",
        "echo 100 40; echo 100 40 | stat -f said '100 40 100 40'",
        "echo 100 40; exit 1 | stat -f ended with 1",
        "echo no such thing >&2; exit 3 | stat -f ended with 3: no such thing",
      })
  void programThatDoesNotCount_leavesInodesUnknown(String commands, String why) throws Exception {
    isUnknown(count(new InodeCounter(script(commands), clock), 1), why);
  }

  @Test
  void wordsOfTheProgram_areShortened() throws Exception {
    String program = script("i=0; while [ $i -lt 500 ]; do echo word; i=$((i+1)); done");

    isUnknown(
        count(new InodeCounter(program, clock), 1), "stat -f said '" + "word ".repeat(20) + "...'");
  }

  @Test
  void programThatIsNotThere_leavesInodesUnknown() {
    Counted counted = count(new InodeCounter(dir.resolve("none").toString(), clock), 1);

    assertThat(counted.stats().inodes()).isEmpty();
    assertThat(counted.source())
        .startsWith("inodes unknown: stat -f is not there or cannot be run: ")
        .contains(dir.resolve("none").toString());
  }

  @Test
  void pathInsideAnArchive_isNotAskedFor() throws Exception {
    URI archive = URI.create("jar:" + dir.resolve("a.zip").toUri());
    try (FileSystem zip = FileSystems.newFileSystem(archive, Map.of("create", "true"))) {
      isUnknown(
          count(new InodeCounter(script("echo 100 40"), clock), zip.getPath("/"), "a", 1),
          "not a path that programs know");
    }
    assertThat(timesRun()).isZero();
  }

  @Test
  void programWhoseChildLivesOn_isNotWaitedFor() throws Exception {
    Path child = dir.resolve("child");
    String program = script("sleep 600 &", "echo $! > '" + child + "'", "echo 100 40");
    try {
      assertThat(count(new InodeCounter(program, clock), 1).stats().inodes()).hasValue(100);
    } finally {
      ProcessHandle.of(Long.parseLong(Files.readString(child).strip()))
          .ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  @Test
  void programThatHangs_isKilled_andNotStartedAgainForAMinute() throws Exception {
    Path pid = dir.resolve("pid");
    InodeCounter counter =
        new InodeCounter(script("echo $$ > '" + pid + "'", "exec sleep 600"), clock);

    isUnknown(untilItHangs(counter, pid), "stat -f did not end within 2s");

    Optional<ProcessHandle> hung =
        ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()));
    if (hung.isPresent()) {
      hung.get().onExit().get();
    }
    clock.advance(Duration.ofMinutes(1).minusSeconds(3));
    isUnknown(count(counter, 2), "stat -f did not end within 2s");
    assertThat(timesRun()).isEqualTo(1);
    script("echo 100 40");
    clock.advance(SECOND);
    Counted again = count(counter, 2);
    while (again.source().endsWith("did not end within 2s")) {
      Thread.onSpinWait(); // the JDK tells the end of a process a moment after it
      again = count(counter, 2);
    }
    assertThat(again.source()).isEqualTo("inodes by stat -f");
    assertThat(again.stats().inodes()).hasValue(100);
  }

  /** Counts in another thread, and lets the deadline pass once the program has said that it runs. */
  private Counted untilItHangs(InodeCounter counter, Path running) throws Exception {
    Future<Counted> counting = threads.submit(() -> count(counter, 1));
    clock.awaitWaiters(1);
    while (!Files.exists(running) || Files.size(running) == 0) {
      Thread.onSpinWait();
    }
    clock.advance(Duration.ofSeconds(2));
    return counting.get();
  }

  @Test
  void interrupted_isCancelled_andKeepsTheFlag() throws Exception {
    InodeCounter counter = new InodeCounter(script("echo 100 40"), SystemGcClock.instance());
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> count(counter, 1)).isInstanceOf(CancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  // Using a count again

  @Test
  void count_isUsedAgainForLessThanASecond() throws Exception {
    InodeCounter counter = new InodeCounter(script("echo 100 40"), clock);
    count(counter, 1);
    script("echo 100 50");

    clock.advance(SECOND.minusNanos(1));
    assertThat(count(counter, 1).stats().inodesFree()).hasValue(40);
    clock.advance(Duration.ofNanos(1));
    assertThat(count(counter, 1).stats().inodesFree()).hasValue(50);
    assertThat(timesRun()).isEqualTo(2);
  }

  @Test
  void count_isNotUsedAgain_whenMoreOrFewerBlocksAreFree() throws Exception {
    InodeCounter counter = new InodeCounter(script("echo 100 40"), clock);
    count(counter, 4096);
    script("echo 100 50");
    assertThat(count(counter, 8192).stats().inodesFree()).hasValue(50);
    script("echo 100 45");
    assertThat(count(counter, 4096).stats().inodesFree()).hasValue(45);
  }

  @Test
  void count_isNotUsedAgain_whereANewOneIsAskedFor_butThatOneIs() throws Exception {
    InodeCounter counter = new InodeCounter(script("echo 100 40"), clock);
    count(counter, 1);
    script("echo 100 50");
    FsStats.Builder stats = FsStats.builder("/x", Instant.EPOCH);
    counter.addTo(stats, dir, "a", 1, true);

    assertThat(stats.build().inodesFree()).hasValue(50);
    script("echo 100 60");
    assertThat(count(counter, 1).stats().inodesFree()).hasValue(50);
  }

  @Test
  void imageFs_isCountedAnewEveryTime() throws Exception {
    String program = script("echo 4194305 $$"); // its number, another one every time
    LocalFsStatsProvider provider = LocalFsStatsProvider.of(dir).countedBy(program, clock);
    Set<Long> counts = new HashSet<>();
    for (int i = 0; i < 10; i++) {
      counts.add(provider.imageFs().inodesFree().orElseThrow());
    }

    assertThat(counts).hasSize(10);
    assertThat(timesRun()).isEqualTo(10);
  }

  @Test
  void count_isNotUsedForAnotherFilesystem() throws Exception {
    InodeCounter counter = new InodeCounter(script("echo 100 40"), clock);
    count(counter, dir, "a", 1);
    script("echo 7 3");

    assertThat(count(counter, dir, "b", 1).stats().inodes()).hasValue(7);
    assertThat(count(counter, dir, "a", 1).stats().inodes()).hasValue(100);
  }

  @Test
  void wallClockThatIsSet_makesNoCountOlder() throws Exception {
    InodeCounter counter = new InodeCounter(script("echo 100 40"), clock);
    count(counter, 1);
    clock.jumpWall(Duration.ofDays(1));
    count(counter, 1);

    assertThat(timesRun()).isEqualTo(1);
  }

  @Test
  void failure_isTriedAgain() throws Exception {
    InodeCounter counter = new InodeCounter(script("exit 1"), clock);
    isUnknown(count(counter, 1), "stat -f ended with 1");
    script("echo 100 40");
    clock.advance(SECOND);

    assertThat(count(counter, 1).stats().inodes()).hasValue(100);
  }

  @Test
  void manyThreads_eachGetTheNumbersOfTheirFilesystem() throws Exception {
    String program = script("case $5 in *a) echo 100 40;; *) echo 7 3;; esac");
    InodeCounter counter = new InodeCounter(program, clock);

    List<Future<Counted>> counts = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      String name = i % 2 == 0 ? "a" : "b";
      counts.add(threads.submit(() -> count(counter, dir.resolve(name), name, 1)));
    }

    for (int i = 0; i < 8; i++) {
      assertThat(counts.get(i).get().stats().inodes()).hasValue(i % 2 == 0 ? 100 : 7);
    }
  }
}
