/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ImmutableSet;
import dev.imagegc.api.ImageReference;
import java.util.Set;

/** How engines write the names of images. */
final class Names {
  private static final String DOCKER_HUB = "docker.io/";
  private static final String OFFICIAL = "library/";

  private Names() {}

  /**
   * The ways in which engines may write a name: in full, short, and as the local image that a name without registry means to
   * some of them.
   *
   * @param reference with a tag or a digest; where it has both, the digest counts
   */
  static Set<String> spellings(ImageReference reference) {
    String ending = reference
        .digest()
        .map(digest -> "@" + digest)
        .orElseGet(() -> ":" + reference.tag().orElseThrow());
    String repository = reference.repository();
    ImmutableSet.Builder<String> spellings = ImmutableSet.builder();
    spellings.add(repository + ending);
    if (repository.startsWith(DOCKER_HUB)) {
      String path = repository.substring(DOCKER_HUB.length());
      spellings.add(path + ending, "localhost/" + path + ending);
      if (path.startsWith(OFFICIAL)) {
        String name = path.substring(OFFICIAL.length());
        spellings.add(name + ending, DOCKER_HUB + name + ending, "localhost/" + name + ending);
      }
    }
    return spellings.build();
  }
}
