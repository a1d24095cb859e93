/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerDecision;
import dev.imagegc.api.ContainerReason;
import dev.imagegc.api.ContainerUnit;
import dev.imagegc.api.Decision;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PressureShortfall;
import dev.imagegc.api.RankedContainer;
import dev.imagegc.core.FsLayout;
import dev.imagegc.core.LocalFsStatsProvider;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.container.ContainerGcPolicy;
import dev.imagegc.core.container.ContainerUnits;
import dev.imagegc.core.node.NodeGc;
import dev.imagegc.core.pressure.PressurePolicy;
import dev.imagegc.core.pressure.PressureReport;
import dev.imagegc.core.pressure.PressureThreshold;
import dev.imagegc.core.pressure.PressureValue;
import dev.imagegc.docker.DockerRuntime;
import dev.imagegc.docker.RealEngine;
import dev.imagegc.testkit.RecordingListener;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** A whole node, its containers, images and filesystems, on real engines; see {@link RealEngine}. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.imagegc.docker.RealEngine#all")
class NodeEngineIT {
  private static final int MB = 1_000_000;
  private static final int PAYLOAD = 40 * MB;
  private static final String[] AT_ONCE = {"/bin/busybox", "true"};
  private static final String[] FOREVER = {"/bin/busybox", "sleep", "3600"};
  private static final String JOB = "org.example.job";
  private static final Map<String, String> NO_LABELS = Map.of();

  @Parameter
  RealEngine engine;

  /** The node's root: on a filesystem that is not the engine's, which is mounted for it alone. */
  @TempDir
  Path root;

  private final RecordingListener heard = new RecordingListener();
  private final Queue<DiskCondition> conditions = new ConcurrentLinkedQueue<>();
  private final Queue<PressureShortfall> shortfalls = new ConcurrentLinkedQueue<>();
  private Path ballast;
  private Path smallFiles;
  private DockerRuntime docker;
  private LocalFsStatsProvider disks;

  @BeforeEach
  void begin() throws IOException {
    ballast = engine.mount().resolve("ballast");
    smallFiles = engine.mount().resolve("small-files");
    removeFiles();
    docker = DockerRuntime.builder().host("unix://" + engine.socket()).build();
    disks = LocalFsStatsProvider.locatedBy(docker::imageFsPath).withInodes().rootFsAt(root);
    engine.empty();
  }

  @AfterEach
  void end() throws IOException {
    docker.close();
    removeFiles();
    engine.empty();
  }

