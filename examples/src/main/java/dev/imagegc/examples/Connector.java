/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.Runtime;
import dev.imagegc.core.LocalFsStatsProvider;
import dev.imagegc.core.SystemGcClock;
import dev.imagegc.docker.DockerRuntime;
import java.time.Duration;

/** Makes what a collector needs of the machine. Tests put a fake node here. */
@FunctionalInterface
interface Connector {
  /** What a collector needs of the machine. */
  record Connection(Runtime runtime, FsStatsProvider fsStats, GcClock clock, Runnable close) {}

  /** Connects to nothing yet; the first call does. */
  Connection connect(NodeOptions options);

  /** A container engine that speaks Docker's API, and the disk of this machine. */
  static Connection docker(NodeOptions options) {
    DockerRuntime.Builder builder = DockerRuntime.builder();
    options.host().ifPresent(builder::host);
    options
        .timeout()
        .ifPresent(limit -> builder
            .connectTimeout(limit)
            .listTimeout(limit, limit, Duration.ofMillis(20))
            .removalTimeout(limit)
            .callTimeout(limit));
    DockerRuntime docker;
    try {
      docker = builder.build();
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage());
    }
    LocalFsStatsProvider disk = options
        .imageFs()
        .map(LocalFsStatsProvider::of)
        .orElseGet(() -> LocalFsStatsProvider.locatedBy(docker::imageFsPath));
    return new Connection(
        docker,
        options.countsInodes() ? disk.withInodes() : disk,
        SystemGcClock.instance(),
        docker::close);
  }
}
