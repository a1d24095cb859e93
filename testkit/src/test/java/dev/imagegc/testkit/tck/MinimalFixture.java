/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import dev.imagegc.api.ContainerState;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Runtime;
import dev.imagegc.testkit.FakeNode;
import java.time.Duration;

/** A fixture on a fake node that implements what it must and nothing more. */
class MinimalFixture implements RuntimeFixture {
  final FakeNodeFixture target;
  private final Runtime runtime;

  MinimalFixture(FakeNode node, Runtime runtime) {
    this.target = new FakeNodeFixture(node);
    this.runtime = runtime;
  }

  @Override
  public Runtime runtime() {
    return runtime;
  }

  /** The node tells events at once: a rule that waits for one waits in vain. */
  @Override
  public Duration eventPatience() {
    return Duration.ofMillis(500);
  }

  @Override
  public ImageId seedImage(String reference) {
    return target.seedImage(reference);
  }

  @Override
  public ImageId seedUntaggedImage() {
    return target.seedUntaggedImage();
  }

  @Override
  public void tag(ImageId image, String reference) {
    target.tag(image, reference);
  }

  @Override
  public String seedContainer(ImageId image, ContainerState state) {
    return target.seedContainer(image, state);
  }

  @Override
  public void removeContainer(String containerId) {
    target.removeContainer(containerId);
  }
}
