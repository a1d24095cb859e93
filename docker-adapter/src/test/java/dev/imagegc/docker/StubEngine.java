/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.Gson;
import dev.imagegc.docker.StubDaemon.Reply;
import dev.imagegc.docker.StubDaemon.Request;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * A Docker engine with overlay2 in memory, for {@link StubDaemon}: answers as Docker 20.10 and 28 were seen to answer, as
 * far as this adapter asks. Single answers can be replaced.
 */
final class StubEngine implements Function<Request, Reply> {
  private static final Gson GSON = new Gson();

  static final class StubImage {
    final String id;
    final Set<String> tags = new LinkedHashSet<>();
    final Set<String> digests = new LinkedHashSet<>();
    final List<String> diffIds = new ArrayList<>();
    final List<Long> steps = new ArrayList<>(); // sizes of the history, from the bottom up
    String parent = "";

    /** Replaces the layers: their diff ids, and the sizes of the steps that made them, from the bottom up. */
    void layers(List<String> newDiffIds, Long... newSteps) {
      diffIds.clear();
      diffIds.addAll(newDiffIds);
      steps.clear();
      steps.addAll(List.of(newSteps));
    }

    /** Puts the layers of another image below those that are there, as building on it does. */
    void buildOn(StubImage base) {
      parent = base.id;
      diffIds.addAll(0, base.diffIds);
      steps.addAll(0, base.steps);
    }

    private StubImage(String id) {
      this.id = id;
    }
  }

  private record StubContainer(String id, String image, String state, List<String> mounts) {}

  private record Replacement(Predicate<String> calls, Reply reply, boolean once) {}

  private final Map<String, StubImage> images = new LinkedHashMap<>();
  private final Map<String, StubContainer> containers = new LinkedHashMap<>();
  private final List<Replacement> replacements = new ArrayList<>();
  private String restartPolicy = "";
  private String finished = "2026-01-01T00:00:00Z";
  private final AtomicInteger lastNumber = new AtomicInteger();
  private final List<StubStream> streams = new ArrayList<>(); // of events
  private final Map<String, Supplier<Reply>> registry = new LinkedHashMap<>();
  private String version = "{\"ApiVersion\":\"1.51\",\"MinAPIVersion\":\"1.24\"}";

  // ---- what tests set up ----

  synchronized StubImage image(String... tags) {
    StubImage image = new StubImage("sha256:" + newId());
    image.layers(List.of("sha256:" + newId()), 1000L);
    images.put(image.id, image);
    tell("image", "import", image.id, Map.of("name", image.id));
    for (String tag : tags) {
      tag(image.id, tag);
    }
    return image;
  }

  /** Builds an image on another one. */
  synchronized StubImage child(String parentId, String... tags) {
    StubImage image = image(tags);
    image.buildOn(Objects.requireNonNull(images.get(parentId), parentId));
    return image;
  }

  synchronized void tag(String id, String tag) {
    images.values().forEach(image -> image.tags.remove(tag));
    images.get(id).tags.add(tag);
    tell("image", "tag", id, Map.of("name", tag));
  }

  /** Forgets an image, as if somebody else had removed it. */
  synchronized void removeImage(String tag) {
    images.values().stream()
        .filter(image -> image.tags.contains(tag))
        .forEach(image -> tell("image", "delete", image.id, Map.of("name", image.id)));
    images.values().removeIf(image -> image.tags.contains(tag));
  }

  /** Forgets a tag. */
  synchronized void dropTag(String tag) {
    images.values().stream()
        .filter(image -> image.tags.remove(tag))
        .forEach(image -> tell("image", "untag", image.id, Map.of("name", image.id)));
  }

  synchronized String container(String image, String state, String... mounts) {
    String id = newId();
    containers.put(id, new StubContainer(id, image, state, List.of(mounts)));
    tellOfContainer("create", id);
    if (!state.equals("created")) {
      tellOfContainer("start", id);
    }
    if (state.equals("exited")) {
      tellOfContainer("die", id);
    }
    return id;
  }

  /** Sets the restart policy of all containers, and when they ended. */
  synchronized void ended(String finishedAt, String policy) {
    finished = finishedAt;
    restartPolicy = policy;
  }

  /** Puts a container into another state. */
  synchronized void become(String id, String state) {
    StubContainer old = containers.get(id);
    containers.put(id, new StubContainer(id, old.image(), state, old.mounts()));
  }

