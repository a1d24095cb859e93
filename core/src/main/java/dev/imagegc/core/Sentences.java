/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.HeldBytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** What reports and events say in words. */
final class Sentences {
  private static final String[] UNITS = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

  private Sentences() {}

  /** One line on a round that acted: filesystem, usage before and after, need, freed. */
  static String summary(GcReport report) {
    return report.operation() + " " + report.outcome() + " on " + path(report)
        + ": usage " + percent(report.usagePercentBefore()) + " -> "
        + percent(report.usagePercentAfter())
        + ", needed " + bytes(report.neededBytes()) + ", freed " + bytes(report.freedBytes())
        + ", removed " + report.removed().size() + " of " + report.decisions().size() + " images"
        + report.cause().map(cause -> ": " + cause.getMessage()).orElse("");
  }

  /** Why the need was not met, and what holds the rest. */
  static String notEnoughFreed(GcReport report) {
    String used = percent(report.usagePercentBefore()) + " of "
        + bytes(report.filesystemBefore().map(FsStats::capacityBytes).orElse(OptionalLong.empty()))
        + " used";
    List<String> held = new ArrayList<>();
    for (HeldBytes sum : report.held()) {
      held.add(bytes(sum.bytes()) + " by " + sum.imageCount()
          + (sum.imageCount() == 1 ? " image " : " images ") + sum.reason());
    }
    report
        .otherDataBytes()
        .ifPresent(other -> held.add(bytes(other) + " by data that is not images"));
    return "not enough space could be freed on image filesystem " + path(report) + " (" + used
        + "): needed "
        + bytes(report.neededBytes()) + ", freed " + bytes(report.freedBytes()) + "; held: "
        + String.join(", ", held);
  }

  private static String path(GcReport report) {
    return report
        .filesystemBefore()
        .map(FsStats::path)
        .orElse("a filesystem that could not be measured");
  }

  private static String percent(OptionalInt percent) {
    return percent.isPresent() ? percent.getAsInt() + "%" : "unknown";
  }

  private static String bytes(OptionalLong bytes) {
    return bytes.isPresent() ? bytes(bytes.getAsLong()) : "an unknown number of bytes";
  }

  /** {@code 1000 B}, {@code 1.5 GiB}. */
  static String bytes(long bytes) {
    if (bytes < 1024) {
      return bytes + " B";
    }
    double value = bytes;
    int unit = -1;
    while (value >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
  }
}
