/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import dev.imagegc.api.ImageId;
import dev.imagegc.api.Runtime;
import dev.imagegc.testkit.FakeNode;
import java.util.Optional;
import java.util.Set;

/** A fixture on a fake node that can do everything, with a runtime of the test's choice. */
class ForwardingFixture extends MinimalFixture {
  ForwardingFixture(FakeNode node, Runtime runtime) {
    super(node, runtime);
  }

  @Override
  public Set<RuntimeCapability> capabilities() {
    return target.capabilities();
  }

  @Override
  public Optional<FaultInjector> faults() {
    return target.faults();
  }

  @Override
  public ImageId seedDigestOnlyImage(String repository) {
    return target.seedDigestOnlyImage(repository);
  }

  @Override
  public ImageId seedChild(ImageId parent, String reference) {
    return target.seedChild(parent, reference);
  }

  @Override
  public String seedMount(ImageId mounted) {
    return target.seedMount(mounted);
  }

  @Override
  public ImageId seedPinnedImage() {
    return target.seedPinnedImage();
  }

  @Override
  public String pullable() {
    return target.pullable();
  }
}
