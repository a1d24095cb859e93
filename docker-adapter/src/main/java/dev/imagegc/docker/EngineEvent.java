/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageReference;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventType;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One event of {@code GET /events} that tells something about use or images, as the engine wrote it: in Docker's dialect with either
 * image store, or in Podman's.
 *
 * @param type what it means
 * @param container the container, or null
 * @param image the image, if the engine named it by its id, or null
 * @param reference the name that the engine gave the image, or null
 */
record EngineEvent(
    RuntimeEventType type,
    @Nullable String container,
    @Nullable ImageId image,
    @Nullable String reference) {
  private static final Map<String, RuntimeEventType> OF_CONTAINERS = Map.of(
      "create", RuntimeEventType.CONTAINER_CREATED,
      "start", RuntimeEventType.CONTAINER_STARTED,
      "die", RuntimeEventType.CONTAINER_DIED,
      "died", RuntimeEventType.CONTAINER_DIED,
      "destroy", RuntimeEventType.CONTAINER_REMOVED,
      "remove", RuntimeEventType.CONTAINER_REMOVED);

  private static final Map<String, RuntimeEventType> OF_IMAGES = Map.of(
      "pull", RuntimeEventType.IMAGE_PULLED,
      "load", RuntimeEventType.IMAGE_PULLED,
      "loadfromarchive", RuntimeEventType.IMAGE_PULLED,
      "import", RuntimeEventType.IMAGE_PULLED,
      "create", RuntimeEventType.IMAGE_PULLED,
      "build", RuntimeEventType.IMAGE_PULLED,
      "tag", RuntimeEventType.IMAGE_TAGGED,
      "untag", RuntimeEventType.IMAGE_UNTAGGED,
      "delete", RuntimeEventType.IMAGE_DELETED,
      "remove", RuntimeEventType.IMAGE_DELETED);

  /** What to ask the engine for, so that it does not even send the checks and execs of busy hosts. */
  static final List<String> ACTIONS = Stream.of(OF_CONTAINERS, OF_IMAGES)
      .flatMap(actions -> actions.keySet().stream())
      .distinct()
      .sorted()
      .toList();

  private static final Pattern ID = Pattern.compile("(?:sha256:)?[0-9a-f]{64}");

  /**
   * Reads an event.
   *
   * @return empty if it is about something else
   */
  static Optional<EngineEvent> parse(JsonReader in) throws IOException {
    Fields fields = new Fields();
    Json.object(in, fields);
    return fields.event();
  }

  /** What to tell the host, if this is all that is known. */
  RuntimeEvent told(@Nullable ImageId known) {
    RuntimeEvent.Builder event = RuntimeEvent.builder(type);
    if (known != null) {
      event.image(known);
    }
    if (reference != null) {
      event.reference(reference);
    }
    if (container != null) {
      event.container(container);
    }
    return event.build();
  }

  private static final class Fields implements Json.Member {
    private @Nullable String type;
    private @Nullable String action;
    private @Nullable String id;
    private @Nullable String name;
    private @Nullable String image;

    @Override
    public void read(String member, JsonReader in) throws IOException {
      switch (member) {
        case "Type" -> type = Json.string(in);
        case "Action" -> action = Json.string(in);
        case "Actor" -> Json.objectOrNull(in, this::readActor);
        default -> in.skipValue();
      }
    }

    private void readActor(String member, JsonReader in) throws IOException {
      switch (member) {
        case "ID" -> id = Json.string(in);
        case "Attributes" -> Json.objectOrNull(in, this::readAttribute);
        default -> in.skipValue();
      }
    }

    private void readAttribute(String member, JsonReader in) throws IOException {
      switch (member) {
        case "name" -> name = Json.string(in);
        case "image" -> image = Json.string(in);
        default -> in.skipValue();
      }
    }

    Optional<EngineEvent> event() throws IOException {
      if (type == null || action == null) {
        throw Json.malformed("an event has no Type or no Action");
      }
      RuntimeEventType meaning = switch (type) {
        case "container" -> OF_CONTAINERS.get(action);
        case "image" -> OF_IMAGES.get(action);
        default -> null;
      };
      if (meaning == null) {
        return Optional.empty();
      }
      return Optional.of(type.equals("image") ? ofImage(meaning) : ofContainer(meaning));
    }

    private EngineEvent ofContainer(RuntimeEventType meaning) throws IOException {
      if (id == null || id.isBlank()) {
        throw Json.malformed("an event of a container has no Actor.ID");
      }
      return new EngineEvent(meaning, id, idOrNull(image), nameOrNull(image));
    }

    /**
     * The actor is an id or, of a pull by Docker, a name; of a pull or a build by Podman it is empty. The attribute is the other
     * one or, with overlay2, the id again.
     */
    private EngineEvent ofImage(RuntimeEventType meaning) {
      ImageId byActor = idOrNull(id);
      String nameOfActor = nameOrNull(id);
      return new EngineEvent(
          meaning,
          null,
          byActor == null ? idOrNull(name) : byActor,
          nameOfActor == null ? nameOrNull(name) : nameOfActor);
    }

    private static @Nullable ImageId idOrNull(@Nullable String text) {
      return text != null && ID.matcher(text).matches() ? ImageId.of(text) : null;
    }

    /** Where Podman loads from an archive, the "name" is a path. */
    private static @Nullable String nameOrNull(@Nullable String text) {
      return text != null
              && idOrNull(text) == null
              && ImageReference.parse(text).isPresent()
          ? text
          : null;
    }
  }
}
