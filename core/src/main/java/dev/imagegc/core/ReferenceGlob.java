/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.base.CharMatcher;
import java.util.Objects;

/**
 * An anchored pattern for image references: {@code *} does not cross {@code /}, {@code **} does. It matches a reference as
 * the engine reports it, in its fully qualified form, or either of these without the tag or digest.
 */
final class ReferenceGlob {
  private static final CharMatcher FOREIGN =
      CharMatcher.anyOf("?[]{}!\\").or(CharMatcher.whitespace()).or(CharMatcher.javaIsoControl());

  private static final String HUB = "docker.io/";

  /** Stands for ** in a pattern; globs have no control characters. */
  private static final char ANY = '\u0000';

  private final String glob;
  private final String prefix; // up to the first *
  private final String pattern; // after that

  private ReferenceGlob(String glob) {
    this.glob = glob;
    int star = glob.indexOf('*');
    this.prefix = star < 0 ? glob : glob.substring(0, star);
    this.pattern = star < 0 ? "" : glob.substring(star).replace("**", String.valueOf(ANY));
  }

  /**
   * Checks a glob.
   *
   * @param field what to call it where it is refused
   */
  static ReferenceGlob of(String field, String glob) {
    if (Objects.requireNonNull(glob, field).isEmpty()) {
      throw new IllegalArgumentException(field + " must not be empty");
    }
    int foreign = FOREIGN.indexIn(glob);
    if (foreign >= 0) {
      throw new IllegalArgumentException(field + " '" + glob + "' must not contain '"
          + glob.charAt(foreign) + "': the only pattern characters are * (not across /) and **");
    }
    if (glob.contains("***")) {
      throw new IllegalArgumentException(
          field + " '" + glob + "' must not contain more than two * in a row");
    }
    return new ReferenceGlob(glob);
  }

  boolean matches(String reference) {
    String qualified = qualified(reference);
    return fits(reference)
        || fits(withoutTag(reference))
        || fits(qualified)
        || fits(withoutTag(qualified));
  }

  /** Keeps the set of places that the pattern can have come to, so that the time is bounded by pattern times name. */
  private boolean fits(String name) {
    if (!name.startsWith(prefix)) {
      return false;
    }
    String rest = name.substring(prefix.length());
    boolean[] here = new boolean[rest.length() + 1];
    here[0] = true;
    for (int t = 0; t < pattern.length(); t++) {
      char token = pattern.charAt(t);
      boolean[] next = new boolean[here.length];
      for (int i = 0; i < here.length; i++) {
        boolean star = token == '*' || token == ANY;
        boolean step = i > 0
            && (star
                ? next[i - 1] && (token == ANY || rest.charAt(i - 1) != '/')
                : here[i - 1] && rest.charAt(i - 1) == token);
        next[i] = step || (star && here[i]);
      }
      here = next;
    }
    return here[rest.length()];
  }

  /** {@code app:1} is {@code docker.io/library/app:1}: a first part without dot, colon or "localhost" is no registry. */
  static String qualified(String reference) {
    int slash = reference.indexOf('/');
    if (slash < 0) {
      return "docker.io/library/" + reference;
    }
    String first = reference.substring(0, slash);
    boolean registry = first.contains(".") || first.contains(":") || first.equals("localhost");
    return registry ? reference : "docker.io/" + reference;
  }

  /** The full name of a reference's repository: {@code docker.io/app} is another way to write that of {@code app}. */
  static String repository(String reference) {
    String name = qualified(withoutTag(reference));
    boolean ofLibrary = name.startsWith(HUB) && name.indexOf('/', HUB.length()) < 0;
    return ofLibrary ? HUB + "library/" + name.substring(HUB.length()) : name;
  }

  static String withoutTag(String reference) {
    int digest = reference.indexOf('@');
    String name = digest < 0 ? reference : reference.substring(0, digest);
    int colon = name.lastIndexOf(':');
    return colon > name.lastIndexOf('/') ? name.substring(0, colon) : name;
  }

  @Override
  public String toString() {
    return glob;
  }
}
