/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.Runtime;
import dev.imagegc.core.LocalFsStatsProvider;
import dev.imagegc.core.SystemGcClock;
import dev.imagegc.docker.DockerRuntime;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Makes what a collector needs of the machine. Tests put a fake node here. */
@FunctionalInterface
interface Connector {
  /** What a collector needs of the machine. */
  record Connection(Runtime runtime, FsStatsProvider fsStats, GcClock clock, Runnable close) {}

  /** Which filesystems are measured beside that of the images, and whether inodes are counted, which costs a process each time. */
  record Disks(Optional<Path> rootFs, Optional<Path> containerFs, boolean inodes) {}

  /** Connects to nothing yet; the first call does. */
  Connection connect(NodeOptions options, Disks disks);

  /** A container engine that speaks Docker's API, and the disks of this machine. */
  static Connection docker(NodeOptions options, Disks disks) {
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
    disk = disks.rootFs().map(disk::rootFsAt).orElse(disk);
    disk = disks.containerFs().map(disk::containerFsAt).orElse(disk);
    return new Connection(
        docker, disks.inodes() ? disk.withInodes() : disk, SystemGcClock.instance(), docker::close);
  }
}
