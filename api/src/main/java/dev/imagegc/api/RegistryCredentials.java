/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a registry wants to see before it hands an image over: a user name with a password, or an identity token. Secrets are
 * in no {@link #toString()}, message or log of this library.
 */
public final class RegistryCredentials {
  private final @Nullable String username;
  private final @Nullable String password;
  private final @Nullable String identityToken;

  private RegistryCredentials(
      @Nullable String username, @Nullable String password, @Nullable String identityToken) {
    this.username = username;
    this.password = password;
    this.identityToken = identityToken;
  }

  /**
   * Returns a user name with a password, or with a token that the registry takes in place of one.
   *
   * @param username the user
   * @param password the password
   * @return the credentials
   */
  public static RegistryCredentials of(String username, String password) {
    return new RegistryCredentials(
        Objects.requireNonNull(username, "username"),
        Objects.requireNonNull(password, "password"),
        null);
  }

  /**
   * Returns an identity token, as {@code docker login} gets one from some registries.
   *
   * @param token the token
   * @return the credentials
   */
  public static RegistryCredentials ofIdentityToken(String token) {
    return new RegistryCredentials(null, null, Objects.requireNonNull(token, "token"));
  }

  /**
   * Returns the user name.
   *
   * @return the user, or empty with an identity token
   */
  public Optional<String> username() {
    return Optional.ofNullable(username);
  }

  /**
   * Returns the password: a secret.
   *
   * @return the password, or empty with an identity token
   */
  public Optional<String> password() {
    return Optional.ofNullable(password);
  }

  /**
   * Returns the identity token: a secret.
   *
   * @return the token, or empty with a user name
   */
  public Optional<String> identityToken() {
    return Optional.ofNullable(identityToken);
  }

  /** Says which kind it is, without any secret. */
  @Override
  public String toString() {
    return username == null
        ? "RegistryCredentials[identity token]"
        : "RegistryCredentials[user " + username + "]";
  }
}
