/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import java.io.IOException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the answer to {@code GET /images/json}.
 *
 * <p>Where engines write "nothing", they differ: an absent field, null, an empty string, an empty array, and {@code
 * <none>:<none>} before API 1.43 are all the same. With the containerd store a digest may stand among the tags.
 */
final class ImageListing {
  private static final String NONE = "<none>";
  private static final long SIZE_UNKNOWN = -1;

  private ImageListing() {}

  static List<Image> parse(JsonReader in) throws IOException {
    Map<ImageId, Entry> entries = new LinkedHashMap<>();
    in.beginArray();
    while (in.hasNext()) {
      Entry entry = entry(in);
      entries.merge(entry.id(), entry, Entry::mergedWith);
    }
    in.endArray();
    return entries.values().stream().map(Entry::toImage).toList();
  }

  private record Entry(
      ImageId id,
      Set<String> tags,
      Set<String> digests,
      @Nullable Long size,
      @Nullable Long created,
      @Nullable String parent,
      Map<String, String> labels) {
    /** An id that is listed twice has the names of both entries; of the rest the later entry is believed. */
    Entry mergedWith(Entry later) {
      later.tags.addAll(tags);
      later.digests.addAll(digests);
      return later;
    }

    Image toImage() {
      Image.Builder image = Image.builder(id).labels(labels);
      tags.forEach(image::reference);
      digests.forEach(image::reference);
      if (size != null && size != SIZE_UNKNOWN) {
        image.sizeBytes(size);
      }
      if (created != null
          && created >= 0) { // an unset time is year 1; before 1970 nothing was built
        image.builtAt(Instant.ofEpochSecond(created));
      }
      if (parent != null && !parent.isEmpty()) {
        image.parent(ImageId.of(parent));
      }
      return image.build();
    }
  }

  private static Entry entry(JsonReader in) throws IOException {
    Fields fields = new Fields();
    Json.object(in, fields);
    if (fields.id == null || fields.id.isBlank()) {
      throw Json.malformed("an image has no Id");
    }
    if (fields.size != null && fields.size < SIZE_UNKNOWN) {
      throw Json.malformed("the Size of image " + fields.id + " is " + fields.size);
    }
    return new Entry(
        ImageId.of(fields.id),
        fields.names.tags(),
        fields.names.digests(),
        fields.size,
        fields.created,
        fields.parent,
        fields.labels);
  }

  /** The names of an image, without those that mean none. */
  static final class Names {
    private final Set<String> tags = new LinkedHashSet<>();
    private final Set<String> digests = new LinkedHashSet<>();

    void add(String name) {
      if (!name.isBlank() && !name.contains(NONE)) {
        (ImageCalls.isDigest(name) ? digests : tags).add(name);
      }
    }

    Set<String> tags() {
      return tags;
    }

    Set<String> digests() {
      return digests;
    }
  }

  private static final class Fields implements Json.Member {
    private @Nullable String id;
    private @Nullable String parent;
    private @Nullable Long size;
    private @Nullable Long created;
    private Map<String, String> labels = Map.of();
    private final Names names = new Names();

    @Override
    public void read(String name, JsonReader in) throws IOException {
      switch (name) {
        case "Id" -> id = Json.string(in);
        case "ParentId" -> parent = Json.string(in);
        case "Size" -> size = Json.number(in);
        case "Created" -> created = Json.number(in);
        case "Labels" -> labels = Json.stringMap(in);
        case "RepoTags", "RepoDigests" -> Json.strings(in).forEach(names::add);
        default -> in.skipValue();
      }
    }
  }
}
