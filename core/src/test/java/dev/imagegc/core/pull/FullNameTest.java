/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FullNameTest {
  private static final String HEX =
      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

  @ParameterizedTest
  @CsvSource({
    "app, docker.io/library/app:latest",
    "app:1, docker.io/library/app:1",
    "team/app, docker.io/team/app:latest",
    "docker.io/app, docker.io/library/app:latest",
    "index.docker.io/app:1, docker.io/library/app:1",
    "docker.io/library/app:latest, docker.io/library/app:latest",
    "localhost/app, localhost/app:latest",
    "localhost:5000/app, localhost:5000/app:latest",
    "registry.example/team/app:1.2-rc_3, registry.example/team/app:1.2-rc_3",
    "[::1]:5000/app, '[::1]:5000/app:latest'",
    "Registry/app, Registry/app:latest",
    "app@sha256:" + HEX + ", docker.io/library/app@sha256:" + HEX,
    "app:1@sha256:" + HEX + ", docker.io/library/app@sha256:" + HEX,
  })
  void names_areWrittenInFull_asEnginesReadThem(String reference, String full) {
    assertThat(FullName.of(reference)).isEqualTo(full);
    assertThat(FullName.of(full)).isEqualTo(full);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "App",
        "app:",
        "app:a b",
        "app@",
        "app@sha256:1",
        "app:1@nothing",
        "/app",
        "app/",
        "a//b",
        ":1",
        "registry.example/",
        "reg istry.example/app",
        "https://registry.example/app",
        HEX,
        "sha256:" + HEX
      })
  void whatIsNoName_isRefused_withTheRule(String text) {
    assertThatThrownBy(() -> FullName.of(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("reference must be ")
        .hasMessageEndingWith("but is '" + text + "'");
  }
}
