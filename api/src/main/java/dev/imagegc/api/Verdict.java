/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A policy's word on one image: it may go, it stays because of something, or it may go and is due at an age of its own. */
public final class Verdict {
  private static final Verdict MAY_GO = new Verdict(null, null, "");
  /** 292 years: ages are compared in nanoseconds. */
  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);

  private final @Nullable Reason reason;
  private final @Nullable Duration dueAfter;
  private final String detail;

  private Verdict(@Nullable Reason reason, @Nullable Duration dueAfter, String detail) {
    this.reason = reason;
    this.dueAfter = dueAfter;
    this.detail = detail;
  }

  /**
   * Returns the verdict that the policy does not mind.
   *
   * @return "may go"
   */
  public static Verdict mayGo() {
    return MAY_GO;
  }

  /**
   * Returns the verdict that the image must not be collected.
   *
   * @param reason why, for programs: {@link Reason#PROTECTED} or one of the host's own; not {@link
   *     Reason#ENOUGH_FREED}, which means that an image may go
   * @param detail why, for people; may be empty
   * @return "stays"
   */
  public static Verdict stays(Reason reason, String detail) {
    if (Reason.ENOUGH_FREED.equals(Objects.requireNonNull(reason, "reason"))) {
      throw new IllegalArgumentException("reason must not be ENOUGH_FREED: such an image may go");
    }
    return new Verdict(reason, null, Objects.requireNonNull(detail, "detail"));
  }

  /**
   * Returns the verdict that the image may go, and that it is due once it was unused for a time of its own: then a threshold
   * round removes it even when there is space. For this image the time stands in the place of {@link GcThresholds#maxAge()},
   * also if that is off or shorter. The image goes among those that maxAge makes due, with {@link Reason#MAX_AGE}; in other
   * rounds it is one that may go.
   *
   * <p>It does not release an image that something else holds back: use, a lease, a pin, {@link GcThresholds#minAge()}, {@link
   * GcThresholds#grace()}, or the host's veto. A policy that gives such verdicts says so in {@link GcPolicy#makesDue()}.
   *
   * @param unused counts from the later of last use and first sight, and must be exceeded; zero makes it due as soon as it is
   *     unused; at most 292 years
   * @param detail which rule it is, for people; may be empty
   * @return "may go, and is due after that time"
   * @throws IllegalArgumentException if the time is negative or too long
   */
  public static Verdict dueAfter(Duration unused, String detail) {
    if (Objects.requireNonNull(unused, "unused").isNegative()) {
      throw new IllegalArgumentException("unused must not be negative, but is " + unused);
    }
    if (unused.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException("unused must be at most 292 years, but is " + unused);
    }
    return new Verdict(null, unused, Objects.requireNonNull(detail, "detail"));
  }

  /**
   * Returns why the image stays.
   *
   * @return the reason, or empty if the image may go
   */
  public Optional<Reason> reason() {
    return Optional.ofNullable(reason);
  }

  /**
   * Returns for how long the image may be unused before it goes even when there is space.
   *
   * @return at least zero, or empty if the image stays, or is like all others
   */
  public Optional<Duration> dueAfter() {
    return Optional.ofNullable(dueAfter);
  }

  /**
   * Returns why the image stays or is due, for people.
   *
   * @return words, possibly empty
   */
  public String detail() {
    return detail;
  }

  @Override
  public String toString() {
    String words = detail.isEmpty() ? "" : " (" + detail + ")";
    if (reason != null) {
      return "stays: " + reason + words;
    }
    return dueAfter == null ? "may go" : "may go, due after " + dueAfter + words;
  }
}
