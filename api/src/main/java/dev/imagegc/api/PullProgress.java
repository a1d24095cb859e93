/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;
import java.util.OptionalLong;

/** How far the transfer of an image has come. Layers that are there already do not count. */
public final class PullProgress {
  private static final long UNKNOWN = -1;

  private final long transferredBytes;
  private final long totalBytes; // or UNKNOWN
  private final String status;

  private PullProgress(long transferredBytes, long totalBytes, String status) {
    this.transferredBytes = transferredBytes;
    this.totalBytes = totalBytes;
    this.status = Objects.requireNonNull(status, "status");
  }

  /**
   * Returns a report of progress.
   *
   * @param transferredBytes bytes that have come so far, 0 or more
   * @param totalBytes bytes that come in all, as far as that is known by now, 0 or more, or empty
   * @param status what the engine is doing, in its words
   * @return the report
   */
  public static PullProgress of(long transferredBytes, OptionalLong totalBytes, String status) {
    Ranges.notNegative("transferredBytes", transferredBytes);
    Ranges.notNegative("totalBytes", totalBytes.orElse(0));
    return new PullProgress(transferredBytes, totalBytes.orElse(UNKNOWN), status);
  }

  /**
   * Returns how much has come so far.
   *
   * @return compressed bytes, 0 or more
   */
  public long transferredBytes() {
    return transferredBytes;
  }

  /**
   * Returns how much comes in all. It grows while the engine learns of more layers.
   *
   * @return compressed bytes, or empty if nothing is known
   */
  public OptionalLong totalBytes() {
    return totalBytes == UNKNOWN ? OptionalLong.empty() : OptionalLong.of(totalBytes);
  }

  /**
   * Returns what the engine is doing, in its words, for people.
   *
   * @return words, possibly empty
   */
  public String status() {
    return status;
  }

  @Override
  public String toString() {
    return transferredBytes + " of " + (totalBytes == UNKNOWN ? "unknown" : totalBytes) + " bytes"
        + (status.isEmpty() ? "" : ", " + status);
  }
}
