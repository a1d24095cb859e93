/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The credentials of one pull: the header that carries them, and whatever must be taken out of the words of an engine, which
 * may repeat what a registry said, which may repeat what it was sent.
 */
final class RegistryAuth {
  private static final String HEADER = "X-Registry-Auth";
  private static final String HIDDEN = "***";

  /** The registry of Docker's own, as its engines and its command line write it. */
  private static final String DOCKER_HUB = "https://index.docker.io/v1/";

  private final Map<String, String> headers;
  private final List<String> secrets; // longest first, so that no half of one is left

  private RegistryAuth(Map<String, String> headers, Set<String> secrets) {
    this.headers = headers;
    this.secrets = secrets.stream()
        .filter(secret -> !secret.isEmpty())
        .sorted(Comparator.comparing(String::length).reversed())
        .toList();
  }

  static RegistryAuth of(String registry, Optional<RegistryCredentials> credentials) {
    if (credentials.isEmpty()) {
      return new RegistryAuth(Map.of(), Set.of());
    }
    RegistryCredentials known = credentials.get();
    JsonObject json = new JsonObject();
    known.username().ifPresent(user -> json.addProperty("username", user));
    known.password().ifPresent(password -> json.addProperty("password", password));
    known.identityToken().ifPresent(token -> json.addProperty("identitytoken", token));
    // Docker hands credentials only to the registry that they name.
    json.addProperty("serveraddress", registry.equals("docker.io") ? DOCKER_HUB : registry);
    byte[] bytes = json.toString().getBytes(StandardCharsets.UTF_8);
    String header = Base64.getUrlEncoder().encodeToString(bytes);
    Set<String> secrets = new LinkedHashSet<>();
    addForms(secrets, json.toString());
    known.password().ifPresent(password -> {
      addForms(secrets, password);
      addForms(secrets, known.username().orElse("") + ":" + password);
    });
    known.identityToken().ifPresent(token -> addForms(secrets, token));
    return new RegistryAuth(Map.of(HEADER, header), secrets);
  }

  /** A secret as it is, and as it is written in JSON of two dialects, in an address, in headers and in a head read as Latin-1. */
  private static void addForms(Set<String> secrets, String secret) {
    byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
    String quoted = new JsonPrimitive(secret).toString();
    String json = quoted.substring(1, quoted.length() - 1);
    String address = URLEncoder.encode(secret, StandardCharsets.UTF_8);
    for (String form : List.of(
        secret,
        json,
        json.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"),
        address,
        address.replace("+", "%20"),
        Base64.getEncoder().withoutPadding().encodeToString(bytes),
        Base64.getUrlEncoder().withoutPadding().encodeToString(bytes))) {
      secrets.add(form);
      secrets.add(new String(form.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1));
    }
  }

  /** The headers of the request. */
  Map<String, String> headers() {
    return headers;
  }

  /** Takes the secrets out of a text. */
  String redacted(String text) {
    String clean = text;
    for (String secret : secrets) {
      clean = clean.replace(secret, HIDDEN);
    }
    return clean;
  }

  /** The same failure, if need be another one of its kind that holds no secret, which then has no cause. */
  GcException redacted(GcException failure) {
    if (!leaks(failure)) {
      return failure;
    }
    String sentence = redacted(failure.getMessage());
    if (failure instanceof UnreachableException) {
      return new UnreachableException(sentence);
    }
    if (failure instanceof AccessDeniedException) {
      return new AccessDeniedException(sentence);
    }
    if (failure instanceof TimedOutException) {
      return new TimedOutException(sentence);
    }
    return failure instanceof CancelledException
        ? new CancelledException(sentence)
        : new ProtocolException(sentence);
  }

  private boolean leaks(Throwable failure) {
    for (Throwable e = failure; e != null; e = e.getCause()) {
      String words = e.toString();
      if (!words.equals(redacted(words))) {
        return true;
      }
    }
    return false;
  }

  /** Tells no secret. */
  @Override
  public String toString() {
    return "RegistryAuth[" + (headers.isEmpty() ? "none" : HIDDEN) + "]";
  }
}
