/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.UnreachableException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds where an engine keeps its images, and makes sure that this path here is that place.
 *
 * <p>An engine tells only its data directory, as a path of the machine or container that the engine runs in. That a
 * socket was mounted here proves nothing about that path here, so there must be evidence: the files of the very images
 * that the engine lists, and the engine's own id where it keeps it in a file.
 */
final class ImageFs {
  private static final String SET_IT = " Set the path of the image filesystem yourself.";
  private static final String CONTAINERD_STORE = "io.containerd.snapshotter.v1";
  private static final String CONTAINERD_DATABASE = "io.containerd.metadata.v1.bolt/meta.db";
  private static final String CONTAINERD_BLOBS = "io.containerd.content.v1.content/blobs/sha256";

  private static final String GRAPH_IMAGES = "imagedb/content/sha256";

  /** Enough to tell two engines apart, and few enough to be checked in no time. */
  private static final int MAX_CHECKED = 100;

  private static final int MAX_ASKED = 5;
  private static final Pattern IMAGE_ID = Pattern.compile("[0-9a-f]{64}");

  private final EngineApi api;
  private final Path containerdRoot;

  ImageFs(EngineApi api, Path containerdRoot) {
    this.api = api;
    this.containerdRoot = containerdRoot;
  }

  private record Info(String id, String driver, String root, boolean containerdStore) {}

  /**
   * A directory of images.
   *
   * @param path the directory
   * @param entries the directory in it that has an entry for each image, named by the image's bare id
   * @param proven whether there is evidence that it is the engine's
   */
  record Place(Path path, Path entries, boolean proven) {
    /** Whether a listing of the engine's images does not contradict the evidence. */
    boolean fits(List<Image> images) {
      return images.isEmpty()
          || images.stream()
              .limit(MAX_CHECKED)
              .allMatch(image -> Files.exists(entries.resolve(bare(image.id()))));
    }

    /** Where a graph driver of Docker writes the sizes of its layers, or null if that is not how images are kept here. */
    @Nullable
    Path layers() {
      return entries.endsWith(GRAPH_IMAGES)
          ? entries.resolve("../../../layerdb/sha256").normalize()
          : null;
    }

    /** Where containerd keeps its blobs, or null if that is not how images are kept here. */
    @Nullable
    Path blobs() {
      return entries.endsWith(CONTAINERD_BLOBS) ? entries : null;
    }

    private Place withProof() {
      return new Place(path, entries, true);
    }
  }

  /**
   * Returns the directory of the images.
   *
   * @param listing lists all images of the engine; asked for only if the directory itself proves nothing
   */
  Place locate(Supplier<List<Image>> listing) {
    if (api.host().elsewhere()) {
      throw new UnreachableException("The engine at " + api.host()
          + " is not on this machine, so its image filesystem cannot be measured here.");
    }
    Info info = api.read("/info", ImageFs::info);
    Path root = root(info);
    try {
      boolean sameEngine = hasEngineId(info, root);
      Place place = info.containerdStore() ? containerdStore(root) : graphStore(info, root);
      if (sameEngine && place.path().startsWith(root)) {
        return place.withProof();
      }
      boolean proven = checkEntries(place) || checkImages(place, listing.get());
      return proven ? place.withProof() : place;
    } catch (AccessDeniedException e) {
      throw new dev.imagegc.api.AccessDeniedException(
          "This user may not look into " + e.getFile() + ", where the engine at " + api.host()
              + " keeps its images." + SET_IT,
          e);
    } catch (IOException e) {
      throw new UnreachableException(
          "The image directory of the engine at " + api.host() + " cannot be read: " + e + "."
              + SET_IT,
          e);
    }
  }

  private static Info info(JsonReader in) throws IOException {
    String[] texts = new String[3];
    boolean[] containerd = new boolean[1];
    Json.object(in, (name, value) -> {
      switch (name) {
        case "ID" -> texts[0] = Json.string(value);
        case "Driver" -> texts[1] = Json.string(value);
        case "DockerRootDir" -> texts[2] = Json.string(value);
        case "DriverStatus" ->
          Json.array(value, pair -> containerd[0] |= Json.strings(pair).contains(CONTAINERD_STORE));
        default -> value.skipValue();
      }
    });
    return new Info(orEmpty(texts[0]), orEmpty(texts[1]), orEmpty(texts[2]), containerd[0]);
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }

  private Path root(Info info) {
    Path root;
    try {
      root = Path.of(info.root());
    } catch (InvalidPathException e) {
      throw noPath(info, e);
    }
    if (!root.isAbsolute()) {
      throw noPath(info, null);
    }
    return root;
  }

