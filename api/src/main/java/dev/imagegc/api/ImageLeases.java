/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Duration;

/**
 * Where leases are taken. {@code dev.imagegc.core.ImageGcManager#leases()} has them for its process; another implementation
 * could have those of a whole node. Thread-safe.
 *
 * <p>Several leases on one image may be active at once; the image is held until the last of them ends. A lease on a reference
 * holds whichever image has that name when the collector looks, and may be taken before there is one. {@code app} means {@code
 * docker.io/library/app:latest}, as engines read it. The 64 hexadecimal digits of an id, with or without {@code sha256:}, are taken
 * for that id; 12 to 63 of them, which may be a name or the start of an id, for both.
 *
 * <p>Engines store an image a moment before they give it the name that it is pulled by. So while any name is leased, images
 * without a tag stay for a minute after they were first seen.
 *
 * <p>Time is elapsed time: setting the wall clock neither ends nor prolongs a lease. A lease that nobody closes ends when its time is
 * over.
 *
 * <p>Taking a lease never waits for a round or for the engine, except for an image that is just being removed, and that for as
 * long as the caller says. No duration may be longer than 292 years.
 */
public interface ImageLeases {
  /**
   * Leases the image that has a name, now or later.
   *
   * @param reference a tag or digest reference, or the text of an id
   * @param ttl for how long, above zero
   * @return the lease
   * @throws ImageGoingException if an image of that name is just being removed
   * @throws IllegalArgumentException if it is no reference, or {@code ttl} is not above zero
   */
  default Lease lease(String reference, Duration ttl) {
    return lease(reference, ttl, Duration.ZERO);
  }

  /**
   * Leases an image.
   *
   * @param image its id
   * @param ttl for how long, above zero
   * @return the lease
   * @throws ImageGoingException if the image is just being removed
   * @throws IllegalArgumentException if {@code ttl} is not above zero
   */
  default Lease lease(ImageId image, Duration ttl) {
    return lease(image, ttl, Duration.ZERO);
  }

  /**
   * Leases the image that has a name, now or later. If such an image is just being removed, waits for the removal to end; the
   * image is then gone, or stays and is leased.
   *
   * @param reference a tag or digest reference, or the text of an id
   * @param ttl for how long, above zero; counts from the moment the lease is granted
   * @param maxWait how long to wait for a removal to end; zero is not at all
   * @return the lease
   * @throws ImageGoingException if the removal took longer
   * @throws CancelledException if the waiting thread was interrupted; its flag stays set
   * @throws IllegalArgumentException if it is no reference, {@code ttl} is not above zero, or {@code maxWait} is negative
   */
  Lease lease(String reference, Duration ttl, Duration maxWait);

  /**
   * Leases an image. If it is just being removed, waits for the removal to end; the image is then gone, or stays and is leased.
   *
   * @param image its id
   * @param ttl for how long, above zero; counts from the moment the lease is granted
   * @param maxWait how long to wait for a removal to end; zero is not at all
   * @return the lease
   * @throws ImageGoingException if the removal took longer
   * @throws CancelledException if the waiting thread was interrupted; its flag stays set
   * @throws IllegalArgumentException if {@code ttl} is not above zero, or {@code maxWait} is negative
   */
  Lease lease(ImageId image, Duration ttl, Duration maxWait);
}
