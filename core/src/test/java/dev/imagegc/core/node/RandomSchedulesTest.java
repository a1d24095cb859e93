/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageGoingException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Lease;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.WorkloadView;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.SpaceTarget;
import dev.imagegc.core.container.ContainerGcPolicy;
import dev.imagegc.core.container.ContainerUnits;
import dev.imagegc.core.pressure.PressurePolicy;
import dev.imagegc.core.pressure.PressureReport;
import dev.imagegc.core.pressure.PressureValue;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * Threshold rounds, purges, requests for space, pressure and container collection in random order on one node, while the world goes
 * on before and after every call to the engine, and asks for more collection in the middle of one. What must not be touched is
 * never even asked for.
 *
 * <p>A failure names its seed. To run that one again: {@code mvn -pl core -am verify -Dtest=RandomSchedulesTest
 * -Dsurefire.failIfNoSpecifiedTests=false -Dimagegc.seed=SEED}
 */
class RandomSchedulesTest {
  private static final int SCHEDULES = 1_000;
  private static final int STEPS = 25;
  private static final long CAPACITY = 10_000;
  private static final Duration MIN_AGE = Duration.ofMinutes(2);
  private static final Duration CONTAINER_MIN_AGE = Duration.ofMinutes(1);
  private static final Duration NEVER_STARTED = CONTAINER_MIN_AGE.plus(Duration.ofHours(1));

  @Test
  void whateverIsNeeded_isNeverAskedToGo_in1000RandomSchedules() {
    Long only = Long.getLong("imagegc.seed");
    long first = only != null ? only : new Random().nextLong();
    int runs = only != null ? 1 : SCHEDULES;
    System.out.printf("RandomSchedulesTest: seeds %d to %d%n", first, first + runs - 1);
    Totals totals = new Totals();
    for (long seed = first; seed != first + runs; seed++) {
      try (Schedule schedule = new Schedule(seed, totals)) {
        schedule.run();
        assertThat(schedule.faults).as("imagegc.seed=%d", seed).isEmpty();
      }
    }
    System.out.printf("RandomSchedulesTest: %s%n", totals);
    if (only == null) { // it has to be about something
      assertThat(totals.images).isGreaterThan(SCHEDULES);
      assertThat(totals.containers).isGreaterThan(SCHEDULES);
      assertThat(totals.pressure).isGreaterThan(SCHEDULES);
      assertThat(totals.busy).isGreaterThan(SCHEDULES);
      assertThat(totals.elsewhere).isGreaterThan(SCHEDULES / 10);
    }
  }

  private static final class Totals {
    int images;
    int containers;
    int pressure;
    int busy;
    int elsewhere;

    @Override
    public String toString() {
      return images + " images and " + containers + " containers removed, " + pressure
          + " passes acted on pressure, " + elsewhere
          + " of them on a disk without images, and " + busy
          + " calls found another one at work";
    }
  }

  private enum Layout {
    ONE_DISK,
    DEDICATED,
    SPLIT
  }

  private static final class Schedule implements AutoCloseable {
    final List<String> faults = new ArrayList<>();
    private final Random random;
    private final Totals totals;
    private final Layout layout;
    private final boolean watchesRootOnly;
    private final FakeNode node;
    private final NodeGc gc;
    private final Map<String, Instant> arrivals = new HashMap<>(); // of images
    private final Set<String> untouchable = new HashSet<>(); // pinned or protected
    private final Map<ImageId, List<Lease>> leases = new HashMap<>();
    private final Set<String> existing = new HashSet<>();
    private final Set<String> terminated = new HashSet<>();
    private Map<String, Container> listed = Map.of();
    private boolean viewComplete = true;
    private boolean peeks; // the test itself lists containers
    private int depth;
    private int number;

