/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.ImageReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names of images, taken apart. */
class ImageReferenceTest {
  private static final String D1 = "sha256:" + "1".repeat(64);
  private static final String D2 = "sha256:" + "2".repeat(64);

  @ParameterizedTest
  @CsvSource({
    "app, docker.io, docker.io/library/app",
    "team/app:1, docker.io, docker.io/team/app",
    "index.docker.io/app, docker.io, docker.io/library/app",
    "localhost/app, localhost, localhost/app",
    "reg:5000/team/app:1, reg:5000, reg:5000/team/app",
    "Team/app:1, Team, Team/app",
    "[::1]:5000/app, [::1]:5000, [::1]:5000/app",
  })
  void registryAndRepository_areInFull(String text, String registry, String repository) {
    ImageReference name = ImageReference.of(text);

    assertThat(name.registry()).isEqualTo(registry);
    assertThat(name.repository()).isEqualTo(repository);
  }

  @Test
  void tagAndDigest_areThoseOfTheText() {
    ImageReference name = ImageReference.of("reg:5000/app:1@" + D1);

    assertThat(name.tag()).contains("1");
    assertThat(name.digest()).contains(D1);
    assertThat(name).hasToString("reg:5000/app:1@" + D1);
    assertThat(ImageReference.of("reg:5000/app").tag()).isEmpty();
    assertThat(ImageReference.of("reg:5000/app").digest()).isEmpty();
  }

  @Test
  void defaultTag_isForNamesWithNeitherTagNorDigest() {
    assertThat(ImageReference.of("app").withDefaultTag())
        .isEqualTo(ImageReference.of("app:latest"));
    for (String text : new String[] {"app:1", "app@" + D1, "app:1@" + D1}) {
      ImageReference name = ImageReference.of(text);
      assertThat(name.withDefaultTag()).isEqualTo(name);
    }
  }

  @ParameterizedTest(name = "{0} covers {1}: {2}")
  @CsvSource({
    "kit/a, kit/a:1, true",
    "kit/a, kit/a@D1, true",
    "kit/a, docker.io/kit/a:1, true",
    "kit/a, kit/ab:1, false",
    "kit/a, other/kit/a:1, false",
    "kit/a:1, kit/a:1, true",
    "kit/a:1, kit/a:10, false",
    "kit/a:1, kit/a, false",
    "kit/a:1, kit/a@D1, false",
    "kit/a@D1, kit/a@D1, true",
    "kit/a@D1, kit/a:1@D1, true",
    "kit/a@D1, kit/a@D2, false",
    "kit/a@D1, kit/b@D1, false",
    "kit/a@D1, kit/a:1, false",
    "kit/a:1@D1, kit/a:2@D1, true",
    "kit/a:1@D1, kit/a:1@D2, false",
    "kit/a:1@D1, kit/a:1, false",
  })
  void bareRepository_coversAll_andADigestCountsMoreThanTheTagBesideIt(
      String name, String listed, boolean covers) {
    assertThat(read(name).covers(read(listed))).isEqualTo(covers);
  }

  private static ImageReference read(String text) {
    return ImageReference.of(text.replace("D1", D1).replace("D2", D2));
  }
}
