/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.find;
import static dev.imagegc.core.Nodes.ids;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Container;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import dev.imagegc.core.internal.Disk;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What no engine should say, and what only shows in the plan itself. */
class PlannerTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @Test
  void imagesBuiltOnEachOther_stay_andTheOthersGo() {
    GcPlan plan = purge(
        Set.of(), image("a", "b"), image("b", "a"), image("self", "self"), image("other", null));
    assertThat(ids(plan.victims())).containsExactly("other");
    assertThat(find(plan.decisions(), "a").reason()).isEqualTo(Reason.HAS_CHILDREN);
    assertThat(find(plan.decisions(), "self").detail())
        .isEqualTo("its parents and children form a circle");
  }

  @Test
  void parentsOfAnImageInUse_stay_eachBecauseOfTheOneBuiltOnIt() {
    GcPlan plan =
        purge(Set.of("app"), image("base", null), image("middle", "base"), image("app", "middle"));
    assertThat(plan.victims()).isEmpty();
    assertThat(find(plan.decisions(), "base").detail())
        .isEqualTo("image middle was built on it and stays");
    assertThat(find(plan.decisions(), "middle").detail())
        .isEqualTo("image app was built on it and stays");
  }

  @Test
  void parentThatIsNotListed_holdsNothingUp() {
    assertThat(ids(purge(Set.of(), image("app", "gone")).victims())).containsExactly("app");
  }

  @Test
  @Timeout(20) // quadratic work takes minutes
  void parentOfVeryManyChildren_comesAfterThemInLinearTime() {
    Image[] images = new Image[60_001];
    images[0] = image("a-base", null);
    for (int i = 1; i < images.length; i++) {
      images[i] = image("child-" + i, "a-base");
    }
    List<String> order = ids(purge(Set.of(), images).victims());
    assertThat(order).hasSize(images.length);
    assertThat(order.get(order.size() - 1)).isEqualTo("a-base");
  }

  @Test
  void bytesThatOnlyLayersTell_areUnknownWithoutThem_exceptThatAnImageThatStaysFreesNone() {
    GcPlan plan = purge(
        Set.of("used"),
        image("used", null),
        image("free", null),
        image("empty", null).toBuilder().layers(List.of()).build());
    assertThat(find(plan.decisions(), "used").exclusiveBytes()).isEmpty();
    assertThat(find(plan.decisions(), "used").reclaimableBytes()).hasValue(0);
    assertThat(find(plan.decisions(), "free").exclusiveBytes()).isEmpty();
    assertThat(find(plan.decisions(), "free").reclaimableBytes()).isEmpty();
    assertThat(find(plan.decisions(), "free").creditedBytes()).hasValue(1);
    assertThat(find(plan.decisions(), "empty").exclusiveBytes()).hasValue(0);
    assertThat(find(plan.decisions(), "empty").reclaimableBytes()).hasValue(0);
  }

  @Test
  void recordsOfOneMoment_areNobodysToChange_andStayAsTheyAre() {
    RecordBook book = new RecordBook();
    book.merge(new NodeView(List.of(image("a", null)), List.of()), NOW, NOW);
    Collection<ImageRecord> records = book.records();
    book.used(ImageId.of("a"), NOW);
    assertThat(records).containsExactly(ImageRecord.of(image("a", null), NOW));
    assertThat(book.records()).containsExactly(ImageRecord.of(image("a", null), NOW, NOW));
    assertThat(records).isUnmodifiable();
  }

  private static GcPlan purge(Set<String> inUse, Image... images) {
    RecordBook book = new RecordBook();
    book.merge(
        new NodeView(
            List.of(images),
            inUse.stream()
                .map(id ->
                    Container.builder("user of " + id).image(ImageId.of(id)).build())
                .toList()),
        NOW,
        NOW);
    GcThresholds thresholds = GcThresholds.builder().minAge(Duration.ZERO).build();
    return new Planner(
            book.inventory(),
            thresholds,
            image -> Verdict.mayGo(),
            image -> Verdict.mayGo(),
            LruGcPolicy.ofDefaults().evictionOrder(),
            NOW)
        .plan(new Goal.Purge(), Disk.of(FsStats.of("/images", NOW, 1000, 100)));
  }

  private static Image image(String id, String parent) {
    Image.Builder image = Image.builder(ImageId.of(id)).sizeBytes(1);
    if (parent != null) {
      image.parent(ImageId.of(parent));
    }
    return image.build();
  }
}
