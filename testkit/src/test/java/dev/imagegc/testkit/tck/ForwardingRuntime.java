/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import dev.imagegc.api.Container;
import dev.imagegc.api.Image;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import java.util.List;

/** A runtime that does what another one does, unless a test breaks it. */
class ForwardingRuntime implements Runtime {
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
}
