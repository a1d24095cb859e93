/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.StoreException;
import dev.imagegc.core.FileRecordStore;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LruGcPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A collector with all that it needs, put together from the options; closed in the reverse order. */
final class Node implements AutoCloseable {
  private final NodeOptions options;
  private final LruGcPolicy policy;
  private final Connector.Connection connection;
  private final @Nullable FileRecordStore store;
  private final ImageGcManager gc;

  private Node(
      NodeOptions options,
      LruGcPolicy policy,
      Connector.Connection connection,
      @Nullable FileRecordStore store,
      ImageGcManager gc) {
    this.options = options;
    this.policy = policy;
    this.connection = connection;
    this.store = store;
    this.gc = gc;
  }

  /**
   * Opens the state directory and builds the collector; the engine is not asked yet.
   *
   * @throws UsageException if an option has a value that cannot be used
   * @throws dev.imagegc.api.BusyException if another process has the state directory
   */
  static Node open(
      NodeOptions options,
      Connector connector,
      GcListener listener,
      Duration detectionInterval,
      Duration collectionInterval) {
    LruGcPolicy policy = options.policy();
    Limits limits = options.limits();
    Connector.Connection connection = connector.connect(options);
    FileRecordStore store = options.state().map(Node::openStore).orElse(null);
    ImageGcManager.Builder gc = ImageGcManager.builder()
        .runtime(connection.runtime())
        .fsStats(connection.fsStats())
        .clock(connection.clock())
        .policy(policy)
        .listener(listener)
        .limits(limits.forRounds())
        .deadlines(options.deadlines())
        .detectionInterval(detectionInterval)
        .collectionInterval(collectionInterval);
    if (store != null) {
      gc.store(store);
    }
    return new Node(options, policy, connection, store, gc.build());
  }

  private static FileRecordStore openStore(Path directory) {
    try {
      return FileRecordStore.open(directory);
    } catch (StoreException e) {
      throw new UsageException("--state: " + e.getMessage());
    }
  }

  ImageGcManager gc() {
    return gc;
  }

  TextReport texts() {
    return new TextReport(policy.thresholds(), options.limits());
  }

  Limits limits() {
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
