/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.core.ImageSelector;
import dev.imagegc.core.LruGcPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options that say which images stay, and which go sooner than others. */
final class RuleOptions {
  private static final String EVERY_NAME = "**";

  @Option(
      names = "--keep",
      paramLabel = "GLOB",
      description = "Never remove images with a matching name: * does not cross /, ** does;"
          + " the name may be without its tag, or fully qualified. May be given more than once,"
          + " like all options with a GLOB.")
  private List<String> keep = new ArrayList<>();

  @Option(
      names = "--keep-label",
      paramLabel = "KEY[=VALUE]",
      description = "Never remove images with this label. May be given more than once.")
  private List<String> keepLabels = new ArrayList<>();

  @Option(
      names = "--keep-newest",
      paramLabel = "[GLOB=]N",
      description = "Never remove the newest N images of each repository, or of each that matches.")
  private List<String> keepNewest = new ArrayList<>();

  @Option(
      names = "--own",
      paramLabel = "GLOB",
      description = "Remove only images all of whose names match one of these."
          + " Default: every image is this node's to remove.")
  private List<String> own = new ArrayList<>();

  @Option(
      names = "--collect-after",
      paramLabel = "GLOB=DURATION",
      description =
          "Remove matching images that were unused for longer than this even when there is"
              + " space, instead of --max-age; 0s is as soon as they are unused.")
  private List<String> collectAfter = new ArrayList<>();

  /** Adds the rules to a policy. */
  void addTo(LruGcPolicy.Builder policy) {
    policy.allowMatchingEverything(true); // the rest refuses it, with words about the option
    for (String glob : keep) {
      add("--keep", () -> {
        policy.keep(glob);
        notEveryName("--keep", glob);
      });
    }
    for (String label : keepLabels) {
      add("--keep-label", () -> policy.protect(ImageSelector.label(label), ""));
    }
    for (String glob : own) {
      add("--own", () -> {
        policy.owns(ImageSelector.reference(glob));
        notEveryName("--own", glob);
      });
    }
    keepNewest.forEach(value -> addKeepNewest(policy, value));
    collectAfter.forEach(value -> addCollectAfter(policy, value));
  }

  private static void addKeepNewest(LruGcPolicy.Builder policy, String value) {
    int equals = value.lastIndexOf('=');
    String glob = equals < 0 ? EVERY_NAME : value.substring(0, equals);
    String count = value.substring(equals + 1);
    if (!count.matches("[0-9]{1,9}") || Integer.parseInt(count) < 1) {
      throw new UsageException(
          "--keep-newest must be N or GLOB=N with N from 1, but is '" + value + "'");
    }
    add("--keep-newest", () -> policy.keepNewest(glob, Integer.parseInt(count)));
  }

  private static void addCollectAfter(LruGcPolicy.Builder policy, String value) {
    int equals = value.lastIndexOf('=');
    String time = value.substring(equals + 1);
    if (equals < 0 || time.equals("off")) {
      throw new UsageException(
          "--collect-after must be GLOB=DURATION, such as 'ci/**=2h', but is '" + value + "'");
    }
    String glob = value.substring(0, equals);
    add("--collect-after", () -> {
      Duration unused = new DurationConverter().convert(time);
      ImageSelector images = ImageSelector.reference(glob);
      if (unused.isZero()) {
        policy.collectWhenUnused(images);
      } else {
        policy.collectAfter(images, unused);
      }
      notEveryName("--collect-after", glob);
    });
  }

  private static void notEveryName(String option, String glob) {
    if (ImageSelector.reference(glob).matchesEveryName()) {
      throw new UsageException(option + " must not match every name, but '" + glob + "' does");
    }
  }

  private static void add(String option, Runnable rule) {
    try {
      rule.run();
    } catch (IllegalArgumentException | TypeConversionException e) {
      throw new UsageException(option + ": " + e.getMessage());
    }
  }
}
