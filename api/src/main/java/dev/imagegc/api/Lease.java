/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Duration;

/**
 * A host's word that it is about to use an image: while the lease is active, the image is not collected, whatever the usage
 * and in every kind of round. Typically taken before a pull or the creation of a container, and closed when the container is
 * there. No method waits for a round or for the engine. Thread-safe.
 */
public interface Lease extends AutoCloseable {
  /**
   * Returns what is leased.
   *
   * @return the reference, or the text of the id
   */
  String subject();

  /**
   * Returns whether it still holds: not closed, and its time not over.
   *
   * @return whether it is active
   */
  boolean isActive();

  /**
   * Returns for how long it still holds, if it is not renewed or closed.
   *
   * @return more than zero while it is active, else zero
   */
  Duration remaining();

  /**
   * Lets it hold for some time from now, which may be shorter than what remained.
   *
   * @param ttl above zero, at most 292 years
   * @return whether it was still active and now holds for {@code ttl}; if not, it is over, and the image may be gone
   * @throws IllegalArgumentException if {@code ttl} is not above zero, or too long
   */
  boolean renew(Duration ttl);

  /** Gives it up. Closing twice does nothing. */
  @Override
  void close();
}
