/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.BootTime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SystemGcClockTest {
  @TempDir
  Path proc;

  @Test
  void bootTime_isReadFromProc() throws IOException {
    Files.createDirectories(proc.resolve("sys/kernel/random"));
    Files.writeString(proc.resolve("sys/kernel/random/boot_id"), "1234-abcd\n");
    Files.writeString(proc.resolve("uptime"), "86400.25 170000.00\n");
    assertThat(new SystemGcClock(proc).bootTime())
        .contains(BootTime.of("1234-abcd", Duration.ofDays(1).plusMillis(250)));
  }

  @Test
  void bootTime_whereProcDoesNotTell_isUnknown() throws IOException {
    assertThat(new SystemGcClock(proc).bootTime()).isEmpty();
    Files.createDirectories(proc.resolve("sys/kernel/random"));
    Files.writeString(proc.resolve("sys/kernel/random/boot_id"), "1234-abcd\n");
    Files.writeString(proc.resolve("uptime"), "soon\n");
    assertThat(new SystemGcClock(proc).bootTime()).isEmpty();
  }

  @Test
  void await_saysWhetherTheFutureIsDone() throws InterruptedException {
    var clock = SystemGcClock.instance();
    assertThat(clock.await(CompletableFuture.completedFuture(1), Duration.ZERO)).isTrue();
    assertThat(clock.await(CompletableFuture.failedFuture(new IOException()), Duration.ZERO))
        .isTrue();
    assertThat(clock.await(new CompletableFuture<>(), Duration.ofNanos(1))).isFalse();
  }
}
