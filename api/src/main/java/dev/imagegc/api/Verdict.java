/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A policy's word on one image: it may go, or it stays because of something. */
public final class Verdict {
  private static final Verdict MAY_GO = new Verdict(null, "");

  private final @Nullable Reason reason;
  private final String detail;

  private Verdict(@Nullable Reason reason, String detail) {
    this.reason = reason;
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
    return new Verdict(reason, Objects.requireNonNull(detail, "detail"));
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
   * Returns why the image stays, for people.
   *
   * @return words, possibly empty
   */
  public String detail() {
    return detail;
  }

  @Override
  public String toString() {
    return reason == null
        ? "may go"
        : "stays: " + reason + (detail.isEmpty() ? "" : " (" + detail + ")");
  }
}
