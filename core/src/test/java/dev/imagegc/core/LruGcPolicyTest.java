/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class LruGcPolicyTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @Test
  void defaults_areTheKubelets() {
    GcThresholds thresholds = LruGcPolicy.ofDefaults().thresholds();
    assertThat(thresholds.highPercent()).isEqualTo(85);
    assertThat(thresholds.lowPercent()).isEqualTo(80);
    assertThat(thresholds.minAge()).isEqualTo(Duration.ofMinutes(2));
    assertThat(thresholds.maxAge()).isEmpty();
  }

  @Test
  void thresholds_outOfRange_areRefusedByFieldValueAndRule() {
    assertThatThrownBy(() -> LruGcPolicy.builder().highPercent(101))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("highPercent must be from 0 to 100, but is 101");
    assertThatThrownBy(() -> LruGcPolicy.builder().lowPercent(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("lowPercent must be from 0 to 100, but is -1");
    assertThatThrownBy(() -> LruGcPolicy.builder().highPercent(50).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("lowPercent must not be above highPercent, but 80 is above 50");
  }

  @Test
  void ages_thatAreNegativeOrOverflow_areRefused() {
    assertThatThrownBy(() -> LruGcPolicy.builder().minAge(Duration.ofSeconds(-1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("minAge must not be negative, but is PT-1S");
    assertThatThrownBy(() -> LruGcPolicy.builder().maxAge(Duration.ofSeconds(Long.MAX_VALUE)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("maxAge must be at most 292 years");
  }

  @Test
  void maxAge_ofZero_isOff() {
    assertThat(LruGcPolicy.builder().maxAge(Duration.ZERO).build().thresholds().maxAge())
        .isEmpty();
  }

  @Test
  void order_isNeverUsedFirst_thenLeastRecentlyUsed() {
    ImageRecord never = ImageRecord.of(image("never"), NOW);
    ImageRecord early = ImageRecord.of(image("early"), NOW, NOW);
    ImageRecord late = ImageRecord.of(image("late"), NOW, NOW.plusNanos(1));
    var order = LruGcPolicy.ofDefaults().evictionOrder();
    assertThat(order.compare(never, early)).isNegative();
    assertThat(order.compare(early, late)).isNegative();
    assertThat(order.compare(late, never)).isPositive();
    assertThat(order.compare(early, early)).isZero();
  }

  @Test
  void keep_protectsByAnyOfTheReferences_andNamesTheGlob() {
    LruGcPolicy policy = LruGcPolicy.builder().keep("other").keep("team/*").build();
    Verdict verdict = policy.verdict(ImageRecord.of(image("a", "app:1", "team/app:2"), NOW));
    assertThat(verdict.reason()).contains(Reason.PROTECTED);
    assertThat(verdict.detail()).isEqualTo("kept by 'team/*'");
    assertThat(policy.verdict(ImageRecord.of(image("b", "app:1"), NOW)).reason())
        .isEmpty();
    assertThat(policy.verdict(ImageRecord.of(image("c"), NOW)).reason()).isEmpty();
  }

  @Test
  void unmatchedRules_areThoseThatSelectNoneOfTheImagesThePolicyWasShown() {
    LruGcPolicy policy = LruGcPolicy.builder()
        .collectWhenUnused(ImageSelector.label("tmp"))
        .keep("nothing")
        .keep("app")
        .keep("registry.example/*")
        .build();
    assertThat(policy.unmatchedRules())
        .containsExactly(
            "keep 'nothing'",
            "keep 'app'",
            "keep 'registry.example/*'",
            "collectWhenUnused label 'tmp'");
    policy.verdicts(List.of(
        ImageRecord.of(image("a", "app:1"), NOW), ImageRecord.of(image("b", "other:1"), NOW)));
    policy.verdicts(List.of(ImageRecord.of(image("c", "registry.example/c:1"), NOW)));
    assertThat(policy.unmatchedRules())
        .containsExactly("keep 'nothing'", "collectWhenUnused label 'tmp'");
  }

  private static Image image(String id, String... references) {
    Image.Builder image = Image.builder(ImageId.of(id));
    for (String reference : references) {
      image.reference(reference);
    }
    return image.build();
  }
}
