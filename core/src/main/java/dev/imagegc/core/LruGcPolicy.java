/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/**
 * The kubelet's policy: least recently used first, never used before all others, with protected references. Thread-safe.
 */
public final class LruGcPolicy implements GcPolicy {
  private static final Comparator<ImageRecord> LEAST_RECENTLY_USED =
      (a, b) -> a.lastUsed().orElse(Instant.MIN).compareTo(b.lastUsed().orElse(Instant.MIN));

  private final GcThresholds thresholds;
  private final List<ReferenceGlob> keep;

  private LruGcPolicy(Builder builder) {
    this.thresholds = builder.thresholds.build();
    this.keep = List.copyOf(builder.keep);
  }

  /**
   * Returns the policy with the kubelet's thresholds, protecting nothing.
   *
   * @return the policy
   */
  public static LruGcPolicy ofDefaults() {
    return builder().build();
  }

  /**
   * Starts with the kubelet's thresholds, protecting nothing.
   *
   * @return a builder; not thread-safe
   */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public GcThresholds thresholds() {
    return thresholds;
  }

  /** Keeps an image if one of its references matches one of the globs. */
  @Override
  public Verdict verdict(ImageRecord image) {
    for (ReferenceGlob glob : keep) {
      if (image.image().references().stream().anyMatch(glob::matches)) {
        return Verdict.stays(Reason.PROTECTED, "kept by '" + glob + "'");
      }
    }
    return Verdict.mayGo();
  }

  @Override
  public Comparator<ImageRecord> evictionOrder() {
    return LEAST_RECENTLY_USED;
  }

  /**
   * Returns the globs that match none of these images: probably typing errors.
   *
   * @param images for instance {@link ImageGcManager#records()}, after a detection
   * @return the globs, in the order they were given
   */
  public List<String> unmatchedGlobs(Collection<ImageRecord> images) {
    return keep.stream()
        .filter(glob -> images.stream()
            .flatMap(image -> image.image().references().stream())
            .noneMatch(glob::matches))
        .map(ReferenceGlob::toString)
        .toList();
  }

  @Override
  public String toString() {
    return "LruGcPolicy[" + thresholds + " keep=" + keep + "]";
  }

  /** Builds an {@link LruGcPolicy}. Not thread-safe. */
  public static final class Builder {
    private final GcThresholds.Builder thresholds = GcThresholds.builder();
    private final List<ReferenceGlob> keep = new ArrayList<>();

    private Builder() {}

    /**
     * Sets the usage at which a round starts to free space.
     *
     * @param percent 0 to 100; the default is 85, and 100 switches the threshold part off
     * @return this builder
     */
    public Builder highPercent(int percent) {
      thresholds.highPercent(percent);
      return this;
    }

    /**
     * Sets the usage down to which a round frees space.
     *
     * @param percent 0 to 100, at most the high threshold when built; the default is 80
     * @return this builder
     */
    public Builder lowPercent(int percent) {
      thresholds.lowPercent(percent);
      return this;
    }

    /**
     * Sets how long an image is left alone after it was first seen.
     *
     * @param age zero or more; the default is 2 minutes
     * @return this builder
     */
    public Builder minAge(Duration age) {
      thresholds.minAge(age);
      return this;
    }

    /**
     * Sets for how long an image may be unused before it goes even when there is space.
     *
     * @param age above zero, or zero for "off", the default
     * @return this builder
     */
    public Builder maxAge(Duration age) {
      thresholds.maxAge(age);
      return this;
    }

    /**
     * Sets {@link GcThresholds#inodesHighPercent()} and {@link GcThresholds#inodesLowPercent()}.
     *
     * @param high 0 to 100; 100, the default, is off
     * @param low 0 to {@code high}
     * @return this builder
     */
    public Builder inodesPercent(int high, int low) {
      thresholds.inodesPercent(high, low);
      return this;
    }

    /**
     * Sets {@link GcThresholds#collectsWithoutGain()}.
     *
     * @param collects false by default
     * @return this builder
     */
    public Builder collectsWithoutGain(boolean collects) {
      thresholds.collectsWithoutGain(collects);
      return this;
    }

    /**
     * Sets {@link GcThresholds#collectsInVain()}.
     *
     * @param collects true by default
     * @return this builder
     */
    public Builder collectsInVain(boolean collects) {
      thresholds.collectsInVain(collects);
      return this;
    }

    /**
     * Protects images by name. The whole name must match: {@code *} stands for any characters but {@code /}, {@code **}
     * for any characters. A name is tried as the engine reports it, fully qualified ({@code docker.io/library/app:1}), and
     * each of these without its tag or digest.
     *
     * @param glob for instance {@code registry.example/base/*}
     * @return this builder
     * @throws IllegalArgumentException if the glob is empty, contains white space, or uses other pattern characters
     */
    public Builder keep(String glob) {
      keep.add(ReferenceGlob.of(Objects.requireNonNull(glob, "glob")));
      return this;
    }

    /**
     * Returns the policy.
     *
     * @return an immutable policy
     * @throws IllegalArgumentException if the low threshold is above the high one
     */
    public LruGcPolicy build() {
      return new LruGcPolicy(this);
    }
  }
}
