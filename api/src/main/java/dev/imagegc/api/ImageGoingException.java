/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/**
 * An image cannot be leased because it is being removed at this moment. Once that has ended the image can be leased again,
 * and pulled if it is gone.
 */
public final class ImageGoingException extends GcException {
  /**
   * Creates it.
   *
   * @param message a sentence for people that names the image
   */
  public ImageGoingException(String message) {
    super(message, null);
  }
}
