/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceGlobTest {
  @ParameterizedTest
  @CsvSource({
    "app:1, app:1, true",
    "app, app:1, true",
    "app, app@sha256:aa, true",
    "ap, app:1, false",
    "pp, app:1, false",
    "app:2, app:1, false",
    "app:*, app:1, true",
    "*, app:1, true",
    "*, team/app:1, false",
    "team/*, team/app:1, true",
    "team/*, team/sub/app:1, false",
    "team/**, team/sub/app:1, true",
    "**, team/sub/app:1, true",
    "**/app, registry.example:5000/team/app:1, true",
    "registry.example:5000/team/app, registry.example:5000/team/app:1, true",
    "registry.example:5000/team/app, registry.example:5000/team/app, true",
    "registry.example, registry.example:5000/team/app:1, false",
    "docker.io/library/app:1, app:1, true",
    "docker.io/library/app, app:1, true",
    "docker.io/team/app, team/app:1, true",
    "docker.io/localhost/app, localhost/app:1, false",
    "localhost/app, localhost/app:1, true",
    "a.c, abc:1, false"
  })
  void glob_matchesTheWholeNameInEachOfItsForms(String glob, String reference, boolean matches) {
    assertThat(ReferenceGlob.of("keep glob", glob).matches(reference)).isEqualTo(matches);
  }

  @Test
  @Timeout(10) // a matcher that backtracks takes minutes
  void glob_withManyStars_takesTimeInProportionToTheName() {
    String name = "a".repeat(5000);
    assertThat(ReferenceGlob.of("keep glob", "**a**a**a**a**a**a**b").matches(name))
        .isFalse();
    assertThat(ReferenceGlob.of("keep glob", "**a**a**a**a**a**a**a").matches(name))
        .isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a[b", "a?b", "{a}", "!a", "a\\b", "a b", "a\tb"})
  void glob_withForeignPatternCharacters_isRefused(String glob) {
    assertThatThrownBy(() -> ReferenceGlob.of("keep glob", glob))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("keep glob '" + glob + "' must not contain '")
        .hasMessageEndingWith("the only pattern characters are * (not across /) and **");
  }

  @Test
  void glob_thatIsEmptyOrHasThreeStars_isRefused() {
    assertThatThrownBy(() -> ReferenceGlob.of("keep glob", ""))
        .hasMessage("keep glob must not be empty");
    assertThatThrownBy(() -> ReferenceGlob.of("keep glob", "a***"))
        .hasMessageContaining("more than two * in a row");
  }
}
