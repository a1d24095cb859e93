/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcClock;
import dev.imagegc.core.internal.Durations;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Counts the inodes of local filesystems, which the JDK cannot, with the program {@code stat} of GNU or busybox. Where that does
 * not work they are unknown, with the reason. Thread-safe.
 *
 * <p>A count costs a process, so it is used again: for a second, and only while no more and no fewer blocks are free. A sweep
 * measures after each removal and believes the difference, so an old count would make it remove too much: empty files take no
 * blocks. It asks for a new one.
 */
final class InodeCounter {
  /** Well below the deadline of a whole measurement. */
  private static final Duration DEADLINE = Duration.ofSeconds(2);

  private static final Duration REUSE = Duration.ofSeconds(1);

  /** A sweep must not wait for a hanging program after each removal. */
  private static final Duration PAUSE_AFTER_HANGING = Duration.ofMinutes(1);

  private static final int MAX_OUTPUT = 4096;
  private static final int MAX_WORDS = 100;
  private static final Pattern TOTAL_AND_FREE = Pattern.compile("(\\d{1,18}) (\\d{1,18})\\s*");
  private static final String UNKNOWN = "inodes unknown: ";

  /**
   * What was found out of a filesystem.
   *
   * @param total how many inodes there are, or 0 if that is unknown
   * @param free how many of them are free
   * @param source where the numbers come from, or why there are none
   * @param unallocated the filesystem's free bytes just before
   * @param since the elapsed time just before
   * @param hung the program if it did not end in time
   */
  private record Count(
      long total,
      long free,
      String source,
      long unallocated,
      long since,
      @Nullable Process hung) {}

  private final String program;
  private final GcClock clock;
  private final Map<String, Count> counts = new ConcurrentHashMap<>(); // by filesystem

  InodeCounter(String program, GcClock clock) {
    this.program = program;
    this.clock = clock;
  }

  /**
   * Adds the inodes to a measurement.
   *
   * @param filesystem what tells the path's filesystem from others
   * @param unallocated the filesystem's free bytes, measured before this call
   * @param anew whether an earlier count will not do; after a program that hung there is none all the same
   * @return where the inodes come from, or why they are unknown
   * @throws CancelledException if the calling thread is interrupted
   */
  String addTo(
      FsStats.Builder stats, Path path, String filesystem, long unallocated, boolean anew) {
    Count count = counts.get(filesystem);
    if (count == null || !isStillGood(count, unallocated, anew)) {
      count = count(path, unallocated);
      counts.put(filesystem, count);
    }
    if (count.total() > 0) {
      stats.inodes(count.total(), count.free());
    }
    return count.source();
  }

  private boolean isStillGood(Count count, long unallocated, boolean anew) {
    Duration age = Duration.ofNanos(clock.nanoTime() - count.since());
    return count.hung() == null
        ? !anew && age.compareTo(REUSE) < 0 && count.unallocated() == unallocated
        : age.compareTo(PAUSE_AFTER_HANGING) < 0 || count.hung().isAlive();
  }

  private Count count(Path path, long unallocated) {
    long since = clock.nanoTime();
    if (!path.getFileSystem().equals(FileSystems.getDefault())) {
      return unknown("not a path that programs know", unallocated, since, null);
    }
    Process stat;
    try {
      stat = start(path);
    } catch (IOException e) {
      return unknown(
          "stat -f is not there or cannot be run: " + e.getMessage(), unallocated, since, null);
    }
    try {
      if (!clock.await(new Exit(stat), DEADLINE)) {
        return unknown(
            "stat -f did not end within " + Durations.text(DEADLINE), unallocated, since, stat);
      }
      String said = output(stat.getInputStream());
      if (stat.exitValue() != 0) {
        String words = shortened(output(stat.getErrorStream()));
        return unknown(
            "stat -f ended with " + stat.exitValue() + (words.isEmpty() ? "" : ": " + words),
            unallocated,
            since,
            null);
      }
      return parsed(said, unallocated, since);
    } catch (IOException e) {
      return unknown("stat -f cannot be read: " + e.getMessage(), unallocated, since, null);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("interrupted while counting the inodes of " + path, e);
    } finally {
      stat.destroyForcibly();
    }
  }

  private Process start(Path path) throws IOException {
    ProcessBuilder stat = new ProcessBuilder(program, "-f", "-c", "%c %d", "--", path.toString());
    stat.environment().put("LC_ALL", "C");
    return stat.start();
  }

  /** Reads what has been written, and never waits: somebody else may hold the other end of the pipe open. */
  private static String output(InputStream ended) throws IOException {
    byte[] bytes = ended.readNBytes(Math.min(ended.available(), MAX_OUTPUT));
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static Count parsed(String said, long unallocated, long since) {
    Matcher numbers = TOTAL_AND_FREE.matcher(said);
    if (!numbers.matches()) {
      return unknown("stat -f said '" + shortened(said) + "'", unallocated, since, null);
    }
    long total = Long.parseLong(numbers.group(1));
    long free = Long.parseLong(numbers.group(2));
    if (total == 0) {
      return unknown("the filesystem has no fixed number", unallocated, since, null);
    }
    if (free > total) {
      return unknown(
          "stat -f said that " + free + " of " + total + " are free", unallocated, since, null);
    }
    return new Count(total, free, "inodes by stat -f", unallocated, since, null);
  }

  private static Count unknown(String why, long unallocated, long since, @Nullable Process hung) {
    return new Count(0, 0, UNKNOWN + why, unallocated, since, hung);
  }

  private static String shortened(String text) {
    String words = text.strip().replaceAll("\\s+", " ");
    return words.length() > MAX_WORDS ? words.substring(0, MAX_WORDS) + "..." : words;
  }

  /** The end of a process, to wait for with a clock: the JDK's own future needs a thread of a pool that others may fill. */
  private record Exit(Process process) implements Future<Integer> {
    @Override
    public Integer get() throws InterruptedException {
      stopIfInterrupted();
      return process.waitFor();
    }

    @Override
    public Integer get(long timeout, TimeUnit unit) throws InterruptedException, TimeoutException {
      stopIfInterrupted();
      if (!process.waitFor(timeout, unit)) {
        throw new TimeoutException();
      }
      return process.exitValue();
    }

    /** A process does not look at it if it has ended. */
    private static void stopIfInterrupted() throws InterruptedException {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }

    @Override
    public boolean isDone() {
      return !process.isAlive();
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      return false;
    }
  }
}