    Schedule(long seed, Totals totals) {
      this.random = new Random(seed);
      this.totals = totals;
      this.layout = List.of(Layout.values()).get(random.nextInt(3));
      this.watchesRootOnly = random.nextBoolean();
      this.node = switch (layout) {
        case ONE_DISK -> FakeNode.withDisk(CAPACITY).withOneDisk();
        case DEDICATED -> FakeNode.withDisk(CAPACITY).withDedicatedImageFs(CAPACITY);
        case SPLIT -> FakeNode.withDisk(CAPACITY).withSplitImageFs(CAPACITY);
      };
      PressurePolicy.Builder pressure = PressurePolicy.builder()
          .hard(DiskSignal.NODEFS_AVAILABLE, PressureValue.ofPercent(20))
          .minimumReclaim(DiskSignal.NODEFS_AVAILABLE, PressureValue.of(500));
      if (!watchesRootOnly) {
        pressure
            .hard(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.ofPercent(15))
            .soft(
                DiskSignal.CONTAINERFS_AVAILABLE,
                PressureValue.ofPercent(25),
                Duration.ofMinutes(1));
      }
      this.gc = NodeGc.builder()
          .runtime(node.runtime())
          .fsStats(node.fsStats())
          .clock(node.clock())
          .maxWait(Duration.ZERO)
          .imagePolicy(LruGcPolicy.builder()
              .highPercent(85)
              .lowPercent(70)
              .minAge(MIN_AGE)
              .maxAge(Duration.ofHours(3))
              .keep("kept-*:1")
              .build())
          .containerPolicy(ContainerGcPolicy.builder()
              .minAge(CONTAINER_MIN_AGE)
              .maxPerUnit(random.nextInt(3) - 1)
              .maxContainers(random.nextInt(4) - 1)
              .build())
          .containers(part -> part.units(ContainerUnits.compose()).workloads(this::workloads))
          .images(part -> part.relistInterval(Duration.ZERO))
          .pressurePolicy(pressure.build())
          .build();
      for (int i = 0; i < 4; i++) {
        addImage();
      }
      node.faults().afterEach(Operation.LIST_CONTAINERS, this::noteListing); // before others act
      // A lease keeps an image, and its containers only if it is there at the last look at them.
      node.faults().beforeEach(Operation.REMOVE_CONTAINER, this::checkContainerRemoval);
      for (Operation operation : Operation.values()) {
        node.faults().beforeEach(operation, this::others);
        node.faults().afterEach(operation, this::others);
      }
      for (Operation step :
          List.of(Operation.LIST_IMAGES, Operation.REMOVE_IMAGE, Operation.REMOVE_CONTAINER)) {
        node.faults().beforeEach(step, this::askInTheMiddle);
      }
      node.faults().beforeEach(Operation.REMOVE_IMAGE, this::checkImageRemoval);
    }

    void run() {
      for (int step = 0; step < STEPS && faults.isEmpty(); step++) {
        node.clock().advance(Duration.ofSeconds(random.nextInt(900)));
        others();
        collect();
        checkNames();
      }
    }

    private void collect() {
      switch (random.nextInt(7)) {
        case 0 -> report(gc.images().garbageCollect());
        case 1 -> report(gc.images().deleteUnusedImages());
        case 2 -> report(gc.images().freeSpace(1 + random.nextInt(3_000)));
        case 3 ->
          report(gc.images().reclaim(SpaceTarget.availableBytes(1 + random.nextInt(5_000))));
        case 4 -> report(gc.containers().orElseThrow().collect());
        default -> checkPressure();
      }
    }

    private void report(GcReport report) {
      totals.images += report.removed().size();
      judge(report.outcome(), report);
    }

    private void report(ContainerGcReport report) {
      totals.containers += report.removed().size();
      judge(report.outcome(), report);
    }

    private void judge(Outcome outcome, Object report) {
      if (outcome.equals(Outcome.FAILED) || outcome.equals(Outcome.BUSY)) {
        faults.add("a call ended as " + report);
      }
    }

