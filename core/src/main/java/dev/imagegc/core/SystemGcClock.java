/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.BootTime;
import dev.imagegc.api.GcClock;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** The machine's clocks: the only place where the collector reads time. Thread-safe. */
public final class SystemGcClock implements GcClock {
  private static final SystemGcClock INSTANCE = new SystemGcClock(Path.of("/proc"));

  private final Path proc;

  SystemGcClock(Path proc) {
    this.proc = proc;
  }

  /**
   * Returns the machine's clocks.
   *
   * @return the clock
   */
  public static GcClock instance() {
    return INSTANCE;
  }

  @Override
  public Instant instant() {
    return Instant.now();
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  /** Reads Linux's boot id and its uptime, which goes on while the machine is suspended. Elsewhere it is empty. */
  @Override
  public Optional<BootTime> bootTime() {
    try {
      String bootId =
          Files.readString(proc.resolve("sys/kernel/random/boot_id")).strip();
      String uptime = Files.readString(proc.resolve("uptime")).strip().split(" ", 2)[0];
      long nanos = new BigDecimal(uptime).movePointRight(9).longValueExact();
      return bootId.isEmpty()
          ? Optional.empty()
          : Optional.of(BootTime.of(bootId, Duration.ofNanos(nanos)));
    } catch (IOException | RuntimeException e) {
      return Optional
          .empty(); // not Linux, or not readable here: then downtime simply does not count
    }
  }
}
