/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Adds the inodes that the JDK cannot count, by asking the program {@code stat} of GNU or busybox. Where that does not work they
 * stay unknown.
 */
final class StatInodes implements FsStatsProvider {
  private static final long LONGEST_SECONDS = 5;
  private static final Pattern TOTAL_AND_FREE = Pattern.compile("(\\d{1,18}) (\\d{1,18})\\s*");

  private final FsStatsProvider bytes;

  /**
   * Extends a disk measure.
   *
   * @param bytes measures local paths
   */
  StatInodes(FsStatsProvider bytes) {
    this.bytes = bytes;
  }

  @Override
  public FsStats imageFs() {
    return withInodes(bytes.imageFs());
  }

  @Override
  public Optional<FsStats> rootFs() {
    return bytes.rootFs().map(StatInodes::withInodes);
  }

  private static FsStats withInodes(FsStats stats) {
    Matcher answer = TOTAL_AND_FREE.matcher(stat(stats.path()));
    return answer.matches()
        ? stats.toBuilder()
            .inodes(Long.parseLong(answer.group(1)), Long.parseLong(answer.group(2)))
            .build()
        : stats;
  }

  /** Returns what the program says, or nothing. */
  private static String stat(String path) {
    Process stat;
    try {
      stat = new ProcessBuilder("stat", "-f", "-c", "%c %d", "--", path)
          .redirectError(Redirect.DISCARD)
          .start();
    } catch (IOException e) {
      return ""; // there is no such program
    }
    try {
      // A few digits fit into the pipe, so it can end before they are read.
      if (stat.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS) && stat.exitValue() == 0) {
        return new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      }
      return "";
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("interrupted while counting the inodes of " + path, e);
    } finally {
      stat.destroyForcibly();
    }
  }
}
