/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Where an engine listens: a unix socket, or a host and port, with or without TLS. */
final class EngineHost {
  private static final String FORMS =
      "a host must be unix:///path, an absolute path, tcp://host:port, "
          + "http://host:port or https://host:port";
  private static final int PLAIN_PORT = 2375;
  private static final int TLS_PORT = 2376;

  private final String text;
  private final @Nullable Path socket;
  private final boolean tls;
  private final String hostname;
  private final int port;

  private EngineHost(String text, @Nullable Path socket, boolean tls, String hostname, int port) {
    this.text = text;
    this.socket = socket;
    this.tls = tls;
    this.hostname = hostname;
    this.port = port;
  }

  /**
   * Understands a host as users write it.
   *
   * @param field what the user calls this setting, for messages
   * @param text the host
   * @param tlsConfigured whether certificates are configured, which makes {@code tcp://} mean TLS
   * @throws IllegalArgumentException if it is not a host that this adapter can talk to
   */
  static EngineHost parse(String field, String text, boolean tlsConfigured) {
    String trimmed = text.trim();
    if (trimmed.startsWith("/")) {
      return unix(field, text, trimmed);
    }
    int colon = trimmed.indexOf("://");
    String scheme = colon < 0 ? "" : trimmed.substring(0, colon).toLowerCase(Locale.ROOT);
    return switch (scheme) {
      case "unix" -> unix(field, text, trimmed.substring(colon + 3));
      case "tcp" -> tcp(field, text, trimmed, tlsConfigured);
      case "https" -> tcp(field, text, trimmed, true);
      case "http" -> {
        if (tlsConfigured) {
          throw bad(
              field, text, "http:// is without TLS, but TLS is configured; use tcp:// or https://");
        }
        yield tcp(field, text, trimmed, false);
      }
      case "ssh" ->
        throw bad(
            field, text, "ssh:// is not supported; forward the socket and name the local end");
      case "npipe" -> throw bad(field, text, "npipe:// (Windows) is not supported");
      default -> throw bad(field, text, FORMS);
    };
  }

  private static EngineHost unix(String field, String text, String path) {
    try {
      Path socket = Path.of(path);
      if (!socket.isAbsolute()) {
        throw bad(field, text, "the path of a unix socket must be absolute");
      }
      return new EngineHost("unix://" + socket, socket, false, "localhost", 80);
    } catch (InvalidPathException e) {
      throw bad(field, text, "it is not a path");
    }
  }

  private static EngineHost tcp(String field, String text, String url, boolean tls) {
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      throw bad(field, text, FORMS);
    }
    if (uri.getHost() == null || uri.getUserInfo() != null) {
      throw bad(field, text, FORMS);
    }
    String path = uri.getRawPath();
    if (!(path.isEmpty() || path.equals("/"))
        || uri.getRawQuery() != null
        || uri.getRawFragment() != null) {
      throw bad(field, text, "nothing may follow the port");
    }
    int port = uri.getPort() >= 0 ? uri.getPort() : tls ? TLS_PORT : PLAIN_PORT;
    if (port < 1 || port > 65535) {
      throw bad(field, text, "the port must be between 1 and 65535");
    }
    String shown = (tls ? "https://" : "tcp://") + uri.getHost() + ":" + port;
    return new EngineHost(shown, null, tls, uri.getHost(), port);
  }

  private static IllegalArgumentException bad(String field, String text, String rule) {
    return new IllegalArgumentException(field + " '" + text + "': " + rule);
  }

  /** The unix socket, or null if the engine is reached over tcp. */
  @Nullable
  Path socket() {
    return socket;
  }

  boolean tls() {
    return tls;
  }

  /** The URI that requests go to; over a unix socket its host is a mere placeholder. */
  String baseUri() {
    return (tls ? "https://" : "http://") + hostname + ":" + port;
  }

  /** Whether the engine is certainly on another machine. A local address proves nothing: it may be forwarded. */
  boolean elsewhere() {
    if (socket != null) {
      return false;
    }
    try {
      return !InetAddress.getByName(hostname).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return true;
    }
  }

  /** How messages name the engine. */
  @Override
  public String toString() {
    return text;
  }
}
