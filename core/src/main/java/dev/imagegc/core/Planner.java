/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.collect.ArrayListMultimap;
import com.google.common.collect.ListMultimap;
import com.google.common.collect.Maps;
import com.google.common.math.LongMath;
import dev.imagegc.api.Accounting;
import dev.imagegc.api.Container;
import dev.imagegc.api.Decision;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.PolicyException;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Decides for every image of the node whether it goes, and in which order. Pure: equal inputs give an equal plan.
 *
 * <p>Candidates are the images that nothing holds back. They are put in the policy's order, except that an image comes
 * after those built on it, which engines insist on. Victims are the first candidates that cover the need; the rest are
 * the reserve.
 */
final class Planner {
  private final Collection<ImageRecord> records;
  private final Map<ImageId, Container> users;
  private final GcThresholds thresholds;
  private final Function<ImageRecord, Verdict> verdicts;
  private final Comparator<ImageRecord> order;
  private final Instant now;

  private final Map<ImageId, ImageRecord> byId;
  private final ListMultimap<ImageId, ImageRecord> children = ArrayListMultimap.create();
  private final Map<ImageId, Verdict> kept;

  /**
   * Prepares a plan.
   *
   * @param records every image of the node
   * @param users a container for each image that one holds
   * @param thresholds the ages of this round
   * @param verdicts the policy's word on an image
   * @param policyOrder the policy's order
   * @param now the one reading of the clock for this round
   */
  Planner(
      Collection<ImageRecord> records,
      Map<ImageId, Container> users,
      GcThresholds thresholds,
      Function<ImageRecord, Verdict> verdicts,
      Comparator<ImageRecord> policyOrder,
      Instant now) {
    this.records = records;
    this.users = users;
    this.thresholds = thresholds;
    this.verdicts = verdicts;
    this.order = (a, b) -> {
      int byPolicy = policyOrder.compare(a, b);
      return byPolicy != 0 ? byPolicy : settleTie(a, b);
    };
    this.now = now;
    this.byId = Maps.newHashMapWithExpectedSize(records.size());
    this.kept = Maps.newHashMapWithExpectedSize(records.size());
  }

  /** First sight, then build time with unknown last, then id: no two images are equal. */
  private static int settleTie(ImageRecord a, ImageRecord b) {
    int tie = a.firstDetected().compareTo(b.firstDetected());
    if (tie == 0) {
      tie = a.image()
          .builtAt()
          .orElse(Instant.MAX)
          .compareTo(b.image().builtAt().orElse(Instant.MAX));
    }
    return tie != 0 ? tie : a.id().compareTo(b.id());
  }

  /** Returns whether the ages say that an image is due to go, whatever else holds it back. */
  static boolean isDueByAge(ImageRecord record, GcThresholds thresholds, Instant now) {
    Optional<Duration> maxAge = thresholds.maxAge();
    return maxAge.isPresent()
        && age(idleSince(record), now).compareTo(maxAge.get()) > 0
        && !isTooYoung(record, thresholds, now);
  }

  private static boolean isTooYoung(ImageRecord record, GcThresholds thresholds, Instant now) {
    return age(record.firstDetected(), now).compareTo(thresholds.minAge()) < 0;
  }

  GcPlan plan(Goal goal, Disk disk) {
    List<ImageRecord> images = sorted();
    for (ImageRecord image : images) {
      byId.put(image.id(), image);
      image.image().parent().ifPresent(parent -> children.put(parent, image));
    }
    keepWhatMustStay(images);
    List<ImageRecord> candidates = childrenFirst(
        images.stream().filter(image -> !kept.containsKey(image.id())).toList());

    Batch byAge = new Batch();
    if (goal.collectsByAge()) {
      overAge(candidates).forEach(byAge::add);
    }
    Disk afterAge = disk.withAvailable(LongMath.saturatedAdd(disk.available(), byAge.bytes));
    boolean triggered = goal.isTriggered(afterAge);
    long missing = triggered ? goal.missing(afterAge) : 0;
    Batch bySpace = new Batch();
    Batch reserve = new Batch();
    for (ImageRecord candidate : candidates) {
      if (!byAge.ids.contains(candidate.id())) {
        (bySpace.bytes < missing ? bySpace : reserve).add(candidate);
      }
    }

    List<ImageDecision> decisions = new ArrayList<>(images.size());
    byAge.images.forEach(image -> decisions.add(planned(image, Reason.MAX_AGE)));
    bySpace.images.forEach(image -> decisions.add(planned(image, goal.reason())));
    reserve.images.forEach(image -> decisions.add(stays(image, Reason.ENOUGH_FREED, "")));
    for (ImageRecord image : images) {
      Verdict verdict = kept.get(image.id());
      if (verdict != null) {
        decisions.add(stays(image, verdict.reason().orElseThrow(), verdict.detail()));
      }
    }

    boolean known = byAge.known && bySpace.known;
    GcPlan.Builder plan = GcPlan.builder(goal.operation(), disk.stats(), disk.usagePercent())
        .accounting(known ? Accounting.SIZES : Accounting.UNKNOWN)
        .decisions(decisions);
    if (goal.countsBytes()) {
      plan.neededBytes(triggered ? goal.missing(disk) : 0);
    }
    if (known) {
      plan.predictedBytes(LongMath.saturatedAdd(byAge.bytes, bySpace.bytes));
    }
    return plan.build();
  }

  private List<ImageRecord> sorted() {
    try {
      return records.stream().sorted(order).toList();
    } catch (IllegalArgumentException e) { // what the JDK's sort throws when it notices
      throw new PolicyException(
          "the policy's eviction order contradicts itself: " + e.getMessage(), e);
    }
  }

