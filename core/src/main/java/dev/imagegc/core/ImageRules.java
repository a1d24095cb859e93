/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ImmutableList;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The rules of a {@link LruGcPolicy}, and which of them have selected an image so far. Thread-safe. */
final class ImageRules {
  private static final Comparator<ImageRecord> NEWEST_FIRST = Comparator.comparing(
          ImageRules::builtOrSeen)
      .thenComparing(ImageRecord::firstDetected)
      .thenComparing(ImageRecord::id)
      .reversed();

  /**
   * A rule about the images that a selector selects.
   *
   * @param name the rule as the host knows it
   * @param selector which images
   * @param verdict what it says of each of them, if it looks at one image alone
   * @param newest how many images of a repository it keeps, if it does that
   */
  record Rule(String name, ImageSelector selector, Verdict verdict, int newest) {
    Rule(String name, ImageSelector selector, Verdict verdict) {
      this(name, selector, verdict, 0);
    }

    boolean matches(Image image) {
      return selector.matches(image);
    }
  }

  private final List<Rule> owned;
  private final List<Rule> protecting;
  private final List<Rule> newest;
  private final List<Rule> collecting;
  private final List<Rule> all;
  private final Object matching = new Object();
  private volatile List<Rule> unmatched;

  /**
   * Puts the rules together; of each kind the first that selects an image decides.
   *
   * @param owned what all images must be selected by that may go; none for all images
   * @param protecting what keeps images
   * @param newest what keeps the newest of a repository
   * @param collecting what makes images due
   */
  ImageRules(List<Rule> owned, List<Rule> protecting, List<Rule> newest, List<Rule> collecting) {
    this.owned = List.copyOf(owned);
    this.protecting = List.copyOf(protecting);
    this.newest = List.copyOf(newest);
    this.collecting = List.copyOf(collecting);
    this.all = ImmutableList.<Rule>builder()
        .addAll(owned)
        .addAll(protecting)
        .addAll(newest)
        .addAll(collecting)
        .build();
    this.unmatched = all;
  }

  /** Returns all rules. */
  List<Rule> all() {
    return all;
  }

  boolean makesDue() {
    return !collecting.isEmpty();
  }

  /** Returns the names of the rules that have selected no image that was judged so far. */
  List<String> unmatched() {
    return unmatched.stream().map(Rule::name).toList();
  }

  /** Returns what judges the images of a node. */
  Function<ImageRecord, Verdict> judge(Collection<ImageRecord> images) {
    noteMatches(images);
    Map<ImageId, Verdict> kept = newest(images);
    return record -> verdict(record, kept);
  }

  private void noteMatches(Collection<ImageRecord> images) {
    if (unmatched.isEmpty()) {
      return;
    }
    synchronized (matching) {
      unmatched = unmatched.stream()
          .filter(rule -> images.stream().noneMatch(record -> rule.matches(record.image())))
          .toList();
    }
  }

  /** What keeps an image comes before what makes it due. */
  private Verdict verdict(ImageRecord record, Map<ImageId, Verdict> kept) {
    Image image = record.image();
    Verdict foreign = foreign(image);
    if (foreign != null) {
      return foreign;
    }
    Verdict keeps = first(protecting, image);
    if (keeps != null) {
      return keeps;
    }
    Verdict isNewest = kept.get(record.id());
    if (isNewest != null) {
      return isNewest;
    }
    Verdict due = first(collecting, image);
    return due != null ? due : Verdict.mayGo();
  }

  private static @Nullable Verdict first(List<Rule> rules, Image image) {
    for (Rule rule : rules) {
      if (rule.matches(image)) {
        return rule.verdict();
      }
    }
    return null;
  }

  // Ownership

  /** One name that is not owned is enough: a removal takes them all. */
  private @Nullable Verdict foreign(Image image) {
    if (owned.isEmpty() || isOwnedWhateverItsNames(image)) {
      return null;
    }
    if (image.references().isEmpty()) {
      return Verdict.stays(Reason.NOT_OWNED, "it has no name that could be owned");
    }
    for (String name : image.references()) {
      if (!isOwned(image, name)) {
        return Verdict.stays(Reason.NOT_OWNED, "its name '" + name + "' is not owned");
      }
    }
    return null;
  }

  private boolean isOwnedWhateverItsNames(Image image) {
    return owned.stream().anyMatch(rule -> !rule.selector().judgesNames() && rule.matches(image));
  }

  /** Engines add a digest to every image that they pulled: it belongs to the tags of its repository. */
  private boolean isOwned(Image image, String name) {
    if (isSelected(image, name)) {
      return true;
    }
    if (!isDigest(name)) {
      return false;
    }
    String repository = ReferenceGlob.repository(name);
    return image.references().stream()
        .filter(other -> !isDigest(other))
        .anyMatch(
            tag -> ReferenceGlob.repository(tag).equals(repository) && isSelected(image, tag));
  }

  private boolean isSelected(Image image, String name) {
    return owned.stream().anyMatch(rule -> rule.selector().matchesName(image, name));
  }

  private static boolean isDigest(String name) {
    return name.indexOf('@') >= 0;
  }

  // The newest of each repository

  private Map<ImageId, Verdict> newest(Collection<ImageRecord> images) {
    if (newest.isEmpty()) {
      return Map.of();
    }
    Map<ImageId, Verdict> kept = new HashMap<>();
    for (Rule rule : newest) {
      byRepository(rule, images).forEach((repository, members) -> {
        Verdict verdict = Verdict.stays(
            Reason.KEPT_NEWEST,
            (rule.newest() == 1 ? "the newest of " : "one of the " + rule.newest() + " newest of ")
                + repository);
        members.stream()
            .sorted(NEWEST_FIRST)
            .limit(rule.newest())
            .forEach(record -> kept.putIfAbsent(record.id(), verdict));
      });
    }
    return kept;
  }

  /** The images that have a selected name, under the repository of each of these names. */
  private static Map<String, List<ImageRecord>> byRepository(
      Rule rule, Collection<ImageRecord> images) {
    Map<String, List<ImageRecord>> members = new TreeMap<>();
    for (ImageRecord record : images) {
      Set<String> repositories = new HashSet<>();
      for (String name : record.image().references()) {
        if (rule.selector().matchesName(record.image(), name)) {
          repositories.add(ReferenceGlob.repository(name));
        }
      }
      repositories.forEach(repository ->
          members.computeIfAbsent(repository, unused -> new ArrayList<>()).add(record));
    }
    return members;
  }

  private static Instant builtOrSeen(ImageRecord record) {
    return record.image().builtAt().orElse(record.firstDetected());
  }

  @Override
  public String toString() {
    return all.stream().map(Rule::name).toList().toString();
  }
}
