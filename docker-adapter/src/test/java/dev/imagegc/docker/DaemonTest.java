/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.docker.StubDaemon.Reply;
import dev.imagegc.docker.StubDaemon.Request;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What tests of the adapter on a stub engine share. */
abstract class DaemonTest {
  /** Long enough for any answer that comes at all. */
  static final Duration LONG = Duration.ofSeconds(30);

  /** For calls that are meant to run into it, and only for these: a busy machine stands still for longer. */
  static final Duration SHORT = Duration.ofMillis(200);

  /** Where calls that are answered have the deadline of one that is not. */
  static final Duration MEDIUM = Duration.ofSeconds(2);

  @TempDir
  Path directory;

  final StubEngine engine = new StubEngine();
  StubDaemon daemon;
  DockerRuntime runtime;

  @BeforeEach
  void start() {
    daemon = StubDaemon.onSocket(socket(), engine);
    runtime = builder().build();
  }

  @AfterEach
  void stop() {
    runtime.close();
    daemon.close();
  }

  Path socket() {
    return directory.resolve("docker.sock");
  }

  /** Most tests count the requests that they are about, so no layers are asked for. */
  DockerRuntime.Builder builder() {
    return DockerRuntime.builder()
        .environment(Map.of())
        .host("unix://" + socket())
        .connectTimeout(LONG)
        .listTimeout(LONG, LONG, SHORT)
        .removalTimeout(LONG)
        .callTimeout(LONG)
        .layers(false)
        .proc(directory.resolve("no-proc"));
  }

  /** Goes on with another runtime. */
  DockerRuntime become(DockerRuntime.Builder other) {
    runtime.close();
    runtime = other.build();
    return runtime;
  }

  void restart(Function<Request, Reply> script) {
    daemon.close();
    daemon = StubDaemon.onSocket(socket(), script);
  }

  Image listed(String id) {
    return runtime.listImages().stream()
        .filter(image -> image.id().equals(ImageId.of(id)))
        .findFirst()
        .orElseThrow();
  }
}
