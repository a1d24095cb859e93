/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.GcException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageReference;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.docker.EngineHttp.Answer;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** The calls of the Docker Engine API that concern one image. */
final class ImageCalls {
  /** An image as it is now. */
  record Found(ImageId id, List<String> tags, List<String> digests) {
    boolean hasTag(String name) {
      return tags.stream().anyMatch(tag -> same(tag, name));
    }

    boolean has(String name) {
      return hasTag(name) || digests.stream().anyMatch(digest -> same(digest, name));
    }
  }

  /** Far more than engines allow. */
  private static final int MAX_LAYERS = 500;

  private static final int MAX_STEPS = 5000;

  private final EngineApi api;

  ImageCalls(EngineApi api) {
    this.api = api;
  }

  /** Whether two names are one, written in full or not. */
  static boolean same(String name, String other) {
    return name.equals(other)
        || ImageReference.parse(name)
            .flatMap(first -> ImageReference.parse(other).map(first::equals))
            .orElse(false);
  }

  /**
   * Sends one DELETE, unforced. That no answer came is an answer too.
   *
   * @param nameOrId the name to take off, or the id of the image
   */
  DeleteAnswer delete(String nameOrId, Duration deadline) {
    String path = "/images/" + encode(nameOrId) + "?noprune=1";
    try {
      Answer answer = api.delete(path, deadline);
      return answer.isSuccess()
          ? api.parse("DELETE " + path, answer, DeleteAnswer::success)
          : DeleteAnswer.refusal(answer);
    } catch (TimedOutException | UnreachableException | ProtocolException e) {
      return DeleteAnswer.none(e);
    }
  }

  /**
   * Asks for one image.
   *
   * @param nameOrId a name or an id
   * @return the image, or empty if there is none
   * @throws GcException if there is no clear answer
   */
  Optional<Found> lookUp(String nameOrId) {
    String path = "/images/" + encode(nameOrId) + "/json";
    Answer answer = api.get(path);
    if (answer.status() == 404) {
      return Optional.empty();
    }
    if (!answer.isSuccess()) {
      throw api.failed("GET " + path, answer);
    }
    return Optional.of(api.parse("GET " + path, answer, ImageCalls::found));
  }

  /**
   * What an image consists of.
   *
   * @param diffIds the digests of its layers' changes, from the bottom up
   * @param size the engine's {@code Size}, in bytes; with the containerd store it is not the one that is listed, but that of
   *     the blobs
   */
  record Content(List<String> diffIds, long size) {}

  /**
   * Asks for what an image consists of.
   *
   * @return empty if the engine does not tell
   */
  Optional<Content> content(ImageId id, Duration deadline) {
    return api.find("/images/" + encode(id.text()) + "/json", deadline, ImageCalls::content);
  }

  private static Content content(JsonReader in) throws IOException {
    List<String> diffIds = new ArrayList<>();
    boolean[] said = new boolean[1];
    Long[] size = new Long[1];
    Json.object(in, (name, value) -> {
      switch (name) {
        case "Size" -> size[0] = Json.number(value);
        case "RootFS" -> {
          said[0] = true;
          Json.objectOrNull(value, (member, layers) -> {
            if (member.equals("Layers")) {
              diffIds.addAll(Json.strings(layers));
            } else {
              layers.skipValue();
            }
          });
        }
        default -> value.skipValue();
      }
    });
    if (!said[0]
        || diffIds.size() > MAX_LAYERS
        || !diffIds.stream().allMatch(LayerStack::isDigest)) {
      throw Json.malformed("the image has no list of diff ids");
    }
    return new Content(diffIds, size[0] == null ? LayerStack.UNKNOWN : size[0]);
  }

  /**
   * Asks for the history of an image.
   *
   * @return the size of each step from the bottom up, in bytes; empty if the engine does not tell
   */
  Optional<List<Long>> history(ImageId id, Duration deadline) {
    return api.find("/images/" + encode(id.text()) + "/history", deadline, ImageCalls::history);
  }

  private static List<Long> history(JsonReader in) throws IOException {
    List<Long> sizes = new ArrayList<>();
    Json.array(in, step -> sizes.add(stepSize(step)));
    if (sizes.size() > MAX_STEPS) {
      throw Json.malformed("the history has " + sizes.size() + " steps");
    }
    Collections.reverse(sizes); // engines begin with the newest
    return sizes;
  }

  private static long stepSize(JsonReader in) throws IOException {
    Long[] size = new Long[1];
    Json.object(in, (name, value) -> {
      if (name.equals("Size")) {
        size[0] = Json.number(value);
      } else {
        value.skipValue();
      }
    });
    if (size[0] == null || size[0] < 0) {
      throw Json.malformed("a step of the history has no Size");
    }
    return size[0];
  }

  private static Found found(JsonReader in) throws IOException {
    String[] id = new String[1];
    List<String> names = new ArrayList<>();
    Json.object(in, (name, value) -> {
      switch (name) {
        case "Id" -> id[0] = Json.string(value);
        case "RepoTags", "RepoDigests" -> names.addAll(Json.strings(value));
        default -> value.skipValue();
      }
    });
    if (id[0] == null) {
      throw Json.malformed("the image has no Id");
    }
    return new Found(
        ImageId.of(id[0]),
        names.stream().filter(name -> !isDigest(name)).toList(),
        names.stream().filter(ImageCalls::isDigest).toList());
  }

  /** Gives an image a tag; whether that worked is for a look-up to say. */
  void tag(ImageId id, String tag) {
    int colon = tag.lastIndexOf(':');
    api.post("/images/" + encode(id.text()) + "/tag?repo=" + query(tag.substring(0, colon))
        + "&tag=" + query(tag.substring(colon + 1)));
  }

  /** Whether a listed name is {@code repository@digest}. */
  static boolean isDigest(String name) {
    return name.indexOf('@') >= 0;
  }

  /** Encodes a name for a path; its slashes and colons stay, as engines expect them. */
  static String encode(String name) {
    return query(name).replace("%2F", "/").replace("%3A", ":").replace("%40", "@");
  }

  static String query(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
