/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.ImageId;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the answer to {@code GET /containers/json}.
 *
 * <p>Of a container's image only {@code ImageID} counts: {@code Image} is the name that was given at its creation, and
 * that name may since have moved to another image.
 */
final class ContainerListing {
  /** Podman's word for a container that has ended, and may yet be started again: see {@link StoppedContainers}. */
  static final ContainerState STOPPED = ContainerState.of("STOPPED");

  private ContainerListing() {}

  /**
   * A container as it is listed.
   *
   * @param id its id
   * @param image the image that it was made from; empty if it was made from no image at all
   * @param mounts the images that are mounted into it, as the engine names them
   * @param state its state
   * @param name its first name
   * @param createdAt when it was created, less what a second has begun
   * @param labels its labels
   */
  record Entry(
      String id,
      Optional<ImageId> image,
      List<String> mounts,
      ContainerState state,
      Optional<String> name,
      Optional<Instant> createdAt,
      Map<String, String> labels) {
    boolean isStopped() {
      return state.equals(STOPPED);
    }

    Entry withState(ContainerState newState) {
      return new Entry(id, image, mounts, newState, name, createdAt, labels);
    }
  }

  /**
   * Returns the state that an engine's word means. Podman has words of its own.
   *
   * @param word the engine's word, or null if it says none
   */
  static ContainerState state(@Nullable String word) {
    if (word == null || word.isBlank()) {
      return ContainerState.UNKNOWN;
    }
    String code = word.toUpperCase(Locale.ROOT);
    return switch (code) {
      case "CONFIGURED", "INITIALIZED" -> ContainerState.CREATED;
      case "STOPPING" -> ContainerState.RUNNING;
      default -> ContainerState.of(code);
    };
  }

  static List<Entry> parse(JsonReader in) throws IOException {
    List<Entry> entries = new ArrayList<>();
    in.beginArray();
    while (in.hasNext()) {
      Fields fields = new Fields();
      Json.object(in, fields);
      entries.add(fields.entry());
    }
    in.endArray();
    return entries;
  }

  private static final class Fields implements Json.Member {
    private @Nullable String id;
    private @Nullable String imageId;
    private @Nullable String imageName;
    private @Nullable String state;
    private @Nullable Long created;
    private List<String> names = List.of();
    private Map<String, String> labels = Map.of();
    private final List<String> mounts = new ArrayList<>();

    @Override
    public void read(String name, JsonReader in) throws IOException {
      switch (name) {
        case "Id" -> id = Json.string(in);
        case "ImageID" -> imageId = Json.string(in);
        case "Image" -> imageName = Json.string(in);
        case "State" -> state = Json.string(in);
        case "Created" -> created = Json.number(in);
        case "Names" -> names = Json.strings(in);
        case "Labels" -> labels = Json.stringMap(in);
        case "Mounts" -> Json.array(in, this::readMount);
        default -> in.skipValue();
      }
    }

    private void readMount(JsonReader in) throws IOException {
      String[] typeAndName = new String[2];
      Json.object(in, (name, value) -> {
        switch (name) {
          case "Type" -> typeAndName[0] = Json.string(value);
          case "Name" -> typeAndName[1] = Json.string(value);
          default -> value.skipValue();
        }
      });
      if ("image".equals(typeAndName[0])) {
        if (typeAndName[1] == null || typeAndName[1].isBlank()) {
          throw Json.malformed("an image that is mounted into container " + id + " has no Name");
        }
        mounts.add(typeAndName[1]);
      }
    }

    Entry entry() throws IOException {
      if (id == null || id.isBlank()) {
        throw Json.malformed("a container has no Id");
      }
      if (created != null && (created < 0 || created >= Instant.MAX.getEpochSecond())) {
        throw Json.malformed("Created of container " + id + " is " + created);
      }
      return new Entry(
          id,
          image(id),
          mounts,
          ContainerListing.state(state),
          names.stream().findFirst().map(Fields::withoutSlash).filter(name -> !name.isEmpty()),
          Optional.ofNullable(created).map(Instant::ofEpochSecond),
          labels);
    }

    private static String withoutSlash(String name) {
      return name.startsWith("/") ? name.substring(1) : name;
    }

    /** Podman has containers of a plain directory: neither image nor name, and they say so. */
    private Optional<ImageId> image(String containerId) throws IOException {
      if (imageId == null) {
        throw Json.malformed("container " + containerId + " has no ImageID");
      }
      if (!imageId.isBlank() && !imageId.equals("sha256:")) {
        return Optional.of(ImageId.of(imageId));
      }
      if (imageName == null || !imageName.isBlank()) {
        throw Json.malformed("container " + containerId + " has an empty ImageID");
      }
      return Optional.empty();
    }
  }
}
