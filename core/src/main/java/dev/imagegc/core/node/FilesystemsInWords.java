/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.node;

import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.PolicyException;
import dev.imagegc.core.disk.DiskSpace;
import dev.imagegc.core.disk.DiskSpaceManager;
import dev.imagegc.core.internal.BoundedCalls;
import dev.imagegc.core.internal.DiskMeasures;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Sizes;
import dev.imagegc.core.pressure.PressurePolicy;
import dev.imagegc.core.pressure.PressureThreshold;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The node's filesystems as a status shows them: their numbers, and in words what each is held against. Thread-safe. */
final class FilesystemsInWords {
  private final GcPolicy imagePolicy;
  private final PressurePolicy pressurePolicy;
  private final Duration deadline;
  private final DiskMeasures measures;
  private final BoundedCalls policyCalls;

  FilesystemsInWords(
      FsStatsProvider fsStats,
      GcPolicy imagePolicy,
      PressurePolicy pressurePolicy,
      Duration deadline,
      GcClock clock) {
    this.imagePolicy = imagePolicy;
    this.pressurePolicy = pressurePolicy;
    this.deadline = deadline;
    this.measures = new DiskMeasures(fsStats, deadline, clock);
    this.policyCalls = new BoundedCalls("the image policy", clock, PolicyException::new);
  }

  /** Measures them, each within the deadline. What cannot be measured is there with its error. */
  List<NodeStatus.Filesystem> of(DiskSpaceManager diskSpace) {
    List<NodeStatus.Filesystem> filesystems = new ArrayList<>();
    filesystems.add(judged(diskSpace.imageFs()));
    NodeStatus.Filesystem root = judged(diskSpace.rootFs());
    if (root.stats().isPresent() || !root.thresholds().isEmpty()) { // else nobody needs it
      filesystems.add(root);
    }
    containerFs().ifPresent(filesystems::add);
    return filesystems;
  }

  private NodeStatus.Filesystem judged(DiskSpace space) {
    List<String> thresholds = new ArrayList<>();
    if (space.filesystem() == NodeFs.IMAGEFS) {
      thresholds.addAll(imageThresholds());
    }
    thresholds.addAll(pressureThresholds(space.filesystem()));
    if (space.thresholdBytes() > 0) {
      thresholds.add("out of disk space below " + Sizes.text(space.thresholdBytes()));
    }
    return new NodeStatus.Filesystem(
        space.filesystem(),
        space.stats().orElse(null),
        space.error().map(GcException::getMessage).orElse(""),
        space.thresholdBytes() > 0 ? space : null,
        thresholds);
  }

  private Optional<NodeStatus.Filesystem> containerFs() {
    List<String> thresholds = pressureThresholds(NodeFs.CONTAINERFS);
    try {
      return measures
          .measure(NodeFs.CONTAINERFS)
          .or(() ->
              thresholds.isEmpty() // absent means on the image filesystem, see FsStatsProvider
                  ? Optional.empty()
                  : measures.measure(NodeFs.IMAGEFS))
          .map(stats -> new NodeStatus.Filesystem(NodeFs.CONTAINERFS, stats, "", null, thresholds));
    } catch (GcException e) {
      return Optional.of(
          new NodeStatus.Filesystem(NodeFs.CONTAINERFS, null, e.getMessage(), null, thresholds));
    }
  }

  private List<String> pressureThresholds(NodeFs kind) {
    return pressurePolicy.thresholds().stream()
        .filter(threshold -> threshold.signal().filesystem() == kind)
        .map(this::words)
        .toList();
  }

  private String words(PressureThreshold threshold) {
    return (threshold.isHard() ? "pressure at " : "soft pressure at ")
        + threshold
        + (threshold.isHard() ? "" : " for " + Durations.text(threshold.grace()))
        + pressurePolicy
            .minimumReclaim(threshold.signal())
            .filter(more -> more.isPercent() || more.amountOf(0) > 0)
            .map(more -> " until there is " + more + " more")
            .orElse("");
  }

  /** What image collection holds the image filesystem against. */
  private List<String> imageThresholds() {
    GcThresholds thresholds;
    try {
      thresholds = policyCalls.call("tell its thresholds", deadline, imagePolicy::thresholds);
    } catch (GcException e) {
      return List.of("unknown: " + e.getMessage());
    }
    List<String> words = new ArrayList<>();
    if (thresholds.highPercent() < 100) {
      words.add("images go from " + thresholds.highPercent() + "% down to "
          + thresholds.lowPercent() + "%");
    }
    if (thresholds.inodesHighPercent() < 100) {
      words.add("images go from " + thresholds.inodesHighPercent() + "% of the inodes down to "
          + thresholds.inodesLowPercent() + "%");
    }
    return words;
  }

  void close() {
    measures.close();
    policyCalls.close();
  }
}
