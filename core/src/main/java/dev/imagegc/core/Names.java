/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ImmutableSet;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageReference;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** How engines write the names of images. */
final class Names {
  private static final String DOCKER_HUB = "docker.io/";
  private static final String OFFICIAL = "library/";

  /** What people may write in place of an image's name. */
  private static final Pattern ID_OR_START = Pattern.compile("[0-9a-f]{4,64}");

  private static final String ID_PREFIX = "sha256:";

  private Names() {}

  /** Returns which images a text may mean that somebody gave an engine for a name: it may be the beginning of an id. */
  static Predicate<Image> mayMean(String name) {
    Set<String> spellings = ImageReference.parse(name)
        .map(ImageReference::withDefaultTag)
        .map(Names::spellings)
        .orElse(Set.of());
    String start = withoutPrefix(name);
    boolean mayBeId = ID_OR_START.matcher(start).matches();
    return image -> image.references().stream().anyMatch(spellings::contains)
        || (mayBeId && withoutPrefix(image.id().text()).startsWith(start));
  }

  static String withoutPrefix(String id) {
    return id.startsWith(ID_PREFIX) ? id.substring(ID_PREFIX.length()) : id;
  }

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
