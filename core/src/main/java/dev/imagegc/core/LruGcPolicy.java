/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * The kubelet's policy: least recently used first, never used before all others; with rules that protect images, or make them
 * due. Thread-safe.
 *
 * <p>What keeps an image comes before what makes it due, in whatever order the rules were given: first {@linkplain Builder#owns
 * ownership}, then what is {@linkplain Builder#protect protected} or {@linkplain Builder#keep kept}, then the {@linkplain
 * Builder#keepNewest newest}. Of the rules that make images due, the first that selects an image decides, in the order given.
 * Each image then has the reason of one rule, the first of these.
 */
public final class LruGcPolicy implements GcPolicy {
  private static final Comparator<ImageRecord> LEAST_RECENTLY_USED =
      (a, b) -> a.lastUsed().orElse(Instant.MIN).compareTo(b.lastUsed().orElse(Instant.MIN));

  private final GcThresholds thresholds;
  private final ImageRules rules;

  private LruGcPolicy(GcThresholds thresholds, ImageRules rules) {
    this.thresholds = thresholds;
    this.rules = rules;
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

  /**
   * Judges an image as if it were the only one of the node: it is then the newest of its repository. A policy that wraps this
   * one passes on {@link #verdicts}, {@link #makesDue()} and {@link #unmatchedRules()} too.
   */
  @Override
  public Verdict verdict(ImageRecord image) {
    return rules.judge(List.of(image)).apply(image);
  }

  @Override
  public Function<ImageRecord, Verdict> verdicts(Collection<ImageRecord> all) {
    return rules.judge(all);
  }

  /** Returns true if there is a rule that collects. */
  @Override
  public boolean makesDue() {
    return rules.makesDue();
  }

  /**
   * Returns the rules that have selected no image that this policy was shown, also none that is in use or pinned.
   *
   * @return each as the builder's method and the selector, for instance {@code keep 'registry.example/*'}, by kind and then in
   *     the order given; all of them before the first image
   */
  @Override
  public List<String> unmatchedRules() {
    return rules.unmatched();
  }

  @Override
  public Comparator<ImageRecord> evictionOrder() {
    return LEAST_RECENTLY_USED;
  }

  @Override
  public String toString() {
    return "LruGcPolicy[" + thresholds + " rules=" + rules + "]";
  }

  /** Builds an {@link LruGcPolicy}. Not thread-safe. */
  public static final class Builder {
    private final GcThresholds.Builder thresholds = GcThresholds.builder();
    private final List<ImageRules.Rule> owned = new ArrayList<>();
    private final List<ImageRules.Rule> protecting = new ArrayList<>();
    private final List<ImageRules.Rule> newest = new ArrayList<>();
    private final List<ImageRules.Rule> collecting = new ArrayList<>();
    private boolean allowsMatchingEverything;

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
     * Sets how long an image is left alone after it was last used, in every kind of round; see {@link GcThresholds#grace()}.
     *
     * @param time above zero, or zero for "off", the default
     * @return this builder
     */
    public Builder grace(Duration time) {
      thresholds.grace(time);
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
     * Protects images by name, see {@link ImageSelector#reference}: {@link #protect} without words of its own.
     *
     * @param glob for instance {@code registry.example/base/*}
     * @return this builder
     * @throws IllegalArgumentException if the glob is empty, contains white space, or uses other pattern characters
     */
    public Builder keep(String glob) {
      ImageSelector images = ImageSelector.reference("keep glob", glob);
      protecting.add(new ImageRules.Rule(
          "keep " + images, images, Verdict.stays(Reason.PROTECTED, "kept by " + images)));
      return this;
    }

    /**
     * Protects images, with {@link Reason#PROTECTED}.
     *
     * @param images which are never collected
     * @param because why, for people; may be empty
     * @return this builder
     */
    public Builder protect(ImageSelector images, String because) {
      return protect(images, Reason.PROTECTED, because);
    }

    /**
     * Protects images, with a reason of the host's own.
     *
     * @param images which are never collected
     * @param reason why, for programs; not {@link Reason#ENOUGH_FREED}
     * @param because why, for people; may be empty
     * @return this builder
     */
    public Builder protect(ImageSelector images, Reason reason, String because) {
      String words = Objects.requireNonNull(because, "because").isEmpty() ? "" : ": " + because;
      protecting.add(new ImageRules.Rule(
          "protect " + Objects.requireNonNull(images, "images"),
          images,
          Verdict.stays(reason, "protected by " + images + words)));
      return this;
    }

    /**
     * Says that only some images are this collector's to collect. An image is owned if each of its names is selected: one that
     * somebody else has given a name too stays, and so does one without any name, with {@link Reason#NOT_OWNED}. The digest that
     * engines add to what they pulled belongs to the selected tags of its repository. A selector by label or digest speaks for
     * the image whatever its names are, also if it has none.
     *
     * @param images what is owned, at least one; further calls add to it
     * @return this builder
     * @throws IllegalArgumentException if there is no selector
     */
    public Builder owns(ImageSelector... images) {
      if (images.length == 0) {
        throw new IllegalArgumentException("owns must have at least one selector, but has none");
      }
      for (ImageSelector selector : images) {
        owned.add(new ImageRules.Rule(
            "owns " + Objects.requireNonNull(selector, "images"), selector, Verdict.mayGo()));
      }
      return this;
    }

    /**
     * Keeps the newest images of each repository, by name; see {@link #keepNewest(ImageSelector, int)}.
     *
     * @param glob which repositories, for instance {@code registry.example/team/*}; with a tag, which images of them
     * @param count how many of each, at least 1
     * @return this builder
     * @throws IllegalArgumentException if the glob is none, or the count is below 1
     */
    public Builder keepNewest(String glob, int count) {
      return keepNewest(ImageSelector.reference("keepNewest glob", glob), count);
    }

    /**
     * Keeps the newest images of each repository, with {@link Reason#KEPT_NEWEST}. The newest are those that were built last or,
     * where an engine does not tell when, first seen last; then first seen last, then with the highest id. All images of the node
     * count, also those in use, pinned or protected. An image belongs to the repository of each of its names; one without
     * names belongs to none.
     *
     * @param images which images and, where the selector is about names, which of their names
     * @param count how many of each repository, at least 1
     * @return this builder
     * @throws IllegalArgumentException if the count is below 1
     */
    public Builder keepNewest(ImageSelector images, int count) {
      if (count < 1) {
        throw new IllegalArgumentException("keepNewest must be at least 1, but is " + count);
      }
      newest.add(new ImageRules.Rule(
          "keepNewest " + Objects.requireNonNull(images, "images"),
          images,
          Verdict.mayGo(),
          count));
      return this;
    }

    /**
     * Collects images once they were unused for some time, even when there is space: for them this stands in the place of
     * maxAge, see {@link Verdict#dueAfter(Duration, String)}.
     *
     * @param images which
     * @param unused must be exceeded; above zero
     * @return this builder
     * @throws IllegalArgumentException if the time is not above zero
     */
    public Builder collectAfter(ImageSelector images, Duration unused) {
      Durations.positive("collectAfter", unused);
      return due(
          "collectAfter " + Objects.requireNonNull(images, "images"),
          images,
          unused,
          "collectAfter of " + images + " is " + Durations.text(unused));
    }

    /**
     * Collects images as soon as they are unused, even when there is space. {@link #minAge} and {@link #grace} are kept.
     *
     * @param images which
     * @return this builder
     */
    public Builder collectWhenUnused(ImageSelector images) {
      String name = "collectWhenUnused " + Objects.requireNonNull(images, "images");
      return due(name, images, Duration.ZERO, name);
    }

    private Builder due(String name, ImageSelector images, Duration unused, String detail) {
      collecting.add(new ImageRules.Rule(name, images, Verdict.dueAfter(unused, detail)));
      return this;
    }

    /**
     * Says that a rule may match every name by its form, as {@code **} does. Without that it is taken for a mistake: it would
     * protect or collect the whole node.
     *
     * @param allows false by default
     * @return this builder
     */
    public Builder allowMatchingEverything(boolean allows) {
      allowsMatchingEverything = allows;
      return this;
    }

    /**
     * Returns the policy.
     *
     * @return a policy that does not change any more
     * @throws IllegalArgumentException if the low threshold is above the high one, or a rule {@linkplain
     *     ImageSelector#matchesEveryName() matches every name} and {@link #allowMatchingEverything} does not say that it may
     */
    public LruGcPolicy build() {
      ImageRules rules = new ImageRules(owned, protecting, newest, collecting);
      for (ImageRules.Rule rule : rules.all()) {
        if (rule.selector().matchesEveryName() && !allowsMatchingEverything) {
          throw new IllegalArgumentException(
              rule.name()
                  + " must not match every name, unless allowMatchingEverything(true) says that it may");
        }
      }
      return new LruGcPolicy(thresholds.build(), rules);
    }
  }
}
