/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

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
import dev.imagegc.core.internal.Disk;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Sizes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Decides for every image of the node whether it goes, and in which order. Touches nothing; equal inputs give equal plans.
 * Serves one round: {@link #plan} once, then {@link #planRest} as often as needed. Not thread-safe.
 *
 * <p>Candidates are the images that nothing holds back. They are put in the policy's order, except that an image comes after
 * those built on it, which engines insist on. Victims are the first candidates whose removal together frees what is needed,
 * without those that contribute nothing to it; the rest are the reserve. What a removal frees is counted by {@link
 * LayerLedger}.
 */
final class Planner {
  /** What engines keep about an image beside its layers, which it always has for itself, is less than this. */
  private static final long NEGLIGIBLE_BYTES = 64 * 1024;
  /** And negligible is only what is less than this part of what is missing. */
  private static final long NEGLIGIBLE_SHARE = 1000;

  private final Inventory inventory;
  private final GcThresholds thresholds;
  private final Function<ImageRecord, Verdict> verdicts;
  private final Function<ImageRecord, Verdict> notNow;
  private final Instant now;
  private final List<TrackedImage> order;
  /** Every image that is left, in the policy's order. */
  private List<Item> items;
  /** Those of them that may go, in the order in which they would. */
  private List<Item> candidates;

  private LayerLedger ledger;
  private final Map<ImageId, Item> byId = new HashMap<>(); // filled when it is needed
  private boolean leavesWhatGainsNothing;
  private int inodeVictims = 1;
  private String because = ""; // why victims go that age does not make due

  /** An image on its way through the plan. */
  static final class Item {
    final TrackedImage tracked;
    final ImageRecord record;
    /** As in {@link TrackedImage#layers()}. */
    final int @Nullable [] layers;
    /** Why it must stay; null for a candidate. */
    @Nullable
    Verdict stays;
    /** Why it stays in this plan although it may go; null if it goes or is simply not needed. */
    @Nullable
    Verdict passedOver;
    /** Why it goes; null if it does not. */
    @Nullable
    Reason goes;

    /** What the policy says of when it is due; null if it is like all others. */
    @Nullable
    Verdict due;

    @Nullable
    Item parent;

    int children;
    int childrenOrdered; // that have their place in the order
    boolean waits; // for its children to get theirs
    int childrenGoing; // by age
    long credit; // what its removal frees after those before it, or UNKNOWN

    Item(TrackedImage tracked) {
      this.tracked = tracked;
      this.record = tracked.record();
      this.layers = tracked.layers();
    }
  }

  /**
   * Prepares a plan: finds the candidates and their order.
   *
   * @param inventory every image of the node, its users and its layers
   * @param thresholds the ages and switches of this round
   * @param verdicts the word of the policy and the host on an image
   * @param notNow whether an image that they let go is left alone for now
   * @param policyOrder the policy's order
   * @param now the one reading of the clock for this plan
   * @throws PolicyException if the policy's order contradicts itself
   */
  Planner(
      Inventory inventory,
      GcThresholds thresholds,
      Function<ImageRecord, Verdict> verdicts,
      Function<ImageRecord, Verdict> notNow,
      Comparator<ImageRecord> policyOrder,
      Instant now) {
    this.inventory = inventory;
    this.thresholds = thresholds;
    this.verdicts = verdicts;
    this.notNow = notNow;
    this.now = now;
    this.items = sorted(inventory.images(), policyOrder);
    keepWhatMustStay();
    TrackedImage[] inOrder = new TrackedImage[items.size()];
    Arrays.setAll(inOrder, i -> items.get(i).tracked);
    this.order = Arrays.asList(inOrder);
    this.candidates =
        Family.childrenFirst(items.stream().filter(item -> item.stays == null).toList());
    this.ledger = new LayerLedger(inventory.layers(), candidates);
  }

  /** Returns the images in the order of this plan. */
  List<TrackedImage> order() {
    return order;
  }

  /** Returns the plan of a round that begins. */
  GcPlan plan(Goal goal, Disk disk) {
    long byAge = goal.collectsByAge() ? takeOverAge() : 0;
    Disk afterAge = disk.withAvailable(LongMath.saturatedAdd(disk.available(), byAge));
    Goal.Target target = goal.target(afterAge);
    because = target == Goal.Target.NONE ? "" : goal.because(disk);
    takeUntilReached(goal, target, afterAge);
    GcPlan.Builder plan = toPlan(goal, disk);
    if (goal.countsBytes()) {
      boolean needed = target != Goal.Target.NONE;
      plan.neededBytes(needed ? Math.max(0, target.missing(disk)) : 0);
      if (goal.countsInodes() && disk.inodesUsagePercent().isPresent()) {
        plan.neededInodes(needed ? Math.max(0, target.missingInodes(disk)) : 0);
      }
    }
    return plan.build();
  }

  /**
   * Returns the plan for what is still missing in a round that has come so far. The policy is not asked again.
   *
   * @param tried what became of the images that the round has tried: they are left alone
   */
  GcPlan planRest(Goal goal, Goal.Target target, Disk disk, Map<ImageId, Decision> tried) {
    items = items.stream().filter(item -> !went(item, tried)).toList();
    for (Item item : items) {
      item.goes = null;
      item.passedOver = null;
      if (item.stays == null && tried.containsKey(item.record.id())) {
        item.stays = Verdict.stays(Reason.NOT_REACHED, "the round has tried it");
        Family.keepAncestors(item);
      }
    }
    candidates = candidates.stream()
        .filter(item -> item.stays == null && !went(item, tried))
        .toList();
    ledger = new LayerLedger(inventory.layers(), candidates);
    because = because.isEmpty() ? goal.because(disk) : because; // others may have filled the disk
    takeUntilReached(goal, target, disk);
    return toPlan(goal, disk).build();
  }

  /** Notes that a victim stays: what others share with it does not come back. */
  void stays(ImageId victim) {
    Item item = item(victim);
    if (item.goes != null) {
      item.goes = null;
      ledger.giveBack(item);
    }
  }

  /** Whether bytes are wanted, and removing a victim would free none any more, because others stayed. */
  boolean isInVain(ImageId victim) {
    Item item = item(victim);
    boolean unlocks = item.parent != null && item.parent.goes != null;
    return leavesWhatGainsNothing && !unlocks && ledger.lostIfKept(item) == 0;
  }

  private Item item(ImageId id) {
    if (byId.isEmpty()) {
      items.forEach(item -> byId.put(item.record.id(), item));
    }
    return Objects.requireNonNull(byId.get(id));
  }

  private static boolean went(Item item, Map<ImageId, Decision> tried) {
    Decision decision = tried.getOrDefault(item.record.id(), Decision.KEPT);
    return decision.equals(Decision.REMOVED) || decision.equals(Decision.GONE);
  }

  // Order

  private static List<Item> sorted(List<TrackedImage> images, Comparator<ImageRecord> policyOrder) {
    Item[] items = new Item[images.size()];
    for (int i = 0; i < items.length; i++) {
      items[i] = new Item(images.get(i));
    }
    try {
      Arrays.sort(items, (a, b) -> {
        int byPolicy = policyOrder.compare(a.record, b.record);
        return byPolicy != 0 ? byPolicy : settleTie(a.record, b.record);
      });
    } catch (IllegalArgumentException e) { // what the JDK's sort throws when it notices
      throw new PolicyException(
          "the policy's eviction order contradicts itself: " + e.getMessage(), e);
    }
    return Arrays.asList(items);
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

  // What stays

  private void keepWhatMustStay() {
    boolean areRelated = false;
    for (Item item : items) {
      item.stays = whyItStays(item);
      areRelated |= item.record.image().parent().isPresent();
    }
    if (areRelated) {
      Family.link(items);
      items.stream().filter(item -> item.stays != null).forEach(Family::keepAncestors);
    }
  }

  private @Nullable Verdict whyItStays(Item item) {
    ImageRecord record = item.record;
    Container user = item.tracked.user();
    if (user != null) {
      return Verdict.stays(Reason.IN_USE, NodeView.describe(user));
    }
    Optional<String> pinned = record.image().pinnedBecause();
    if (pinned.isPresent()) {
      return Verdict.stays(Reason.PINNED, pinned.get());
    }
    Verdict verdict = verdicts.apply(record);
    if (verdict.reason().isPresent()) {
      return verdict;
    }
    Verdict ages = verdictOnAges(record, now);
    if (ages.reason().isPresent()) {
      return ages;
    }
    Verdict later = notNow.apply(record);
    if (later.reason().isPresent()) {
      return later;
    }
    item.due = verdict.dueAfter().isPresent() ? verdict : null;
    return null;
  }

  /** Says whether an image stays because it is too young, or was used too recently, at a time that may be later than the plan's. */
  Verdict verdictOnAges(ImageRecord record, Instant time) {
    if (isTooYoung(record, thresholds, time)) {
      Duration age = age(record.firstDetected(), time);
      return Verdict.stays(
          Reason.TOO_YOUNG,
          "first seen " + Durations.text(age) + " ago, minAge is "
              + Durations.text(thresholds.minAge()));
    }
    if (isRecentlyUsed(record, thresholds, time)) {
      Duration unused = age(record.lastUsed().orElseThrow(), time);
      return Verdict.stays(
          Reason.RECENTLY_USED,
          "last used " + Durations.text(unused) + " ago, grace is "
              + Durations.text(thresholds.grace()));
    }
    return Verdict.mayGo();
  }

  // What goes

  /** Takes those that maxAge or the policy makes due and that no younger image was built on; returns what they free. */
  private long takeOverAge() {
    long bytes = 0;
    for (Item item : candidates) {
      if (isDue(item) && Family.allChildrenGo(item)) {
        take(item, Reason.MAX_AGE);
        Family.goes(item);
        bytes = LongMath.saturatedAdd(bytes, LayerLedger.orZero(item.credit));
      }
    }
    return bytes;
  }

  private void takeUntilReached(Goal goal, Goal.Target target, Disk disk) {
    long missing = Math.max(0, target.missing(disk));
    // How many inodes an image takes is not known: one is a beginning, then twice as many.
    int atLeast = target.missingInodes(disk) > 0 ? inodeVictims : 0;
    inodeVictims *= 2;
    List<Item> taken = new ArrayList<>();
    long bytes = 0;
    int withGain = 0;
    boolean known = true;
    for (Item item : candidates) {
      if (bytes >= missing && withGain >= atLeast) {
        break;
      }
      if (item.goes == null) {
        take(item, goal.reason());
        taken.add(item);
        known &= item.credit != LayerLedger.UNKNOWN;
        bytes = LongMath.saturatedAdd(bytes, LayerLedger.orZero(item.credit));
        withGain += item.credit != 0 ? 1 : 0;
      }
    }
    leavesWhatGainsNothing = goal.countsBytes() && !thresholds.collectsWithoutGain();
    if (!goal.countsBytes()) {
      return;
    }
    boolean inVain = bytes < missing && known && target.missingInodes(disk) <= 0;
    if (inVain && goal.mayBeInVain() && !thresholds.collectsInVain()) {
      Verdict keepTheCache = Verdict.stays(
          Reason.IN_VAIN,
          "all that may go would free " + Sizes.text(bytes) + " of " + Sizes.text(missing));
      taken.forEach(item -> giveBack(item, keepTheCache));
    } else if (leavesWhatGainsNothing) {
      giveBackWhatGainsNothing(taken, bytes - missing, missing);
    }
  }

  /**
   * Leaves images where they are that free nothing, or as good as nothing and the goal is reached without it. They go all the
   * same if one that they were built on frees something, because that has to wait for them.
   *
   * @param spare bytes that the others free beyond what is missing; negative if that is not reached
   */
  private void giveBackWhatGainsNothing(List<Item> taken, long spare, long missing) {
    long negligible = Math.min(NEGLIGIBLE_BYTES, missing / NEGLIGIBLE_SHARE);
    if (giveBackUpTo(negligible, spare, taken) != spare) {
      giveBackUpTo(0, 0, taken); // who shared layers with one that stays now may free nothing
      // What was credited to one may be another's now.
      taken.stream().filter(item -> item.goes != null).forEach(ledger::giveBack);
      taken.stream()
          .filter(item -> item.goes != null)
          .forEach(item -> item.credit = ledger.take(item));
    }
  }

  /** Gives back what frees no more than this, as long as it can be spared; returns what can be spared then. */
  private long giveBackUpTo(long negligible, long spare, List<Item> taken) {
    long left = spare;
    for (int i = taken.size() - 1; i >= 0; i--) { // parents come after their children
      Item item = taken.get(i);
      boolean unlocks = item.parent != null && item.parent.goes != null;
      if (item.goes == null || unlocks) {
        continue;
      }
      long gain = ledger.lostIfKept(item);
      if (gain == 0 || (gain <= negligible && gain <= left)) {
        left -= gain;
        giveBack(
            item,
            Verdict.stays(
                Reason.NO_GAIN,
                gain == 0
                    ? "others hold all of its layers"
                    : "removing it would free no more than " + Sizes.text(gain)));
      }
    }
    return left;
  }

  private void take(Item item, Reason reason) {
    item.goes = reason;
    item.credit = ledger.take(item);
  }

  private void giveBack(Item item, Verdict why) {
    item.goes = null;
    item.passedOver = why;
    ledger.giveBack(item);
  }

  // The plan

  private GcPlan.Builder toPlan(Goal goal, Disk disk) {
    List<ImageDecision> decisions = new ArrayList<>(items.size());
    long predicted = 0;
    boolean known = true;
    for (Reason reason : List.of(Reason.MAX_AGE, goal.reason())) {
      for (Item item : candidates) {
        if (item.goes != null && item.goes.equals(reason)) {
          known &= item.credit != LayerLedger.UNKNOWN;
          predicted = LongMath.saturatedAdd(predicted, LayerLedger.orZero(item.credit));
          decisions.add(planned(item, reason));
        }
      }
    }
    for (Item item : candidates) {
      if (item.goes == null && item.passedOver == null) {
        decisions.add(stays(item, Reason.ENOUGH_FREED, ""));
      }
    }
    for (Item item : items) {
      Verdict verdict = item.stays != null ? item.stays : item.passedOver;
      if (verdict != null) {
        decisions.add(stays(item, verdict.reason().orElseThrow(), verdict.detail()));
      }
    }
    GcPlan.Builder plan = GcPlan.builder(goal.operation(), disk.stats(), disk.usagePercent())
        .accounting(known ? accounting() : Accounting.UNKNOWN)
        .decisions(decisions);
    return known ? plan.predictedBytes(predicted) : plan;
  }

  private Accounting accounting() {
    long unknown = items.stream().filter(item -> item.layers == null).count();
    if (unknown == 0 && inventory.holdersKnown()) {
      return Accounting.LAYERS;
    }
    return unknown == items.size() ? Accounting.SIZES : Accounting.MIXED;
  }

  private ImageDecision planned(Item item, Reason reason) {
    String detail = reason.equals(Reason.MAX_AGE) ? becauseOfAge(item) : because;
    return decision(item, Decision.PLANNED, reason, detail, item.credit);
  }

  private String becauseOfAge(Item item) {
    String rule;
    if (item.due == null) {
      rule = "maxAge is " + Durations.text(thresholds.maxAge().orElseThrow());
    } else if (item.due.detail().isEmpty()) {
      rule = "due after " + Durations.text(item.due.dueAfter().orElseThrow());
    } else {
      rule = item.due.detail();
    }
    return "unused for " + Durations.text(age(idleSince(item.record), now)) + ", " + rule;
  }

  private ImageDecision stays(Item item, Reason reason, String detail) {
    return decision(item, Decision.KEPT, reason, detail, 0);
  }

  private ImageDecision decision(
      Item item, Decision decision, Reason reason, String detail, long credit) {
    ImageDecision.Builder builder =
        ImageDecision.builder(item.record, decision, reason).detail(detail).decidedAt(now);
    if (item.layers != null) {
      builder.exclusiveBytes(ledger.exclusiveBytes(item));
    }
    if (item.layers != null || item.stays != null) {
      builder.reclaimableBytes(ledger.reclaimableBytes(item));
    }
    if (credit != LayerLedger.UNKNOWN) {
      builder.creditedBytes(credit);
    }
    return builder.build();
  }

  // Ages

  private boolean isDue(Item item) {
    return isDueByAge(item.record, item.due == null ? Verdict.mayGo() : item.due, thresholds, now);
  }

  /**
   * Returns whether the ages say that an image is due to go, whatever else holds it back.
   *
   * @param verdict the policy's word, which may have an age of its own
   */
  static boolean isDueByAge(
      ImageRecord record, Verdict verdict, GcThresholds thresholds, Instant now) {
    Optional<Duration> limit = verdict.dueAfter().or(thresholds::maxAge);
    return limit.isPresent()
        && (limit.get().isZero() || age(idleSince(record), now).compareTo(limit.get()) > 0)
        && !isTooYoung(record, thresholds, now)
        && !isRecentlyUsed(record, thresholds, now);
  }

  /** An image that was never used has no grace. */
  private static boolean isRecentlyUsed(ImageRecord record, GcThresholds thresholds, Instant now) {
    if (thresholds.grace().isZero()) {
      return false;
    }
    Optional<Instant> used = record.lastUsed();
    return used.isPresent() && age(used.get(), now).compareTo(thresholds.grace()) < 0;
  }

  private static boolean isTooYoung(ImageRecord record, GcThresholds thresholds, Instant now) {
    return age(record.firstDetected(), now).compareTo(thresholds.minAge()) < 0;
  }

  /** The later of last use and first sight. */
  static Instant idleSince(ImageRecord record) {
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
}
