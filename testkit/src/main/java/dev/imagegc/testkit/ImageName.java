/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import java.util.List;

/** Names of images, written in full, so that all ways to write one name are equal. */
final class ImageName {
  private static final String DEFAULT_REGISTRY = "docker.io";
  private static final String DEFAULT_TAG = ":latest";

  private ImageName() {}

  /** Turns "app" into "docker.io/library/app:latest". A digest makes the tag beside it meaningless. */
  static String inFull(String reference) {
    String name = withTag(reference);
    int at = name.indexOf('@');
    if (at < 0) {
      return withRegistry(name);
    }
    String repository = name.substring(0, startOfTag(name.substring(0, at)));
    return withRegistry(repository) + name.substring(at);
  }

  /** Turns "app" into "app:latest", as engines do, and leaves alone what has a tag or a digest. */
  static String withTag(String reference) {
    boolean complete = isDigest(reference) || startOfTag(reference) < reference.length();
    return complete ? reference : reference + DEFAULT_TAG;
  }

  /** Refuses what an engine would not take for a name. What is on a node may be called anything, to test who reads it. */
  static void check(String reference) {
    if (reference.isBlank() || reference.chars().anyMatch(Character::isWhitespace)) {
      throw new IllegalArgumentException(
          "an image reference must not be blank or contain blanks: '" + reference + "'");
    }
    if (reference.startsWith(":") || reference.startsWith("@")) {
      throw new IllegalArgumentException(
          "an image reference must have a repository, but is '" + reference + "'");
    }
  }

  /** Finds the name that is the same as another one, and writes it with its tag. */
  static String same(String reference, List<String> names) {
    String wanted = inFull(reference);
    return names.stream()
        .filter(name -> inFull(name).equals(wanted))
        .findFirst()
        .map(ImageName::withTag)
        .orElseThrow(() -> new IllegalArgumentException(reference + " is not among " + names));
  }

  static boolean isDigest(String reference) {
    return reference.indexOf('@') >= 0;
  }

  /** Where the tag begins, or the length if there is none. */
  private static int startOfTag(String name) {
    int colon = name.lastIndexOf(':');
    return colon > name.lastIndexOf('/') ? colon : name.length();
  }

  private static String withRegistry(String name) {
    int slash = name.indexOf('/');
    String first = slash < 0 ? "" : name.substring(0, slash);
    boolean named = first.contains(".") || first.contains(":") || first.equals("localhost");
    String path = first.equals(DEFAULT_REGISTRY) ? name.substring(slash + 1) : name;
    if (named && !first.equals(DEFAULT_REGISTRY)) {
      return name;
    }
    return DEFAULT_REGISTRY + (path.indexOf('/') < 0 ? "/library/" : "/") + path;
  }
}
