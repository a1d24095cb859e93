/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.GcException;
import dev.imagegc.docker.ContainerListing.Entry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Tells what has become of the containers that Podman lists as stopped. It calls a container so from its end until it has cleaned
 * up after it or started it again, by its restart policy or because it is being restarted; and for good if it failed to clean up,
 * on a full disk for instance. So one has ended for good only if it has no restart policy, and has been seen with the same end for
 * a while. Until that is known it counts as restarting: nobody may take it for ended. Thread-safe.
 */
final class StoppedContainers {
  /** Cleaning up, or starting again, takes moments. */
  private static final Duration LONG = Duration.ofMinutes(1);

  /** When a container ended, in the engine's words, and whether that was first seen long ago. */
  private record End(String finishedAt, BooleanSupplier isLongAgo) {}

  private final EngineApi api;
  private final Function<Duration, BooleanSupplier> timers;
  private final Map<String, End> ends = new ConcurrentHashMap<>();

  /**
   * Creates it; asks nothing yet.
   *
   * @param timers begins to wait for so much time, and says whether it has passed
   */
  StoppedContainers(EngineApi api, Function<Duration, BooleanSupplier> timers) {
    this.api = api;
    this.timers = timers;
  }

  /** Returns the list with the states of stopped containers; those that cannot be asked for in time are restarting. */
  List<Entry> resolve(List<Entry> listed, TimeLimit limit) {
    ends.keySet()
        .retainAll(
            listed.stream().filter(Entry::isStopped).map(Entry::id).collect(Collectors.toSet()));
    return listed.stream()
        .map(entry -> entry.isStopped() ? entry.withState(state(entry.id(), limit)) : entry)
        .toList();
  }

  private ContainerState state(String id, TimeLimit limit) {
    Optional<String> finishedAt = limit.isOver() ? Optional.empty() : endForGood(id, limit.left());
    if (finishedAt.isEmpty()) {
      return ContainerState.RESTARTING;
    }
    End end = ends.merge(
        id,
        new End(finishedAt.get(), timers.apply(LONG)),
        (before, seen) -> before.finishedAt().equals(seen.finishedAt()) ? before : seen);
    return end.isLongAgo().getAsBoolean() ? ContainerState.EXITED : ContainerState.RESTARTING;
  }

  /** When it ended, if it is stopped still and has no restart policy; empty if it is not, or that is not known. */
  private Optional<String> endForGood(String id, Duration deadline) {
    try {
      return api.find("/containers/" + id + "/json", deadline, StoppedContainers::end)
          .flatMap(end -> end);
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) {
      return Optional.empty();
    }
  }

  private static Optional<String> end(JsonReader in) throws IOException {
    @Nullable String[] texts = new String[3];
    Json.object(in, (member, value) -> {
      switch (member) {
        case "State" ->
          Json.objectOrNull(value, (name, part) -> {
            switch (name) {
              case "Status" -> texts[0] = Json.string(part);
              case "FinishedAt" -> texts[1] = Json.string(part);
              default -> part.skipValue();
            }
          });
        case "HostConfig" ->
          Json.objectOrNull(value, (name, part) -> {
            if (name.equals("RestartPolicy")) {
              Json.objectOrNull(part, (key, policy) -> {
                if (key.equals("Name")) {
                  texts[2] = Json.string(policy);
                } else {
                  policy.skipValue();
                }
              });
            } else {
              part.skipValue();
            }
          });
        default -> value.skipValue();
      }
    });
    boolean stopped = ContainerListing.state(texts[0]).equals(ContainerListing.STOPPED);
    boolean forGood = "".equals(texts[2]) || "no".equals(texts[2]);
    return stopped && forGood ? Optional.ofNullable(texts[1]) : Optional.empty();
  }
}
