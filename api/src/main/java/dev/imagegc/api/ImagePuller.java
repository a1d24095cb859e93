/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * An optional ability of an engine: to fetch an image from a registry. An adapter whose {@link Runtime} can do it implements
 * this interface too. {@code dev.imagegc.core.pull.ImagePullManager} adds what a host needs around it.
 */
public interface ImagePuller {
  /**
   * Fetches an image, whether or not it is there already, and blocks until it is there whole (R8). Somebody may remove it at
   * once: who needs it leases the name before, and looks it up after. An interrupt ends the transfer, as far as the engine
   * allows, with a {@link CancelledException}. May be called from several threads at once.
   *
   * @param reference a tag ({@code app} means {@code app:latest}, never all tags) or digest reference
   * @param credentials for the registry, or empty to ask without; never logged
   * @param progress hears how far it has come, on any thread, one call at a time; must be quick
   * @throws PullException if the engine or the registry refuses: no such image, no access, not enough space
   * @throws GcException if the engine cannot be asked, or nothing has moved for too long
   * @throws IllegalArgumentException if it is no reference
   */
  void pull(
      String reference, Optional<RegistryCredentials> credentials, Consumer<PullProgress> progress);
}
