/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.api.ContainerState;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Runtime;
import dev.imagegc.testkit.tck.RuntimeCapability;
import dev.imagegc.testkit.tck.RuntimeFixture;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** The adapter on a real engine, which is emptied before and after. */
final class RealEngineFixture implements RuntimeFixture {
  private static final String[] FOREVER = {"/bin/busybox", "sleep", "3600"};
  private static final String[] AT_ONCE = {"/bin/busybox", "true"};

  private final RealEngine engine;
  private final DockerRuntime runtime;

  RealEngineFixture(RealEngine engine) {
    this.engine = engine;
    engine.empty();
    runtime = DockerRuntime.builder()
        .environment(Map.of())
        .host("unix://" + engine.socket())
        .build();
  }

  @Override
  public Runtime runtime() {
    return runtime;
  }

  @Override
  public Set<RuntimeCapability> capabilities() {
    Set<RuntimeCapability> capabilities = EnumSet.of(
        RuntimeCapability.PARENTS,
        RuntimeCapability.PAUSED_CONTAINERS,
        RuntimeCapability.PINNED_IMAGES,
        RuntimeCapability.MOVED_NAMES,
        RuntimeCapability.CONTAINER_REMOVAL,
        RuntimeCapability.EVENTS,
        RuntimeCapability.LOOKUP,
        RuntimeCapability.PULL);
    if (!engine.isPodman() && !engine.hasContainerdStore()) {
      capabilities.add(RuntimeCapability.KEEPS_PARENTS);
    }
    if (!engine.isPodman()) {
      capabilities.add(RuntimeCapability.LAYERS);
    }
    return capabilities;
  }

  @Override
  public ImageId seedImage(String reference) {
    return ImageId.of(engine.importBusybox(reference));
  }

  @Override
  public ImageId seedUntaggedImage() {
    String id = engine.importBusybox("localhost/untagged:1");
    engine.takeAway("localhost/untagged:1");
    return ImageId.of(id);
  }

  @Override
  public ImageId seedChild(ImageId parent, String reference) {
    return ImageId.of(
        engine.build(reference, "FROM " + parent.text() + "\nLABEL of=" + reference + "\n"));
  }

  @Override
  public ImageId seedPinnedImage() {
    return ImageId.of(engine.importBusybox("registry.k8s.io/pause:3.9"));
  }

  @Override
  public void tag(ImageId image, String reference) {
    int colon = reference.lastIndexOf(':');
    engine.tag(image.text(), reference.substring(0, colon), reference.substring(colon + 1));
  }

  @Override
  public String seedContainer(ImageId image, ContainerState state) {
    if (state.equals(ContainerState.CREATED)) {
      return engine.create(image.text(), AT_ONCE);
    }
    String id = engine.run(image.text(), state.equals(ContainerState.EXITED) ? AT_ONCE : FOREVER);
    if (state.equals(ContainerState.EXITED)) {
      engine.await(id);
    } else if (state.equals(ContainerState.PAUSED)) {
      engine.pause(id);
    }
    return id;
  }

  @Override
  public void removeContainer(String containerId) {
    engine.removeContainer(containerId);
  }

  @Override
  public String pullable() {
    String repository = RealEngine.registry() + "/imagegc-kit/" + engine.name();
    offer(repository + ":1");
    offer(repository + ":latest");
    return repository + ":latest";
  }

  private void offer(String reference) {
    engine.importImage(reference, 1000);
    engine.push(reference);
    engine.untag(reference);
  }

  @Override
  public void close() {
    runtime.close();
    engine.empty();
  }
}