    private void checkPressure() {
      int images = node.removalsAsked().size();
      int containers = node.containerRemovalsAsked().size();
      PressureReport report = gc.pressure().relieve();
      judge(report.outcome(), report);
      totals.containers +=
          report.containerReport().map(steps -> steps.removed().size()).orElse(0);
      totals.images += report.imageReports().stream()
          .mapToInt(round -> round.removed().size())
          .sum();
      if (report.actedOn().isEmpty()) {
        return;
      }
      totals.pressure++;
      if (watchesRootOnly && layout != Layout.ONE_DISK) {
        totals.elsewhere++;
        if (node.removalsAsked().size() > images) {
          faults.add("images were removed for a disk that has none: " + report);
        }
        if (layout == Layout.DEDICATED && node.containerRemovalsAsked().size() > containers) {
          faults.add("containers were removed for a disk that they do not write to: " + report);
        }
      }
    }

    /** What everybody else does between two steps of the collector. */
    private void others() {
      if (depth >= 1) {
        return;
      }
      depth++;
      for (int steps = random.nextInt(3); steps > 0; steps--) {
        other();
      }
      depth--;
    }

    private void other() {
      List<String> images = node.imageIds();
      List<String> containers = node.containerIds();
      switch (random.nextInt(12)) {
        case 0, 1, 2 -> addImage();
        case 3, 4, 5 -> addContainer(images);
        case 6, 7 -> one(containers).ifPresent(node::exit);
        case 8 -> one(containers).ifPresent(node::start);
        case 9 -> lease(images);
        case 10 -> release();
        default -> changeTheRest();
      }
    }

    private void changeTheRest() {
      viewComplete = random.nextInt(4) > 0;
      one(List.copyOf(existing)).ifPresent(workload -> {
        if (random.nextBoolean()) {
          existing.remove(workload);
        } else {
          terminated.add(workload);
        }
      });
      node.imageDisk().otherData(random.nextInt((int) room(node.imageDisk().availableBytes())));
      if (layout != Layout.ONE_DISK) {
        node.rootDisk().otherData(0);
        node.rootDisk().otherData(random.nextInt((int) room(node.rootDisk().availableBytes())));
      }
    }

    private static long room(long available) {
      return Math.max(1, available);
    }

    private void addImage() {
      boolean kept = random.nextInt(8) == 0;
      boolean pinned = random.nextInt(8) == 0;
      String id = (kept ? "kept-" : "image-") + number++;
      var image = node.image(id).tag(id + ":1");
      for (int layer = random.nextInt(3); layer >= 0; layer--) {
        int name = random.nextInt(20);
        image.layer("layer-" + name, 100L * (name % 7 + 1));
      }
      if (pinned) {
        image.pinned("by the engine");
      }
      if (node.availableBytes() < 2_100) {
        return; // there may be no room for three layers
      }
      image.add();
      arrivals.put(id, node.clock().instant());
      if (kept || pinned) {
        untouchable.add(id);
      }
    }

    private void addContainer(List<String> images) {
      if (images.isEmpty() || room(node.rootDisk().availableBytes()) < 500) {
        return;
      }
      String id = "container-" + number++;
      var container = node.container(id).image(images.get(random.nextInt(images.size())));
      if (random.nextInt(5) > 0) {
        String workload = "workload-" + random.nextInt(6);
        existing.add(workload);
        container
            .label("com.docker.compose.project", workload)
            .label("com.docker.compose.container-number", "1")
            .label("com.docker.compose.service", "service-" + random.nextInt(2));
      }
      List<ContainerState> states = List.of(
          ContainerState.CREATED,
          ContainerState.RUNNING,
          ContainerState.PAUSED,
          ContainerState.EXITED,
          ContainerState.EXITED,
          ContainerState.DEAD);
      if (node.availableBytes() >= 500) {
        container
            .state(states.get(random.nextInt(states.size())))
            .writes(random.nextInt(400))
            .add();
      }
    }

