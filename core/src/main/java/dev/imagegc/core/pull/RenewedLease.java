/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.GcException;
import dev.imagegc.api.ImageLeases;
import dev.imagegc.api.Lease;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lease on a reference that is renewed while a request is under way, and taken anew should it have lapsed: the machine was
 * suspended, say. Used by one thread.
 */
final class RenewedLease {
  private static final Logger LOG = LoggerFactory.getLogger(ImagePullManager.class);

  private final ImageLeases leases;
  private final String reference;
  private final Duration ttl;
  private Lease lease;

  RenewedLease(ImageLeases leases, String reference, Duration ttl, Lease lease) {
    this.leases = leases;
    this.reference = reference;
    this.ttl = ttl;
    this.lease = lease;
  }

  /** Lets it hold for another ttl, and returns whether it does. Never waits. */
  boolean keep() {
    if (renew(lease, ttl)) {
      return true;
    }
    try {
      Lease lapsed = lease;
      lease = leases.lease(reference, ttl);
      close(lapsed);
      return true;
    } catch (GcException | IllegalArgumentException e) {
      LOG.debug(
          "the lease on {} has lapsed and cannot be taken anew yet: {}", reference, e.getMessage());
      return false;
    }
  }

  Lease lease() {
    return lease;
  }

  /** Renews a lease; one that does not know how is none. */
  static boolean renew(Lease lease, Duration ttl) {
    try {
      return lease.renew(ttl);
    } catch (RuntimeException e) {
      LOG.debug("cannot renew the lease on {}: {}", lease.subject(), e.toString());
      return false;
    }
  }

  /** Closes a lease; one that cannot be closed ends by its ttl. */
  static void close(Lease lease) {
    try {
      lease.close();
    } catch (RuntimeException e) {
      LOG.warn(
          "cannot close the lease on {}, it ends by its time: {}", lease.subject(), e.toString());
    }
  }
}
