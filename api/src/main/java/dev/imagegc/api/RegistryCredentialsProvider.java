/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Optional;

/** Where the host keeps what it knows of registries. */
@FunctionalInterface
public interface RegistryCredentialsProvider {
  /**
   * Returns the credentials for a pull. Asked once for every transfer, on a thread that may wait; may be called from several
   * threads at once. What it throws fails that pull.
   *
   * @param reference what is to be pulled, with its registry ({@code docker.io/library/app:1})
   * @return the credentials, or empty to pull without
   */
  Optional<RegistryCredentials> credentialsFor(String reference);

  /**
   * Returns a provider for registries that ask for nothing.
   *
   * @return the provider
   */
  static RegistryCredentialsProvider none() {
    return reference -> Optional.empty();
  }
}
