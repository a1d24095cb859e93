/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.UnreachableException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS with the files that Docker's own clients use. */
class TlsTest {
  private static final char[] PASSWORD = "secret".toCharArray();

  @TempDir
  static Path keys;

  @TempDir
  Path directory;

  private static SSLServerSocket server;

  /** One self-signed certificate serves as authority, engine and client. */
  @BeforeAll
  static void startServer() throws Exception {
    keyStore("rsa", "RSA");
    keyStore("ec", "EC");
    Path files = Files.createDirectory(keys.resolve("server"));
    write(files, "rsa", "rsa", "PRIVATE KEY");
    server = (SSLServerSocket) TlsFiles.load(files)
        .getServerSocketFactory()
        .createServerSocket(0, 10, InetAddress.getLoopbackAddress());
    Thread thread = new Thread(TlsTest::serve, "tls-server");
    thread.setDaemon(true);
    thread.start();
  }

  @AfterAll
  static void stopServer() throws IOException {
    server.close();
  }

  private static void keyStore(String name, String algorithm) throws Exception {
    Process keytool = new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
            "-genkeypair",
            "-alias",
            "key",
            "-keyalg",
            algorithm,
            "-dname",
            "CN=" + name,
            "-ext",
            "san=ip:127.0.0.1",
            "-ext",
            "bc:c",
            "-validity",
            "30000",
            "-storetype",
            "PKCS12",
            "-storepass",
            new String(PASSWORD),
            "-keystore",
            keys.resolve(name).toString())
        .redirectErrorStream(true)
        .start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(said).isZero();
  }

  /** Writes the three files, with the key in the form that its label names. */
  private static void write(Path directory, String authority, String own, String label)
      throws Exception {
    Files.writeString(
        directory.resolve("ca.pem"), pem("CERTIFICATE", certificate(authority).getEncoded()));
    Files.writeString(
        directory.resolve("cert.pem"), pem("CERTIFICATE", certificate(own).getEncoded()));
    byte[] pkcs8 = key(own).getEncoded();
    byte[] der = label.equals("RSA PRIVATE KEY")
        ? Arrays.copyOfRange(
            pkcs8, 26, pkcs8.length) // what PKCS#8 puts around an RSA key of 2048 bits or more
        : pkcs8;
    Files.writeString(directory.resolve("key.pem"), "Some words before it\n" + pem(label, der));
  }

  private static String pem(String label, byte[] der) {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return "-----BEGIN " + label + "-----\n" + text + "\n-----END " + label + "-----\n";
  }

  private static Certificate certificate(String name) throws Exception {
    return store(name).getCertificate("key");
  }

  private static Key key(String name) throws Exception {
    return store(name).getKey("key", PASSWORD);
  }

  private static KeyStore store(String name) throws Exception {
    return KeyStore.getInstance(keys.resolve(name).toFile(), PASSWORD);
  }

  /** Answers every request with what serves as the version and as an empty list of no kind at all. */
  private static void serve() {
    server.setNeedClientAuth(true);
    while (!server.isClosed()) {
      try (Socket socket = server.accept()) {
        String request = firstLine(socket.getInputStream());
        String body = request.contains("/version") ? "{\"ApiVersion\":\"1.41\"}" : "[]";
        socket
            .getOutputStream()
            .write((StubDaemon.head(200, "Content-Length: " + body.length()) + body)
                .getBytes(StandardCharsets.US_ASCII));
      } catch (IOException e) {
        // A client that was refused, or the end.
      }
    }
  }

  private static String firstLine(InputStream in) throws IOException {
    byte[] head = new byte[4096];
    int length = 0;
    String text = "";
    while (!text.contains("\r\n\r\n")) {
      int read = in.read(head, length, head.length - length);
      if (read < 0) {
        break;
      }
      length += read;
      text = new String(head, 0, length, StandardCharsets.US_ASCII);
    }
    return text.split("\r\n", 2)[0];
  }

  private DockerRuntime runtime() {
    return DockerRuntime.builder()
        .environment(Map.of("DOCKER_CERT_PATH", directory.toString()))
        .host("tcp://127.0.0.1:" + server.getLocalPort())
        .connectTimeout(DaemonTest.LONG)
        .build();
  }

  @ParameterizedTest
  @ValueSource(strings = {"PRIVATE KEY", "RSA PRIVATE KEY"})
  void rsaKey_inBothForms_isAccepted(String label) throws Exception {
    write(directory, "rsa", "rsa", label);

    try (DockerRuntime runtime = runtime()) {
      assertThat(runtime.listImages()).isEmpty();
    }
  }

  @Test
  void ecKey_isRead() throws Exception {
    write(directory, "rsa", "ec", "PRIVATE KEY");

    assertThat(TlsFiles.load(directory)).isNotNull();
  }

  @Test
  void engineThatTheAuthorityDidNotSign_isUnreachable() throws Exception {
    write(directory, "ec", "rsa", "PRIVATE KEY");

    try (DockerRuntime runtime = runtime()) {
      assertThatThrownBy(runtime::listImages)
          .isInstanceOf(UnreachableException.class)
          .hasMessageContaining("TLS failed");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "EC PRIVATE KEY, a key of the form 'EC PRIVATE KEY' is not supported; convert it with 'openssl pkcs8",
    "ENCRYPTED PRIVATE KEY, a key of the form 'ENCRYPTED PRIVATE KEY' is not supported",
    "CERTIFICATE, a key of the form 'CERTIFICATE' is not supported",
  })
  void keyOfAnotherForm_isRefusedWithWhatToDo(String label, String words) throws Exception {
    write(directory, "rsa", "rsa", label);

    assertThatThrownBy(() -> TlsFiles.load(directory))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("key.pem: " + words);
  }

  @Test
  void keyThatIsNone_isRefused() throws Exception {
    write(directory, "rsa", "rsa", "PRIVATE KEY");
    Files.writeString(directory.resolve("key.pem"), "nothing");

    assertThatThrownBy(() -> TlsFiles.load(directory))
        .hasMessageContaining("it holds no unencrypted PEM private key");
  }

  @Test
  void keyThatDoesNotBelongToTheCertificate_isRefusedByTheHandshake() throws Exception {
    write(directory, "rsa", "rsa", "PRIVATE KEY");
    Files.writeString(directory.resolve("key.pem"), pem("PRIVATE KEY", key("ec").getEncoded()));

    assertThatThrownBy(() -> {
          try (DockerRuntime runtime = runtime()) {
            runtime.listImages();
          }
        })
        .isInstanceOfAny(UnreachableException.class, IllegalArgumentException.class);
  }
}
