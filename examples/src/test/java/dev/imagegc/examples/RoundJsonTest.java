/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Accounting;
import dev.imagegc.api.BusyException;
import dev.imagegc.api.Decision;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.HeldBytes;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Operation;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RoundLimit;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.core.RoundLimits;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** The whole text, so that a field that moves, changes its name or goes missing is seen. */
class RoundJsonTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final FsStats BEFORE = FsStats.of("/images", NOW, 1000, 100);
  private static final RoundLimits LIMITS =
      RoundLimits.builder().removals(1).bytes(300).time(Duration.ofSeconds(90)).build();
  private static final FsStats AFTER = FsStats.of("/images", NOW, 1000, 250);

  @Test
  void of_plan_isSchemaTwoWithNothingMeasuredAfter() {
    GcPlan plan = GcPlan.builder(Operation.COLLECT, BEFORE, 90)
        .neededBytes(160)
        .predictedBytes(150)
        .accounting(Accounting.SIZES)
        .decisions(List.of(
            ImageDecision.builder(
                    record("sha256:aa", 150L, "app:1", "r/app:1"), Decision.PLANNED, Reason.SPACE)
                .creditedBytes(150)
                .exclusiveBytes(120)
                .reclaimableBytes(130)
                .decidedAt(NOW.plusSeconds(60))
                .build(),
            ImageDecision.builder(record("bb", null), Decision.KEPT, Reason.IN_USE)
                .decided(Decision.KEPT, Reason.IN_USE, "container <c1> (running)")
                .creditedBytes(0)
                .build()))
        .build();

    assertThat(RoundJson.of(plan, RoundLimits.defaults())).hasToString(joined("""
        {"schema":2,"kind":"plan","outcome":"PLANNED","error":null,"startedAt":"2026-01-01T00:00:00Z",
        "filesystem":{"path":"/images","capacityBytes":1000,"availableBytesBefore":100,"availableBytesAfter":null,
        "inodes":null,"inodesFreeBefore":null,"inodesFreeAfter":null},
        "usagePercentBefore":90,"usagePercentAfter":null,
        "neededBytes":160,"predictedBytes":150,"freedBytes":0,"missingBytes":10,
        "neededInodes":null,"missingInodes":null,"accounting":"SIZES",
        "limits":{"removals":null,"bytes":null,"seconds":null},
        "stoppedBy":null,"explanation":"","held":[],"otherDataBytes":null,"problems":[],
        "images":[
        {"id":"sha256:aa","references":["app:1","r/app:1"],"sizeBytes":150,"exclusiveBytes":120,"reclaimableBytes":130,
        "creditedBytes":150,"measuredBytes":null,
        "firstSeenAt":"2026-01-01T00:00:00Z","ageSeconds":60,"lastUsedAt":null,"unusedSeconds":null,
        "decision":"PLANNED","reason":"SPACE","detail":""},
        {"id":"bb","references":[],"sizeBytes":null,"exclusiveBytes":null,"reclaimableBytes":null,
        "creditedBytes":0,"measuredBytes":null,
        "firstSeenAt":"2026-01-01T00:00:00Z","ageSeconds":null,"lastUsedAt":null,"unusedSeconds":null,
        "decision":"KEPT","reason":"IN_USE","detail":"container <c1> (running)"}
        ]}"""));
  }

  @Test
  void of_report_isSchemaTwoWithPredictedBesideMeasured() {
    GcReport report = GcReport.builder(Operation.COLLECT, NOW)
        .outcome(Outcome.SHORT)
        .before(withInodes(BEFORE, 4), 90)
        .after(withInodes(AFTER, 6), 75)
        .neededBytes(200)
        .missingBytes(50)
        .neededInodes(8)
        .missingInodes(6)
        .stoppedBy(RoundLimit.REMOVALS)
        .explanation("that is why")
        .held(List.of(
            HeldBytes.of(Reason.LIMIT, 2, OptionalLong.of(70)),
            HeldBytes.of(Reason.IN_USE, 1, OptionalLong.empty())))
        .otherDataBytes(80)
        .problems(List.of("a listener threw"))
        .predictedBytes(160)
        .freedBytes(150)
        .accounting(Accounting.LAYERS)
        .decisions(List.of(ImageDecision.builder(
                ImageRecord.of(
                    record("sha256:aa", 160L, "app:1").image(), NOW, NOW.plusSeconds(20)),
                Decision.REMOVED,
                Reason.SPACE)
            .decidedAt(NOW.plusSeconds(60))
            .creditedBytes(160)
            .measuredBytes(150)
            .build()))
        .build();

    assertThat(RoundJson.of(report, LIMITS)).hasToString(joined("""
        {"schema":2,"kind":"collect","outcome":"SHORT","error":null,"startedAt":"2026-01-01T00:00:00Z",
        "filesystem":{"path":"/images","capacityBytes":1000,"availableBytesBefore":100,"availableBytesAfter":250,
        "inodes":50,"inodesFreeBefore":4,"inodesFreeAfter":6},
        "usagePercentBefore":90,"usagePercentAfter":75,
        "neededBytes":200,"predictedBytes":160,"freedBytes":150,"missingBytes":50,
        "neededInodes":8,"missingInodes":6,"accounting":"LAYERS",
        "limits":{"removals":1,"bytes":300,"seconds":90},
        "stoppedBy":"REMOVALS","explanation":"that is why",
        "held":[{"reason":"LIMIT","images":2,"bytes":70},{"reason":"IN_USE","images":1,"bytes":null}],
        "otherDataBytes":80,"problems":["a listener threw"],
        "images":[
        {"id":"sha256:aa","references":["app:1"],"sizeBytes":160,"exclusiveBytes":null,"reclaimableBytes":null,
        "creditedBytes":160,"measuredBytes":150,
        "firstSeenAt":"2026-01-01T00:00:00Z","ageSeconds":60,"lastUsedAt":"2026-01-01T00:00:20Z","unusedSeconds":40,
        "decision":"REMOVED","reason":"SPACE","detail":""}
        ]}"""));
  }

  @Test
  void of_failedPurge_hasTheErrorAndUnknownNumbers() {
    GcReport report = GcReport.builder(Operation.PURGE, NOW)
        .outcome(Outcome.FAILED, new TimedOutException("the engine did not \"answer\""))
        .build();

    assertThat(RoundJson.of(report, RoundLimits.defaults())).hasToString(joined("""
        {"schema":2,"kind":"purge","outcome":"FAILED","error":"the engine did not \\"answer\\"",
        "startedAt":"2026-01-01T00:00:00Z",
        "filesystem":{"path":null,"capacityBytes":null,"availableBytesBefore":null,"availableBytesAfter":null,
        "inodes":null,"inodesFreeBefore":null,"inodesFreeAfter":null},
        "usagePercentBefore":null,"usagePercentAfter":null,
        "neededBytes":null,"predictedBytes":null,"freedBytes":0,"missingBytes":null,
        "neededInodes":null,"missingInodes":null,"accounting":"UNKNOWN",
        "limits":{"removals":null,"bytes":null,"seconds":null},
        "stoppedBy":null,"explanation":"","held":[],"otherDataBytes":null,"problems":[],
        "images":[]}"""));
  }

  @Test
  void of_callThatNeverBegan_isFailedOrBusy() {
    assertThat(RoundJson.of("plan", new TimedOutException("late"), RoundLimits.defaults())
            .outcome())
        .isEqualTo("FAILED");
    assertThat(RoundJson.of("plan", new BusyException("taken"), RoundLimits.defaults())
            .outcome())
        .isEqualTo("BUSY");
  }

  private static FsStats withInodes(FsStats stats, long free) {
    return stats.toBuilder().inodes(50, free).build();
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
