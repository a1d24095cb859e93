/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcReport;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageGoingException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Lease;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Clients pull, lease, create, start and remove containers while a collector removes everything it may, in random interleavings:
 * they act before and after every call of the collector to the node, and in the middle of each other's pulls. No client that holds
 * a lease or a container ever loses its image, and the engine's own refusal does not count: the collector must not even ask.
 *
 * <p>A failure names its seed. To run that one again: {@code mvn -pl core -am verify -Dtest=LeaseRaceTest
 * -Dsurefire.failIfNoSpecifiedTests=false -Dimagegc.seed=SEED}
 */
class LeaseRaceTest {
  private static final int INTERLEAVINGS = 10_000;
  private static final Duration TTL = Duration.ofMinutes(5);

  @Test
  void noClientWithALeaseOrAContainer_everLosesItsImage_in10000Interleavings() {
    Long only = Long.getLong("imagegc.seed");
    long first = only != null ? only : new Random().nextLong();
    int runs = only != null ? 1 : INTERLEAVINGS;
    System.out.printf("LeaseRaceTest: seeds %d to %d%n", first, first + runs - 1);
    Totals totals = new Totals();
    for (long seed = first; seed != first + runs; seed++) {
      try (Interleaving interleaving = new Interleaving(seed, totals)) {
        interleaving.run();
        assertThat(interleaving.faults).as("imagegc.seed=%d", seed).isEmpty();
      }
    }
    System.out.printf(
        "LeaseRaceTest: %d rounds removed %d images and kept %d for leases; leases were refused %d"
            + " times; clients without leases lost %d images%n",
        totals.rounds, totals.removed, totals.leased, totals.refused, totals.lost);
    if (only == null) { // the race has to be a race
      assertThat(totals.removed).isGreaterThan(INTERLEAVINGS);
      assertThat(totals.leased).isGreaterThan(INTERLEAVINGS);
      assertThat(totals.refused).isGreaterThan(INTERLEAVINGS / 100);
      assertThat(totals.lost).isGreaterThan(INTERLEAVINGS / 100);
    }
  }

  private static final class Totals {
    int rounds;
    int removed;
    int leased;
    int refused;
    int lost;
  }

  private static final class Interleaving implements AutoCloseable {
    private static final List<String> NAMES = List.of("a:1", "b:1", "c:1", "d:1", "e:1");

    final Random random;
    final Totals totals;
    final FakeNode node = FakeNode.withDisk(100_000);
    final ImageGcManager gc = collector(node).build();
    final List<Client> clients = new ArrayList<>();
    final List<String> faults = new ArrayList<>();
    private int depth;
    private int versions;

    Interleaving(long seed, Totals totals) {
      this.random = new Random(seed);
      this.totals = totals;
      NAMES.forEach(this::publish);
      for (int i = 0; i < 5; i++) {
        clients.add(new Client("client" + i, i < 4));
      }
      for (Operation operation : Operation.values()) {
        node.faults().beforeEach(operation, this::others);
        node.faults().afterEach(operation, this::others);
      }
      node.faults().beforeEach(Operation.REMOVE_IMAGE, this::checkRemoval);
    }

    void run() {
      for (int round = 0; round < 3; round++) {
        others();
        GcReport report = gc.deleteUnusedImages();
        totals.rounds++;
        totals.removed += report.removed().size();
        totals.leased += (int) report.decisions().stream()
            .filter(image -> image.reason().equals(Reason.LEASED))
            .count();
        if (!report.outcome().equals(Outcome.DONE)
            && !report.outcome().equals(Outcome.NOT_NEEDED)) {
          faults.add("a round ended as " + report);
        }
        clients.forEach(Client::check);
      }
    }

    /** A new image under a name, or one that another name has too. */
    private void publish(String name) {
      int version = random.nextInt(4) == 0 ? random.nextInt(versions + 1) : versions++;
      node.registry()
          .image("image" + version)
          .tag(name)
          .layer("layer" + version, 10)
          .add();
    }

