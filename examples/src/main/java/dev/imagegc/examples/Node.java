/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.DiskConditionListener;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.StoreException;
import dev.imagegc.core.FileRecordStore;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.RoundLimits;
import dev.imagegc.core.node.NodeGc;
import dev.imagegc.core.pressure.PressurePolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A collector with all that it needs, put together from the options; closed in the reverse order. */
final class Node implements AutoCloseable {
  /** For what is never started. */
  static final Duration NO_TIMERS = Duration.ofDays(1);

  private final NodeOptions options;
  private final LruGcPolicy policy;
  private final Connector.Connection connection;
  private final @Nullable FileRecordStore store;
  private final NodeGc gc;

  private Node(
      NodeOptions options,
      LruGcPolicy policy,
      Connector.Connection connection,
      @Nullable FileRecordStore store,
      NodeGc gc) {
    this.options = options;
    this.policy = policy;
    this.connection = connection;
    this.store = store;
    this.gc = gc;
  }

  /** What is kept in order beside the images, and by whom it is heard. */
  record Rest(
      ContainerOptions containers, PressureOptions pressure, DiskConditionListener conditions) {}

  /**
   * Opens the state directory and builds what collects images on demand; the engine is not asked yet.
   *
   * @throws UsageException if an option has a value that cannot be used
   * @throws dev.imagegc.api.BusyException if another process has the state directory
   */
  static Node ofImages(NodeOptions options, Connector connector, GcListener listener) {
    NodeGc.Builder gc = NodeGc.builder()
        .collectsContainers(false)
        .pressurePolicy(PressurePolicy.builder().build());
    return open(
        options,
        connector,
        new Connector.Disks(Optional.empty(), Optional.empty(), options.countsInodes()),
        listener,
        NO_TIMERS,
        NO_TIMERS,
        gc);
  }

  /**
   * Opens the state directory and builds what watches all of the node; the engine is not asked yet.
   *
   * @throws UsageException if an option has a value that cannot be used
   * @throws dev.imagegc.api.BusyException if another process has the state directory
   */
  static Node ofAll(
      NodeOptions options,
      Rest rest,
      Connector connector,
      GcListener listener,
      Duration detectionInterval,
      Duration collectionInterval) {
    // Now, so that nothing is opened for a mistake.
    Optional<Duration> containerInterval = rest.containers().interval();
    Optional<Duration> pressureInterval = rest.pressure().interval();
    NodeGc.Builder gc = NodeGc.builder()
        .containerPolicy(rest.containers().policy())
        .collectsContainers(rest.containers().collects())
        .containers(part -> containerInterval.ifPresent(part::interval))
        .pressurePolicy(rest.pressure().policy())
        .pressure(part -> {
          part.conditionListener(rest.conditions());
          pressureInterval.ifPresent(part::interval);
        });
    Connector.Disks disks =
        new Connector.Disks(rest.pressure().rootFs(), rest.pressure().containerFs(), true);
    return open(options, connector, disks, listener, detectionInterval, collectionInterval, gc);
  }

  private static Node open(
      NodeOptions options,
      Connector connector,
      Connector.Disks disks,
      GcListener listener,
      Duration detectionInterval,
      Duration collectionInterval,
      NodeGc.Builder gc) {
    LruGcPolicy policy = options.policy();
    RoundLimits limits = options.limits();
    Connector.Connection connection = connector.connect(options, disks);
    FileRecordStore store = options.state().map(Node::openStore).orElse(null);
    gc.runtime(connection.runtime())
        .fsStats(connection.fsStats())
        .clock(connection.clock())
        .imagePolicy(policy)
        .listener(listener)
        .deadlines(options.deadlines())
        .images(part -> {
          part.limits(limits)
              .detectionInterval(detectionInterval)
              .collectionInterval(collectionInterval);
          if (store != null) {
            part.store(store);
          }
        });
    return new Node(options, policy, connection, store, gc.build());
  }

  private static FileRecordStore openStore(Path directory) {
    try {
      return FileRecordStore.open(directory);
    } catch (StoreException e) {
      throw new UsageException("--state: " + e.getMessage());
    }
  }

  NodeGc all() {
    return gc;
  }

  ImageGcManager images() {
    return gc.images();
  }

  TextReport texts() {
    return new TextReport(policy.thresholds(), options.limits());
  }

  RoundLimits limits() {
    return options.limits();
  }

  /**
   * Returns a sentence on each option that had no effect, but for rules that matched nothing, which the library tells: inodes
   * that nobody can count.
   */
  List<String> idleOptions(FsStats measured) {
    return options.countsInodes() && measured.inodes().orElse(0) == 0
        ? List.of(
            "--inodes-high has no effect: how many inodes " + measured.path() + " has is not known")
        : List.of();
  }

  @Override
  public void close() {
    gc.close();
    if (store != null) {
      store.close();
    }
    connection.close().run();
  }
}
