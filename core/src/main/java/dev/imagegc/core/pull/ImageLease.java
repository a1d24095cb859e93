/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.Lease;
import java.time.Duration;

/**
 * What the caller of a pull holds: the reference, and the image that it stood for, because a tag can move to another image
 * between the pull and the container.
 */
final class ImageLease implements Lease {
  private final Lease name;
  private final Lease image;

  ImageLease(Lease name, Lease image) {
    this.name = name;
    this.image = image;
  }

  /** Returns the reference. */
  @Override
  public String subject() {
    return name.subject();
  }

  @Override
  public boolean isActive() {
    return name.isActive() && image.isActive();
  }

  @Override
  public Duration remaining() {
    Duration ofName = name.remaining();
    Duration ofImage = image.remaining();
    return ofName.compareTo(ofImage) < 0 ? ofName : ofImage;
  }

  /** Renews both; a half that is over cannot come back, so the whole is over then too. */
  @Override
  public boolean renew(Duration ttl) {
    boolean nameHolds = name.renew(ttl);
    return image.renew(ttl) && nameHolds;
  }

  @Override
  public void close() {
    try {
      image.close();
    } finally {
      name.close();
    }
  }

  @Override
  public String toString() {
    return "ImageLease[" + name.subject() + ", " + image.subject() + "]";
  }
}
