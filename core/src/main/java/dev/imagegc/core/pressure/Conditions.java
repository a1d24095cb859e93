/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.NodeFs;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The condition of each filesystem that has thresholds. Written by one thread at a time, read by any. */
final class Conditions {
  private final Map<NodeFs, DiskCondition> byFilesystem = new EnumMap<>(NodeFs.class);
  private volatile List<DiskCondition> current;

  Conditions(List<Watched> watched) {
    for (Watched one : watched) {
      NodeFs filesystem = one.threshold().signal().filesystem();
      byFilesystem.put(filesystem, DiskCondition.builder(filesystem).build());
    }
    current = List.copyOf(byFilesystem.values());
  }

  List<DiskCondition> current() {
    return current;
  }

  /** Judges anew, and returns those that have begun, changed in kind or ended. */
  List<DiskCondition> update(List<Watched> watched, Set<DiskSignal> unknown, Instant now) {
    List<DiskCondition> changed = new ArrayList<>();
    for (Map.Entry<NodeFs, DiskCondition> entry : byFilesystem.entrySet()) {
      DiskCondition before = entry.getValue();
      DiskCondition after = judge(before, watched, unknown, now);
      entry.setValue(after);
      if (!after.hardSignals().equals(before.hardSignals())
          || !after.softSignals().equals(before.softSignals())) {
        changed.add(after);
      }
    }
    current = List.copyOf(byFilesystem.values());
    return changed;
  }

  private static DiskCondition judge(
      DiskCondition before, List<Watched> watched, Set<DiskSignal> unknown, Instant now) {
    NodeFs filesystem = before.filesystem();
    List<Watched> mine = watched.stream()
        .filter(one -> one.threshold().signal().filesystem() == filesystem)
        .toList();
    List<Watched> active = mine.stream().filter(Watched::isActive).toList();
    Set<DiskSignal> hard = EnumSet.noneOf(DiskSignal.class);
    Set<DiskSignal> soft = EnumSet.noneOf(DiskSignal.class);
    active.forEach(
        one -> (one.threshold().isHard() ? hard : soft).add(one.threshold().signal()));
    soft.removeAll(hard);
    DiskCondition.Builder condition = DiskCondition.builder(filesystem)
        .signals(hard, soft)
        .unknownSignals(unknown.stream()
            .filter(signal -> signal.filesystem() == filesystem)
            .collect(Collectors.toSet()))
        .message(
            active.isEmpty()
                ? (before.since().isEmpty() ? "" : filesystem + " is not under pressure any more")
                : active.stream().map(Watched::message).collect(Collectors.joining("; ")));
    mine.stream()
        .flatMap(one -> one.observedAt().stream())
        .max(Comparator.naturalOrder())
        .ifPresent(condition::lastObserved);
    boolean turned = before.isUnderPressure() == active.isEmpty();
    if (turned) {
      condition.since(now);
    } else {
      before.since().ifPresent(condition::since);
    }
    return condition.build();
  }
}
