/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.base.CharMatcher;
import java.util.regex.Pattern;

/**
 * An anchored pattern for image references: {@code *} does not cross {@code /}, {@code **} does. It matches a reference as
 * the engine reports it, in its fully qualified form, or either of these without the tag or digest.
 */
final class ReferenceGlob {
  private static final CharMatcher FOREIGN =
      CharMatcher.anyOf("?[]{}!\\").or(CharMatcher.whitespace()).or(CharMatcher.javaIsoControl());

  private final String glob;
  private final Pattern pattern;

  private ReferenceGlob(String glob) {
    this.glob = glob;
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < glob.length(); i++) {
      char c = glob.charAt(i);
      if (c != '*') {
        regex.append(Pattern.quote(String.valueOf(c)));
      } else if (i + 1 < glob.length() && glob.charAt(i + 1) == '*') {
        regex.append(".*");
        i++;
      } else {
        regex.append("[^/]*");
      }
    }
    this.pattern = Pattern.compile(regex.toString());
  }

  static ReferenceGlob of(String glob) {
    if (glob.isEmpty()) {
      throw new IllegalArgumentException("keep glob must not be empty");
    }
    int foreign = FOREIGN.indexIn(glob);
    if (foreign >= 0) {
      throw new IllegalArgumentException("keep glob '" + glob + "' must not contain '"
          + glob.charAt(foreign) + "': the only pattern characters are * (not across /) and **");
    }
    if (glob.contains("***")) {
      throw new IllegalArgumentException(
          "keep glob '" + glob + "' must not contain more than two * in a row");
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

  private boolean fits(String name) {
    return pattern.matcher(name).matches();
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
