/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.docker.EngineHttp.Answer;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * The numbers that Podman tells of the filesystem of its storage.
 *
 * <p>Measured with Podman 4.3: {@code graphRootAllocated} is {@code f_blocks}, {@code graphRootUsed} is {@code f_blocks - f_bfree},
 * both in bytes and of this moment. The answer takes 130 ms, because programs are asked for their versions as well. A path of libpod
 * without a version is not found; any version will do, also one of the Docker-compatible API.
 */
final class PodmanFs implements FsStatsProvider {
  private static final String INFO = "/libpod/info";

  private static final String CALL = "GET " + INFO;

  private final EngineApi api;
  private final InstantSource clock;

  PodmanFs(EngineApi api, InstantSource clock) {
    this.api = api;
    this.clock = clock;
  }

  /** What Podman says of its storage; null where it says nothing. */
  private record Store(
      @Nullable String root,
      @Nullable Long allocated,
      @Nullable Long used) {}

  @Override
  public FsStats imageFs() {
    Instant now = clock.instant();
    Answer answer = api.get(INFO);
    if (answer.status() == 404) {
      throw new ProtocolException("The engine at " + api.host() + " is not Podman: it answered "
          + CALL + " with 404. Only Podman tells how full its filesystem is.");
    }
    if (!answer.isSuccess()) {
      throw api.failed(CALL, answer);
    }
    return stats(now, api.parse(CALL, answer, PodmanFs::store));
  }

  private FsStats stats(Instant now, Store store) {
    String root = store.root() == null ? "the storage of Podman" : store.root();
    FsStats.Builder stats = FsStats.builder(root + " at " + api.host(), now);
    Long allocated = store.allocated();
    Long used = store.used();
    if (allocated == null || allocated == 0) {
      return stats
          .source("Podman's info, which does not tell graphRootAllocated")
          .build();
    }
    if (allocated < 0 || (used != null && (used < 0 || used > allocated))) {
      throw new ProtocolException(CALL + " at " + api.host() + ": impossible numbers of " + root
          + ": graphRootAllocated is " + allocated + " and graphRootUsed " + used);
    }
    stats.capacityBytes(allocated);
    return used == null
        ? stats.source("Podman's info, which does not tell graphRootUsed").build()
        : stats.availableBytes(allocated - used).source("Podman's info").build();
  }

  private static Store store(JsonReader in) throws IOException {
    Store[] store = {new Store(null, null, null)};
    Json.object(in, (name, value) -> {
      if (name.equals("store")) {
        store[0] = members(value);
      } else {
        value.skipValue();
      }
    });
    return store[0];
  }

  private static Store members(JsonReader in) throws IOException {
    @Nullable String[] root = new String[1];
    @Nullable Long[] numbers = new Long[2];
    Json.objectOrNull(in, (name, value) -> {
      switch (name) {
        case "graphRoot" -> root[0] = Json.string(value);
        case "graphRootAllocated" -> numbers[0] = Json.number(value);
        case "graphRootUsed" -> numbers[1] = Json.number(value);
        default -> value.skipValue();
      }
    });
    return new Store(root[0], numbers[0], numbers[1]);
  }
}
