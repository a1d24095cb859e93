/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PolicyException;
import java.util.Map;
import java.util.TreeMap;

/** What the agent's exit code says. */
final class ExitCodes {
  static final int FINE = 0;
  static final int OUR_FAULT = 1;
  static final int BAD_USAGE = 2;
  static final int NOT_ENOUGH_FREED = 3;
  static final int UNREACHABLE = 4;
  static final int SOME_REMOVALS_FAILED = 5;
  static final int BUSY = 6;

  /** As picocli lists them in a command's help. */
  static final Map<String, String> LIST = new TreeMap<>(Map.of(
      "0", "fine; also run after SIGTERM",
      "1", "a fault of the agent",
      "2", "bad usage",
      "3", "needed space was not freed or, for plan, cannot be; or a limit ended the round",
      "4", "engine or filesystem unreachable, not permitted, not an engine, or of no capacity",
      "5", "some removals failed, but nothing is short",
      "6", "busy: another process owns the state directory; for status, it does not answer"));

  private ExitCodes() {}

  static int of(GcPlan plan) {
    boolean inodesInVain = plan.neededInodes().orElse(0) > 0 && plan.victims().isEmpty();
    return plan.shortfallBytes().orElse(0) > 0 || inodesInVain ? NOT_ENOUGH_FREED : FINE;
  }

  static int of(GcReport report) {
    if (report.cause().isPresent()) {
      return of(report.cause().get());
    }
    if (report.outcome().equals(Outcome.SHORT)) {
      return NOT_ENOUGH_FREED;
    }
    return report.decisions(Decision.FAILED).isEmpty() ? FINE : SOME_REMOVALS_FAILED;
  }

  static int of(GcException trouble) {
    if (trouble instanceof BusyException) {
      return BUSY;
    }
    return trouble instanceof PolicyException ? OUR_FAULT : UNREACHABLE;
  }
}