    /** What everybody else does between two steps of the collector. */
    private void others() {
      if (depth >= 2) {
        return; // pulls within pulls have to end
      }
      depth++;
      for (int steps = random.nextInt(4); steps > 0; steps--) {
        if (random.nextInt(20) == 0) {
          publish(NAMES.get(random.nextInt(NAMES.size())));
        } else {
          clients.get(random.nextInt(clients.size())).step();
        }
      }
      depth--;
    }

    private void checkRemoval() {
      List<FakeNode.Call> calls = node.calls();
      for (int i = calls.size() - 1; i >= 0; i--) {
        Optional<ImageId> asked = calls.get(i).image();
        if (calls.get(i).operation() == Operation.REMOVE_IMAGE) {
          clients.forEach(client -> client.checkKeeps(asked.orElseThrow()));
          return;
        }
      }
    }

    @Override
    public void close() {
      gc.close();
    }

    /** Leases a name, has it pulled if it is not there, leases what it got, creates a container, gives the leases back. */
    private final class Client {
      private final String name;
      private final boolean leases;
      private final List<Lease> held = new ArrayList<>();
      private String wanted = "";
      private @Nullable ImageId image; // to be kept
      private boolean container;
      private boolean acting;

      Client(String name, boolean leases) {
        this.name = name;
        this.leases = leases;
      }

      void step() {
        if (acting) {
          return; // one client does one thing at a time
        }
        acting = true;
        try {
          check();
          if (container) {
            useContainer();
          } else if (image != null) {
            createContainer();
          } else if (wanted.isEmpty()) {
            want();
          } else {
            get();
          }
        } catch (ImageGoingException e) {
          totals.refused++; // and tried again with the next step
        } finally {
          acting = false;
        }
      }

      private void want() {
        String next = NAMES.get(random.nextInt(NAMES.size()));
        if (leases) {
          held.add(gc.leases().lease(next, TTL));
        }
        wanted = next;
      }

      private void get() {
        Optional<ImageId> there = lookUp();
        if (there.isEmpty() || random.nextInt(3) == 0) {
          if (random.nextBoolean()) {
            node.registry().duringNext(Interleaving.this::others);
          } else {
            node.registry().beforeNextTag(Interleaving.this::others);
          }
          node.puller().pull(wanted, Optional.empty(), progress -> {});
          there = lookUp();
        }
        if (there.isEmpty()) {
          return; // removed at the last moment, because its image was going under another name
        }
        if (leases) {
          held.add(gc.leases().lease(there.get(), TTL));
        }
        if (lookUp().equals(there)) {
          image = there.get();
        }
      }

      private Optional<ImageId> lookUp() {
        return node.lookup().findImage(wanted).map(Image::id);
      }

      private void createContainer() {
        if (!leases && !isThere()) {
          lost();
          return;
        }
        node.container(name).image(String.valueOf(image)).add();
        container = true;
        giveBack();
      }

      private void useContainer() {
        switch (random.nextInt(3)) {
          case 0 -> node.start(name);
          case 1 -> node.exit(name);
          default -> {
            node.removeContainer(name);
            container = false;
            image = null;
            wanted = "";
          }
        }
      }

      private void giveBack() {
        held.forEach(Lease::close);
        held.clear();
      }

      private void lost() {
        totals.lost++;
        image = null;
        wanted = "";
      }

      private boolean isThere() {
        return image != null && node.hasImage(image.text());
      }

      void check() {
        if (image != null && (leases || container) && !isThere()) {
          faults.add(name + " lost " + image + " of " + wanted + (container ? ", in use" : ""));
        }
      }

      void checkKeeps(ImageId asked) {
        if (asked.equals(image) && leases) {
          faults.add("removal was asked for " + image + ", which " + name + " holds"
              + (container ? " in use" : ""));
        }
      }
    }
  }
}
