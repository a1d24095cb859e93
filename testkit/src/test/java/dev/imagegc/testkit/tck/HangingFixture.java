/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import dev.imagegc.api.Runtime;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** A fixture on a fake node that can hang as well. */
final class HangingFixture extends ForwardingFixture {
  /** Whether the engine hangs. One fixture is in use at a time. */
  static volatile boolean hangs;

  private final FakeNode node;
  private final Duration patience;

  HangingFixture(FakeNode node, Runtime runtime, Duration patience) {
    super(node, runtime);
    this.node = node;
    this.patience = patience;
  }

  @Override
  public Optional<FaultInjector> faults() {
    FaultInjector others = super.faults().orElseThrow();
    return Optional.of(new FaultInjector() {
      @Override
      public Set<Fault> faults() {
        return EnumSet.allOf(Fault.class);
      }

      @Override
      public void inject(Fault fault) throws Exception {
        if (fault != Fault.HANG) {
          others.inject(fault);
          return;
        }
        hangs = true;
        for (Operation operation : Operation.values()) {
          node.faults().hangAlways(operation);
        }
      }

      @Override
      public void recover() throws Exception {
        others.recover();
        hangs = false;
      }

      @Override
      public Duration patience() {
        return patience;
      }
    });
  }
}
