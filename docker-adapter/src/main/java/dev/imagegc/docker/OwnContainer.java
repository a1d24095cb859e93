/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.ImageId;
import dev.imagegc.docker.EngineHttp.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds the image of the container that this process itself runs in, if that container is one of the engine's.
 *
 * <p>The engine is asked once for each id that this process may have; its answers are remembered, because a process
 * does not change its container. Trouble with the engine is not an answer.
 */
final class OwnContainer {
  /** What engines mount into a container from the directory that they keep for it. */
  private static final Set<String> ENGINE_FILES =
      Set.of("/etc/hostname", "/etc/hosts", "/etc/resolv.conf");

  private static final Pattern FULL_ID = Pattern.compile("(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])");
  private static final Pattern SHORT_ID = Pattern.compile("[0-9a-f]{12}");

  private final EngineApi api;
  private final Path proc;
  private volatile boolean asked;
  private volatile @Nullable ImageId found;

  /**
   * Creates it; reads nothing yet.
   *
   * @param proc where the proc filesystem is
   */
  OwnContainer(EngineApi api, Path proc) {
    this.api = api;
    this.proc = proc;
  }

  /** Returns the image of this process's container, or empty if it runs in none of this engine's. */
  Optional<ImageId> image() {
    if (!asked) {
      found = find().orElse(null);
      asked = true;
    }
    return Optional.ofNullable(found);
  }

  private Optional<ImageId> find() {
    Set<String> ids = new LinkedHashSet<>();
    lines("self/mountinfo").forEach(line -> ids.addAll(idsInMount(line)));
    lines("self/cgroup").forEach(line -> ids.addAll(idsIn(line)));
    for (String id : ids) {
      Optional<ImageId> image = inspect(id).map(Inspected::image);
      if (image.isPresent()) {
        return image;
      }
    }
    return ids.isEmpty() ? byHostname() : Optional.empty();
  }

  /** A host name is only a hint: it may be set to anything, so the engine must agree that it is a container's. */
  private Optional<ImageId> byHostname() {
    String hostname = lines("sys/kernel/hostname").findFirst().orElse("").strip();
    if (!SHORT_ID.matcher(hostname).matches()) {
      return Optional.empty();
    }
    return inspect(hostname)
        .filter(container -> container.id().startsWith(hostname) && container.running())
        .map(Inspected::image);
  }

  /** Only mounts onto the three files count: a host lists the mounts of all its containers. */
  private static Set<String> idsInMount(String line) {
    String[] fields = line.split(" ", -1);
    return fields.length > 4 && ENGINE_FILES.contains(fields[4]) ? idsIn(fields[3]) : Set.of();
  }

  private static Set<String> idsIn(String text) {
    Set<String> ids = new LinkedHashSet<>();
    Matcher id = FULL_ID.matcher(text);
    while (id.find()) {
      ids.add(id.group());
    }
    return ids;
  }

  private Stream<String> lines(String file) {
    try {
      return Files.readAllLines(proc.resolve(file)).stream();
    } catch (IOException e) {
      return Stream.empty(); // no such file here: no hint
    }
  }

  private record Inspected(String id, ImageId image, boolean running) {}

  private Optional<Inspected> inspect(String id) {
    String path = "/containers/" + id + "/json";
    Answer answer = api.get(path);
    if (answer.status() == 404) {
      return Optional.empty();
    }
    if (!answer.isSuccess()) {
      throw api.failed("GET " + path, answer);
    }
    return Optional.of(api.parse("GET " + path, answer, OwnContainer::inspected));
  }

  private static Inspected inspected(JsonReader in) throws IOException {
    String[] idAndImage = new String[2];
    boolean[] running = new boolean[1];
    Json.object(in, (name, value) -> {
      switch (name) {
        case "Id" -> idAndImage[0] = Json.string(value);
        case "Image" -> idAndImage[1] = Json.string(value);
        case "State" ->
          Json.object(value, (stateName, stateValue) -> {
            if (stateName.equals("Running")) {
              running[0] = stateValue.nextBoolean();
            } else {
              stateValue.skipValue();
            }
          });
        default -> value.skipValue();
      }
    });
    if (idAndImage[0] == null || idAndImage[1] == null) {
      throw Json.malformed("a container has no Id or no Image");
    }
    return new Inspected(idAndImage[0], ImageId.of(idAndImage[1]), running[0]);
  }
}
