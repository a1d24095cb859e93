/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LocalFsStatsProvider;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.docker.DockerRuntime;

/** The smallest host: keeps the disk of this machine's Docker engine below 85 %, until the process is stopped. */
public final class MinimalHost {
  private MinimalHost() {}

  /**
   * Watches the engine that DOCKER_HOST names, or the local one.
   *
   * @param args none
   * @throws InterruptedException if the main thread is interrupted
   */
  public static void main(String[] args) throws InterruptedException {
    LruGcPolicy policy = LruGcPolicy.builder()
        .highPercent(85) // start at 85 % of the image filesystem
        .lowPercent(80) // and free down to 80 %
        .keep("registry.example/base/**")
        .build();

    try (DockerRuntime docker = DockerRuntime.builder().build();
        ImageGcManager gc = ImageGcManager.builder()
            .runtime(docker)
            .fsStats(LocalFsStatsProvider.locatedBy(docker::imageFsPath))
            .policy(policy)
            .listener(event -> System.out.println(event.message()))
            .build()) {
      gc.start(); // looks and collects every five minutes
      Thread.currentThread().join(); // until the process is stopped
    }
  }
}
