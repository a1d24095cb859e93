/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageLookup;
import dev.imagegc.api.ImagePuller;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.RuntimeEventSource;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A runtime that does what another one does, unless a test breaks it. */
class ForwardingRuntime implements AbleRuntime {
  private final Runtime target;

  ForwardingRuntime(Runtime target) {
    this.target = target;
  }

  @Override
  public List<Image> listImages() {
    return target.listImages();
  }

  @Override
  public List<Container> listContainers() {
    return target.listContainers();
  }

  @Override
  public RemovalResult removeImage(Image image) {
    return target.removeImage(image);
  }

  @Override
  public RemovalResult removeContainer(Container container) {
    return ((ContainerRemover) target).removeContainer(container);
  }

  @Override
  public void stopContainer(Container container, Duration grace) {
    ((ContainerRemover) target).stopContainer(container, grace);
  }

  @Override
  public Subscription subscribe(RuntimeEventListener listener) {
    return ((RuntimeEventSource) target).subscribe(listener);
  }

  @Override
  public Optional<Image> findImage(String reference) {
    return ((ImageLookup) target).findImage(reference);
  }

  @Override
  public Optional<Image> findImage(ImageId id) {
    return ((ImageLookup) target).findImage(id);
  }

  @Override
  public void pull(
      String reference,
      Optional<RegistryCredentials> credentials,
      Consumer<PullProgress> progress) {
    ((ImagePuller) target).pull(reference, credentials, progress);
  }
}