    private void lease(List<String> images) {
      one(images).map(ImageId::of).ifPresent(id -> {
        try {
          Lease lease = gc.images().leases().lease(id, Duration.ofDays(100));
          leases.computeIfAbsent(id, unused -> new ArrayList<>()).add(lease);
        } catch (ImageGoingException e) {
          // it is just being removed
        }
      });
    }

    private void release() {
      one(List.copyOf(leases.keySet())).ifPresent(id -> leases.remove(id).forEach(Lease::close));
    }

    private <T> Optional<T> one(List<T> list) {
      return list.isEmpty() ? Optional.empty() : Optional.of(list.get(random.nextInt(list.size())));
    }

    private WorkloadView workloads() {
      return viewComplete
          ? WorkloadView.of(existing).withTerminated(terminated)
          : WorkloadView.incomplete("not all are known yet");
    }

    // What is checked

    private void noteListing() {
      if (peeks) {
        return;
      }
      Map<String, Container> now = new HashMap<>();
      peeks = true;
      depth++; // nobody changes the node meanwhile
      node.runtime().listContainers().forEach(container -> now.put(container.id(), container));
      depth--;
      peeks = false;
      listed = now;
    }

    /** Another call while this one runs finds it at work, whatever it is, and touches nothing. */
    private void askInTheMiddle() {
      if (random.nextInt(4) > 0) {
        return;
      }
      List<Supplier<Outcome>> calls = List.of(
          () -> gc.images().deleteUnusedImages().outcome(),
          () -> gc.images().freeSpace(10).outcome(),
          () -> gc.containers().orElseThrow().collectForSpace().outcome());
      int before = node.calls().size();
      Outcome outcome = calls.get(random.nextInt(calls.size())).get();
      if (!outcome.equals(Outcome.BUSY) || node.calls().size() != before) {
        faults.add("two calls worked at the same time: the second ended as " + outcome);
      }
      totals.busy++;
    }

    private void checkImageRemoval() {
      String id = last(node.removalsAsked());
      if (untouchable.contains(id)) {
        faults.add("image " + id + " is pinned or protected");
      }
      if (leases.containsKey(ImageId.of(id))) {
        faults.add("image " + id + " is leased");
      }
      Duration age = Duration.between(arrivals.get(id), node.clock().instant());
      if (age.compareTo(MIN_AGE) < 0) {
        faults.add("image " + id + " has been there for " + age);
      }
      if (listed.values().stream().anyMatch(user -> user.images().contains(ImageId.of(id)))) {
        faults.add("image " + id + " was in use when containers were last listed");
      }
    }

    private void checkContainerRemoval() {
      String id = last(node.containerRemovalsAsked());
      Container container = listed.get(id);
      ContainerState state = container.state();
      if (!container.labels().containsKey("com.docker.compose.project")) {
        faults.add("container " + id + " is not the host's");
      }
      boolean neverStarted = state.equals(ContainerState.CREATED);
      if (!neverStarted
          && !state.equals(ContainerState.EXITED)
          && !state.equals(ContainerState.DEAD)) {
        faults.add("container " + id + " was " + state);
      }
      Duration age =
          Duration.between(container.createdAt().orElseThrow(), node.clock().instant());
      if (age.compareTo(neverStarted ? NEVER_STARTED : CONTAINER_MIN_AGE) < 0) {
        faults.add("container " + id + ", " + state + ", was created " + age + " ago");
      }
      if (neverStarted && container.images().stream().anyMatch(leases::containsKey)) {
        faults.add("container " + id + " was never started, and its image is leased");
      }
    }

    private void checkNames() {
      for (String id : node.imageIds()) {
        if (!node.references(id).equals(List.of(id + ":1"))) {
          faults.add("image " + id + " has the names " + node.references(id));
        }
      }
    }

    private static String last(List<String> ids) {
      return ids.get(ids.size() - 1);
    }

    @Override
    public void close() {
      gc.close();
    }
  }
}
