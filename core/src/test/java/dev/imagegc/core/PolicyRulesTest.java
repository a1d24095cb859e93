/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What the rules of {@link LruGcPolicy} say of images, without a node. */
class PolicyRulesTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final Duration HOUR = Duration.ofHours(1);

  // Protection

  @Test
  void protect_keepsWithTheRuleAndTheWords() {
    LruGcPolicy policy = LruGcPolicy.builder()
        .protect(ImageSelector.label("keep"), "by its team")
        .protect(ImageSelector.repository("warm"), Reason.of("WARM_POOL"), "")
        .build();
    Verdict labelled = policy.verdict(record("a", image -> image.labels(Map.of("keep", "1"))));
    assertThat(labelled.reason()).contains(Reason.PROTECTED);
    assertThat(labelled.detail()).isEqualTo("protected by label 'keep': by its team");
    Verdict warm = policy.verdict(named("b", "warm:1"));
    assertThat(warm.reason()).contains(Reason.of("WARM_POOL"));
    assertThat(warm.detail()).isEqualTo("protected by repository 'warm'");
    assertThat(policy.verdict(named("c", "cold:1")).reason()).isEmpty();
  }

  @Test
  void protect_withTheReasonOfImagesThatMayGo_isRefused() {
    assertThatThrownBy(() ->
            LruGcPolicy.builder().protect(ImageSelector.label("keep"), Reason.ENOUGH_FREED, ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ENOUGH_FREED");
  }

  @Test
  void keeping_comesBeforeCollecting_inWhateverOrderTheyAreGiven() {
    LruGcPolicy policy = LruGcPolicy.builder()
        .collectWhenUnused(ImageSelector.reference("app"))
        .keepNewest("app", 9)
        .protect(ImageSelector.reference("app:protected"), "")
        .owns(ImageSelector.reference("app"))
        .build();
    assertThat(reason(policy, named("a", "app:1", "other:1"))).isEqualTo("NOT_OWNED");
    assertThat(reason(policy, named("a", "app:protected", "other:1"))).isEqualTo("NOT_OWNED");
    assertThat(reason(policy, named("a", "app:protected"))).isEqualTo("PROTECTED");
    assertThat(reason(policy, named("a", "app:1"))).isEqualTo("KEPT_NEWEST");
  }

  @Test
  void collecting_isByTheFirstRuleThatSelects() {
    LruGcPolicy policy = LruGcPolicy.builder()
        .collectAfter(ImageSelector.reference("ci/**"), HOUR)
        .collectWhenUnused(ImageSelector.reference("ci/tmp"))
        .collectWhenUnused(ImageSelector.label("tmp"))
        .build();
    Verdict first = policy.verdict(named("a", "ci/tmp:1"));
    assertThat(first.dueAfter()).contains(HOUR);
    assertThat(first.detail()).isEqualTo("collectAfter of 'ci/**' is 1h");
    assertThat(first.reason()).isEmpty();
    Verdict labelled = policy.verdict(record("b", image -> image.labels(Map.of("tmp", ""))));
    assertThat(labelled.dueAfter()).contains(Duration.ZERO);
    assertThat(labelled.detail()).isEqualTo("collectWhenUnused label 'tmp'");
    assertThat(policy.verdict(named("c", "app:1")).dueAfter()).isEmpty();
  }

  @Test
  void makesDue_onlyWithARuleThatCollects() {
    assertThat(LruGcPolicy.builder().keep("a").keepNewest("b", 1).build().makesDue())
        .isFalse();
    assertThat(LruGcPolicy.builder()
            .collectWhenUnused(ImageSelector.label("tmp"))
            .build()
            .makesDue())
        .isTrue();
  }

  // Ownership

  @Test
  void owns_anImageOnlyIfEachOfItsNamesIsSelected() {
    LruGcPolicy policy = LruGcPolicy.builder()
        .owns(ImageSelector.reference("mine/**"), ImageSelector.repository("also-mine"))
        .build();
    assertThat(reason(policy, named("a", "mine/a:1", "also-mine:1"))).isEmpty();
    Verdict foreign = policy.verdict(named("b", "mine/a:1", "theirs/a:1"));
    assertThat(foreign.reason()).contains(Reason.NOT_OWNED);
    assertThat(foreign.detail()).isEqualTo("its name 'theirs/a:1' is not owned");
  }

  @Test
  void owns_noImageWithoutAName() {
    LruGcPolicy policy =
        LruGcPolicy.builder().owns(ImageSelector.reference("mine/**")).build();
    Verdict dangling = policy.verdict(named("a"));
    assertThat(dangling.reason()).contains(Reason.NOT_OWNED);
    assertThat(dangling.detail()).isEqualTo("it has no name that could be owned");
  }

  @Test
  void owns_everyImageWithoutSuchARule() {
    assertThat(reason(LruGcPolicy.ofDefaults(), named("a"))).isEmpty();
  }

  @Test
  void owns_byLabelOrDigest_whateverTheNamesAre() {
    String digest = "sha256:" + "a".repeat(64);
    LruGcPolicy policy = LruGcPolicy.builder()
        .owns(ImageSelector.label("built-by=ci"), ImageSelector.digest(digest))
        .build();
    assertThat(reason(policy, record("a", image -> image.labels(Map.of("built-by", "ci")))))
        .isEmpty();
    assertThat(reason(
            policy,
            record("b", image -> image.labels(Map.of("built-by", "ci")).reference("other:1"))))
        .isEmpty();
    assertThat(reason(policy, named(digest))).isEmpty();
    assertThat(reason(policy, named("c", "other:1"))).isEqualTo("NOT_OWNED");
  }

  @Test
  void owns_theDigestThatBelongsToAnOwnedTag() {
    LruGcPolicy policy =
        LruGcPolicy.builder().owns(ImageSelector.reference("app:ci-*")).build();
    assertThat(reason(policy, named("a", "app:ci-1", "docker.io/library/app@sha256:aa")))
        .isEmpty();
    assertThat(reason(policy, named("b", "app:ci-1", "other@sha256:aa"))).isEqualTo("NOT_OWNED");
    assertThat(reason(policy, named("c", "app@sha256:aa"))).isEqualTo("NOT_OWNED");
    assertThat(reason(policy, named("d", "app:ci-1", "app:prod", "app@sha256:aa")))
        .isEqualTo("NOT_OWNED");
  }

  @Test
  void owns_withoutASelector_isRefused() {
    assertThatThrownBy(() -> LruGcPolicy.builder().owns())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("owns must have at least one selector, but has none");
  }

  // The newest

  @Test
  void keepNewest_keepsThatManyOfEachRepository_byBuildTime() {
    LruGcPolicy policy = LruGcPolicy.builder().keepNewest("team/*", 2).build();
    List<ImageRecord> images = List.of(
        built("a1", 1, "team/a:1"),
        built("a2", 2, "team/a:2"),
        built("a3", 3, "team/a:3"),
        built("b1", 1, "team/b:1"),
        built("x1", 1, "other:1"));
    assertThat(kept(policy, images)).containsExactly("a2", "a3", "b1");
    Verdict verdict = policy.verdicts(images).apply(images.get(1));
    assertThat(verdict.reason()).contains(Reason.KEPT_NEWEST);
    assertThat(verdict.detail()).isEqualTo("one of the 2 newest of docker.io/team/a");
  }

  @Test
  void keepNewest_takesFirstSight_whereTheBuildTimeIsUnknown() {
    LruGcPolicy policy = LruGcPolicy.builder().keepNewest("app", 1).build();
    assertThat(kept(policy, List.of(seen("a", 1, "app:1"), seen("b", 2, "app:2"))))
        .containsExactly("b");
    assertThat(kept(policy, List.of(built("a", 5, "app:1"), seen("b", 2, "app:2"))))
        .containsExactly("a");
  }

  @Test
  void keepNewest_settlesTiesByFirstSight_thenById() {
    LruGcPolicy policy = LruGcPolicy.builder().keepNewest("app", 1).build();
    ImageRecord early = ImageRecord.of(image("z", NOW, "app:1"), NOW);
    ImageRecord late = ImageRecord.of(image("a", NOW, "app:2"), NOW.plusSeconds(1));
    ImageRecord lateToo = ImageRecord.of(image("b", NOW, "app:3"), NOW.plusSeconds(1));
    List<ImageRecord> images = new ArrayList<>(List.of(early, late, lateToo));
    assertThat(kept(policy, images)).containsExactly("b");
    Collections.reverse(images);
    assertThat(kept(policy, images)).containsExactly("b");
  }

  @Test
  void keepNewest_countsAnImageOnce_howeverManyNamesItHasInARepository() {
    LruGcPolicy policy = LruGcPolicy.builder().keepNewest("app", 2).build();
    assertThat(kept(
            policy,
            List.of(
                built("new", 3, "app:3", "app:latest", "docker.io/library/app@sha256:aa"),
                built("old", 2, "app:2"),
                built("older", 1, "app:1"))))
        .containsExactly("new", "old");
  }

  @Test
  void keepNewest_ofAnImageInTwoRepositories_isKeptIfItIsTheNewestOfOne() {
    LruGcPolicy policy = LruGcPolicy.builder().keepNewest("*", 1).build();
    assertThat(kept(policy, List.of(built("both", 1, "app:1", "db:1"), built("app", 2, "app:2"))))
        .containsExactly("app", "both");
  }

  @Test
  void keepNewest_withTagOrLabel_looksAtTheSelectedNamesOnly() {
    LruGcPolicy byTag = LruGcPolicy.builder().keepNewest("app:ci-*", 1).build();
    assertThat(kept(byTag, List.of(built("ci", 1, "app:ci-1"), built("prod", 2, "app:prod"))))
        .containsExactly("ci");
    LruGcPolicy byLabel =
        LruGcPolicy.builder().keepNewest(ImageSelector.label("team"), 1).build();
    ImageRecord labelled =
        record("l", image -> image.reference("app:1").builtAt(NOW).labels(Map.of("team", "x")));
    assertThat(kept(byLabel, List.of(labelled, built("newer", 2, "app:2")))).containsExactly("l");
  }

  @Test
  void keepNewest_countsProtectedImagesToo() {
    LruGcPolicy policy =
        LruGcPolicy.builder().keep("app:2").keepNewest("app", 1).build();
    List<ImageRecord> images = List.of(built("a", 1, "app:1"), built("b", 2, "app:2"));
    assertThat(kept(policy, images)).isEmpty(); // b is PROTECTED, and the newest
    assertThat(policy.verdicts(images).apply(images.get(0)).reason()).isEmpty();
  }

  @Test
  void keepNewest_ofOneImageAlone_isOnTheSafeSide() {
    LruGcPolicy policy = LruGcPolicy.builder().keepNewest("app", 1).build();
    Verdict verdict = policy.verdict(built("a", 1, "app:1"));
    assertThat(verdict.reason()).contains(Reason.KEPT_NEWEST);
    assertThat(verdict.detail()).isEqualTo("the newest of docker.io/library/app");
  }

  @Test
  void keepNewest_ofLessThanOne_isRefused() {
    assertThatThrownBy(() -> LruGcPolicy.builder().keepNewest("app", 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("keepNewest must be at least 1, but is 0");
  }

  // Mistakes

  @Test
  void ruleThatMatchesEveryName_isRefusedWhenBuilt_unlessItIsAllowed() {
    ImageSelector everything = ImageSelector.reference("**");
    List<Consumer<LruGcPolicy.Builder>> rules = List.of(
        policy -> policy.keep("**"),
        policy -> policy.protect(everything, ""),
        policy -> policy.owns(everything),
        policy -> policy.keepNewest("**", 1),
        policy -> policy.collectAfter(everything, HOUR),
        policy -> policy.collectWhenUnused(everything));
    for (Consumer<LruGcPolicy.Builder> rule : rules) {
      LruGcPolicy.Builder policy = LruGcPolicy.builder();
      rule.accept(policy);
      assertThatThrownBy(policy::build)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageMatching(
              "\\w+ '\\*\\*' must not match every name, unless allowMatchingEverything\\(true\\) says that it may");
      assertThat(policy.allowMatchingEverything(true).build().unmatchedRules()).hasSize(1);
    }
  }

  @Test
  void collectAfter_withoutATime_isRefused() {
    assertThatThrownBy(
            () -> LruGcPolicy.builder().collectAfter(ImageSelector.label("tmp"), Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("collectAfter must be above zero, but is PT0S");
  }

  @Test
  void dueAfter_outOfRange_isRefused() {
    assertThatThrownBy(() -> Verdict.dueAfter(Duration.ofSeconds(-1), ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("unused must not be negative, but is PT-1S");
    assertThatThrownBy(() -> Verdict.dueAfter(Duration.ofSeconds(Long.MAX_VALUE), ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("unused must be at most 292 years");
    assertThat(Verdict.dueAfter(HOUR, "ci")).hasToString("may go, due after PT1H (ci)");
  }

  @Test
  void grace_thatIsNegative_isRefused() {
    assertThatThrownBy(() -> LruGcPolicy.builder().grace(Duration.ofSeconds(-1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("grace must not be negative, but is PT-1S");
  }

  @Test
  void twoPoliciesOfOneBuilder_countTheirMatchesEachForItself() {
    LruGcPolicy.Builder builder = LruGcPolicy.builder().keep("app");
    LruGcPolicy one = builder.build();
    LruGcPolicy other = builder.build();
    one.verdict(named("a", "app:1"));
    assertThat(one.unmatchedRules()).isEmpty();
    assertThat(other.unmatchedRules()).containsExactly("keep 'app'");
  }

  private static String reason(LruGcPolicy policy, ImageRecord image) {
    return policy.verdict(image).reason().map(Reason::code).orElse("");
  }

  /** The ids of those that are among the newest, sorted. */
  private static List<String> kept(LruGcPolicy policy, List<ImageRecord> images) {
    var verdicts = policy.verdicts(images);
    return images.stream()
        .filter(image ->
            verdicts.apply(image).reason().filter(Reason.KEPT_NEWEST::equals).isPresent())
        .map(image -> image.id().text())
        .sorted()
        .toList();
  }

  private static ImageRecord named(String id, String... references) {
    return record(id, image -> List.of(references).forEach(image::reference));
  }

  private static ImageRecord record(String id, Consumer<Image.Builder> details) {
    Image.Builder image = Image.builder(ImageId.of(id));
    details.accept(image);
    return ImageRecord.of(image.build(), NOW);
  }

  private static ImageRecord built(String id, int seconds, String... references) {
    return ImageRecord.of(image(id, NOW.plusSeconds(seconds), references), NOW);
  }

  private static ImageRecord seen(String id, int seconds, String reference) {
    return ImageRecord.of(image(id, null, reference), NOW.plusSeconds(seconds));
  }

  private static Image image(String id, Instant builtAt, String... references) {
    Image.Builder image = Image.builder(ImageId.of(id));
    List.of(references).forEach(image::reference);
    if (builtAt != null) {
      image.builtAt(builtAt);
    }
    return image.build();
  }
}
