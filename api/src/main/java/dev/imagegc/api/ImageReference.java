/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A name of an image, taken apart and written in full: {@code app}, {@code docker.io/app} and {@code docker.io/library/app} are
 * one repository. Engines list the short form or the long one, depending on their kind.
 *
 * <p>The grammar is that of the distribution project, which all engines follow.
 */
public final class ImageReference {
  private static final String DEFAULT_REGISTRY = "docker.io";
  private static final String DEFAULT_TAG = "latest";
  private static final Pattern COMPONENT = Pattern.compile("[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*");
  private static final Pattern REGISTRY =
      Pattern.compile("(?:[A-Za-z0-9.-]+|\\[[0-9a-fA-F:]+])(?::[0-9]+)?");
  private static final Pattern TAG = Pattern.compile("\\w[\\w.-]{0,127}");
  private static final Pattern DIGEST = Pattern.compile("[A-Za-z0-9+._-]+:[0-9a-fA-F]{32,}");

  private final String repository;
  private final @Nullable String tag;
  private final @Nullable String digest;

  private ImageReference(String repository, @Nullable String tag, @Nullable String digest) {
    this.repository = repository;
    this.tag = tag;
    this.digest = digest;
  }

  /**
   * Understands a name.
   *
   * @param text for instance {@code app}, {@code registry.example:5000/team/app:1} or {@code app@sha256:...}
   * @return the reference
   * @throws IllegalArgumentException if it is no reference
   */
  public static ImageReference of(String text) {
    return parse(text)
        .orElseThrow(() -> new IllegalArgumentException("reference must be [registry/]name[:tag]"
            + "[@digest] with a name in lower case, but is '" + text + "'"));
  }

  /**
   * Understands a name, if it is one.
   *
   * @param text any text
   * @return the reference, or empty if the text is none
   */
  public static Optional<ImageReference> parse(String text) {
    String rest = Objects.requireNonNull(text, "text");
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
    String repository = valid ? inFull(rest) : null;
    return repository == null
        ? Optional.empty()
        : Optional.of(new ImageReference(repository, tag, digest));
  }

  private static @Nullable String inFull(String name) {
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

  /** Repositories have no capitals, so engines take a first part with one for a registry. */
  private static boolean isRegistry(String first) {
    return first.indexOf('.') >= 0
        || first.indexOf(':') >= 0
        || first.equals("localhost")
        || !first.toLowerCase(Locale.ROOT).equals(first);
  }

  /**
   * Returns the repository in full.
   *
   * @return for instance {@code docker.io/library/app}
   */
  public String repository() {
    return repository;
  }

  /**
   * Returns the registry, which is the first part of the repository.
   *
   * @return the host, with its port if the name has one, for instance {@code docker.io} or {@code registry.example:5000}
   */
  public String registry() {
    return repository.substring(0, repository.indexOf('/'));
  }

  /**
   * Returns the tag.
   *
   * @return the tag, or empty if the name has none
   */
  public Optional<String> tag() {
    return Optional.ofNullable(tag);
  }

  /**
   * Returns the digest.
   *
   * @return for instance {@code sha256:...}, or empty if the name has none
   */
  public Optional<String> digest() {
    return Optional.ofNullable(digest);
  }

  /**
   * Returns this name, with the tag {@code latest} if it has neither tag nor digest: what engines take it for.
   *
   * @return a name with a tag or a digest
   */
  public ImageReference withDefaultTag() {
    return tag == null && digest == null ? new ImageReference(repository, DEFAULT_TAG, null) : this;
  }

  /**
   * Returns whether a name that an engine lists is one that this one means: a bare repository means all of its tags and digests,
   * and a digest counts more than the tag beside it.
   *
   * @param listed a name of an image
   * @return whether this one covers it
   */
  public boolean covers(ImageReference listed) {
    if (!repository.equals(listed.repository)) {
      return false;
    }
    if (digest != null) {
      return digest.equals(listed.digest);
    }
    return tag == null || tag.equals(listed.tag);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ImageReference that
        && that.repository.equals(repository)
        && Objects.equals(that.tag, tag)
        && Objects.equals(that.digest, digest);
  }

  @Override
  public int hashCode() {
    return Objects.hash(repository, tag, digest);
  }

  /** Returns the name in full, for instance {@code docker.io/library/app:1}. */
  @Override
  public String toString() {
    return repository + (tag == null ? "" : ":" + tag) + (digest == null ? "" : "@" + digest);
  }
}
