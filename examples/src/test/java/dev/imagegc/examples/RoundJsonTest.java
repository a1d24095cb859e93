/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Accounting;
import dev.imagegc.api.BusyException;
import dev.imagegc.api.Decision;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.api.TimedOutException;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The whole text, so that a field that moves, changes its name or goes missing is seen. */
class RoundJsonTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final FsStats BEFORE = FsStats.of("/images", NOW, 1000, 100);
  private static final FsStats AFTER = FsStats.of("/images", NOW, 1000, 250);

  @Test
  void of_plan_isSchemaOneWithNothingMeasuredAfter() {
    GcPlan plan = GcPlan.builder(Operation.COLLECT, BEFORE, 90)
        .neededBytes(100)
        .predictedBytes(150)
        .accounting(Accounting.SIZES)
        .decisions(List.of(
            ImageDecision.builder(
                    record("sha256:aa", 150L, "app:1", "r/app:1"), Decision.PLANNED, Reason.SPACE)
                .creditedBytes(150)
                .exclusiveBytes(120)
                .build(),
            ImageDecision.builder(record("bb", null), Decision.KEPT, Reason.IN_USE)
                .decided(Decision.KEPT, Reason.IN_USE, "container <c1> (running)")
                .creditedBytes(0)
                .build()))
        .build();

    assertThat(RoundJson.of(plan)).hasToString(joined("""
        {"schema":1,"kind":"plan","outcome":"PLANNED","error":null,
        "filesystem":{"path":"/images","capacityBytes":1000,"availableBytesBefore":100,"availableBytesAfter":null},
        "usagePercentBefore":90,"usagePercentAfter":null,
        "neededBytes":100,"predictedBytes":150,"freedBytes":0,"accounting":"SIZES",
        "images":[
        {"id":"sha256:aa","references":["app:1","r/app:1"],"sizeBytes":150,"exclusiveBytes":120,
        "creditedBytes":150,"measuredBytes":null,"decision":"PLANNED","reason":"SPACE","detail":""},
        {"id":"bb","references":[],"sizeBytes":null,"exclusiveBytes":null,
        "creditedBytes":0,"measuredBytes":null,"decision":"KEPT","reason":"IN_USE","detail":"container <c1> (running)"}
        ]}"""));
  }

  @Test
  void of_report_isSchemaOneWithPredictedBesideMeasured() {
    GcReport report = GcReport.builder(Operation.COLLECT, NOW)
        .outcome(Outcome.DONE)
        .before(BEFORE, 90)
        .after(AFTER, 75)
        .neededBytes(100)
        .missingBytes(0)
        .predictedBytes(160)
        .freedBytes(150)
        .accounting(Accounting.LAYERS)
        .decisions(List.of(ImageDecision.builder(
                record("sha256:aa", 160L, "app:1"), Decision.REMOVED, Reason.SPACE)
            .creditedBytes(160)
            .measuredBytes(150)
            .build()))
        .build();

    assertThat(RoundJson.of(report)).hasToString(joined("""
        {"schema":1,"kind":"collect","outcome":"DONE","error":null,
        "filesystem":{"path":"/images","capacityBytes":1000,"availableBytesBefore":100,"availableBytesAfter":250},
        "usagePercentBefore":90,"usagePercentAfter":75,
        "neededBytes":100,"predictedBytes":160,"freedBytes":150,"accounting":"LAYERS",
        "images":[
        {"id":"sha256:aa","references":["app:1"],"sizeBytes":160,"exclusiveBytes":null,
        "creditedBytes":160,"measuredBytes":150,"decision":"REMOVED","reason":"SPACE","detail":""}
        ]}"""));
  }

  @Test
  void of_failedPurge_hasTheErrorAndUnknownNumbers() {
    GcReport report = GcReport.builder(Operation.PURGE, NOW)
        .outcome(Outcome.FAILED, new TimedOutException("the engine did not \"answer\""))
        .build();

    assertThat(RoundJson.of(report)).hasToString(joined("""
        {"schema":1,"kind":"purge","outcome":"FAILED","error":"the engine did not \\"answer\\"",
        "filesystem":{"path":null,"capacityBytes":null,"availableBytesBefore":null,"availableBytesAfter":null},
        "usagePercentBefore":null,"usagePercentAfter":null,
        "neededBytes":null,"predictedBytes":null,"freedBytes":0,"accounting":"UNKNOWN",
        "images":[]}"""));
  }

  @Test
  void of_callThatNeverBegan_isFailedOrBusy() {
    assertThat(RoundJson.of("plan", new TimedOutException("late")).outcome()).isEqualTo("FAILED");
    assertThat(RoundJson.of("plan", new BusyException("taken")).outcome()).isEqualTo("BUSY");
  }

  private static ImageRecord record(String id, Long size, String... references) {
    Image.Builder image = Image.builder(ImageId.of(id));
    List.of(references).forEach(image::reference);
    if (size != null) {
      image.sizeBytes(size);
    }
    return ImageRecord.of(image.build(), NOW);
  }

  private static String joined(String lines) {
    return lines.replace("\n", "");
  }
}
