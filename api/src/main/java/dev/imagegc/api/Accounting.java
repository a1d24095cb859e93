/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** What the predicted bytes of a plan are made from. */
public final class Accounting extends OpenCode {
  /** The layers of every image are known: each counts once, when its last holder goes. */
  public static final Accounting LAYERS = new Accounting("LAYERS");

  /**
   * The layers of some images are known, the others count with the size that the engine lists: what they share is not seen,
   * so predictions are upper bounds. Or a container holds an image that is gone and was never listed.
   */
  public static final Accounting MIXED = new Accounting("MIXED");

  /** Only the sizes that the engine lists: shared layers are counted in every image, so predictions are upper bounds. */
  public static final Accounting SIZES = new Accounting("SIZES");

  /** At least one image that would go has no known size; there is no prediction. */
  public static final Accounting UNKNOWN = new Accounting("UNKNOWN");

  private Accounting(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static Accounting of(String code) {
    return new Accounting(code);
  }
}