  synchronized boolean hasContainer(String id) {
    return containers.containsKey(id);
  }

  synchronized void removeContainer(String id) {
    if (containers.get(id).state().matches("running|paused")) {
      tellOfContainer("die", id);
    }
    tellOfContainer("destroy", id);
    containers.remove(id);
  }

  /** Has an image in the registry, which a pull brings. */
  synchronized void offer(String reference) {
    offer(
        reference, () -> StubDaemon.chunked("{\"status\":\"Pulling\"}{\"status\":\"Downloaded\"}"));
  }

  /** Has an image in the registry, which a pull brings with this answer. */
  synchronized void offer(String reference, Supplier<Reply> answer) {
    registry.put(reference, answer);
  }

  /** Tells an event to whoever listens. */
  synchronized void tell(String type, String action, String id, Map<String, String> attributes) {
    String event = GSON.toJson(Map.of(
        "Type", type, "Action", action, "Actor", Map.of("ID", id, "Attributes", attributes)));
    streams.forEach(stream -> stream.send(event + "\n"));
  }

  /** With what the container was made from: the name of its image, or an id. */
  private void tellOfContainer(String action, String id) {
    String image = containers.get(id).image();
    String named = images.get(image).tags.stream().findFirst().orElse(image);
    tell("container", action, id, Map.of("image", named, "name", "some-name"));
  }

  /** The streams of events that were asked for. */
  synchronized List<StubStream> streams() {
    return List.copyOf(streams);
  }

  synchronized void version(String body) {
    version = body;
  }

  /** Replaces the answer to the next call that begins so ({@code "DELETE /images/"}). */
  synchronized void next(String beginning, Reply reply) {
    replacements.add(new Replacement(call -> call.startsWith(beginning), reply, true));
  }

  /** Replaces the answer to every call that begins so. */
  synchronized void always(String beginning, Reply reply) {
    replacements.add(new Replacement(call -> call.startsWith(beginning), reply, false));
  }

  /** Ends all replacements. */
  synchronized void heal() {
    replacements.clear();
  }

  synchronized boolean has(String id) {
    return images.containsKey(id);
  }

  synchronized Set<String> tagsOf(String id) {
    return Set.copyOf(images.get(id).tags);
  }

  String newId() {
    return String.format("%064x", 0xabc000 + lastNumber.incrementAndGet());
  }

  // ---- the engine ----

  @Override
  public synchronized Reply apply(Request request) {
    Optional<Replacement> replacement = replacements.stream()
        .filter(candidate -> candidate.calls().test(request.toString()))
        .findFirst();
    replacement.filter(Replacement::once).ifPresent(replacements::remove);
    if (replacement.isPresent()) {
      return replacement.get().reply();
    }
    return answer(request);
  }

  private Reply answer(Request request) {
    String path = URLDecoder.decode(request.path().split("\\?", 2)[0], StandardCharsets.UTF_8);
    String query = request.path().contains("?") ? request.path().split("\\?", 2)[1] : "";
    String[] parts = path.split("/", -1);
    return switch (request.method() + " " + parts[1]) {
      case "GET version" -> StubDaemon.json(200, version);
      case "GET images" ->
        path.equals("/images/json")
            ? listImages()
            : path.endsWith("/history")
                ? history(middle(path, "/images/", "/history"))
                : inspect(middle(path, "/images/", "/json"));
      case "GET info" -> StubDaemon.json(200, "{\"SystemTime\":\"2026-01-02T03:04:05.6Z\"}");
      case "GET events" -> events();
      case "GET containers" ->
        path.equals("/containers/json") ? listContainers() : inspectContainer(parts[2]);
      case "DELETE containers" -> deleteContainer(parts[2]);
      case "POST containers" -> stopContainer(parts[2]);
      case "DELETE images" -> delete(path.substring("/images/".length()));
      case "POST images" ->
        path.equals("/images/create")
            ? pull(query)
            : postTag(middle(path, "/images/", "/tag"), query);
      default -> StubDaemon.message(404, "page not found");
    };
  }

  private static String middle(String path, String before, String after) {
    return path.substring(before.length(), path.length() - after.length());
  }

  private Reply listImages() {
    return StubDaemon.json(
        200, GSON.toJson(images.values().stream().map(this::json).toList()));
  }

