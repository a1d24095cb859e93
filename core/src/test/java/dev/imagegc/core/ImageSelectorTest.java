/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageSelectorTest {
  private static final String A = "sha256:" + "a".repeat(64);
  private static final String B = "sha256:" + "b".repeat(64);

  @Test
  void reference_selectsByAnyOfTheNames() {
    ImageSelector selector = ImageSelector.reference("team/*");
    assertThat(selector.matches(image("app:1", "team/app:2"))).isTrue();
    assertThat(selector.matches(image("app:1"))).isFalse();
    assertThat(selector.matches(image())).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "app, app:1, true",
    "app, docker.io/library/app:1, true",
    "docker.io/library/app, app, true",
    "docker.io/app, app:1, true",
    "team/app, docker.io/team/app@sha256:aa, true",
    "team/app, team/app2:1, false",
    "team/app, team/app/sub:1, false",
    "team/app, registry.example/team/app:1, false",
    "registry.example:5000/app, registry.example:5000/app:1, true",
    "registry.example:5000/app, registry.example/app:1, false",
    "localhost/app, localhost/app:1, true",
    "app, localhost/app:1, false"
  })
  void repository_selectsExactlyThisOne_withAnyTagOrDigest(
      String repository, String reference, boolean matches) {
    assertThat(ImageSelector.repository(repository).matches(image(reference))).isEqualTo(matches);
  }

  @Test
  void digest_selectsById_orByARepositoryDigest() {
    ImageSelector selector = ImageSelector.digest(A);
    assertThat(selector.matches(image("app:1", "app@" + A))).isTrue();
    assertThat(selector.matches(Image.builder(ImageId.of(A)).build())).isTrue();
    assertThat(selector.matches(Image.builder(ImageId.of("a".repeat(64))).build()))
        .isTrue();
    assertThat(selector.matches(image("app@" + B))).isFalse();
    assertThat(selector.matches(image("app:1"))).isFalse();
  }

  @Test
  void digestOfARepository_selectsInThisRepositoryOnly() {
    ImageSelector selector = ImageSelector.digest("team/app@" + A);
    assertThat(selector.matches(image("docker.io/team/app@" + A))).isTrue();
    assertThat(selector.matches(image("other/app@" + A))).isFalse();
    assertThat(selector.matches(image("team/app@" + B))).isFalse();
    assertThat(selector.matches(Image.builder(ImageId.of(A)).build())).isFalse();
  }

  @Test
  void label_selectsByKey_orByKeyAndValue() {
    assertThat(ImageSelector.label("keep").matches(labelled("keep", ""))).isTrue();
    assertThat(ImageSelector.label("keep").matches(labelled("keeper", "yes"))).isFalse();
    assertThat(ImageSelector.label("keep=yes").matches(labelled("keep", "yes"))).isTrue();
    assertThat(ImageSelector.label("keep=yes").matches(labelled("keep", "no"))).isFalse();
    assertThat(ImageSelector.label("keep=yes").matches(image())).isFalse();
    assertThat(ImageSelector.label("keep=").matches(labelled("keep", ""))).isTrue();
    assertThat(ImageSelector.label("keep=").matches(labelled("keep", "yes"))).isFalse();
    assertThat(ImageSelector.label("args=a=b").matches(labelled("args", "a=b"))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "sha256:", "sha256:aa", "aa", "app:1", "md5:aa", "app@", "app@sha256:aa"})
  void digest_thatIsNone_isRefused(String digest) {
    assertThatThrownBy(() -> ImageSelector.digest(digest))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("digest must be sha256: and 64 hexadecimal digits in lower case,"
            + " alone or after repository@, but is '" + digest + "'");
  }

  @Test
  void digest_inUpperCase_orOfNoRepository_isRefused() {
    assertThatThrownBy(() -> ImageSelector.digest("sha256:" + "A".repeat(64)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("in lower case");
    assertThatThrownBy(() -> ImageSelector.digest("@" + A))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("digest must name an exact repository")
        .hasMessageEndingWith("but '' has an empty part");
    assertThatThrownBy(() -> ImageSelector.digest("team/*@" + A))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageEndingWith("but 'team/*' has a '*'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "=", "=yes", " keep", "ke ep=yes", "keep\n"})
  void label_withoutAKey_orWithWhiteSpaceInIt_isRefused(String label) {
    assertThatThrownBy(() -> ImageSelector.label(label))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("label must be key or key=value with a key without white space, but is '"
            + label + "'");
  }

  @ParameterizedTest
  @CsvSource({
    "app:1, has a tag",
    "registry.example:5000, has a tag",
    "app@sha256:aa, has a '@'",
    "team/*, has a '*'",
    "a b, has a ' '",
    "team/, has an empty part",
    "/app, has an empty part",
    "a//b, has an empty part",
    "'', has an empty part"
  })
  void repository_thatIsNone_isRefusedWithTheRule(String repository, String wrong) {
    assertThatThrownBy(() -> ImageSelector.repository(repository))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "repository must name an exact repository, such as registry.example/team/app, but '"
                + repository + "' " + wrong);
  }

  @ParameterizedTest
  @ValueSource(strings = {"**", "**/**", "**:**", "*/**", "**/*", "**/*:*", "**:*", "*/**:**"})
  void globThatMatchesEveryName_isKnownByItsForm(String glob) {
    assertThat(ImageSelector.reference(glob).matchesEveryName()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*",
        "*/*",
        "*:*",
        "*/*:*",
        "**/*/*",
        "**/**/**",
        "**@**",
        "**.**",
        "docker.io/**",
        "**/app",
        "**a**",
        "**:latest",
        "localhost/**",
        "**:5000/**",
        "library/**"
      })
  void globThatLeavesNamesOut_isNotTakenForEverything(String glob) {
    assertThat(ImageSelector.reference(glob).matchesEveryName()).isFalse();
  }

  @Test
  void otherSelectors_neverMatchEveryName() {
    assertThat(ImageSelector.label("keep").matchesEveryName()).isFalse();
    assertThat(ImageSelector.repository("app").matchesEveryName()).isFalse();
    assertThat(ImageSelector.digest(A).matchesEveryName()).isFalse();
  }

  @Test
  void text_isForReports() {
    assertThat(ImageSelector.reference("team/*")).hasToString("'team/*'");
    assertThat(ImageSelector.label("keep=yes")).hasToString("label 'keep=yes'");
    assertThat(ImageSelector.repository("app")).hasToString("repository 'app'");
    assertThat(ImageSelector.digest(A)).hasToString("digest '" + A + "'");
  }

  private static Image image(String... references) {
    Image.Builder image = Image.builder(ImageId.of("an image"));
    for (String reference : references) {
      image.reference(reference);
    }
    return image.build();
  }

  private static Image labelled(String key, String value) {
    return Image.builder(ImageId.of("an image")).labels(Map.of(key, value)).build();
  }
}
