/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.base.CharMatcher;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Says which images a rule of {@link LruGcPolicy} is about: those with a name like this, of this repository, with this
 * digest or label. Immutable.
 */
public final class ImageSelector {
  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");

  private static final CharMatcher NOT_IN_A_NAME =
      CharMatcher.anyOf("*?[]{}!\\@").or(CharMatcher.whitespace()).or(CharMatcher.javaIsoControl());

  /**
   * Whoever matches all of these matches every name: they have no character in common, but those that no name is without, and
   * there is one with as few parts, dots and colons as a name can have.
   */
  private static final List<String> ANY_NAME = List.of(
      "a.b/c:d",
      "e:1/f:g",
      "localhost/h:i",
      "localhost/j/k/m/n/p:q",
      "localhost/r@sha256:" + "0".repeat(64));

  /** How it decides; most judge the image whatever its names are, and so each of its names. */
  private sealed interface Rule {
    boolean matches(Image image);

    default boolean matchesName(Image image, String reference) {
      return matches(image);
    }
  }

  private final Rule rule;
  private final String text;

  private ImageSelector(Rule rule, String text) {
    this.rule = rule;
    this.text = text;
  }

  /**
   * Selects by name. The whole name must match: {@code *} stands for any characters but {@code /}, {@code **} for any
   * characters. A name is tried as the engine reports it, fully qualified ({@code docker.io/library/app:1}), and each of these
   * without its tag or digest.
   *
   * @param glob for instance {@code registry.example/base/*}
   * @return a selector of the images that have such a name, perhaps among others
   * @throws IllegalArgumentException if the glob is empty, contains white space, or uses other pattern characters
   */
  public static ImageSelector reference(String glob) {
    return reference("reference glob", glob);
  }

  static ImageSelector reference(String field, String glob) {
    return new ImageSelector(new Named(ReferenceGlob.of(field, glob)), "'" + glob + "'");
  }

  /**
   * Selects by digest, whatever the tags are.
   *
   * @param digest {@code sha256:} and 64 hexadecimal digits in lower case, for the image of which this is the id or one of the
   *     repository digests; or the same after {@code repository@}, for the image that has the digest in that repository
   * @return a selector of the image with this digest
   * @throws IllegalArgumentException if it is no digest
   */
  public static ImageSelector digest(String digest) {
    int at = Objects.requireNonNull(digest, "digest").indexOf('@');
    String alone = digest.substring(at + 1);
    if (!DIGEST.matcher(alone).matches()) {
      throw new IllegalArgumentException("digest must be sha256: and 64 hexadecimal digits in lower"
          + " case, alone or after repository@, but is '" + digest + "'");
    }
    Rule rule = at < 0
        ? new ByDigest(alone)
        : new ByRepositoryDigest(repositoryName("digest", digest.substring(0, at)), alone);
    return new ImageSelector(rule, "digest '" + digest + "'");
  }

  /**
   * Selects by a label that the image was built with.
   *
   * @param label {@code key} for any value, or {@code key=value} for this one; what follows the first {@code =} is the value,
   *     which may be empty
   * @return a selector of the images with this label
   * @throws IllegalArgumentException if the key is empty or contains white space or control characters
   */
  public static ImageSelector label(String label) {
    int equals = Objects.requireNonNull(label, "label").indexOf('=');
    String key = equals < 0 ? label : label.substring(0, equals);
    if (key.isEmpty()
        || CharMatcher.whitespace().or(CharMatcher.javaIsoControl()).matchesAnyOf(key)) {
      throw new IllegalArgumentException(
          "label must be key or key=value with a key without white space, but is '" + label + "'");
    }
    Rule rule = equals < 0 ? new Labelled(key) : new LabelledAs(key, label.substring(equals + 1));
    return new ImageSelector(rule, "label '" + label + "'");
  }

  /**
   * Selects by repository, with any tag or digest.
   *
   * @param repository the exact name without tag, for instance {@code registry.example/team/app}; {@code app} stands for {@code
   *     docker.io/library/app}, as in names that the engine reports
   * @return a selector of the images that have a name in this repository, perhaps among others
   * @throws IllegalArgumentException if it has a tag, a digest, pattern characters, white space or an empty part
   */
  public static ImageSelector repository(String repository) {
    return new ImageSelector(
        new InRepository(repositoryName("repository", repository)),
        "repository '" + repository + "'");
  }

  /** Checks a repository and returns its full name. */
  private static String repositoryName(String field, String name) {
    Objects.requireNonNull(name, field);
    String rule = " must name an exact repository, such as registry.example/team/app, but '" + name;
    if (name.isEmpty() || name.startsWith("/") || name.endsWith("/") || name.contains("//")) {
      throw new IllegalArgumentException(field + rule + "' has an empty part");
    }
    int foreign = NOT_IN_A_NAME.indexIn(name);
    if (foreign >= 0) {
      throw new IllegalArgumentException(field + rule + "' has a '" + name.charAt(foreign) + "'");
    }
    if (name.indexOf(':', name.lastIndexOf('/') + 1) >= 0) {
      throw new IllegalArgumentException(field + rule + "' has a tag");
    }
    return ReferenceGlob.repository(name);
  }

  /**
   * Returns whether this is one of the images.
   *
   * @param image an image as an engine lists it
   * @return whether it is selected
   */
  public boolean matches(Image image) {
    return rule.matches(image);
  }

  /** Whether one name of an image is selected. */
  boolean matchesName(Image image, String reference) {
    return rule.matchesName(image, reference);
  }

  /** Whether it judges each name by itself, and not the image whatever its names are. */
  boolean judgesNames() {
    return rule instanceof Named || rule instanceof InRepository;
  }

  /**
   * Returns whether it selects, by its form, every image that has a name: {@code **} does, and so does <code>*&#47;**</code>,
   * since every name has a full form with a slash.
   *
   * @return whether no name is left out
   */
  public boolean matchesEveryName() {
    return rule instanceof Named named && ANY_NAME.stream().allMatch(named.glob()::matches);
  }

  /** The selector in words for reports, for instance {@code 'registry.example/*'} or {@code label 'keep=yes'}. */
  @Override
  public String toString() {
    return text;
  }

  private record Named(ReferenceGlob glob) implements Rule {
    @Override
    public boolean matches(Image image) {
      return image.references().stream().anyMatch(glob::matches);
    }

    @Override
    public boolean matchesName(Image image, String reference) {
      return glob.matches(reference);
    }
  }

  private record InRepository(String repository) implements Rule {
    @Override
    public boolean matches(Image image) {
      return image.references().stream().anyMatch(name -> matchesName(image, name));
    }

    @Override
    public boolean matchesName(Image image, String reference) {
      return ReferenceGlob.repository(reference).equals(repository);
    }
  }

  private record ByDigest(String digest) implements Rule {
    @Override
    public boolean matches(Image image) {
      return image.id().equals(ImageId.of(digest))
          || image.references().stream().anyMatch(name -> name.endsWith("@" + digest));
    }
  }

  private record ByRepositoryDigest(String repository, String digest) implements Rule {
    @Override
    public boolean matches(Image image) {
      return image.references().stream()
          .anyMatch(name ->
              name.endsWith("@" + digest) && ReferenceGlob.repository(name).equals(repository));
    }
  }

  private record Labelled(String key) implements Rule {
    @Override
    public boolean matches(Image image) {
      return image.labels().containsKey(key);
    }
  }

  private record LabelledAs(String key, String value) implements Rule {
    @Override
    public boolean matches(Image image) {
      return value.equals(image.labels().get(key));
    }
  }
}
