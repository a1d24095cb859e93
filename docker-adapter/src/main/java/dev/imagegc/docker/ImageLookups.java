/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageReference;
import dev.imagegc.docker.EngineHttp.Answer;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Says what one name or id stands for.
 *
 * <p>Engines are generous with names: asked for {@code abc}, they may answer with the image whose id begins so, and Podman with
 * {@code localhost/abc}. So names are sent in full, and an answer counts only if the image has the name that was asked for.
 */
final class ImageLookups {
  /** Where the size of inspect is the one that is listed. That of the containerd store is another one, without snapshots. */
  private static final Set<String> STORES_WITH_ONE_SIZE = Set.of("overlay2", "overlay", "vfs");

  private static final long SIZE_UNKNOWN = -1;

  private final EngineApi api;

  ImageLookups(EngineApi api) {
    this.api = api;
  }

  /**
   * Understands a reference: with its registry, with the default tag, and without a tag where a digest says it all.
   *
   * @throws IllegalArgumentException if it is none
   */
  static ImageReference understood(String reference) {
    ImageReference name = ImageReference.of(Objects.requireNonNull(reference, "reference"));
    return name.digest()
        .map(digest -> ImageReference.of(name.repository() + "@" + digest))
        .orElseGet(name::withDefaultTag);
  }

  Optional<Image> find(ImageReference reference) {
    return inspect(reference.toString()).filter(image -> isNamed(image, reference));
  }

  Optional<Image> find(ImageId id) {
    return inspect(id.text()).filter(image -> image.id().equals(id));
  }

  private static boolean isNamed(Image image, ImageReference reference) {
    return image.references().stream()
        .map(ImageReference::parse)
        .flatMap(Optional::stream)
        .anyMatch(reference::covers);
  }

  private Optional<Image> inspect(String nameOrId) {
    String path = "/images/" + ImageCalls.encode(nameOrId) + "/json";
    Answer answer = api.get(path);
    if (answer.status() == 404 || isRefusedName(answer)) {
      return Optional.empty();
    }
    if (!answer.isSuccess()) {
      throw api.failed("GET " + path, answer);
    }
    return Optional.of(api.parse("GET " + path, answer, ImageLookups::image));
  }

  /** What cannot be a name or an id in an engine's eyes is none of an image: 400 in Docker, 500 in Podman. */
  private static boolean isRefusedName(Answer answer) {
    return answer.status() == 400
        || (answer.status() == 500 && answer.body().contains("normalizing name"));
  }

  private static Image image(JsonReader in) throws IOException {
    Fields fields = new Fields();
    Json.object(in, fields);
    return fields.image();
  }

  private static final class Fields implements Json.Member {
    private @Nullable String id;
    private @Nullable String created;
    private @Nullable String store;
    private @Nullable Long size;
    private final Map<String, String> labels = new LinkedHashMap<>();
    private final ImageListing.Names names = new ImageListing.Names();

    @Override
    public void read(String member, JsonReader in) throws IOException {
      switch (member) {
        case "Id" -> id = Json.string(in);
        case "RepoTags", "RepoDigests" -> Json.strings(in).forEach(names::add);
        case "Created" -> created = Json.string(in);
        case "Size" -> size = Json.number(in);
        case "GraphDriver" -> Json.objectOrNull(in, this::readDriver);
        case "Config" -> Json.objectOrNull(in, this::readConfig);
        default -> in.skipValue();
      }
    }

    private void readDriver(String member, JsonReader in) throws IOException {
      if (member.equals("Name")) {
        store = Json.string(in);
      } else {
        in.skipValue();
      }
    }

    private void readConfig(String member, JsonReader in) throws IOException {
      if (member.equals("Labels")) {
        labels.putAll(Json.stringMap(in));
      } else {
        in.skipValue();
      }
    }

    Image image() throws IOException {
      if (id == null || id.isBlank()) {
        throw Json.malformed("the image has no Id");
      }
      if (size != null && size < SIZE_UNKNOWN) {
        throw Json.malformed("the Size of image " + id + " is " + size);
      }
      Image.Builder image = Image.builder(ImageId.of(id)).labels(labels);
      names.tags().forEach(image::reference);
      names.digests().forEach(image::reference);
      if (size != null
          && size != SIZE_UNKNOWN
          && store != null
          && STORES_WITH_ONE_SIZE.contains(store)) {
        image.sizeBytes(size);
      }
      builtAt().ifPresent(image::builtAt);
      return image.build();
    }

    /** An unset time is absent, empty or in year 1; before 1970 nothing was built. */
    private Optional<Instant> builtAt() {
      try {
        return Optional.ofNullable(created)
            .map(OffsetDateTime::parse)
            .map(OffsetDateTime::toInstant)
            .filter(time -> !time.isBefore(Instant.EPOCH));
      } catch (DateTimeException e) {
        return Optional.empty();
      }
    }
  }
}
