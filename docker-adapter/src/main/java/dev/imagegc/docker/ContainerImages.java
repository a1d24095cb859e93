/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.GcException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RuntimeEventType;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the image that an event is about, of which engines often tell a name only.
 *
 * <p>What a container was made from is asked once and remembered until it is removed: when its last event comes, the engine
 * does not know it any more, and its image may have lost its name. Trouble with the engine makes an event tell less, and
 * nothing else. Not thread-safe.
 */
final class ContainerImages {
  /** Containers beyond that are forgotten, those that were quiet for longest first. */
  static final int MAX_CONTAINERS = 10_000;

  private final EngineApi api;
  private final ImageLookups lookups;
  private final Map<String, ImageId> images = new LinkedHashMap<>(16, 0.75f, true) {
    @Override
    protected boolean removeEldestEntry(Map.Entry<String, ImageId> eldest) {
      return size() > MAX_CONTAINERS;
    }
  };

  ContainerImages(EngineApi api, ImageLookups lookups) {
    this.api = api;
    this.lookups = lookups;
  }

  /** Learns of the containers that are there already. */
  void learn() {
    try {
      api.read("/containers/json?all=1", ContainerListing::parse)
          .forEach(entry -> entry.image().ifPresent(image -> images.put(entry.id(), image)));
    } catch (GcException | IllegalStateException e) {
      // Then each is asked for when something happens to it.
    }
  }

  /** Returns the image of an event as far as it is known without asking the engine, or null. */
  @Nullable
  ImageId known(EngineEvent event) {
    String container = event.container();
    if (container == null) {
      return event.image();
    }
    ImageId known = event.type().equals(RuntimeEventType.CONTAINER_REMOVED)
        ? images.remove(container)
        : images.get(container);
    return known == null ? event.image() : known;
  }

  /** Returns the image of an event, or null if it cannot be known. */
  @Nullable
  ImageId of(EngineEvent event) {
    String container = event.container();
    if (container != null) {
      return ofContainer(container, event);
    }
    boolean mayHaveComeByName = event.type().equals(RuntimeEventType.IMAGE_PULLED)
        || event.type().equals(RuntimeEventType.IMAGE_TAGGED);
    return event.image() != null || !mayHaveComeByName ? event.image() : named(event.reference());
  }

  private @Nullable ImageId ofContainer(String container, EngineEvent event) {
    if (event.type().equals(RuntimeEventType.CONTAINER_REMOVED)) {
      ImageId known = images.remove(container);
      // What the name means now need not be what it meant when the container was made.
      return known == null ? event.image() : known;
    }
    ImageId known = images.get(container);
    if (known == null) {
      known = asked(container);
    }
    if (known == null) {
      known = event.image() == null ? named(event.reference()) : event.image();
    }
    if (known != null) {
      images.put(container, known);
    }
    return known;
  }

  private @Nullable ImageId asked(String container) {
    try {
      String path = "/containers/" + ImageCalls.encode(container) + "/json";
      return api.find(path, api.callTimeout(), ContainerImages::image)
          .flatMap(id -> id)
          .orElse(null);
    } catch (GcException | IllegalStateException e) {
      return null;
    }
  }

  private @Nullable ImageId named(@Nullable String reference) {
    try {
      return reference == null
          ? null
          : lookups.find(ImageLookups.understood(reference)).map(Image::id).orElse(null);
    } catch (GcException | IllegalStateException | IllegalArgumentException e) {
      return null;
    }
  }

  private static Optional<ImageId> image(JsonReader in) throws IOException {
    String[] id = new String[1];
    Json.object(in, (member, value) -> {
      if (member.equals("Image")) {
        id[0] = Json.string(value);
      } else {
        value.skipValue();
      }
    });
    return Optional.ofNullable(id[0]).filter(text -> !text.isBlank()).map(ImageId::of);
  }
}
