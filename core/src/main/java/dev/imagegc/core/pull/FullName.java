/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Names of images as engines read them, written in full: {@code app} is {@code docker.io/library/app:latest}. Two requests
 * are for the same image if their full names are equal.
 */
final class FullName {
  private static final String DEFAULT_REGISTRY = "docker.io";
  private static final Pattern COMPONENT = Pattern.compile("[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*");
  private static final Pattern REGISTRY =
      Pattern.compile("(?:[A-Za-z0-9.-]+|\\[[0-9a-fA-F:]+])(?::[0-9]+)?");
  private static final Pattern TAG = Pattern.compile("\\w[\\w.-]{0,127}");
  private static final Pattern DIGEST = Pattern.compile("[A-Za-z0-9+._-]+:[0-9a-fA-F]{32,}");
  private static final Pattern ID = Pattern.compile("(?:sha256:)?[0-9a-f]{64}");

  private FullName() {}

  /**
   * Writes a name in full. A tag beside a digest is dropped, because engines go by the digest alone.
   *
   * @throws IllegalArgumentException if it is no name, or an id
   */
  static String of(String reference) {
    Objects.requireNonNull(reference, "reference");
    String full = ID.matcher(reference).matches() ? null : inFull(reference);
    if (full == null) {
      throw new IllegalArgumentException(
          "reference must be a name with an optional tag or digest, such as app:1, but is '"
              + reference + "'");
    }
    return full;
  }

  private static @Nullable String inFull(String reference) {
    int at = reference.indexOf('@');
    String digest = at < 0 ? null : reference.substring(at + 1);
    String rest = at < 0 ? reference : reference.substring(0, at);
    int colon = rest.lastIndexOf(':');
    boolean tagged = colon > rest.lastIndexOf('/');
    String tag = tagged ? rest.substring(colon + 1) : "latest";
    String repository = repository(tagged ? rest.substring(0, colon) : rest);
    if (repository == null || !TAG.matcher(tag).matches()) {
      return null;
    }
    if (digest == null) {
      return repository + ":" + tag;
    }
    return DIGEST.matcher(digest).matches() ? repository + "@" + digest : null;
  }

  private static @Nullable String repository(String name) {
    String registry = DEFAULT_REGISTRY;
    String path = name;
    int slash = name.indexOf('/');
    if (slash > 0 && isRegistry(name.substring(0, slash))) {
      registry = name.substring(0, slash);
      path = name.substring(slash + 1);
    }
    if (registry.equals("index.docker.io")) {
      registry = DEFAULT_REGISTRY;
    }
    if (!REGISTRY.matcher(registry).matches() || !isPath(path)) {
      return null;
    }
    boolean official = registry.equals(DEFAULT_REGISTRY) && path.indexOf('/') < 0;
    return registry + (official ? "/library/" : "/") + path;
  }

  private static boolean isPath(String path) {
    for (String component : path.split("/", -1)) {
      if (!COMPONENT.matcher(component).matches()) {
        return false;
      }
    }
    return true;
  }

  /** Repositories have no capitals, so engines take a first part with one for a registry. */
  private static boolean isRegistry(String first) {
    return first.indexOf('.') >= 0
        || first.indexOf(':') >= 0
        || first.equals("localhost")
        || !first.toLowerCase(Locale.ROOT).equals(first);
  }
}
