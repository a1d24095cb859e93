/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** What a {@link RuntimeEvent} tells. */
public final class RuntimeEventType extends OpenCode {
  /** A container was created from an image: from now on it holds the image. */
  public static final RuntimeEventType CONTAINER_CREATED =
      new RuntimeEventType("CONTAINER_CREATED");

  /** A container was started. */
  public static final RuntimeEventType CONTAINER_STARTED =
      new RuntimeEventType("CONTAINER_STARTED");

  /** A container ended; it still holds its image. */
  public static final RuntimeEventType CONTAINER_DIED = new RuntimeEventType("CONTAINER_DIED");

  /** A container was removed: it held its image until now. */
  public static final RuntimeEventType CONTAINER_REMOVED =
      new RuntimeEventType("CONTAINER_REMOVED");

  /** An image was pulled, loaded, imported or built. It may have been there before. */
  public static final RuntimeEventType IMAGE_PULLED = new RuntimeEventType("IMAGE_PULLED");

  /** An image got a name; another one may have lost it. */
  public static final RuntimeEventType IMAGE_TAGGED = new RuntimeEventType("IMAGE_TAGGED");

  /** An image lost a name. */
  public static final RuntimeEventType IMAGE_UNTAGGED = new RuntimeEventType("IMAGE_UNTAGGED");

  /** An image was deleted. Some engines say so too when it only lost a name, or when deleting it failed. */
  public static final RuntimeEventType IMAGE_DELETED = new RuntimeEventType("IMAGE_DELETED");

  private RuntimeEventType(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static RuntimeEventType of(String code) {
    return new RuntimeEventType(code);
  }
}
