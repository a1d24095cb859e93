/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.NotBlank;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

/** Ids of images and layers, which keep digests in another form than text. */
class IdsTest {
  private static final String HEX = "0123456789abcdef".repeat(4);

  @Property(tries = 500)
  void digest_comesBackAsItWasWritten(
      @ForAll @StringLength(64) @CharRange(from = '0', to = '9') @CharRange(from = 'a', to = 'f')
          String hex) {
    for (String text : List.of(hex, "sha256:" + hex)) {
      assertThat(ImageId.of(text).text()).isEqualTo(text);
      assertThat(Layer.of(text, 1).id()).isEqualTo(text);
    }
    assertThat(ImageId.of(hex).shortText()).isEqualTo(hex.substring(0, 12));
    assertThat(ImageId.of(hex))
        .isEqualTo(ImageId.of("sha256:" + hex))
        .hasSameHashCodeAs(ImageId.of("sha256:" + hex));
  }

  @Property(tries = 500)
  void order_isThatOfTheTextsWithoutPrefix(
      @ForAll @StringLength(64) @CharRange(from = '0', to = '9') @CharRange(from = 'a', to = 'f')
          String hex,
      @ForAll @StringLength(64) @CharRange(from = '0', to = '9') @CharRange(from = 'a', to = 'f')
          String other) {
    assertThat(Integer.signum(ImageId.of(hex).compareTo(ImageId.of("sha256:" + other))))
        .isEqualTo(Integer.signum(hex.compareTo(other)));
    assertThat(Integer.signum(ImageId.of(hex).compareTo(ImageId.of("image-" + other))))
        .isEqualTo(Integer.signum(hex.compareTo("image-" + other)));
    assertThat(ImageId.of(hex).equals(ImageId.of(other))).isEqualTo(hex.equals(other));
    assertThat(Layer.of("sha256:" + hex, 1).equals(Layer.of("sha256:" + other, 1)))
        .isEqualTo(hex.equals(other));
  }

  @Property(tries = 200)
  void otherIds_comeBackToo(
      @ForAll @NotBlank @CharRange(from = '!', to = '~') @StringLength(min = 1, max = 80)
          String text) {
    assertThat(Layer.of(text, 1).id()).isEqualTo(text);
    if (!text.equals("sha256:")) {
      assertThat(ImageId.of(text).text()).isEqualTo(text);
    }
  }

  @Test
  void digestsThatAreNoneOrWrittenInAnotherWay_areOtherIds() {
    List<String> different = Stream.of(
            HEX, HEX.toUpperCase(Locale.ROOT), HEX.substring(1), HEX + "0", "g" + HEX.substring(1))
        .toList();
    for (String text : different) {
      assertThat(ImageId.of(text).text()).isEqualTo(text);
      assertThat(different.stream().filter(other -> ImageId.of(other).equals(ImageId.of(text))))
          .containsExactly(text);
    }
  }

  @Test
  void layer_isItsId_andRefusesWhatCannotBe() {
    assertThat(Layer.of("a", 1)).isEqualTo(Layer.of("a", 2)).isNotEqualTo(Layer.of("b", 1));
    assertThat(Layer.of("sha256:" + HEX, 7)).hasToString("Layer[sha256:" + HEX + " 7 bytes]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Layer.of(" ", 1))
        .withMessage("layer id must not be blank");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Layer.of("a", -1))
        .withMessage("sizeBytes of layer a must be at least 0, but is -1");
  }
}
