/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.Image;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;
import java.util.List;

/** The engine of a fake node, for tests that change one of its answers. */
class ForwardingEngine implements Runtime, ContainerRemover {
  private final Runtime runtime;

  ForwardingEngine(FakeNode node) {
    this.runtime = node.runtime();
  }

  @Override
  public List<Image> listImages() {
    return runtime.listImages();
  }

  @Override
  public List<Container> listContainers() {
    return runtime.listContainers();
  }

  @Override
  public RemovalResult removeImage(Image image) {
    return runtime.removeImage(image);
  }

  @Override
  public RemovalResult removeContainer(Container container) {
    return ((ContainerRemover) runtime).removeContainer(container);
  }

  @Override
  public void stopContainer(Container container, Duration grace) {
    ((ContainerRemover) runtime).stopContainer(container, grace);
  }
}
