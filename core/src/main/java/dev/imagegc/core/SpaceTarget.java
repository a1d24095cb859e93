/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import java.util.Objects;

/**
 * What {@link ImageGcManager#reclaim(SpaceTarget)} is to reach on the image filesystem: a number of available bytes, a number of
 * free inodes, or both. Immutable.
 */
public final class SpaceTarget {
  private final long availableBytes;
  private final long inodesFree;
  private final String because;

  private SpaceTarget(long availableBytes, long inodesFree, String because) {
    this.availableBytes = availableBytes;
    this.inodesFree = inodesFree;
    this.because = because;
  }

  /**
   * Returns a target in bytes.
   *
   * @param bytes how many shall be available, above 0
   * @return the target
   * @throws IllegalArgumentException if {@code bytes} is not above 0
   */
  public static SpaceTarget availableBytes(long bytes) {
    return new SpaceTarget(
        aboveZero("availableBytes", bytes), 0, bytes + " available bytes were asked for");
  }

  /**
   * Returns a target in inodes.
   *
   * @param inodes how many shall be free, above 0
   * @return the target
   * @throws IllegalArgumentException if {@code inodes} is not above 0
   */
  public static SpaceTarget inodesFree(long inodes) {
    return new SpaceTarget(
        0, aboveZero("inodesFree", inodes), inodes + " free inodes were asked for");
  }

  /**
   * Returns a target that is reached when this one and another one are.
   *
   * @param other the other one
   * @return the target, with the words of both
   */
  public SpaceTarget and(SpaceTarget other) {
    return new SpaceTarget(
        Math.max(availableBytes, other.availableBytes),
        Math.max(inodesFree, other.inodesFree),
        because + ", " + other.because);
  }

  /**
   * Returns this target with other words for why images go.
   *
   * @param words for people, for instance {@code "imagefs.available is 750.0 MiB, below 1.0 GiB"}; {@link
   *     dev.imagegc.api.ImageDecision#detail()} has them
   * @return the target
   */
  public SpaceTarget because(String words) {
    return new SpaceTarget(availableBytes, inodesFree, Objects.requireNonNull(words, "words"));
  }

  /**
   * Returns how many bytes shall be available.
   *
   * @return the bytes; 0 if bytes are not a goal
   */
  public long availableBytes() {
    return availableBytes;
  }

  /**
   * Returns how many inodes shall be free.
   *
   * @return the inodes; 0 if inodes are not a goal
   */
  public long inodesFree() {
    return inodesFree;
  }

  /**
   * Returns why images go.
   *
   * @return words for people
   */
  public String because() {
    return because;
  }

  private static long aboveZero(String field, long value) {
    if (value <= 0) {
      throw new IllegalArgumentException(field + " must be above 0, but is " + value);
    }
    return value;
  }

  @Override
  public String toString() {
    return "SpaceTarget[availableBytes=" + availableBytes + " inodesFree=" + inodesFree + ": "
        + because + "]";
  }
}
