/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class StatusSocketTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir
  Path state;

  @Test
  void everyCallerIsToldHowItIsNow_andNobodyAfterTheEnd() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (StatusSocket socket =
        StatusSocket.open(state, () -> "{\"asked\":" + asked.incrementAndGet() + "}")) {
      assertThat(StatusSocket.ask(state, PATIENCE)).contains("{\"asked\":1}\n");
      assertThat(StatusSocket.ask(state, PATIENCE)).contains("{\"asked\":2}\n");
    }
    assertThat(StatusSocket.ask(state, PATIENCE)).isEmpty();
    assertThat(state).isEmptyDirectory();
  }

  @Test
  void longAnswer_arrivesWhole() throws Exception {
    String answer = "x".repeat(5_000_000);
    try (StatusSocket socket = StatusSocket.open(state, () -> answer)) {
      assertThat(StatusSocket.ask(state, PATIENCE).orElseThrow().strip()).isEqualTo(answer);
    }
  }

  @Test
  void answerThatFails_isNoAnswer_andTheNextOneIs() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (StatusSocket socket = StatusSocket.open(state, () -> {
      if (asked.incrementAndGet() == 1) {
        throw new IllegalStateException("closed");
      }
      return "{}";
    })) {
      assertThat(StatusSocket.ask(state, PATIENCE)).isEmpty();
      assertThat(StatusSocket.ask(state, PATIENCE)).contains("{}\n");
    }
  }

  @Test
  void socketOfAnAgentThatWasKilled_isNoAnswer_andIsTakenOver() throws Exception {
    Files.createFile(state.resolve("status.sock"));
    assertThat(StatusSocket.ask(state, PATIENCE)).isEmpty();
    try (StatusSocket socket = StatusSocket.open(state, () -> "{}")) {
      assertThat(StatusSocket.ask(state, PATIENCE)).contains("{}\n");
    }
  }

  @Test
  void directoryThatIsTooDeepForASocket_isSaid() throws Exception {
    Path deep = Files.createDirectories(state.resolve("d".repeat(120)));
    assertThatThrownBy(() -> StatusSocket.open(deep, () -> "{}")).isInstanceOf(IOException.class);
  }
}
