/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.URLEncoder;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.opentest4j.TestAbortedException;

/**
 * A private engine that tests may fill and empty. Which there are is said by the environment:
 *
 * <ul>
 *   <li>{@code IMAGEGC_ENGINES}: {@code name=socket,mountpoint,pid} for each, separated by blanks
 *   <li>{@code IMAGEGC_ENGINES_REQUIRED}: names that must be among them, or else the tests fail
 *   <li>{@code IMAGEGC_BUSYBOX}: a static busybox for containers that run
 *   <li>{@code IMAGEGC_REGISTRY}: {@code 127.0.0.1:port} of a registry that may be filled; see {@link #registry()}
 * </ul>
 *
 * <p>Images are made without a registry: imported from a tar, or built from such an image or from scratch. Never point this
 * at an engine with images that somebody needs.
 */
public final class RealEngine {
  private static final int OK = 200;

  private final String name;
  private final Path socket;
  private final Path mount;
  private final long pid;

  private RealEngine(String name, Path socket, Path mount, long pid) {
    this.name = name;
    this.socket = socket;
    this.mount = mount;
    this.pid = pid;
  }

  /**
   * Returns the engines that the environment names.
   *
   * @throws AssertionError if a required engine is not among them
   * @throws TestAbortedException if there is none, and none is required
   */
  public static List<RealEngine> all() {
    return all(System.getenv());
  }

  static List<RealEngine> all(Map<String, String> environment) {
    Map<String, RealEngine> engines = new LinkedHashMap<>();
    for (String entry : words(environment.get("IMAGEGC_ENGINES"))) {
      String[] nameAndRest = entry.split("=", 2);
      String[] parts = nameAndRest[nameAndRest.length - 1].split(",", -1);
      assertThat(nameAndRest.length == 2 && parts.length == 3)
          .as("IMAGEGC_ENGINES entry '%s' must be name=socket,mountpoint,pid", entry)
          .isTrue();
      engines.put(
          nameAndRest[0],
          new RealEngine(
              nameAndRest[0], Path.of(parts[0]), Path.of(parts[1]), Long.parseLong(parts[2])));
    }
    assertThat(engines.keySet())
        .as("engines that IMAGEGC_ENGINES_REQUIRED names")
        .containsAll(words(environment.get("IMAGEGC_ENGINES_REQUIRED")));
    if (engines.isEmpty()) {
      throw new TestAbortedException("no engine: IMAGEGC_ENGINES is not set");
    }
    return List.copyOf(engines.values());
  }

  private static List<String> words(String text) {
    return text == null || text.isBlank() ? List.of() : List.of(text.trim().split("\\s+"));
  }

  public String name() {
    return name;
  }

  public Path socket() {
    return socket;
  }

  /** The mount point of the small filesystem that the engine keeps everything on. */
  public Path mount() {
    return mount;
  }

  /** The process of the engine, which is another one after {@link #start()}. */
  public long pid() {
    try {
      return Long.parseLong(Files.readString(socket.resolveSibling("pid")).strip());
    } catch (IOException | NumberFormatException e) {
      return pid;
    }
  }

  /** Stops the engine; it must be one of {@code scripts/engines}. */
  public void stop() {
    engines("down");
  }

  /** Starts the engine that {@link #stop()} stopped. */
  public void start() {
    engines("up");
  }

