/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.api.ContainerState;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Runtime;
import dev.imagegc.testkit.tck.Fault;
import dev.imagegc.testkit.tck.FaultInjector;
import dev.imagegc.testkit.tck.RuntimeCapability;
import dev.imagegc.testkit.tck.RuntimeFixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The adapter on a {@link StubEngine}. */
final class StubDockerFixture implements RuntimeFixture {
  /** Some rules run into it, and in all others a busy machine must not. */
  private static final Duration DEADLINE = DaemonTest.MEDIUM;

  private final Path directory;
  private final Path socket;
  private final StubEngine engine = new StubEngine();
  private final DockerRuntime runtime;
  private StubDaemon daemon;

  StubDockerFixture() throws IOException {
    directory = Files.createTempDirectory("stub");
    socket = directory.resolve("docker.sock");
    daemon = StubDaemon.onSocket(socket, engine);
    runtime = DockerRuntime.builder()
        .environment(Map.of())
        .host("unix://" + socket)
        .connectTimeout(DaemonTest.LONG)
        .listTimeout(DEADLINE, DEADLINE, DEADLINE)
        .callTimeout(DEADLINE)
        .removalTimeout(DEADLINE)
        .pullSilence(DEADLINE)
        .build();
  }

  @Override
  public Runtime runtime() {
    return runtime;
  }

  @Override
  public Set<RuntimeCapability> capabilities() {
    // Docker does not refuse to remove a mounted image by its id: that is for the collector to see.
    return EnumSet.complementOf(EnumSet.of(RuntimeCapability.IMAGE_MOUNTS));
  }

  @Override
  public Optional<FaultInjector> faults() {
    return Optional.of(new Faults());
  }

  @Override
  public ImageId seedImage(String reference) {
    return ImageId.of(engine.image(reference).id);
  }

  @Override
  public ImageId seedUntaggedImage() {
    return ImageId.of(engine.image().id);
  }

  @Override
  public ImageId seedDigestOnlyImage(String repository) {
    StubEngine.StubImage image = engine.image();
    image.digests.add(repository + "@sha256:" + engine.newId());
    return ImageId.of(image.id);
  }

  @Override
  public ImageId seedChild(ImageId parent, String reference) {
    return ImageId.of(engine.child(parent.text(), reference).id);
  }

  @Override
  public ImageId seedPinnedImage() {
    return ImageId.of(engine.image("registry.k8s.io/pause:3.9").id);
  }

  @Override
  public void tag(ImageId image, String reference) {
    engine.tag(image.text(), reference);
  }

  @Override
  public String seedContainer(ImageId image, ContainerState state) {
    return engine.container(image.text(), state.code().toLowerCase(Locale.ROOT));
  }

  @Override
  public void removeContainer(String containerId) {
    engine.removeContainer(containerId);
  }

  @Override
  public String pullable() {
    String repository = "registry.example/imagegc-kit/pulled";
    engine.offer(repository + ":1");
    engine.offer(repository + ":latest");
    return repository + ":latest";
  }

  @Override
  public void close() throws IOException {
    runtime.close();
    daemon.close();
    Files.deleteIfExists(socket);
    Files.delete(directory);
  }

  private final class Faults implements FaultInjector {
    @Override
    public Set<Fault> faults() {
      return EnumSet.allOf(Fault.class);
    }

    @Override
    public void inject(Fault fault) {
      switch (fault) {
        case UNREACHABLE -> daemon.close();
        case HANG -> engine.always("", StubDaemon.hang());
        case MALFORMED -> engine.always("", StubDaemon.json(200, "<html>It works!</html>"));
        case TRUNCATED -> engine.always("", StubDaemon.cutOff("[{\"Id\":\"sha256:abc\"},"));
      }
    }

    @Override
    public void recover() {
      engine.heal();
      daemon.close();
      daemon = StubDaemon.onSocket(socket, engine);
    }
  }
}