  @Test
  void imagesHeldOnlyByDeadContainers_areFreedByPressureInOnePass_theContainersFirst()
      throws IOException {
    long before = available();
    String oldest = engine.importBusybox("node/app:1", PAYLOAD);
    long size = before - available(); // some engines keep it packed too
    String replaced = engine.importBusybox("node/app:2", PAYLOAD);
    String current = engine.importBusybox("node/app:3", PAYLOAD);
    String service = engine.importBusybox("node/db:1");
    String first = ended(engine.create(oldest, compose("app"), AT_ONCE));
    String second = ended(engine.createAfter(first, replaced, compose("app"), AT_ONCE));
    String newest = ended(engine.createAfter(second, current, compose("app"), AT_ONCE));
    String running = engine.run(service, FOREVER);
    long wanted = fillUntilPressure(size);

    try (NodeGc node =
        node(ContainerGcPolicy.ofDefaults(), pressureOfBytes(size)).build()) {
      PressureReport report = node.pressure().relieve();

      assertThat(report.actedOn())
          .containsExactly(PressureThreshold.parse("imagefs.available<15%"));
      assertThat(report.outcome()).as(report.toString()).isEqualTo(Outcome.DONE);
      assertThat(available()).isGreaterThanOrEqualTo(wanted);
      List<String> happened = whatHappened();
      assertThat(happened).hasSize(5);
      assertThat(happened.subList(0, 2))
          .containsExactly(
              GcEventType.CONTAINER_REMOVED + " " + first,
              GcEventType.CONTAINER_REMOVED + " " + second);
      assertThat(happened.subList(2, 4))
          .containsExactlyInAnyOrder(
              GcEventType.IMAGE_REMOVED + " " + ImageId.of(oldest).text(),
              GcEventType.IMAGE_REMOVED + " " + ImageId.of(replaced).text());
      assertThat(happened.get(4)).isEqualTo(GcEventType.DISK_PRESSURE_HANDLED.toString());
      assertThat(engine.containers().keySet()).containsExactlyInAnyOrder(newest, running);
      assertThat(engine.images()).containsExactlyInAnyOrder(current, service);
      assertThat(shortfalls).isEmpty();

      assertThat(node.pressure().relieve().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(conditions)
          .extracting(DiskCondition::hardSignals)
          .containsExactly(Set.of(DiskSignal.IMAGEFS_AVAILABLE), Set.of());
    }
  }

  @Test
  void imagesOfDeadContainersThatThePolicyKeeps_stay_andTheHostHearsWhatIsMissing()
      throws IOException {
    long before = available();
    String ofUnit = engine.importBusybox("node/app:1", PAYLOAD);
    long size = before - available();
    String ofJob = engine.importBusybox("node/job:1", PAYLOAD);
    String ofNobody = engine.importBusybox("node/tool:1", PAYLOAD);
    String ofService = engine.importBusybox("node/db:1", PAYLOAD);
    String newest = ended(engine.create(ofUnit, compose("app"), AT_ONCE));
    String job = ended(engine.create(ofJob, Map.of(JOB, "nightly"), AT_ONCE));
    String unowned = ended(engine.create(ofNobody, NO_LABELS, AT_ONCE));
    String running = engine.run(ofService, FOREVER);
    Map<String, String> containers = engine.containers();
    Set<String> images = engine.images();
    long wanted = fillUntilPressure(size);

    try (NodeGc node =
        node(ContainerGcPolicy.ofDefaults(), pressureOfBytes(size)).build()) {
      PressureReport report = node.pressure().relieve();
      long available = available();

      assertThat(report.outcome()).as(report.toString()).isEqualTo(Outcome.SHORT);
      assertThat(reasons(report))
          .containsExactlyInAnyOrderEntriesOf(Map.of(
              newest, ContainerReason.KEPT_NEWEST,
              job, ContainerReason.KEPT_NEWEST,
              unowned, ContainerReason.NOT_OWNED,
              running, ContainerReason.RUNNING));
      assertThat(engine.containers()).isEqualTo(containers);
      assertThat(engine.images()).isEqualTo(images);
      assertThat(whatHappened()).containsExactly(GcEventType.DISK_PRESSURE_HANDLED.toString());

      assertThat(shortfalls).hasSize(1);
      PressureShortfall shortfall = shortfalls.element();
      assertThat(shortfall.signal()).isEqualTo(DiskSignal.IMAGEFS_AVAILABLE);
      assertThat(shortfall.wanted()).isEqualTo(wanted);
      assertThat(shortfall.available())
          .isCloseTo(available, within((long) MB)); // the engine writes
      assertThat(shortfall.missing()).isEqualTo(wanted - shortfall.available()).isPositive();
      RankedContainer ranked = onlyRanked(shortfall);
      assertThat(ranked.container().id()).isEqualTo(running);
      assertThat(ranked.images())
          .singleElement()
          .satisfies(image -> assertThat(image.id()).isEqualTo(ImageId.of(ofService)));
      if (engine.isPodman()) { // whose sizes do not add up
        assertThat(ranked.exclusiveBytes()).isEmpty();
      } else {
        assertThat(ranked.exclusiveBytes().orElseThrow()).isGreaterThanOrEqualTo(PAYLOAD);
      }
    }

    ContainerGcPolicy letsAllGo =
        ContainerGcPolicy.builder().maxPerUnit(0).collectsUnowned(true).build();
    try (NodeGc node = node(letsAllGo, pressureOfBytes(size)).build()) { // so it was the policy
      assertThat(node.pressure().relieve().outcome()).isEqualTo(Outcome.DONE);
    }
    assertThat(engine.containers().keySet()).containsExactly(running);
    assertThat(engine.images()).hasSize(2).contains(ofService);
  }

  @Test
  void fewInodes_areFoundAsPressureAndRelieved_whileBytesArePlenty() throws IOException {
    long total = disks.imageFs().inodes().orElseThrow();
    assertThat(total).as("inodes that a test can use up").isLessThan(1_000_000);
    String small = importSmallFiles("node/small:1", (int) total / 10);
    String service = engine.importBusybox("node/db:1");
    String running = engine.run(service, FOREVER);
    PressurePolicy policy = PressurePolicy.builder()
        .hard("imagefs.inodesFree<5%")
        .minimumReclaim(DiskSignal.IMAGEFS_INODES_FREE, PressureValue.ofPercent(2))
        .hard("imagefs.available<15%")
        .minimumReclaim(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.ofPercent(2))
        .transitionPeriod(Duration.ZERO)
        .build();

    try (NodeGc node = node(ContainerGcPolicy.ofDefaults(), policy).build()) {
      node.images().detectImages();
      String later = engine.importImage("node/later:1", MB);
      writeSmallFiles(inodesFree() - total * 4 / 100);
      PressureReport report = node.pressure().relieve();

      FsStats before = report.filesystemsBefore().get(NodeFs.IMAGEFS);
      assertThat(before.inodesFree().orElseThrow()).isLessThan(total * 5 / 100);
      assertThat(before.availableBytes().orElseThrow())
          .isGreaterThan(before.capacityBytes().orElseThrow() / 2);
      assertThat(report.met()).containsExactly(PressureThreshold.parse("imagefs.inodesFree<5%"));
      assertThat(report.actedOn()).isEqualTo(report.met());
      assertThat(conditions)
          .extracting(DiskCondition::hardSignals)
          .containsExactly(Set.of(DiskSignal.IMAGEFS_INODES_FREE));
      assertThat(report.outcome()).as(report.toString()).isEqualTo(Outcome.DONE);
      assertThat(inodesFree()).isGreaterThanOrEqualTo(total * 7 / 100);
      assertThat(engine.hasImage(small)).isFalse();
      assertThat(engine.images()).containsExactlyInAnyOrder(service, later);
      assertThat(engine.containers().keySet()).containsExactly(running);
      assertThat(shortfalls).isEmpty();

      assertThat(node.pressure().relieve().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      assertThat(conditions).last().matches(condition -> !condition.isUnderPressure());
    }
  }

  @Test
  void pressureOnTheNodesRoot_removesNothingFromAnotherFilesystem_andIsHandedToTheHost()
      throws IOException {
    assertThat(Files.getAttribute(root, "unix:dev"))
        .isNotEqualTo(Files.getAttribute(engine.mount(), "unix:dev"));
    String app = engine.importBusybox("node/app:1");
    String unused = engine.importImage("node/unused:1", MB);
    String older = ended(engine.create(app, compose("app"), AT_ONCE));
    String newer = ended(engine.createAfter(older, app, compose("app"), AT_ONCE));
    String running = engine.run(app, FOREVER);
    Map<String, String> containers = engine.containers();
    Set<String> images = engine.images();
    long free = Files.getFileStore(root).getUsableSpace();
    long limit = free + free / 10; // others may remove something meanwhile
    PressurePolicy policy = PressurePolicy.builder()
        .hard(DiskSignal.NODEFS_AVAILABLE, PressureValue.of(limit))
        .hard("imagefs.available<15%")
        .build();

    try (NodeGc node = node(ContainerGcPolicy.ofDefaults(), policy).build()) {
      PressureReport report = node.pressure().relieve();

      assertThat(report.layout()).contains(FsLayout.DEDICATED_IMAGEFS);
      assertThat(report.actedOn())
          .extracting(PressureThreshold::signal)
          .containsExactly(DiskSignal.NODEFS_AVAILABLE);
      assertThat(report.outcome()).as(report.toString()).isEqualTo(Outcome.SHORT);
      assertThat(report.containerReport()).isEmpty();
      assertThat(report.imageReports()).isEmpty();
      assertThat(engine.containers()).isEqualTo(containers);
      assertThat(engine.images()).isEqualTo(images);
      assertThat(whatHappened()).containsExactly(GcEventType.DISK_PRESSURE_HANDLED.toString());
      assertThat(conditions)
          .singleElement()
          .satisfies(condition -> assertThat(condition.filesystem()).isEqualTo(NodeFs.NODEFS));
      assertThat(shortfalls).hasSize(1);
      PressureShortfall shortfall = shortfalls.element();
      assertThat(shortfall.signal()).isEqualTo(DiskSignal.NODEFS_AVAILABLE);
      assertThat(shortfall.wanted()).isEqualTo(limit);
      assertThat(shortfall.missing()).isPositive();
      assertThat(onlyRanked(shortfall).container().id()).isEqualTo(running);

      // It could have removed something.
      assertThat(node.containers().orElseThrow().collect().removed()).hasSize(1);
      assertThat(node.images().deleteUnusedImages().removed()).hasSize(1);
      assertThat(engine.containers().keySet()).containsExactlyInAnyOrder(newer, running);
      assertThat(engine.hasImage(unused)).isFalse();
    }
  }

  @Test
  void startedNode_removesTheOlderOfTwoDeadContainersByTimer_andEndsWithItsTimers()
      throws Exception {
    String app = engine.importBusybox("node/app:1");
    String unused = engine.importImage("node/unused:1", MB);
    String older = ended(engine.create(app, compose("app"), AT_ONCE));
    String unowned = ended(engine.create(app, NO_LABELS, AT_ONCE));
    String running = engine.run(app, FOREVER);
    disks = disks.rootFsAt(engine.mount()); // where there is room, whatever the machine has
    Duration interval = Duration.ofMillis(100);
    ScheduledThreadPoolExecutor beat = new ScheduledThreadPoolExecutor(1);
    beat.setRemoveOnCancelPolicy(true);
    NodeGc node = node(ContainerGcPolicy.ofDefaults(), PressurePolicy.ofDefaults())
        .images(images -> images.collectionInterval(interval))
        .containers(containers -> containers.interval(interval))
        .pressure(pressure -> pressure.interval(interval))
        .scheduler(beat)
        .build();
    try {
      node.start();
      GcEvent firstPass = heard.await(GcEventType.CONTAINER_GC_FINISHED);
      assertThat(firstPass.containerReport().orElseThrow().outcome()).isEqualTo(Outcome.NOT_NEEDED);
      String newer = ended(engine.createAfter(older, app, compose("app"), AT_ONCE));

      GcEvent removal = heard.await(GcEventType.CONTAINER_REMOVED);
      heard.await(GcEventType.ROUND_FINISHED);
      CompletableFuture<Void> closing = CompletableFuture.runAsync(node::close);
      closing.get(1, TimeUnit.MINUTES); // guards against a hang

      ContainerDecision removed = removal.containerDecision().orElseThrow();
      assertThat(removed.container().id()).isEqualTo(older);
      assertThat(removed.reason()).isEqualTo(ContainerReason.OVER_UNIT_LIMIT);
      assertThat(whatHappened()).containsExactly(GcEventType.CONTAINER_REMOVED + " " + older);
      assertThat(engine.containers().keySet()).containsExactlyInAnyOrder(newer, unowned, running);
      assertThat(engine.images()).containsExactlyInAnyOrder(app, unused);
      assertThat(shortfalls).isEmpty();
      assertThat(beat.getQueue()).as("timers left").isEmpty();
      assertThatThrownBy(() -> node.pressure().relieve()).isInstanceOf(IllegalStateException.class);
    } finally {
      node.close();
      beat.shutdownNow();
    }
  }

  // The node

  private NodeGc.Builder node(ContainerGcPolicy containers, PressurePolicy pressure) {
    return NodeGc.builder()
        .runtime(docker)
        .fsStats(disks)
        .imagePolicy(LruGcPolicy.builder().minAge(Duration.ZERO).build())
        .containerPolicy(containers)
        .pressurePolicy(pressure)
        .listener(heard)
        .containers(part ->
            part.units(ContainerUnits.firstOf(ContainerUnits.compose(), NodeEngineIT::unitOfJob)))
        .pressure(
            part -> part.conditionListener(conditions::add).shortfallHandler(shortfalls::add));
  }

  private static Optional<ContainerUnit> unitOfJob(Container container) {
    return Optional.ofNullable(container.labels().get(JOB))
        .map(job -> ContainerUnit.of(job, "worker"));
  }

  private static Map<String, String> compose(String service) {
    return Map.of(
        "com.docker.compose.project",
        "shop",
        "com.docker.compose.service",
        service,
        "com.docker.compose.container-number",
        "1");
  }

  /** Runs a container to its end. */
  private String ended(String created) {
    engine.startContainer(created);
    engine.await(created);
    return created;
  }

  // What was found and done

  /** Removals and handled pressure, in order. */
  private List<String> whatHappened() {
    Set<GcEventType> telling = Set.of(
        GcEventType.CONTAINER_REMOVED,
        GcEventType.CONTAINER_REMOVAL_FAILED,
        GcEventType.IMAGE_REMOVED,
        GcEventType.IMAGE_REMOVAL_FAILED,
        GcEventType.DISK_PRESSURE_HANDLED);
    return heard.events().stream()
        .filter(event -> telling.contains(event.type()))
        .map(event -> (event.type() + " " + subject(event)).strip())
        .toList();
  }

  private static String subject(GcEvent event) {
    return event
        .containerDecision()
        .map(decision -> decision.container().id())
        .or(() -> event.decision().map(decision -> decision.image().id().text()))
        .orElse("");
  }

  private static Map<String, ContainerReason> reasons(PressureReport report) {
    Map<String, ContainerReason> reasons = new HashMap<>();
    for (ContainerDecision decision : report.containerReport().orElseThrow().decisions()) {
      assertThat(decision.decision()).isEqualTo(Decision.KEPT);
      reasons.put(decision.container().id(), decision.reason());
    }
    return reasons;
  }

  private static RankedContainer onlyRanked(PressureShortfall shortfall) {
    assertThat(shortfall.containers()).hasSize(1);
    return shortfall.containers().get(0);
  }

  // The filesystem, filled without the library

  /** Pressure that is over when there is more than 15 %, by the size of an image. */
  private static PressurePolicy pressureOfBytes(long sizeOfImage) {
    return PressurePolicy.builder()
        .hard("imagefs.available<15%")
        .minimumReclaim(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.of(sizeOfImage))
        .transitionPeriod(Duration.ZERO)
        .build();
  }

  /** Leaves so little that one image would do for the threshold, and it takes two for what is wanted, which it returns. */
  private long fillUntilPressure(long sizeOfImage) throws IOException {
    long threshold = Files.getFileStore(engine.mount()).getTotalSpace() * 15 / 100;
    fill(available() - threshold + sizeOfImage / 4);
    assertThat(available()).isLessThan(threshold);
    return threshold + sizeOfImage;
  }

  private long available() throws IOException {
    return Files.getFileStore(engine.mount()).getUsableSpace();
  }

  private long inodesFree() {
    return disks.imageFs().inodesFree().orElseThrow();
  }

  private void fill(long bytes) throws IOException {
    try {
      Process fallocate =
          new ProcessBuilder("fallocate", "-l", String.valueOf(bytes), ballast.toString()).start();
      assertThat(fallocate.waitFor()).as("exit code of fallocate").isZero();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private String importSmallFiles(String tag, int count) {
    Map<String, byte[]> files = new HashMap<>();
    for (int i = 0; i < count; i++) {
      files.put("small-" + i, new byte[100]);
    }
    return engine.importImage(tag, files);
  }

  private void writeSmallFiles(long count) throws IOException {
    Files.createDirectory(smallFiles);
    byte[] content = new byte[10];
    for (long i = 0; i < count; i++) {
      Files.write(smallFiles.resolve(String.valueOf(i)), content);
    }
  }

  private void removeFiles() throws IOException {
    Files.deleteIfExists(ballast);
    if (Files.exists(smallFiles)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(smallFiles)) {
        for (Path file : files) {
          Files.delete(file);
        }
      }
      Files.delete(smallFiles);
    }
  }
}
