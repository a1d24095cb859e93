/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import com.google.common.math.LongMath;
import dev.imagegc.api.HeldBytes;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Reason;
import dev.imagegc.core.internal.Disk;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Where the bytes of a filesystem are that a round could not bring below its threshold. Every layer counts once, for the
 * strongest reason of those that hold it; what is left are bytes that are no image's.
 */
final class Shortfall {
  /** The strongest first; a host's own reason comes after {@link Reason#POLICY_FAILED}. */
  private static final List<Reason> STRENGTH = List.of(
      Reason.IN_USE,
      Reason.PINNED,
      Reason.LEASED,
      Reason.PROTECTED,
      Reason.NOT_OWNED,
      Reason.KEPT_NEWEST,
      Reason.POLICY_FAILED,
      Reason.TOO_YOUNG,
      Reason.RECENTLY_USED,
      Reason.REMOVAL_FAILED,
      Reason.OUTCOME_UNKNOWN,
      Reason.BACKING_OFF,
      Reason.NOT_REACHED,
      Reason.LIMIT,
      Reason.IN_VAIN,
      Reason.ENOUGH_FREED,
      Reason.NO_GAIN,
      Reason.HAS_CHILDREN);

  private static final int HOSTS_OWN = STRENGTH.indexOf(Reason.POLICY_FAILED);

  private static final Comparator<HeldBytes> LARGEST_FIRST = Comparator.comparingLong(
          (HeldBytes sum) -> sum.bytes().orElse(Long.MAX_VALUE))
      .reversed()
      .thenComparing(sum -> sum.reason().code());

  private final List<HeldBytes> held;
  private final OptionalLong imageBytes;
  private final boolean exact;

  private Shortfall(List<HeldBytes> held, OptionalLong imageBytes, boolean exact) {
    this.held = held;
    this.imageBytes = imageBytes;
    this.exact = exact;
  }

  /**
   * Sums up.
   *
   * @param inventory the images that are left
   * @param decisions what was decided on each
   */
  static Shortfall of(Inventory inventory, List<ImageDecision> decisions) {
    Map<ImageId, Reason> reasons = new HashMap<>();
    decisions.forEach(decision -> reasons.put(decision.image().id(), decision.reason()));
    Map<Reason, Sum> sums = new LinkedHashMap<>();
    @Nullable Reason[] layerReasons = new Reason[inventory.layers().limit()];
    boolean exact = inventory.holdersKnown();
    for (TrackedImage image : inventory.images()) {
      Reason reason = reasons.getOrDefault(image.id(), Reason.NOT_REACHED);
      Sum sum = sums.computeIfAbsent(reason, unused -> new Sum());
      sum.images++;
      int[] layers = image.layers();
      if (layers == null) {
        sum.add(image.image().sizeBytes());
        exact = false; // what it shares is counted again
      } else {
        for (int layer : layers) {
          layerReasons[layer] = stronger(layerReasons[layer], reason);
        }
      }
    }
    if (inventory.orphans() > 0) {
      sums.computeIfAbsent(Reason.IN_USE, unused -> new Sum()).images += inventory.orphans();
    }
    for (int layer = 0; layer < layerReasons.length; layer++) {
      if (inventory.layers().holders(layer) > 0) {
        // What no listed image holds belongs to a container whose image is gone.
        Reason reason = layerReasons[layer] == null ? Reason.IN_USE : layerReasons[layer];
        Objects.requireNonNull(sums.get(reason))
            .add(OptionalLong.of(inventory.layers().bytes(layer)));
      }
    }
    boolean known = sums.values().stream().allMatch(sum -> sum.known);
    long all = sums.values().stream().mapToLong(sum -> sum.bytes).reduce(0, LongMath::saturatedAdd);
    return new Shortfall(
        sums.entrySet().stream()
            .map(entry -> entry.getValue().of(entry.getKey()))
            .sorted(LARGEST_FIRST)
            .toList(),
        known ? OptionalLong.of(all) : OptionalLong.empty(),
        known && exact);
  }

  /** Which reasons hold how much, largest first. */
  List<HeldBytes> held() {
    return held;
  }

  /** Used bytes that are no image's; at least these if not {@link #isExact()}, and empty if that would say nothing. */
  OptionalLong otherDataBytes(Disk disk) {
    if (imageBytes.isEmpty()) {
      return OptionalLong.empty();
    }
    long other = Math.max(0, disk.capacity() - disk.available() - imageBytes.getAsLong());
    return exact || other > 0 ? OptionalLong.of(other) : OptionalLong.empty();
  }

  /** Whether every layer was counted once, and none is missing. */
  boolean isExact() {
    return exact;
  }

  private static Reason stronger(@Nullable Reason a, Reason b) {
    return a == null || rank(b) < rank(a) ? b : a;
  }

  private static int rank(Reason reason) {
    int rank = STRENGTH.indexOf(reason);
    return rank < 0 ? 2 * HOSTS_OWN + 1 : 2 * rank;
  }

  private static final class Sum {
    private int images;
    private long bytes;
    private boolean known = true;

    void add(OptionalLong more) {
      known &= more.isPresent();
      bytes = LongMath.saturatedAdd(bytes, more.orElse(0));
    }

    HeldBytes of(Reason reason) {
      return HeldBytes.of(reason, images, known ? OptionalLong.of(bytes) : OptionalLong.empty());
    }
  }
}