  private ProtocolException noPath(Info info, @Nullable Exception cause) {
    return new ProtocolException(
        "The engine at " + api.host() + " names '" + info.root()
            + "' as its data directory, which is no absolute path here." + SET_IT,
        cause);
  }

  /** Newer engines keep their id in their data directory. A different one there proves that it is another engine's. */
  private boolean hasEngineId(Info info, Path root) throws IOException {
    requireThere(root);
    Path file = root.resolve("engine-id");
    if (!exists(file) || info.id().isEmpty()) {
      return false;
    }
    String here = Files.readString(file, StandardCharsets.UTF_8).strip();
    if (!here.equals(info.id())) {
      throw notTheEngines(root, "it belongs to the engine with id " + here);
    }
    return true;
  }

  private Place containerdStore(Path root) throws IOException {
    Path own = root.resolve("containerd/daemon");
    Path path = exists(own.resolve(CONTAINERD_DATABASE)) ? own : containerdRoot;
    if (!exists(path.resolve(CONTAINERD_DATABASE))) {
      throw new UnreachableException("The engine at " + api.host()
          + " keeps its images in containerd, whose directory it does not tell: neither " + own
          + " nor " + containerdRoot + " is one." + SET_IT);
    }
    return new Place(path, path.resolve(CONTAINERD_BLOBS), false);
  }

  /** Docker keeps {@code image/<driver>/imagedb} in its data directory, Podman {@code <driver>-images}. */
  private Place graphStore(Info info, Path root) throws IOException {
    Path docker = root.resolve("image/" + info.driver() + "/" + GRAPH_IMAGES);
    Path podman = root.resolve(info.driver() + "-images");
    for (Path entries : List.of(docker, podman)) {
      if (!info.driver().isEmpty() && exists(entries)) {
        return new Place(root, entries, false);
      }
    }
    throw notTheEngines(
        root, "it has neither " + root.relativize(docker) + " nor " + root.relativize(podman));
  }

  /**
   * Says whether some of the images that are there are the engine's; that one is not is an error, unless it has gone
   * meanwhile. Asking for a few costs far less than a list of all. Says no where entries are not images only.
   */
  private boolean checkEntries(Place place) throws IOException {
    if (place.entries().endsWith(CONTAINERD_BLOBS)) {
      return false;
    }
    requireThere(place.entries());
    List<String> ids = new ArrayList<>();
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(place.entries(), ImageFs::isImage)) {
      for (Path entry : entries) {
        if (ids.size() < MAX_ASKED) {
          ids.add(entry.getFileName().toString());
        }
      }
    }
    ImageCalls calls = new ImageCalls(api);
    boolean known = false;
    for (String id : ids) {
      boolean engines = calls.lookUp("sha256:" + id).isPresent();
      known |= engines;
      if (!engines && exists(place.entries().resolve(id))) {
        throw notTheEngines(
            place.path(),
            "the engine does not know the image " + id.substring(0, 12) + " that is there");
      }
    }
    return known;
  }

  private static boolean isImage(Path entry) {
    return IMAGE_ID.matcher(entry.getFileName().toString()).matches();
  }

  /** Says whether an image of the engine is there; that one is not is an error, unless it has gone meanwhile. */
  private boolean checkImages(Place place, List<Image> images) throws IOException {
    requireThere(place.entries());
    boolean seen = false;
    ImageCalls calls = new ImageCalls(api);
    for (Image image : images.subList(0, Math.min(images.size(), MAX_CHECKED))) {
      boolean here = exists(place.entries().resolve(bare(image.id())));
      seen |= here;
      if (!here && calls.lookUp(image.id().text()).isPresent()) {
        throw notTheEngines(
            place.path(), "the engine's image " + image.id().shortText() + " is not there");
      }
    }
    return seen;
  }

  private static String bare(ImageId id) {
    return id.text().startsWith("sha256:") ? id.text().substring("sha256:".length()) : id.text();
  }

  private void requireThere(Path path) throws IOException {
    if (!exists(path)) {
      throw notTheEngines(path, "there is no such directory");
    }
  }

  private UnreachableException notTheEngines(Path path, String why) {
    return new UnreachableException("The path " + path + " here is not the one of the engine at "
        + api.host() + ": " + why + "." + SET_IT);
  }

  /** Unlike {@link Files#exists}, tells "not there" from "may not be seen". */
  private static boolean exists(Path path) throws IOException {
    try {
      Files.readAttributes(path, BasicFileAttributes.class);
      return true;
    } catch (NoSuchFileException e) {
      return false;
    }
  }
}
