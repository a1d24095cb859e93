/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Content that images share: stored once, however many images hold it, and freed with the last of them.
 *
 * <p>What an engine stores decides what a layer is. Where layers are unpacked on top of each other, the id must stand for the
 * whole chain below (the chain id, not the diff id), because equal changes on different bases are stored twice. Where
 * compressed blobs are kept too, each blob is a layer of its own.
 *
 * <p>Two layers are equal if their ids are; an engine gives every layer one size, which it may correct later. Immutable and
 * thread-safe.
 */
public final class Layer {
  private final long word0;
  private final long word1;
  private final long word2;
  private final long word3;
  private final @Nullable String text; // null if the words hold the digest
  private final long sizeBytes;

  private Layer(String id, long sizeBytes) {
    String digest = id.startsWith(Sha256.PREFIX) ? id.substring(Sha256.PREFIX.length()) : "";
    boolean binary = Sha256.isDigest(digest);
    this.word0 = binary ? Sha256.word(digest, 0) : 0;
    this.word1 = binary ? Sha256.word(digest, 1) : 0;
    this.word2 = binary ? Sha256.word(digest, 2) : 0;
    this.word3 = binary ? Sha256.word(digest, 3) : 0;
    this.text = binary ? null : id;
    this.sizeBytes = sizeBytes;
  }

  /**
   * Returns a layer.
   *
   * @param id what tells it from every other layer of the engine, not blank; {@code sha256:} and 64 lower-case digits take
   *     the least memory
   * @param sizeBytes the bytes that are freed when nothing holds it any more, at least 0
   * @return the layer
   */
  public static Layer of(String id, long sizeBytes) {
    if (Objects.requireNonNull(id, "id").isBlank()) {
      throw new IllegalArgumentException("layer id must not be blank");
    }
    if (sizeBytes < 0) {
      throw new IllegalArgumentException(
          "sizeBytes of layer " + id + " must be at least 0, but is " + sizeBytes);
    }
    return new Layer(id, sizeBytes);
  }

  /**
   * Returns the layer's identity.
   *
   * @return the id as it was given
   */
  public String id() {
    return text != null ? text : Sha256.text(Sha256.PREFIX, word0, word1, word2, word3);
  }

  /**
   * Returns the bytes that are freed when nothing holds this layer any more.
   *
   * @return the size, at least 0
   */
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || (other instanceof Layer that
            && word0 == that.word0
            && word1 == that.word1
            && word2 == that.word2
            && word3 == that.word3
            && Objects.equals(text, that.text));
  }

  @Override
  public int hashCode() {
    return text != null ? text.hashCode() : Long.hashCode(word0);
  }

  @Override
  public String toString() {
    return "Layer[" + id() + " " + sizeBytes + " bytes]";
  }
}