  private Map<String, Object> json(StubImage image) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("Id", image.id);
    json.put("ParentId", image.parent);
    json.put("RepoTags", image.tags);
    json.put("RepoDigests", image.digests);
    json.put("Created", 1_700_000_000);
    json.put("Size", image.steps.stream().mapToLong(Long::longValue).sum());
    json.put("Labels", null);
    json.put("Unknown", Map.of("nested", List.of(1, 2)));
    return json;
  }

  private Reply inspect(String name) {
    Optional<StubImage> image = find(name);
    if (image.isEmpty()) {
      return StubDaemon.message(404, "No such image: " + name);
    }
    Map<String, Object> json = json(image.get());
    json.put("Created", "2023-11-14T22:13:20.123456789Z");
    json.put("GraphDriver", Map.of("Name", "overlay2"));
    json.put("Config", Map.of("Labels", Map.of("of", "stub")));
    json.put("RootFS", Map.of("Type", "layers", "Layers", image.get().diffIds));
    return StubDaemon.json(200, GSON.toJson(json));
  }

  private Reply history(String name) {
    Optional<StubImage> image = find(name);
    if (image.isEmpty()) {
      return StubDaemon.message(404, "No such image: " + name);
    }
    List<Map<String, Object>> steps = new ArrayList<>();
    image
        .get()
        .steps
        .forEach(size -> steps.add(0, Map.of("Id", "<missing>", "CreatedBy", "x", "Size", size)));
    return StubDaemon.json(200, GSON.toJson(steps));
  }

  private Optional<StubImage> find(String name) {
    return images.values().stream()
        .filter(image -> image.id.equals(name)
            || image.id.equals("sha256:" + name)
            || image.tags.stream().anyMatch(tag -> same(tag, name))
            || image.digests.stream().anyMatch(digest -> same(digest, name)))
        .findFirst();
  }

  private Reply listContainers() {
    return StubDaemon.json(
        200, GSON.toJson(containers.values().stream().map(StubEngine::json).toList()));
  }

  private static Map<String, Object> json(StubContainer container) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("Id", container.id());
    json.put("Names", List.of("/name-" + container.id().substring(60)));
    json.put("Image", "any/name:1");
    json.put("ImageID", container.image());
    json.put("State", container.state());
    json.put("Created", 1_700_000_100);
    List<Map<String, String>> mounts = new ArrayList<>();
    container.mounts().forEach(name -> mounts.add(Map.of("Type", "image", "Name", name)));
    mounts.add(Map.of("Type", "volume", "Name", "some-volume"));
    json.put("Mounts", mounts);
    return json;
  }

  private Reply inspectContainer(String id) {
    return containers.values().stream()
        .filter(container -> container.id().startsWith(id))
        .findFirst()
        .map(container -> StubDaemon.json(
            200,
            GSON.toJson(Map.of(
                "Id", container.id(),
                "Image", container.image(),
                "HostConfig",
                    Map.of(
                        "Memory",
                        0,
                        "RestartPolicy",
                        Map.of("MaximumRetryCount", 0, "Name", restartPolicy)),
                "State",
                    Map.of(
                        "Status",
                        container.state(),
                        "FinishedAt",
                        finished,
                        "Running",
                        container.state().equals("running"))))))
        .orElse(StubDaemon.message(404, "No such container: " + id));
  }

  private Reply deleteContainer(String id) {
    StubContainer container = containers.get(id);
    if (container == null) {
      return StubDaemon.message(404, "No such container: " + id);
    }
    if (container.state().matches("running|paused|restarting")) {
      return StubDaemon.message(
          409,
          "You cannot remove a " + container.state() + " container " + id
              + ". Stop the container before attempting removal or force remove");
    }
    removeContainer(id);
    return StubDaemon.empty(204);
  }

  private Reply stopContainer(String id) {
    StubContainer container = containers.get(id);
    if (container == null) {
      return StubDaemon.message(404, "No such container: " + id);
    }
    if (!container.state().matches("running|paused|restarting")) {
      return StubDaemon.empty(304);
    }
    become(id, "exited");
    tellOfContainer("die", id);
    return StubDaemon.empty(204);
  }

  private Reply postTag(String name, String query) {
    Optional<StubImage> image = find(name);
    if (image.isEmpty()) {
      return StubDaemon.message(404, "No such image: " + name);
    }
    Map<String, String> values = values(query);
    tag(image.get().id, values.get("repo") + ":" + values.get("tag"));
    return StubDaemon.empty(201);
  }

  private static Map<String, String> values(String query) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String pair : query.split("&", -1)) {
      String[] parts = pair.split("=", 2);
      values.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
    }
    return values;
  }

  private Reply events() {
    StubStream stream = new StubStream();
    streams.add(stream);
    return stream;
  }

  private Reply pull(String query) {
    Map<String, String> values = values(query);
    String tag = values.get("tag");
    String name = values.get("fromImage") + (tag.contains(":") ? "@" : ":") + tag;
    Optional<String> offered =
        registry.keySet().stream().filter(known -> same(known, name)).findFirst();
    if (offered.isEmpty()) {
      return StubDaemon.message(404, "manifest for " + name + " not found: manifest unknown");
    }
    if (find(name).isEmpty()) {
      if (tag.contains(":")) {
        image().digests.add(offered.get());
      } else {
        image(offered.get());
      }
    }
    tell("image", "pull", name, Map.of("name", values.get("fromImage")));
    return registry.get(offered.get()).get();
  }

  private static boolean same(String name, String other) {
    return ImageCalls.same(name, other);
  }

  private Reply delete(String name) {
    Optional<StubImage> found = find(name);
    if (found.isEmpty()) {
      return StubDaemon.message(404, "No such image: " + name);
    }
    StubImage image = found.get();
    boolean byId = !image.tags.contains(name) && !image.digests.contains(name);
    List<Map<String, String>> done = new ArrayList<>();
    if (byId) {
      if (!isSingleReference(image)) {
        return StubDaemon.message(
            409,
            "conflict: unable to delete " + name
                + " (must be forced) - image is referenced in multiple repositories");
      }
    } else if (!isSingleReference(image) || !isUsed(image)) {
      takeOff(image, name, done);
      if (!image.tags.isEmpty() || !image.digests.isEmpty()) {
        return StubDaemon.json(200, GSON.toJson(done));
      }
    }
    if (isUsed(image)) {
      return StubDaemon.message(
          409,
          byId
              ? "conflict: unable to delete " + name
                  + " (cannot be forced) - image is being used by running container abc"
              : "conflict: unable to remove repository reference \"" + name
                  + "\" (must force) - container abc is using its referenced image def");
    }
    if (hasChildren(image)) {
      return byId
          ? StubDaemon.message(
              409,
              "conflict: unable to delete " + name
                  + " (cannot be forced) - image has dependent child images")
          : StubDaemon.json(200, GSON.toJson(done));
    }
    List.copyOf(image.tags).forEach(tag -> takeOff(image, tag, done));
    List.copyOf(image.digests).forEach(digest -> takeOff(image, digest, done));
    images.remove(image.id);
    tell("image", "delete", image.id, Map.of("name", image.id));
    done.add(Map.of("Deleted", image.id));
    done.add(Map.of("Deleted", "sha256:" + newId())); // a layer
    return StubDaemon.json(200, GSON.toJson(done));
  }

  private void takeOff(StubImage image, String name, List<Map<String, String>> done) {
    image.tags.remove(name);
    image.digests.remove(name);
    done.add(Map.of("Untagged", name));
    tell("image", "untag", image.id, Map.of("name", image.id));
    String repository = repository(name);
    if (!name.contains("@")
        && image.tags.stream().noneMatch(tag -> repository(tag).equals(repository))) {
      for (String digest : List.copyOf(image.digests)) {
        if (repository(digest).equals(repository)) {
          image.digests.remove(digest);
          done.add(Map.of("Untagged", digest));
        }
      }
    }
  }

  private static boolean isSingleReference(StubImage image) {
    Set<String> repositories = new LinkedHashSet<>();
    image.tags.forEach(tag -> repositories.add(repository(tag)));
    image.digests.forEach(digest -> repositories.add(repository(digest)));
    return image.tags.size() <= 1 && repositories.size() <= 1;
  }

  private static String repository(String name) {
    return name.contains("@")
        ? name.substring(0, name.indexOf('@'))
        : name.substring(0, name.lastIndexOf(':'));
  }

  private boolean isUsed(StubImage image) {
    return containers.values().stream().anyMatch(container -> container.image().equals(image.id));
  }

  private boolean hasChildren(StubImage image) {
    return images.values().stream().anyMatch(other -> other.parent.equals(image.id));
  }
}
