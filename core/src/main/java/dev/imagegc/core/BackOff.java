/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.GcEventType;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Reason;
import dev.imagegc.api.Verdict;
import dev.imagegc.core.internal.Durations;
import dev.imagegc.core.internal.Events;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Leaves images alone for a while that could not be removed: for twice as long after each failure, up to a bound. It is told
 * when that begins for an image and when it ends. Used by one thread at a time.
 */
final class BackOff {
  /** Failures in a row of one image. */
  private record Failing(int times, Instant retryAt, ImageDecision decision) {}

  private final RoundLimits limits;
  private final Events events;
  private final Map<ImageId, Failing> failing = new HashMap<>();

  BackOff(RoundLimits limits, Events events) {
    this.limits = limits;
    this.events = events;
  }

  /** Says that an image stays if it is too early to try it again. */
  Verdict verdict(ImageRecord image, Instant now) {
    Failing failure = failing.get(image.id());
    if (failure == null || !now.isBefore(failure.retryAt())) {
      return Verdict.mayGo();
    }
    return Verdict.stays(
        Reason.BACKING_OFF,
        "removing it failed " + failure.times() + (failure.times() == 1 ? " time" : " times")
            + ", tried again in " + Durations.text(Duration.between(now, failure.retryAt())));
  }

  void failed(ImageDecision decision, Instant now) {
    ImageId id = decision.image().id();
    Failing before = failing.get(id);
    int times = before == null ? 1 : before.times() + 1;
    Duration pause = Durations.doubled(limits.firstBackOff(), times, limits.longestBackOff());
    failing.put(id, new Failing(times, now.plus(pause), decision));
    if (before == null) {
      events.imageBegan(
          GcEventType.IMAGE_REMOVAL_FAILED,
          "could not remove image " + Planner.name(decision.image()) + ": " + decision.detail()
              + "; tried again after " + Durations.text(pause) + " at the earliest",
          decision);
    }
  }

  /** Says that an image is no trouble any more. */
  void ended(ImageDecision decision, String how) {
    if (failing.remove(decision.image().id()) != null) {
      tellEnd(decision, how);
    }
  }

  /** Forgets images that a listing shows to be gone or in use. */
  void review(Function<ImageId, @Nullable TrackedImage> listed) {
    for (Failing failure : List.copyOf(failing.values())) {
      TrackedImage image = listed.apply(failure.decision().image().id());
      if (image == null) {
        ended(failure.decision(), "is gone");
      } else if (image.user() != null) {
        ended(failure.decision(), "is in use");
      }
    }
  }

  private void tellEnd(ImageDecision decision, String how) {
    events.imageEnded(
        GcEventType.IMAGE_REMOVAL_FAILED,
        "image " + Planner.name(decision.image()) + ", which could not be removed, " + how,
        decision);
  }
}
