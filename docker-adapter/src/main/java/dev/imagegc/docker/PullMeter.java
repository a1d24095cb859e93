/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.api.PullProgress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Adds up how far the layers of a pull have come. What has come never grows less: a transfer that an engine begins again counts
 * from where it was. Layers whose size the engine never told, because they were quick or because it is Podman, do not count.
 */
final class PullMeter {
  private static final String TRANSFER = "Downloading";

  /** After one of these a layer has come whole. */
  private static final Set<String> TRANSFERRED =
      Set.of("Download complete", "Verifying Checksum", "Extracting", "Pull complete");

  private record Layer(long current, long total) {}

  private final Map<String, Layer> layers = new LinkedHashMap<>();
  private long current;
  private long total;

  /** Takes a report in, and returns the sum. */
  PullProgress add(PullReport report) {
    Layer before = layers.getOrDefault(report.id(), new Layer(0, 0));
    Layer now = before;
    if (report.status().equals(TRANSFER)) {
      long come = Math.max(before.current(), report.current());
      now = new Layer(come, Math.max(come, Math.max(before.total(), report.total())));
    } else if (TRANSFERRED.contains(report.status())) {
      now = new Layer(before.total(), before.total());
    }
    if (!now.equals(before)) {
      layers.put(report.id(), now);
      current += now.current() - before.current();
      total += now.total() - before.total();
    }
    return PullProgress.of(
        current, layers.isEmpty() ? OptionalLong.empty() : OptionalLong.of(total), report.status());
  }
}
