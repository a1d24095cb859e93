/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class LruGcPolicyTest {
  @Test
  void unmatchedGlobs_ofImages_areThoseThatMatchNoName() {
    LruGcPolicy policy =
        LruGcPolicy.builder().keep("nothing").keep("app").keep("registry.example/*").build();
    List<ImageRecord> images = List.of(record("one", "app:1"), record("two", "other:1"));

    assertThat(policy.unmatchedGlobs(images)).containsExactly("nothing", "registry.example/*");
  }

  private static ImageRecord record(String id, String reference) {
    Image image = Image.builder(ImageId.of(id)).reference(reference).build();
    return ImageRecord.of(image, Instant.EPOCH);
  }
}
