/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.GcEvent;
import java.util.List;

/** What {@code run --json} prints beside a {@link RoundJson} for each round, schema 1: the components are the fields, in this order. */
final class RunJson {
  private static final int SCHEMA = 1;

  private RunJson() {}

  /**
   * Containers were collected.
   *
   * @param outcome a code of {@link dev.imagegc.api.Outcome}
   * @param removed the ids of the containers that are gone
   * @param failed the ids of those that could not be removed
   * @param message for people
   */
  record ContainersLine(
      int schema,
      String kind,
      String at,
      String outcome,
      List<String> removed,
      List<String> failed,
      String message) {
    static ContainersLine of(GcEvent event, ContainerGcReport report) {
      return new ContainersLine(
          SCHEMA,
          "containers",
          event.at().toString(),
          report.outcome().code(),
          ids(report.removed()),
          ids(report.failed()),
          event.message());
    }

    private static List<String> ids(List<ContainerDecision> containers) {
      return containers.stream().map(one -> one.container().id()).toList();
    }
  }

  /** Pressure was acted upon; the message is for people. */
  record PressureLine(int schema, String kind, String at, String message) {
    static PressureLine of(GcEvent event) {
      return new PressureLine(SCHEMA, "pressure", event.at().toString(), event.message());
    }
  }

  /** Pressure begins, changes or ends. */
  record ConditionLine(int schema, String kind, StatusJson.ConditionJson condition) {
    static ConditionLine of(DiskCondition condition) {
      return new ConditionLine(SCHEMA, "condition", StatusJson.ConditionJson.of(condition));
    }
  }
}
