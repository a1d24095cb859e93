/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** Why an image goes, stays or could not be removed. The words for people are beside it, in {@link ImageDecision#detail()}. */
public final class Reason extends OpenCode {
  /** It goes because bytes are needed. */
  public static final Reason SPACE = new Reason("SPACE");

  /** It goes because it was unused for longer than the policy's maxAge, or than {@link Verdict#dueAfter()}. */
  public static final Reason MAX_AGE = new Reason("MAX_AGE");

  /** It goes because everything unused was asked to go. */
  public static final Reason UNUSED = new Reason("UNUSED");

  /** It stays: a container in any state holds it, or mounts it. */
  public static final Reason IN_USE = new Reason("IN_USE");

  /** It stays: the engine, or its adapter, says that it must not be collected. */
  public static final Reason PINNED = new Reason("PINNED");

  /** It stays: the policy says that it must not be collected. */
  public static final Reason PROTECTED = new Reason("PROTECTED");

  /** It stays: somebody has leased it, because it is about to be used. */
  public static final Reason LEASED = new Reason("LEASED");

  /** It stays: the policy says that it is not this collector's to collect. */
  public static final Reason NOT_OWNED = new Reason("NOT_OWNED");

  /** It stays: it is one of the newest of its repository that the policy keeps. */
  public static final Reason KEPT_NEWEST = new Reason("KEPT_NEWEST");

  /** It stays: it was last used less than the policy's grace ago. */
  public static final Reason RECENTLY_USED = new Reason("RECENTLY_USED");

  /** It stays: it was first seen less than minAge ago. */
  public static final Reason TOO_YOUNG = new Reason("TOO_YOUNG");

  /** It stays: images built on it stay, so removing it would free nothing but its name. */
  public static final Reason HAS_CHILDREN = new Reason("HAS_CHILDREN");

  /** It could go, but the need is met without it. These images are the reserve, in the order they would go. */
  public static final Reason ENOUGH_FREED = new Reason("ENOUGH_FREED");

  /**
   * It stays, though it may go: removing it would free nothing, because others hold its layers, or so little that the goal is
   * reached without it. Only where bytes are the goal, and unless {@link GcThresholds#collectsWithoutGain()}.
   */
  public static final Reason NO_GAIN = new Reason("NO_GAIN");

  /**
   * It stays, though it may go: removing everything that may go would not reach the low threshold, and the policy does not
   * want the cache emptied for nothing; see {@link GcThresholds#collectsInVain()}.
   */
  public static final Reason IN_VAIN = new Reason("IN_VAIN");

  /** It stays, though it may go: the round ended at one of its limits; see {@link GcReport#stoppedBy()}. */
  public static final Reason LIMIT = new Reason("LIMIT");

  /** It stays for now: removing it failed before, and it is not tried again yet. */
  public static final Reason BACKING_OFF = new Reason("BACKING_OFF");

  /** It stays: the policy threw when it was asked about this image. */
  public static final Reason POLICY_FAILED = new Reason("POLICY_FAILED");

  /** It stays: the round ended before its turn, because of trouble with the engine or the disk. */
  public static final Reason NOT_REACHED = new Reason("NOT_REACHED");

  /** It stays: the engine refused or failed to remove it. */
  public static final Reason REMOVAL_FAILED = new Reason("REMOVAL_FAILED");

  /** The removal was asked for, but no clear answer came and a look-up did not settle it; the next list tells. */
  public static final Reason OUTCOME_UNKNOWN = new Reason("OUTCOME_UNKNOWN");

  private Reason(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static Reason of(String code) {
    return new Reason(code);
  }
}
