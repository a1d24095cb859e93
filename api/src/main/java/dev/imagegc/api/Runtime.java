/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.List;

/**
 * A container engine, as far as image collection needs it. Adapters implement it.
 *
 * <p>The name is the field's, and it shadows {@code java.lang.Runtime}: import it by name, {@code import
 * dev.imagegc.api.Runtime;}. A star import of this package makes the name ambiguous.
 *
 * <p>Every method blocks until the engine has answered, and an implementation bounds its own calls; the collector puts
 * a deadline around each call all the same, after which it interrupts the calling thread and goes on. Methods may be
 * called from several threads at once. An implementation keeps no state that a failed call could spoil: once the engine
 * is back, the same object works again.
 *
 * <p>Every method throws a {@link GcException}: {@link UnreachableException} if the engine cannot be reached or is
 * shutting down, {@link TimedOutException} if it did not answer in time, {@link AccessDeniedException} if it may not be
 * asked, {@link CancelledException} if the calling thread is interrupted, whose flag stays set, {@link
 * ProtocolException} if the answer is not one of a container engine, is malformed or is cut short. An
 * answer is whole or it is an exception: a partial list must never be returned, because it would make images look
 * unused.
 *
 * <p>The rules (R1.1 and so on) are those that the testkit's {@code RuntimeCompatibilityKit} checks.
 */
@SuppressWarnings("JavaLangClash") // the field's name for it; see the class comment
public interface Runtime {
  /**
   * Lists every image that the engine stores, each id once, in no particular order, including untagged images and
   * untagged parents of other images (R1). The list does not change afterwards.
   *
   * @return all images
   * @throws GcException if the list cannot be had whole
   */
  List<Image> listImages();

  /**
   * Lists every container in every state, including those that were made by others and those that have ended but are
   * not removed, with every image that each of them holds (R2). Ids of images are of the same kind as in {@link
   * #listImages()}.
   *
   * @return all containers
   * @throws GcException if the list cannot be had whole
   */
  List<Container> listContainers();

  /**
   * Removes one image with all its names (R3), never by force, and waits until the engine has done it.
   *
   * <ul>
   *   <li>An image that is not there is {@link RemovalOutcome#GONE}: the call may be repeated.
   *   <li>Only an answer that the image itself is deleted is {@link RemovalOutcome#REMOVED}; losing a name is not.
   *   <li>An image that the engine holds back stays with <em>all</em> its names: names that a removal stopped half way
   *       has taken are put back, or else reported in {@link RemovalResult#lostReferences()}.
   *   <li>After an answer that is neither a clear success nor a clear refusal the implementation looks the image up
   *       before it says what happened.
   * </ul>
   *
   * @param image the image as {@link #listImages()} returned it
   * @return what became of it
   * @throws GcException if the engine cannot be asked; whether the image is gone is then unknown
   */
  RemovalResult removeImage(Image image);

  /**
   * Returns whether the space of a removed image or container comes back some time after the removal has returned, as with an
   * engine that collects its garbage in the background. A round then waits a bounded time before it judges what came back.
   * Does not block or ask the engine; may be called from any thread.
   *
   * @return false unless the engine is known to do that; the answer does not change
   */
  default boolean freesSpaceLater() {
    return false;
  }
}
