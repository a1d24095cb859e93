/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.NodeFs;
import dev.imagegc.core.FsLayout;
import dev.imagegc.core.internal.Events;
import dev.imagegc.core.pressure.Contradictions.Contradiction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Names the settings that contradict each other, each once: what percentages alone show at the beginning, the rest when it is
 * measured. Used by one thread at a time, but for what it has found.
 */
final class SettingsCheck {
  private final PressurePolicy policy;
  private final Host host;
  private final Events events;
  private volatile List<Contradiction> found = List.of();
  private boolean waits; // for a measurement

  SettingsCheck(PressurePolicy policy, Host host, Events events) {
    this.policy = policy;
    this.host = host;
    this.events = events;
    this.waits = Contradictions.needMeasurement(policy);
  }

  /** Compares what needs no measurement. */
  void atTheBeginning() {
    host.imageThresholds().ifPresent(thresholds -> {
      Contradictions.notes(thresholds).forEach(note -> Pass.LOG.info("{}", note));
      tell(Contradictions.find(thresholds, policy, policy.layout(), null));
    });
  }

  /**
   * Compares what needs a measurement: with the capacities each time, because any may be known late or change, with image
   * collection until all signals have been known.
   */
  void at(Readings readings) {
    List<Contradiction> aboveCapacity = Contradictions.aboveCapacity(policy, readings);
    found = found.stream()
        .filter(one -> !one.isAboveCapacity()
            || readings.of(one.threshold().signal()).isEmpty()
            || aboveCapacity.stream().anyMatch(still -> isSame(one, still)))
        .toList();
    tell(aboveCapacity);
    FsStats images = readings.stats().get(NodeFs.IMAGEFS);
    FsLayout layout = readings.layout().orElse(null);
    if (!waits
        || images == null
        || images.capacityBytes().orElse(0) <= 0 // nothing to compare with yet
        || layout == null) {
      return;
    }
    host.imageThresholds().ifPresent(thresholds -> {
      waits =
          policy.thresholds().stream().anyMatch(one -> readings.of(one.signal()).isEmpty());
      tell(Contradictions.find(thresholds, policy, Optional.of(layout), images));
    });
  }

  /** The sentences so far. */
  List<String> found() {
    return found.stream().map(Contradiction::sentence).toList();
  }

  private void tell(List<Contradiction> contradictions) {
    List<Contradiction> all = new ArrayList<>(found);
    for (Contradiction one : contradictions) {
      if (all.stream().noneMatch(known -> isSame(known, one))) {
        all.add(one);
        Pass.LOG.warn("{}", one.sentence());
        events.happened(GcEventType.SETTINGS_CONTRADICT, one.sentence(), null, null);
      }
    }
    found = List.copyOf(all);
  }

  /** The same in other numbers. */
  private static boolean isSame(Contradiction a, Contradiction b) {
    return a.threshold().equals(b.threshold()) && a.field().equals(b.field());
  }
}
