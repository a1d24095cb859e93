/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pressure;

import com.google.common.math.LongMath;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Outcome;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.SpaceTarget;
import dev.imagegc.core.internal.Settling;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Makes room on the filesystems under pressure, as one part of the node's work: containers, then images, each only where it gives
 * room; all filesystems are measured after each step, and the numbers then say whether another one is needed.
 */
final class Reclaim {
  private final Pass.Tools tools;
  private final PressureReport.Builder report;
  /** Signals for which a step met another call that was in the way: nobody knows what it would have given. */
  private final Set<DiskSignal> busy = new HashSet<>();
  /** Signals for which images went until a round came to its limit: the next pass goes on. */
  private final Set<DiskSignal> unfinished = new HashSet<>();

  private final List<Watched> due;
  private Readings readings;
  private boolean containersBusy;
  private boolean containersTried;
  private boolean imagesBusy;
  private boolean imagesAtLimit;
  private boolean allUnusedTried;
  private boolean bytesExhausted;
  private boolean inodesExhausted;
  private String trouble = "";

  Reclaim(Pass.Tools tools, PressureReport.Builder report, List<Watched> due, Readings readings) {
    this.tools = tools;
    this.report = report;
    this.due = due;
    this.readings = readings;
  }

  /** The last measurement. */
  Readings readings() {
    return readings;
  }

  /** Whether a step for the signal met another call that was in the way. */
  boolean wasBusy(DiskSignal signal) {
    return busy.contains(signal);
  }

  /** Whether images went for the signal, but a round had to end at its limit before there was room. */
  boolean isUnfinished(DiskSignal signal) {
    return unfinished.contains(signal);
  }

  /** Which step threw, and what; empty if none did. */
  String trouble() {
    return trouble;
  }

  /** Works through the thresholds, which are in their order. Others may have made room meanwhile, so it measures first. */
  void run() {
    measure();
    for (Watched one : due) {
      makeRoom(one);
    }
  }

  private void makeRoom(Watched one) {
    DiskSignal signal = one.threshold().signal();
    if (reading(one).isPresent() && tools.containers() != null && readings.containersOn(signal)) {
      removeContainers(tools.containers());
      if (containersBusy) {
        busy.add(signal);
      }
    }
    Optional<Reading> still = reading(one);
    if (still.isPresent() && tools.images() != null && readings.imagesOn(signal)) {
      removeImages(tools.images(), one, still.get());
      if (imagesBusy) {
        busy.add(signal);
      }
      if (imagesAtLimit) {
        unfinished.add(signal);
      }
    }
  }

  /** What it is, if that is known and still short. */
  private Optional<Reading> reading(Watched one) {
    return readings.of(one.threshold().signal()).filter(one::isShort);
  }

  private void removeContainers(Supplier<ContainerGcReport> containers) {
    if (containersTried) {
      return;
    }
    containersTried = true;
    tools.refuseIfClosing();
    boolean removed = false;
    try {
      ContainerGcReport done = containers.get();
      report.containerReport(done);
      refuseIfCutOff(done.cause());
      containersBusy = done.outcome().equals(Outcome.BUSY);
      removed = !done.removed().isEmpty();
    } catch (RuntimeException e) { // closed by the host, say
      failed("removing containers", e);
    }
    measure();
    if (removed && mayBeShortOfContainers() && tools.engine().freesSpaceLater()) {
      settle();
    }
  }

  /** Waits, within its bound, for what an engine frees late: judging at once would take images for nothing. */
  private void settle() {
    Settling.await(
        tools.clock(), tools.closing(), tools.settleTime(), () -> !mayBeShortOfContainers(), () -> {
          tools.refuseIfClosing();
          measure();
        });
  }

  /** Unknown is not enough: one measurement that fails must not end the wait. */
  private boolean mayBeShortOfContainers() {
    return due.stream()
        .filter(one -> readings.containersOn(one.threshold().signal()))
        .anyMatch(one -> readings.of(one.threshold().signal()).map(one::isShort).orElse(true));
  }

  private void removeImages(ImageGcManager images, Watched one, Reading reading) {
    boolean inodes = one.threshold().signal().countsInodes();
    if (tools.policy().reclaimsEverythingUnused()
        ? allUnusedTried
        : inodes ? inodesExhausted : bytesExhausted) {
      return; // what may go is gone
    }
    allUnusedTried = true;
    tools.refuseIfClosing();
    boolean enough = false;
    try {
      GcReport done = tools.policy().reclaimsEverythingUnused()
          ? images.deleteUnusedImages()
          : images.reclaim(target(one, reading));
      report.imageReport(done);
      refuseIfCutOff(done.cause());
      enough = done.outcome().equals(Outcome.DONE);
      imagesBusy |= done.outcome().equals(Outcome.BUSY);
      imagesAtLimit |= done.stoppedBy().isPresent() && !done.removed().isEmpty();
    } catch (RuntimeException e) {
      failed("removing images", e);
    }
    if (inodes) {
      inodesExhausted = !enough;
    } else {
      bytesExhausted = !enough;
    }
    measure();
  }

  private SpaceTarget target(Watched one, Reading reading) {
    boolean inodes = one.threshold().signal().countsInodes();
    long missing = one.wanted(reading) - reading.available();
    // Under a quota, say, the image filesystem has other numbers on the same device: there only
    // what is missing counts. Numbers that differ a little are the same ones, of two moments.
    long wanted = readings
        .of(inodes ? DiskSignal.IMAGEFS_INODES_FREE : DiskSignal.IMAGEFS_AVAILABLE)
        .filter(
            images -> Math.abs(images.available() - reading.available()) > reading.capacity() / 100)
        .map(images -> LongMath.saturatedAdd(images.available(), missing))
        .orElse(one.wanted(reading));
    SpaceTarget target =
        inodes ? SpaceTarget.inodesFree(wanted) : SpaceTarget.availableBytes(wanted);
    return target.because(one.describe(reading));
  }

  private void failed(String step, RuntimeException e) {
    if (e instanceof CancelledException cancelled) {
      throw cancelled;
    }
    trouble = step + " failed: " + e;
    tools.events().problem(step + ":" + e.getClass().getName(), trouble);
  }

  private void measure() {
    readings = tools.filesystems().measure();
    report.after(readings);
  }

  /** What a step that was interrupted or closed would have given is not known: it is no reason for the next one. */
  private static void refuseIfCutOff(Optional<GcException> cause) {
    if (cause.isPresent() && cause.get() instanceof CancelledException cutOff) {
      throw cutOff;
    }
  }
}
