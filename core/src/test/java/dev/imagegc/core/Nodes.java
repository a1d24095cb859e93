/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.Decision;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.Reason;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.util.List;

/** What tests of the collector have in common. */
final class Nodes {
  private Nodes() {}

  /** A collector for a fake node whose images may go at once, and which lists no containers between rounds. */
  static ImageGcManager.Builder collector(FakeNode node) {
    return collector(
        node, LruGcPolicy.builder().highPercent(90).lowPercent(80).minAge(Duration.ZERO));
  }

  static ImageGcManager.Builder collector(FakeNode node, LruGcPolicy.Builder policy) {
    return ImageGcManager.builder()
        .runtime(node.runtime())
        .fsStats(node.fsStats())
        .clock(node.clock())
        .relistInterval(Duration.ZERO)
        .policy(policy.build());
  }

  static List<String> removed(GcReport report) {
    return ids(report.removed());
  }

  static List<String> ids(List<ImageDecision> images) {
    return images.stream().map(image -> image.image().id().text()).toList();
  }

  static Reason reason(GcReport report, String id) {
    return find(report.decisions(), id).reason();
  }

  static Reason reason(GcPlan plan, String id) {
    return find(plan.decisions(), id).reason();
  }

  static Decision decision(GcReport report, String id) {
    return find(report.decisions(), id).decision();
  }

  static ImageDecision find(List<ImageDecision> images, String id) {
    return images.stream()
        .filter(image -> image.image().id().text().equals(id))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no image " + id + " in " + images));
  }
}