  private void keepWhatMustStay(List<ImageRecord> images) {
    for (ImageRecord image : images) {
      whyItStays(image).ifPresent(verdict -> kept.put(image.id(), verdict));
    }
    for (ImageRecord image : images) {
      if (kept.containsKey(image.id())) {
        keepAncestors(image);
      }
    }
  }

  private Optional<Verdict> whyItStays(ImageRecord record) {
    Container user = users.get(record.id());
    if (user != null) {
      return Optional.of(Verdict.stays(Reason.IN_USE, NodeView.describe(user)));
    }
    Optional<String> pinned = record.image().pinnedBecause();
    if (pinned.isPresent()) {
      return Optional.of(Verdict.stays(Reason.PINNED, pinned.get()));
    }
    Verdict verdict = verdicts.apply(record);
    if (verdict.reason().isPresent()) {
      return Optional.of(verdict);
    }
    if (isTooYoung(record, thresholds, now)) {
      Duration age = age(record.firstDetected(), now);
      return Optional.of(Verdict.stays(
          Reason.TOO_YOUNG,
          "first seen " + Durations.text(age) + " ago, minAge is "
              + Durations.text(thresholds.minAge())));
    }
    return Optional.empty();
  }

  /** An image that stays holds those it was built on. */
  private void keepAncestors(ImageRecord record) {
    ImageRecord child = record;
    ImageRecord parent = parentOf(child);
    while (parent != null && kept.putIfAbsent(parent.id(), hasChild(child)) == null) {
      child = parent;
      parent = parentOf(child);
    }
  }

  private @Nullable ImageRecord parentOf(ImageRecord record) {
    return record.image().parent().map(byId::get).orElse(null);
  }

  private static Verdict hasChild(ImageRecord child) {
    return Verdict.stays(
        Reason.HAS_CHILDREN, "image " + name(child.image()) + " was built on it and stays");
  }

  /** Keeps the order, but moves an image behind the last of those built on it. */
  private List<ImageRecord> childrenFirst(List<ImageRecord> candidates) {
    if (children.isEmpty()) {
      return candidates;
    }
    Map<ImageId, Integer> missing =
        new HashMap<>(); // for each parent, how many of its children are not in the order yet
    children.asMap().forEach((parent, all) -> missing.put(parent, all.size()));
    List<ImageRecord> ordered = new ArrayList<>(candidates.size());
    Set<ImageId> waiting = new HashSet<>();
    for (ImageRecord candidate : candidates) {
      ImageRecord next = candidate;
      while (next != null) {
        if (missing.getOrDefault(next.id(), 0) > 0) {
          waiting.add(next.id());
          break;
        }
        ordered.add(next);
        ImageRecord parent = parentOf(next);
        if (parent != null) {
          missing.merge(parent.id(), -1, Integer::sum);
        }
        next = parent != null
                && missing.getOrDefault(parent.id(), 0) == 0
                && waiting.remove(parent.id())
            ? parent
            : null;
      }
    }
    // An engine that says that two images were built on each other cannot be followed: leave those
    // alone.
    for (ImageId id : waiting) {
      kept.put(id, Verdict.stays(Reason.HAS_CHILDREN, "its parents and children form a circle"));
    }
    return ordered;
  }

  private boolean hasAllChildrenIn(Set<ImageId> ids, ImageRecord record) {
    for (ImageRecord child : children.get(record.id())) {
      if (!ids.contains(child.id())) {
        return false;
      }
    }
    return true;
  }

  /** Those that maxAge makes due and that no younger image was built on. */
  private List<ImageRecord> overAge(List<ImageRecord> candidates) {
    List<ImageRecord> due = new ArrayList<>();
    Set<ImageId> dueIds = new HashSet<>();
    for (ImageRecord candidate : candidates) {
      if (isDueByAge(candidate, thresholds, now) && hasAllChildrenIn(dueIds, candidate)) {
        due.add(candidate);
        dueIds.add(candidate.id());
      }
    }
    return due;
  }

  private static ImageDecision planned(ImageRecord record, Reason reason) {
    ImageDecision.Builder decision = ImageDecision.builder(record, Decision.PLANNED, reason);
    record.image().sizeBytes().ifPresent(decision::creditedBytes);
    return decision.build();
  }

  private static ImageDecision stays(ImageRecord record, Reason reason, String detail) {
    return ImageDecision.builder(record, Decision.KEPT, reason)
        .detail(detail)
        .creditedBytes(0)
        .build();
  }

  private static Instant idleSince(ImageRecord record) {
    return record
        .lastUsed()
        .filter(used -> used.isAfter(record.firstDetected()))
        .orElse(record.firstDetected());
  }

  /** Never negative: a time that lies ahead of now is no age. */
  private static Duration age(Instant since, Instant now) {
    return since.isBefore(now) ? Duration.between(since, now) : Duration.ZERO;
  }

  /** How people know an image. */
  static String name(Image image) {
    return image.references().isEmpty()
        ? image.id().shortText()
        : image.references().get(0);
  }

  /** Images that go, or may go, together. */
  private static final class Batch {
    private final List<ImageRecord> images = new ArrayList<>();
    private final Set<ImageId> ids = new HashSet<>();
    private long bytes;
    private boolean known = true;

    void add(ImageRecord record) {
      images.add(record);
      ids.add(record.id());
      OptionalLong size = record.image().sizeBytes();
      known &= size.isPresent();
      bytes = LongMath.saturatedAdd(bytes, size.orElse(0));
    }
  }
}
