/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Reads {@code ca.pem}, {@code cert.pem} and {@code key.pem}, the files that Docker's own clients use for TLS. */
final class TlsFiles {
  private static final Pattern PEM =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\s]*)-----END \\1-----");

  /** The DER of {@code SEQUENCE { OID rsaEncryption, NULL }}, which PKCS#8 puts before a PKCS#1 key. */
  private static final byte[] RSA_ALGORITHM = {
    0x30,
    0x0d,
    0x06,
    0x09,
    0x2a,
    (byte) 0x86,
    0x48,
    (byte) 0x86,
    (byte) 0xf7,
    0x0d,
    0x01,
    0x01,
    0x01,
    0x05,
    0x00
  };

  private TlsFiles() {}

  /**
   * Builds a context that trusts {@code ca.pem} only and shows {@code cert.pem} to the engine.
   *
   * @throws IllegalArgumentException if a file is missing, unreadable or of a form that is not understood
   */
  static SSLContext load(Path directory) {
    Collection<? extends Certificate> authorities = certificates(directory.resolve("ca.pem"));
    Collection<? extends Certificate> own = certificates(directory.resolve("cert.pem"));
    PrivateKey key = privateKey(directory.resolve("key.pem"));
    try {
      return context(authorities, own, key);
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalArgumentException(
          "The TLS files in " + directory + " do not fit together: " + e.getMessage(), e);
    }
  }

  private static SSLContext context(
      Collection<? extends Certificate> authorities,
      Collection<? extends Certificate> own,
      PrivateKey key)
      throws GeneralSecurityException, IOException {
    KeyStore trusted = emptyStore();
    int number = 0;
    for (Certificate authority : authorities) {
      trusted.setCertificateEntry("ca" + number++, authority);
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);

    KeyStore keys = emptyStore();
    char[] noPassword = {};
    keys.setKeyEntry("client", key, noPassword, own.toArray(Certificate[]::new));
    KeyManagerFactory identity =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    identity.init(keys, noPassword);

    SSLContext context = SSLContext.getInstance("TLS");
    context.init(identity.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }

  private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    return store;
  }

  private static Collection<? extends Certificate> certificates(Path file) {
    try {
      Collection<? extends Certificate> found = CertificateFactory.getInstance("X.509")
          .generateCertificates(new ByteArrayInputStream(read(file)));
      if (found.isEmpty()) {
        throw bad(file, "it holds no certificate", null);
      }
      return found;
    } catch (GeneralSecurityException e) {
      throw bad(file, "it is not a PEM certificate", e);
    }
  }

  private static PrivateKey privateKey(Path file) {
    Matcher pem = PEM.matcher(new String(read(file), StandardCharsets.US_ASCII));
    while (pem.find()) {
      String kind = pem.group(1);
      if (kind.equals("EC PARAMETERS")) {
        continue; // openssl writes it before the key
      }
      byte[] der = Base64.getMimeDecoder().decode(pem.group(2));
      return switch (kind) {
        case "PRIVATE KEY" -> pkcs8(file, der, List.of("RSA", "EC", "EdDSA"));
        case "RSA PRIVATE KEY" -> pkcs8(file, wrapPkcs1(der), List.of("RSA"));
        default ->
          throw bad(
              file,
              "a key of the form '" + kind + "' is not supported; convert it with"
                  + " 'openssl pkcs8 -topk8 -nocrypt -in key.pem -out new.pem'",
              null);
      };
    }
    throw bad(file, "it holds no unencrypted PEM private key", null);
  }

  private static PrivateKey pkcs8(Path file, byte[] der, List<String> algorithms) {
    for (String algorithm : algorithms) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
      } catch (InvalidKeySpecException e) {
        // Not a key of this algorithm; the next one may be right.
      } catch (GeneralSecurityException e) {
        throw bad(file, "its key cannot be read", e);
      }
    }
    throw bad(file, "its key is none of " + String.join(", ", algorithms), null);
  }

  private static byte[] wrapPkcs1(byte[] pkcs1) {
    byte[] version = {0x02, 0x01, 0x00};
    byte[] octets = tagged(0x04, pkcs1);
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.writeBytes(version);
    body.writeBytes(RSA_ALGORITHM);
    body.writeBytes(octets);
    return tagged(0x30, body.toByteArray());
  }

  private static byte[] tagged(int tag, byte[] content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(tag);
    int length = content.length;
    if (length < 0x80) {
      out.write(length);
    } else {
      int octets = (Integer.SIZE - Integer.numberOfLeadingZeros(length) + 7) / 8;
      out.write(0x80 | octets);
      for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8) {
        out.write(length >>> shift);
      }
    }
    out.writeBytes(content);
    return out.toByteArray();
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw bad(file, "it cannot be read", e);
    }
  }

  private static IllegalArgumentException bad(Path file, String rule, @Nullable Exception cause) {
    return new IllegalArgumentException("TLS file " + file + ": " + rule, cause);
  }
}
