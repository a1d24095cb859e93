/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import dev.imagegc.api.ContainerState;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.Runtime;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import dev.imagegc.testkit.ImageSpec;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/**
 * A fixture on a {@link FakeNode}: the shortest example of a fixture, and what a wrapper around a {@link Runtime} can be
 * tested with. It does not offer {@link Fault#HANG}, because the node's calls have no deadline of their own.
 */
public final class FakeNodeFixture implements RuntimeFixture {
  private final FakeNode node;
  private final AtomicInteger lastNumber = new AtomicInteger();

  /**
   * Creates a fixture.
   *
   * @param node the node to put images and containers on
   */
  public FakeNodeFixture(FakeNode node) {
    this.node = Objects.requireNonNull(node, "node");
  }

  @Override
  public Runtime runtime() {
    return node.runtime();
  }

  @Override
  public Set<RuntimeCapability> capabilities() {
    return EnumSet.allOf(RuntimeCapability.class);
  }

  @Override
  public Optional<FaultInjector> faults() {
    return Optional.of(new NodeFaults());
  }

  @Override
  public ImageId seedImage(String reference) {
    return seed(image -> image.tag(reference));
  }

  @Override
  public ImageId seedUntaggedImage() {
    return seed(image -> image);
  }

  @Override
  public ImageId seedDigestOnlyImage(String repository) {
    return seed(image -> image.digest(repository + "@sha256:" + newId()));
  }

  @Override
  public ImageId seedChild(ImageId parent, String reference) {
    return seed(image -> image.parent(parent.text()).tag(reference));
  }

  @Override
  public ImageId seedPinnedImage() {
    return seed(image -> image.pinned("the kit says so"));
  }

  @Override
  public void tag(ImageId image, String reference) {
    node.tag(image.text(), reference);
  }

  @Override
  public String seedContainer(ImageId image, ContainerState state) {
    String id = newId();
    node.container(id).image(image.text()).state(state).add();
    return id;
  }

  @Override
  public String seedMount(ImageId mounted) {
    String id = newId();
    node.container(id).image(seedUntaggedImage().text()).mount(mounted.text()).add();
    return id;
  }

  @Override
  public void removeContainer(String containerId) {
    node.removeContainer(containerId);
  }

  @Override
  public String pullable() {
    String repository = "imagegc-kit/pulled-" + lastNumber.incrementAndGet();
    node.registry().image(newId()).tag(repository + ":1").size(1).add();
    node.registry()
        .image(newId())
        .tag(repository + ":latest")
        .layer(newId(), 1)
        .layer(newId(), 2)
        .add();
    return repository + ":latest";
  }

  private ImageId seed(UnaryOperator<ImageSpec> details) {
    ImageId id = ImageId.of("sha256:" + newId());
    details.apply(node.image(id.text()).size(1)).add();
    return id;
  }

  private String newId() {
    return String.format("%064x", lastNumber.incrementAndGet());
  }

  private final class NodeFaults implements FaultInjector {
    @Override
    public Set<Fault> faults() {
      return EnumSet.complementOf(EnumSet.of(Fault.HANG));
    }

    @Override
    public void inject(Fault fault) {
      if (fault == Fault.UNREACHABLE) {
        node.stopEngine();
        return;
      }
      GcException failure = new ProtocolException("the fake node is made to answer nonsense");
      for (Operation operation : Operation.values()) {
        node.faults().failAlways(operation, failure);
      }
    }

    @Override
    public void recover() {
      node.faults().heal();
      node.startEngine();
    }
  }
}
