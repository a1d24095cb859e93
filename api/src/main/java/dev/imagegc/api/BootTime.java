/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Duration;
import java.util.Objects;

/**
 * Which boot of the machine this is, and for how long it has been up, suspended time included. Two readings with the same
 * id prove how much time lies between them, whatever was done to the wall clock.
 */
public final class BootTime {
  private final String bootId;
  private final Duration uptime;

  private BootTime(String bootId, Duration uptime) {
    this.bootId = Objects.requireNonNull(bootId, "bootId");
    this.uptime = Objects.requireNonNull(uptime, "uptime");
    if (uptime.isNegative()) {
      throw new IllegalArgumentException("uptime must be zero or more, but is " + uptime);
    }
  }

  /**
   * Returns a reading.
   *
   * @param bootId an id that is different after every boot
   * @param uptime how long the machine has been up, zero or more
   * @return the reading
   */
  public static BootTime of(String bootId, Duration uptime) {
    return new BootTime(bootId, uptime);
  }

  /**
   * Returns the id of this boot.
   *
   * @return an id that is different after every boot
   */
  public String bootId() {
    return bootId;
  }

  /**
   * Returns how long the machine has been up, suspended time included.
   *
   * @return zero or more
   */
  public Duration uptime() {
    return uptime;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BootTime that
        && that.bootId.equals(bootId)
        && that.uptime.equals(uptime);
  }

  @Override
  public int hashCode() {
    return Objects.hash(bootId, uptime);
  }

  @Override
  public String toString() {
    return "BootTime[" + bootId + " " + uptime + "]";
  }
}
