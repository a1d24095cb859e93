/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a user can set, and what he is told when it makes no sense. */
class DockerRuntimeBuilderTest {
  @TempDir
  Path directory;

  private static String hostOf(DockerRuntime.Builder builder) {
    try (DockerRuntime runtime = builder.build()) {
      return runtime.toString();
    }
  }

  private static DockerRuntime.Builder builder(String... environment) {
    Map<String, String> variables = new java.util.HashMap<>();
    for (int i = 0; i < environment.length; i += 2) {
      variables.put(environment[i], environment[i + 1]);
    }
    return DockerRuntime.builder().environment(variables);
  }

  @ParameterizedTest
  @CsvSource({
    "unix:///run/docker.sock, unix:///run/docker.sock",
    "/run/docker.sock, unix:///run/docker.sock",
    "tcp://10.0.0.1:2375, tcp://10.0.0.1:2375",
    "tcp://10.0.0.1, tcp://10.0.0.1:2375",
    "tcp://[::1]:99/, tcp://[::1]:99",
    "http://engine:80, tcp://engine:80",
    "https://engine, https://engine:2376",
    "TCP://engine, tcp://engine:2375",
  })
  void host_isUnderstood(String host, String understood) {
    assertThat(hostOf(builder().host(host))).isEqualTo("DockerRuntime[" + understood + "]");
  }

  @ParameterizedTest
  @CsvSource({
    "ssh://user@host, ssh:// is not supported",
    "npipe:////./pipe/docker_engine, npipe:// (Windows) is not supported",
    "unix://relative.sock, must be absolute",
    "docker.sock, a host must be",
    "'', a host must be",
    "tcp://, a host must be",
    "tcp://host name:1, a host must be",
    "tcp://user@host:1, a host must be",
    "tcp://host:0, between 1 and 65535",
    "tcp://host:70000, between 1 and 65535",
    "tcp://host:1/prefix, nothing may follow the port",
    "ftp://host, a host must be",
  })
  void hostThatCannotBeUsed_isRefusedInOneSentence(String host, String words) {
    assertThatThrownBy(() -> builder().host(host).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("host '" + host + "': ")
        .hasMessageContaining(words);
  }

  @Test
  void environment_isHonoured() {
    assertThat(hostOf(builder("DOCKER_HOST", "unix:///e.sock")))
        .isEqualTo("DockerRuntime[unix:///e.sock]");
    assertThat(hostOf(builder("DOCKER_HOST", "")))
        .isEqualTo("DockerRuntime[unix:///var/run/docker.sock]");
    assertThat(hostOf(builder("DOCKER_HOST", "unix:///e.sock").host("/h.sock")))
        .isEqualTo("DockerRuntime[unix:///h.sock]");
  }

  @Test
  void badHostInTheEnvironment_isNamed() {
    assertThatThrownBy(() -> builder("DOCKER_HOST", "ssh://x").build())
        .hasMessageStartingWith("DOCKER_HOST 'ssh://x': ");
  }

  @Test
  void durations_mustBePositive() {
    for (Duration bad : List.of(Duration.ZERO, Duration.ofMillis(-1), Duration.ofDays(2))) {
      assertThatThrownBy(() -> builder().connectTimeout(bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("connectTimeout must be longer than 0");
      assertThatThrownBy(() -> builder().callTimeout(bad)).hasMessageContaining("callTimeout");
      assertThatThrownBy(() -> builder().removalTimeout(bad))
          .hasMessageContaining("removalTimeout");
      Duration good = Duration.ofSeconds(1);
      assertThatThrownBy(() -> builder().listTimeout(bad, good, good))
          .hasMessageContaining("first");
      assertThatThrownBy(() -> builder().listTimeout(good, bad, good)).hasMessageContaining("base");
      assertThatThrownBy(() -> builder().listTimeout(good, good, bad))
          .hasMessageContaining("perImage");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "*", "nginx:*", "a b", "/x", "x/", "-x", "a:b:c", "a@b"})
  void pinThatIsNoName_isRefused(String pin) {
    assertThatThrownBy(() -> builder().pinImages(List.of(pin)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("pinImages '" + pin + "'");
  }

  @Test
  void tlsFilesThatAreMissing_areNamed() {
    assertThatThrownBy(
            () -> builder("DOCKER_HOST", "tcp://h", "DOCKER_CERT_PATH", "/none").build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("TLS file /none/ca.pem: it cannot be read");
    assertThatThrownBy(
            () -> builder("DOCKER_HOST", "tcp://h", "DOCKER_TLS_VERIFY", "1", "HOME", "/me")
                .build())
        .hasMessageContaining("/me/.docker/ca.pem");
    assertThatThrownBy(() -> builder().host("http://h").tls(directory).build())
        .hasMessageContaining("without TLS");
  }

  @Test
  void tlsDirectory_doesNotMatterForAUnixSocket() {
    assertThat(hostOf(builder("DOCKER_CERT_PATH", "/none", "DOCKER_TLS_VERIFY", "1")))
        .contains("unix://");
  }

  @Test
  void tlsFileThatIsNoCertificate_isNamed() throws Exception {
    Files.writeString(directory.resolve("ca.pem"), "nonsense");

    assertThatThrownBy(() -> builder().host("tcp://h").tls(directory).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ca.pem");
  }
}
