/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A name of an image, taken apart and written in full, so that {@code pause}, {@code docker.io/pause} and {@code
 * docker.io/library/pause} are equal. An engine lists the first form or the last, depending on its kind.
 *
 * @param repository the repository with its registry
 * @param tag the tag, or null
 * @param digest the digest with its algorithm, or null
 */
record Reference(
    String repository, @Nullable String tag, @Nullable String digest) {
  private static final String DEFAULT_REGISTRY = "docker.io";
  private static final Pattern COMPONENT = Pattern.compile("[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*");
  private static final Pattern REGISTRY =
      Pattern.compile("(?:[A-Za-z0-9.-]+|\\[[0-9a-fA-F:]+])(?::[0-9]+)?");
  private static final Pattern TAG = Pattern.compile("\\w[\\w.-]{0,127}");
  private static final Pattern DIGEST = Pattern.compile("[A-Za-z0-9+._-]+:[0-9a-fA-F]{32,}");

  /** Understands a name; empty if it is none. */
  static Optional<Reference> parse(String text) {
    String rest = text;
    String digest = null;
    int at = rest.indexOf('@');
    if (at >= 0) {
      digest = rest.substring(at + 1);
      rest = rest.substring(0, at);
    }
    String tag = null;
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = rest.substring(colon + 1);
      rest = rest.substring(0, colon);
    }
    boolean valid = (digest == null || DIGEST.matcher(digest).matches())
        && (tag == null || TAG.matcher(tag).matches());
    String repository = valid ? repositoryInFull(rest) : null;
    return repository == null
        ? Optional.empty()
        : Optional.of(new Reference(repository, tag, digest));
  }

  private static @Nullable String repositoryInFull(String name) {
    String registry = DEFAULT_REGISTRY;
    String path = name;
    int slash = name.indexOf('/');
    if (slash > 0 && isRegistry(name.substring(0, slash))) {
      registry = name.substring(0, slash);
      path = name.substring(slash + 1);
      if (!REGISTRY.matcher(registry).matches()) {
        return null;
      }
    }
    for (String component : path.split("/", -1)) {
      if (!COMPONENT.matcher(component).matches()) {
        return null;
      }
    }
    if (registry.equals("index.docker.io")) {
      registry = DEFAULT_REGISTRY;
    }
    boolean official = registry.equals(DEFAULT_REGISTRY) && path.indexOf('/') < 0;
    return registry + (official ? "/library/" : "/") + path;
  }

  private static boolean isRegistry(String first) {
    return first.indexOf('.') >= 0 || first.indexOf(':') >= 0 || first.equals("localhost");
  }

  /** Whether a listed name is one that this one means: a bare repository means all of its tags and digests. */
  boolean covers(Reference listed) {
    if (!repository.equals(listed.repository)) {
      return false;
    }
    if (digest != null) {
      return digest.equals(listed.digest);
    }
    return tag == null || tag.equals(listed.tag);
  }

  /** This name as every engine understands it in the same way. */
  String inFull() {
    return repository + (tag == null ? "" : ":" + tag) + (digest == null ? "" : "@" + digest);
  }

  /** The host and port of the registry. */
  String registry() {
    return repository.substring(0, repository.indexOf('/'));
  }

  /** This name, with the tag that engines assume where a name has neither tag nor digest. */
  Reference withDefaultTag() {
    return tag == null && digest == null ? new Reference(repository, "latest", null) : this;
  }
}