  private void engines(String command) {
    Path root = socket.getParent().getParent();
    if (!Files.exists(root.resolve(".imagegc-engines"))) {
      throw new TestAbortedException("not on this engine: scripts/engines did not start it");
    }
    ProcessBuilder script = new ProcessBuilder("../scripts/engines", command, name).inheritIO();
    script.environment().put("ENGINES_ROOT", root.toString());
    try {
      assertThat(script.start().waitFor())
          .as("scripts/engines %s %s", command, name)
          .isZero();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  public boolean isPodman() {
    return name.startsWith("podman");
  }

  /** Whether it keeps its images in containerd; by convention such engines are named {@code docker28c} and so on. */
  public boolean hasContainerdStore() {
    return name.startsWith("docker") && name.endsWith("c");
  }

  @Override
  public String toString() {
    return name;
  }

  // ---- images ----

  /** Imports an image of one layer with one file of random bytes, and returns its id. */
  public String importImage(String tag, int bytes) {
    byte[] content = new byte[bytes];
    new Random().nextBytes(content);
    return importImage(tag, Map.of("payload", content));
  }

  /** Imports an image of one layer with these files, and returns its id. */
  public String importImage(String tag, Map<String, byte[]> files) {
    expect(OK, call("POST", "/images/create?fromSrc=-&repo=" + query(tag), tar(files)));
    return idOf(tag);
  }

  /** Imports an image whose containers can run {@code /bin/busybox}. */
  public String importBusybox(String tag) {
    return importBusybox(tag, 16); // no two are the same
  }

  /** Imports an image whose containers can run {@code /bin/busybox}, with a file of random bytes in the same layer. */
  public String importBusybox(String tag, int bytes) {
    String busybox = System.getenv("IMAGEGC_BUSYBOX");
    if (busybox == null) {
      throw new TestAbortedException("no busybox: IMAGEGC_BUSYBOX is not set");
    }
    try {
      byte[] salt = new byte[bytes];
      new Random().nextBytes(salt);
      return importImage(
          tag, Map.of("bin/busybox", Files.readAllBytes(Path.of(busybox)), "salt", salt));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Builds an image, with the classic builder, and returns its id. */
  public String build(String tag, String dockerfile) {
    return build(tag, dockerfile, Map.of());
  }

  /** Builds an image from a context with these files, and returns its id. */
  public String build(String tag, String dockerfile, Map<String, byte[]> files) {
    Map<String, byte[]> context = new LinkedHashMap<>(files);
    context.put("Dockerfile", dockerfile.getBytes(StandardCharsets.UTF_8));
    Reply reply = call("POST", "/build?version=1&networkmode=none&t=" + query(tag), tar(context));
    expect(OK, reply);
    assertThat(reply.text()).doesNotContain("\"errorDetail\"");
    return idOf(tag);
  }

  /** Loads what {@code docker save} would write. */
  public void load(byte[] archive) {
    Reply reply = call("POST", "/images/load?quiet=1", archive);
    expect(OK, reply);
    assertThat(reply.text()).doesNotContain("\"error\"");
  }

  /**
   * Returns an archive for {@link #load} of an image with these layers.
   *
   * @param layers a tar for each layer, from the bottom up
   * @param history whether the image has a history: a step for each layer, and a step without a layer between any two
   */
  static byte[] archive(String tag, List<byte[]> layers, boolean history) {
    JsonArray diffIds = new JsonArray();
    JsonArray names = new JsonArray();
    JsonArray steps = new JsonArray();
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (byte[] layer : layers) {
      String name = names.size() + "/layer.tar";
      diffIds.add(LayerStack.digest(layer));
      names.add(name);
      files.put(name, layer);
      steps.add(step(false));
      steps.add(step(true));
    }
    JsonObject rootfs = new JsonObject();
    rootfs.addProperty("type", "layers");
    rootfs.add("diff_ids", diffIds);
    JsonObject config = new JsonObject();
    config.addProperty("architecture", "amd64");
    config.addProperty("os", "linux");
    config.add("config", new JsonObject());
    config.add("rootfs", rootfs);
    if (history) {
      config.add("history", steps);
    }
    files.put("config.json", config.toString().getBytes(StandardCharsets.UTF_8));
    JsonArray tags = new JsonArray();
    tags.add(tag);
    JsonObject image = new JsonObject();
    image.addProperty("Config", "config.json");
    image.add("RepoTags", tags);
    image.add("Layers", names);
    files.put("manifest.json", ("[" + image + "]").getBytes(StandardCharsets.UTF_8));
    return tar(files);
  }

  private static JsonObject step(boolean emptyLayer) {
    JsonObject step = new JsonObject();
    step.addProperty("created", "2024-01-01T00:00:00Z");
    step.addProperty("created_by", "a test");
    step.addProperty("empty_layer", emptyLayer);
    return step;
  }

  /** Takes a tag away from the image that has it, by giving it to another one that is then removed. */
  public void takeAway(String tag) {
    int colon = tag.lastIndexOf(':');
    tag(
        importImage("localhost/takes-away:1", 1),
        tag.substring(0, colon),
        tag.substring(colon + 1));
    untag("localhost/takes-away:1");
    untag(tag);
  }

  /** Gives an image another tag. */
  public void tag(String image, String repository, String tag) {
    expect(
        201,
        call(
            "POST",
            "/images/" + image + "/tag?repo=" + query(repository) + "&tag=" + query(tag),
            new byte[0]));
  }

  /** Takes a name off an image, or removes the image if it is its id or its only name. */
  public void untag(String name) {
    expect(OK, call("DELETE", "/images/" + name + "?noprune=1", null));
  }

  public boolean hasImage(String idOrName) {
    return call("GET", "/images/" + idOrName + "/json", null).status == OK;
  }

  /** The ids of all images, those without a name too. */
  public Set<String> images() {
    Set<String> ids = new HashSet<>();
    list("/images/json?all=1").forEach(image -> ids.add(text(image, "Id")));
    return ids;
  }

  public String idOf(String name) {
    return inspect(name).get("Id").getAsString();
  }

  /** The tags that an image has now, as the engine writes them. */
  public List<String> tagsOf(String idOrName) {
    List<String> tags = new ArrayList<>();
    JsonElement listed = inspect(idOrName).get("RepoTags");
    if (listed != null && !listed.isJsonNull()) {
      listed.getAsJsonArray().forEach(tag -> tags.add(tag.getAsString()));
    }
    return tags;
  }

  /** A tag as the engine writes it: Podman writes names in full. */
  public String written(String tag) {
    return isPodman() ? "docker.io/" + tag : tag;
  }

  private JsonObject inspect(String idOrName) {
    Reply reply = call("GET", "/images/" + idOrName + "/json", null);
    expect(OK, reply);
    return JsonParser.parseString(reply.text()).getAsJsonObject();
  }

  // ---- the registry ----

  /**
   * Returns where the registry is that tests may push to: {@code 127.0.0.1:port}.
   *
   * @throws TestAbortedException if there is none, which the whole check does not excuse
   */
  public static String registry() {
    String registry = System.getenv("IMAGEGC_REGISTRY");
    if (registry == null || registry.isBlank()) {
      throw new TestAbortedException("no registry: IMAGEGC_REGISTRY is not set");
    }
    return registry;
  }

  /** Sends an image, which must have this tag of the registry, there. */
  public void push(String tag) {
    int colon = tag.lastIndexOf(':');
    String path = "/images/" + tag.substring(0, colon) + "/push?tag=" + tag.substring(colon + 1);
    Reply reply = call("POST", path, new byte[0]);
    expect(OK, reply);
    assertThat(reply.text()).doesNotContain("\"error\"");
  }

  // ---- containers ----

  /** Creates a container that is not started, and returns its id. */
  public String create(String image, String... command) {
    return create(image, new JsonArray(), command);
  }

  /** Creates a container with labels that is not started, and returns its id. */
  public String create(String image, Map<String, String> labels, String... command) {
    JsonObject written = new JsonObject();
    labels.forEach(written::addProperty);
    JsonObject body = new JsonObject();
    body.add("Labels", written);
    return create(body, image, new JsonArray(), command);
  }

  /**
   * Creates a container with labels that is not started and that is listed as newer than another one, and returns its id. Engines list
   * the second of a creation and no more, so it is created again and again until the next one has begun.
   */
  public String createAfter(
      String earlier, String image, Map<String, String> labels, String... command) {
    while (true) {
      String id = create(image, labels, command);
      if (secondOfCreation(id) > secondOfCreation(earlier)) {
        return id;
      }
      removeContainer(id);
    }
  }

  private long secondOfCreation(String container) {
    for (JsonElement listed : list("/containers/json?all=1")) {
      if (text(listed, "Id").equals(container)) {
        return listed.getAsJsonObject().get("Created").getAsLong();
      }
    }
    throw new AssertionError("container " + container + " is not listed");
  }

  /** The states of all containers by their ids, in the engine's words. */
  public Map<String, String> containers() {
    Map<String, String> states = new HashMap<>();
    list("/containers/json?all=1")
        .forEach(listed -> states.put(text(listed, "Id"), text(listed, "State")));
    return states;
  }

  /** Creates a container into which another image is mounted (API 1.48 and newer). */
  public String createWithMountedImage(String image, String mountedImage) {
    JsonObject mounted = new JsonObject();
    mounted.addProperty("Type", "image");
    mounted.addProperty("Source", mountedImage);
    mounted.addProperty("Target", "/mounted");
    JsonArray mounts = new JsonArray();
    mounts.add(mounted);
    return create(image, mounts, "/none");
  }

  /** Creates a container with a volume without a name that the engine makes for it, and runs it to its end. */
  public String runToItsEndWithAnonymousVolume(String image, String... command) {
    JsonObject body = new JsonObject();
    JsonObject volumes = new JsonObject();
    volumes.add("/data", new JsonObject());
    body.add("Volumes", volumes);
    String id = create(body, image, new JsonArray(), command);
    startContainer(id);
    await(id);
    return id;
  }

  /** Creates and starts a container that the engine starts again whenever it ends, and returns its id. */
  public String runAgainAndAgain(String image, String... command) {
    JsonObject always = new JsonObject();
    always.addProperty("Name", "always");
    JsonObject hostConfig = new JsonObject();
    hostConfig.add("RestartPolicy", always);
    JsonObject body = new JsonObject();
    body.add("HostConfig", hostConfig);
    String id = create(body, image, new JsonArray(), command);
    startContainer(id);
    return id;
  }

  /** The names of all volumes, also of those that the engine named itself. */
  public List<String> volumes() {
    Reply reply = call("GET", "/volumes", null);
    expect(OK, reply);
    List<String> names = new ArrayList<>();
    JsonElement listed = JsonParser.parseString(reply.text()).getAsJsonObject().get("Volumes");
    if (listed != null && !listed.isJsonNull()) {
      listed.getAsJsonArray().forEach(volume -> names.add(text(volume, "Name")));
    }
    return names;
  }

  private String create(String image, JsonArray mounts, String... command) {
    return create(new JsonObject(), image, mounts, command);
  }

  private String create(JsonObject body, String image, JsonArray mounts, String... command) {
    JsonArray arguments = new JsonArray();
    for (String argument : command.length == 0 ? new String[] {"/none"} : command) {
      arguments.add(argument);
    }
    JsonObject hostConfig =
        body.has("HostConfig") ? body.getAsJsonObject("HostConfig") : new JsonObject();
    hostConfig.addProperty("NetworkMode", "none");
    hostConfig.add("Mounts", mounts);
    body.addProperty("Image", image);
    body.add("Cmd", arguments);
    body.add("HostConfig", hostConfig);
    Reply reply =
        call("POST", "/containers/create", body.toString().getBytes(StandardCharsets.UTF_8));
    expect(201, reply);
    return JsonParser.parseString(reply.text()).getAsJsonObject().get("Id").getAsString();
  }

  /** Creates and starts a container, and returns its id. */
  public String run(String image, String... command) {
    String id = create(image, command);
    startContainer(id);
    return id;
  }

  /** Starts a container that was created. */
  public void startContainer(String container) {
    expect(204, call("POST", "/containers/" + container + "/start", new byte[0]));
  }

  /** Freezes a running container. */
  public void pause(String container) {
    expect(204, call("POST", "/containers/" + container + "/pause", new byte[0]));
  }

  /** Waits until a container has ended by itself and is listed so, which with Docker 28 comes a little later. */
  public void await(String container) {
    expect(OK, call("POST", "/containers/" + container + "/wait", new byte[0]));
    for (int i = 0; i < 1000; i++) {
      for (JsonElement listed : list("/containers/json?all=1")) {
        if (text(listed, "Id").equals(container) && text(listed, "State").equals("exited")) {
          return;
        }
      }
    }
    throw new AssertionError("container " + container + " does not end");
  }

  /** Kills a container if it runs, and removes it. */
  public void removeContainer(String container) {
    expect(204, call("DELETE", "/containers/" + container + "?force=1", null));
  }

  // ---- cleaning up ----

  /** Removes all containers, all volumes and all images. The engine is the tests' own. */
  public void empty() {
    for (JsonElement container : list("/containers/json?all=1")) {
      call("DELETE", "/containers/" + text(container, "Id") + "?force=1", null);
    }
    volumes().forEach(volume -> call("DELETE", "/volumes/" + volume, null));
    for (int round = 0; round < 10; round++) {
      JsonArray images = list("/images/json?all=1");
      if (images.isEmpty()) {
        return;
      }
      for (JsonElement image : images) {
        JsonElement tags = image.getAsJsonObject().get("RepoTags");
        if (tags != null && !tags.isJsonNull()) {
          tags.getAsJsonArray()
              .forEach(tag -> call("DELETE", "/images/" + tag.getAsString(), null));
        }
        call("DELETE", "/images/" + text(image, "Id"), null);
      }
    }
    assertThat(list("/images/json?all=1")).as("images left on %s", name).isEmpty();
  }

  private JsonArray list(String path) {
    Reply reply = call("GET", path, null);
    expect(OK, reply);
    return JsonParser.parseString(reply.text()).getAsJsonArray();
  }

  private static String text(JsonElement object, String member) {
    return object.getAsJsonObject().get(member).getAsString();
  }

  // ---- HTTP, unversioned, one connection per call, JDK only ----

  private record Reply(int status, String text) {}

  private static void expect(int status, Reply reply) {
    assertThat(reply.status()).as(reply.text()).isEqualTo(status);
  }

  private Reply call(String method, String path, byte[] body) {
    String type = body != null && body.length > 0 && body[0] == '{'
        ? "application/json"
        : "application/x-tar";
    String head = method + " " + path + " HTTP/1.0\r\nHost: engine\r\n"
        + "X-Registry-Auth: e30=\r\n" // pushing wants to be told that there are no credentials
        + (body == null
            ? ""
            : "Content-Type: " + type + "\r\nContent-Length: " + body.length + "\r\n")
        + "\r\n";
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      write(channel, head.getBytes(StandardCharsets.US_ASCII));
      if (body != null) {
        write(channel, body);
      }
      return reply(Channels.newInputStream(channel).readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(method + " " + path + " at " + name, e);
    }
  }

  private static void write(SocketChannel channel, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  /** HTTP/1.0 answers are not chunked and end with the connection. */
  private static Reply reply(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    int end = text.indexOf("\r\n\r\n");
    return new Reply(Integer.parseInt(text.substring(9, 12)), text.substring(end + 4));
  }

  private static String query(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  // ---- tar ----

  /** A tar of ordinary, executable files. */
  static byte[] tar(Map<String, byte[]> files) {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    files.forEach((path, content) -> {
      tar.writeBytes(tarHeader(path, content.length));
      tar.writeBytes(content);
      tar.writeBytes(new byte[(512 - content.length % 512) % 512]);
    });
    tar.writeBytes(new byte[1024]);
    return tar.toByteArray();
  }

  private static byte[] tarHeader(String path, int size) {
    byte[] header = new byte[512];
    put(header, 0, path);
    put(header, 100, "0000755\0");
    put(header, 108, "0000000\0");
    put(header, 116, "0000000\0");
    put(header, 124, String.format("%011o\0", size));
    put(header, 136, "00000000000\0");
    put(header, 148, "        ");
    put(header, 156, "0");
    put(header, 257, "ustar\00000");
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, String.format("%06o\0 ", sum));
    return header;
  }

  private static void put(byte[] header, int offset, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, header, offset, bytes.length);
  }
}
