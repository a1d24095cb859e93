/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

import dev.imagegc.api.GcException;
import dev.imagegc.core.internal.Sizes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whether there is room for so many bytes more, and why. Immutable. It is a look at numbers that may be 2 s old: nothing is
 * reserved, and what others write meanwhile is not foreseen.
 */
public final class Admission {
  /** What is said to a request for room. The set is closed. */
  public enum Answer {
    /** There is room. */
    YES,

    /** There is not. */
    NO,

    /** Nobody can say. This is never a yes. */
    UNKNOWN
  }

  private final long bytes;
  private final Answer answer;
  private final String why;
  private final @Nullable GcException error;
  private final DiskSpace imageFs;
  private final @Nullable DiskSpace rootFs;

  /** One rule's word on the request. */
  private record Verdict(
      Answer answer, String why, @Nullable GcException error) {}

  private Admission(long bytes, Verdict verdict, DiskSpace imageFs, @Nullable DiskSpace rootFs) {
    this.bytes = bytes;
    this.answer = verdict.answer;
    this.why = verdict.why;
    this.error = verdict.error;
    this.imageFs = imageFs;
    this.rootFs = rootFs;
  }

  /** Decides: a certain no comes before what is unknown, and what is unknown before a yes. */
  static Admission of(long bytes, DiskSpace imageFs, Optional<DiskSpace> rootFs) {
    List<Verdict> verdicts = new ArrayList<>();
    verdicts.add(onImages(bytes, imageFs));
    rootFs.ifPresent(root -> verdicts.add(onRoot(bytes, imageFs, root)));
    Verdict verdict = first(verdicts, Answer.NO)
        .or(() -> first(verdicts, Answer.UNKNOWN))
        .orElseGet(() -> verdicts.get(0));
    return new Admission(bytes, verdict, imageFs, rootFs.orElse(null));
  }

  private static Optional<Verdict> first(List<Verdict> verdicts, Answer answer) {
    return verdicts.stream().filter(verdict -> verdict.answer == answer).findFirst();
  }

  private static Verdict onImages(long bytes, DiskSpace images) {
    return images.availableBytes().isEmpty() ? unknown(images) : onDisk(bytes, images);
  }

  /** The bytes count on the root filesystem only if that is the filesystem of the images, where they count once. */
  private static Verdict onRoot(long bytes, DiskSpace images, DiskSpace root) {
    switch (root.status()) {
      case UNKNOWN -> {
        return unknown(root);
      }
      case OUT -> {
        return new Verdict(Answer.NO, root.detail(), null);
      }
      case AVAILABLE -> {
        Verdict ifSame = onDisk(bytes, root);
        if (ifSame.answer == Answer.YES || areApart(images, root)) {
          return onDisk(0, root);
        }
        return areOne(images, root)
            ? ifSame
            : new Verdict(
                Answer.UNKNOWN,
                "it is not known whether " + images.name() + " and " + root.name()
                    + " are one filesystem; if they are: " + ifSame.why,
                null);
      }
    }
    throw new AssertionError(root.status());
  }

  private static boolean areOne(DiskSpace images, DiskSpace root) {
    return images.device().isPresent() && images.device().equals(root.device());
  }

  private static boolean areApart(DiskSpace images, DiskSpace root) {
    return images.device().isPresent()
        && root.device().isPresent()
        && !images.device().equals(root.device());
  }

  private static Verdict onDisk(long bytes, DiskSpace space) {
    long left = space.availableBytes().orElse(0) - bytes; // no overflow: neither is negative
    String numbers = space.name() + " has " + Sizes.text(space.availableBytes().orElse(0))
        + " available; " + Sizes.text(bytes) + " more ";
    String threshold = Sizes.text(space.thresholdBytes());
    if (left < 0) {
      return new Verdict(Answer.NO, numbers + "do not fit", null);
    }
    return left < space.thresholdBytes()
        ? new Verdict(
            Answer.NO,
            numbers + "would leave " + Sizes.text(left) + ", below its threshold of " + threshold,
            null)
        : new Verdict(
            Answer.YES,
            numbers + "leave " + Sizes.text(left) + ", and its threshold is " + threshold,
            null);
  }

  private static Verdict unknown(DiskSpace space) {
    return new Verdict(Answer.UNKNOWN, space.detail(), space.error().orElse(null));
  }

  /**
   * Returns what was asked for.
   *
   * @return bytes, zero or more
   */
  public long bytes() {
    return bytes;
  }

  /**
   * Returns the answer.
   *
   * @return yes, no, or that it is unknown
   */
  public Answer answer() {
    return answer;
  }

  /**
   * Returns whether there is room.
   *
   * @return true only if the answer is {@link Answer#YES}
   */
  public boolean isYes() {
    return answer == Answer.YES;
  }

  /**
   * Returns why this is the answer: which filesystem, where, and the numbers or the trouble.
   *
   * @return a sentence for people
   */
  public String why() {
    return why;
  }

  /**
   * Returns what went wrong, if that is why the answer is unknown.
   *
   * @return the trouble, or empty
   */
  public Optional<GcException> error() {
    return Optional.ofNullable(error);
  }

  /**
   * Returns what was known of the image filesystem.
   *
   * @return its room
   */
  public DiskSpace imageFs() {
    return imageFs;
  }

  /**
   * Returns what was known of the root filesystem.
   *
   * @return its room, or empty if it is not looked at
   */
  public Optional<DiskSpace> rootFs() {
    return Optional.ofNullable(rootFs);
  }

  /** Returns the answer and why. */
  @Override
  public String toString() {
    return answer + ": " + why;
  }
}
