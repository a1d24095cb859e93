/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.JsonParseException;
import com.google.gson.stream.JsonReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads what an engine wrote down about layers, in a directory that is proven to be the engine's. A file that is not there,
 * may not be read or is not what it should be says nothing.
 */
final class LocalStore {
  private static final int MAX_NUMBER_BYTES = 32;
  private static final int MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

  /** The manifests that an index may name; usually one for each platform. */
  private static final int MAX_MANIFESTS = 100;

  private final @Nullable Path layerDirectory;
  private final @Nullable Path blobDirectory;

  LocalStore(ImageFs.Place place) {
    this.layerDirectory = place.layers();
    this.blobDirectory = place.blobs();
  }

  /**
   * The blobs of an image.
   *
   * @param sizes the bytes of each blob that is there, by its digest
   * @param listed the bytes that the engine counts for them: a blob that a manifest names twice counts twice, and the index
   *     of several platforms does not count
   * @param inspected the same as an inspection of the image counts it, which is with the index
   */
  record Content(Map<String, Long> sizes, long listed, long inspected) {
    boolean ofOnePlatform() {
      return listed == inspected;
    }
  }

  /** A blob that a manifest or an index names. */
  private record Descriptor(String digest, long size) {}

  /** What a manifest (config and layers) or an index (manifests) names. */
  private record Manifest(List<Descriptor> blobs, List<Descriptor> manifests) {}

  /** Returns the size that a graph driver wrote down for a layer. */
  Optional<Long> layerSize(String chainId) {
    if (layerDirectory == null) {
      return Optional.empty();
    }
    try {
      byte[] bytes = read(layerDirectory.resolve(bare(chainId)).resolve("size"), MAX_NUMBER_BYTES);
      long size = Long.parseLong(new String(bytes, StandardCharsets.UTF_8).strip());
      return size < 0 ? Optional.empty() : Optional.of(size);
    } catch (IOException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** Returns the blobs of an image of the containerd store. */
  Optional<Content> content(String imageId) {
    if (blobDirectory == null || !LayerStack.isDigest(imageId)) {
      return Optional.empty();
    }
    try {
      Map<String, Long> sizes = new LinkedHashMap<>();
      byte[] top = blob(blobDirectory, imageId);
      sizes.put(imageId, (long) top.length);
      Manifest manifest = manifest(top);
      long listed = addPresent(blobDirectory, manifest.blobs(), sizes);
      for (Descriptor platform : manifest.manifests()) {
        if (isThere(blobDirectory, platform)) {
          listed += addPresent(blobDirectory, List.of(platform), sizes);
          listed += addPresent(
              blobDirectory, manifest(blob(blobDirectory, platform.digest())).blobs(), sizes);
        }
      }
      return Optional.of(
          manifest.manifests().isEmpty()
              ? new Content(sizes, listed + top.length, listed + top.length)
              : new Content(sizes, listed, listed + top.length));
    } catch (IOException | IllegalStateException | NumberFormatException | JsonParseException e) {
      return Optional.empty();
    }
  }

  /** Adds the blobs that are there; returns the bytes that the engine lists for them. */
  private static long addPresent(
      Path directory, List<Descriptor> descriptors, Map<String, Long> sizes) {
    long listed = 0;
    for (Descriptor blob : descriptors) {
      if (isThere(directory, blob)) {
        sizes.put(blob.digest(), blob.size());
        listed += blob.size();
      }
    }
    return listed;
  }

  /** Blobs of other platforms need not be there. */
  private static boolean isThere(Path directory, Descriptor blob) {
    try {
      return Files.size(directory.resolve(bare(blob.digest()))) == blob.size();
    } catch (IOException e) {
      return false;
    }
  }

  /** Reads a blob whose content is what its name says. */
  private static byte[] blob(Path directory, String digest) throws IOException {
    byte[] bytes = read(directory.resolve(bare(digest)), MAX_MANIFEST_BYTES);
    if (!LayerStack.digest(bytes).equals(digest)) {
      throw new IOException("the blob " + digest + " has another content");
    }
    return bytes;
  }

  private static byte[] read(Path file, int maxBytes) throws IOException {
    if (!Files.isRegularFile(file)) { // reading a pipe would wait for ever
      throw new IOException(file + " is no file");
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(maxBytes + 1);
      if (bytes.length > maxBytes) {
        throw new IOException(file + " is longer than " + maxBytes + " bytes");
      }
      return bytes;
    }
  }

  private static Manifest manifest(byte[] bytes) throws IOException {
    Manifest manifest = new Manifest(new ArrayList<>(), new ArrayList<>());
    Json.document(new ByteArrayInputStream(bytes), in -> {
      Json.object(in, (name, value) -> {
        switch (name) {
          case "config" -> manifest.blobs().add(descriptor(value));
          case "layers" -> Json.array(value, layer -> manifest.blobs().add(descriptor(layer)));
          case "manifests" ->
            Json.array(value, platform -> manifest.manifests().add(descriptor(platform)));
          default -> value.skipValue();
        }
      });
      return manifest;
    });
    if (manifest.manifests().size() > MAX_MANIFESTS) {
      throw new IOException("an index names " + manifest.manifests().size() + " manifests");
    }
    return manifest;
  }

  private static Descriptor descriptor(JsonReader in) throws IOException {
    String[] digest = new String[1];
    Long[] size = new Long[1];
    Json.object(in, (name, value) -> {
      switch (name) {
        case "digest" -> digest[0] = Json.string(value);
        case "size" -> size[0] = Json.number(value);
        default -> value.skipValue();
      }
    });
    if (digest[0] == null || !LayerStack.isDigest(digest[0]) || size[0] == null || size[0] < 0) {
      throw Json.malformed("a descriptor must have a digest and a size");
    }
    return new Descriptor(digest[0], size[0]);
  }

  private static String bare(String digest) {
    return digest.substring(digest.indexOf(':') + 1);
  }
}
