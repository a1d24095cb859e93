/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import dev.imagegc.api.ContainerState;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Runtime;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * An engine that {@link RuntimeCompatibilityKit} can prepare, and the adapter under test for it.
 *
 * <p>The engine may hold other images and containers, as long as nobody else touches those of the kit. The verbs act on the
 * engine and not through the adapter, and are done when they return. What they throw fails the rule. Each rule gets a fixture
 * of its own, which the kit closes afterwards: {@link #close()} should remove what the rule has left.
 */
public interface RuntimeFixture extends AutoCloseable {
  /**
   * Returns the adapter under test.
   *
   * @return always the same object
   */
  Runtime runtime();

  /**
   * Returns which of the optional rules apply.
   *
   * @return none unless overridden
   */
  default Set<RuntimeCapability> capabilities() {
    return Set.of();
  }

  /**
   * Returns what makes the engine fail.
   *
   * @return empty unless overridden, and the rules that need a fault are aborted
   */
  default Optional<FaultInjector> faults() {
    return Optional.empty();
  }

  /**
   * Puts an image on the engine that has at least one byte of content of its own and no parent.
   *
   * @param reference its tag, for instance "imagegc-kit/app:1"
   * @return its id
   * @throws Exception if that does not work
   */
  ImageId seedImage(String reference) throws Exception;

  /**
   * Puts an image without any name on the engine.
   *
   * @return its id
   * @throws Exception if that does not work
   */
  ImageId seedUntaggedImage() throws Exception;

  /**
   * Gives an image one more tag, which another image may have had before.
   *
   * @param image the image
   * @param reference the tag
   * @throws Exception if that does not work
   */
  void tag(ImageId image, String reference) throws Exception;

  /**
   * Puts a container on the engine.
   *
   * @param image the image that it is created from
   * @param state {@link ContainerState#CREATED}, {@link ContainerState#RUNNING}, {@link ContainerState#EXITED}, or with {@link
   *     RuntimeCapability#PAUSED_CONTAINERS} {@link ContainerState#PAUSED}
   * @return its id
   * @throws Exception if that does not work
   */
  String seedContainer(ImageId image, ContainerState state) throws Exception;

  /**
   * Removes a container, whatever its state.
   *
   * @param containerId its id
   * @throws Exception if that does not work
   */
  void removeContainer(String containerId) throws Exception;

  /**
   * Puts an image on the engine that is named by its digest and has no tag; for {@link RuntimeCapability#DIGEST_ONLY_IMAGES}.
   *
   * @param repository its repository, for instance "imagegc-kit/app"
   * @return its id
   * @throws Exception if that does not work
   */
  default ImageId seedDigestOnlyImage(String repository) throws Exception {
    throw missing(RuntimeCapability.DIGEST_ONLY_IMAGES);
  }

  /**
   * Builds an image on another one; for {@link RuntimeCapability#PARENTS}.
   *
   * @param parent the other image
   * @param reference the new image's tag
   * @return the new image's id
   * @throws Exception if that does not work
   */
  default ImageId seedChild(ImageId parent, String reference) throws Exception {
    throw missing(RuntimeCapability.PARENTS);
  }

  /**
   * Puts a container on the engine that was created from some other image and mounts one; for {@link
   * RuntimeCapability#IMAGE_MOUNTS}.
   *
   * @param mounted the image to mount
   * @return the container's id
   * @throws Exception if that does not work
   */
  default String seedMount(ImageId mounted) throws Exception {
    throw missing(RuntimeCapability.IMAGE_MOUNTS);
  }

  /**
   * Puts an image on the engine that must not be collected; for {@link RuntimeCapability#PINNED_IMAGES}.
   *
   * @return its id
   * @throws Exception if that does not work
   */
  default ImageId seedPinnedImage() throws Exception {
    throw missing(RuntimeCapability.PINNED_IMAGES);
  }

  /**
   * Names an image that the engine can pull and does not have yet; for {@link RuntimeCapability#PULL}. Its repository, after the
   * registry if there is one, begins with "imagegc-kit/" and has one more tag at least, whose image is another one.
   *
   * @return its name, which ends with ":latest", for instance "127.0.0.1:5000/imagegc-kit/pulled:latest"
   * @throws Exception if that does not work
   */
  default String pullable() throws Exception {
    throw missing(RuntimeCapability.PULL);
  }

  /**
   * Returns how long an event may take to arrive; for {@link RuntimeCapability#EVENTS}. A rule that waits for longer fails.
   *
   * @return 30 seconds unless overridden
   */
  default Duration eventPatience() {
    return Duration.ofSeconds(30);
  }

  @Override
  default void close() throws IOException {}

  private static UnsupportedOperationException missing(RuntimeCapability capability) {
    return new UnsupportedOperationException(
        "a fixture that declares " + capability + " must implement the verb that it needs");
  }
}
