/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The layers of an image on top of each other, and what is said of their sizes. All lists begin at the bottom.
 *
 * @param store what keeps the layers
 * @param chain the chain id of each layer
 * @param fixed the sizes that are certain beforehand, for each layer; {@link #UNKNOWN} for the others
 * @param history the sizes of the steps that the image was built in, in bytes; a step of size 0 may have made a layer or
 *     not
 * @param bytes what the sizes of all layers add up to
 * @param exact whether {@code bytes} is certain even if the history does not add up to it
 */
record LayerStack(
    Store store,
    List<String> chain,
    List<Long> fixed,
    List<Long> history,
    long bytes,
    boolean exact) {
  static final long UNKNOWN = -1;

  /** A thousand petabytes: beyond it numbers are nonsense, and sums could overflow. */
  static final long MOST_BYTES = 1L << 60;

  private static final String PREFIX = "sha256:";
  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");

  /** The diff id of a tar without entries, as builders write it for a step that changes no file. */
  private static final String NO_CHANGES =
      "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

  /** What keeps layers, and what it takes for a layer beside the bytes that it says: small files and directories. */
  enum Store {
    /** A graph driver, overlay2: counts the bytes of files only, and keeps two directories for each layer. */
    GRAPH(8, 11),

    /** A snapshotter of containerd: counts the blocks of files and directories. */
    SNAPSHOTS(2, 2);

    /** Of ext4 and XFS, as they are made by default. */
    static final long BLOCK_BYTES = 4096;

    private final int blocksOfFirst;
    private final int blocksOfOthers;

    Store(int blocksOfFirst, int blocksOfOthers) {
      this.blocksOfFirst = blocksOfFirst;
      this.blocksOfOthers = blocksOfOthers;
    }

    long bytesBeside(int layer) {
      return BLOCK_BYTES * (layer == 0 ? blocksOfFirst : blocksOfOthers);
    }
  }

  LayerStack {
    chain = List.copyOf(chain);
    fixed = List.copyOf(fixed);
    history = List.copyOf(history);
  }

  /** Returns the layers as a graph driver keeps them; whether it is one, {@link #hasHistory} says. */
  static LayerStack ofGraphDriver(List<String> diffIds, List<Long> history, long size) {
    List<Long> fixed =
        diffIds.stream().map(id -> id.equals(NO_CHANGES) ? 0L : UNKNOWN).toList();
    return new LayerStack(Store.GRAPH, chain(diffIds), fixed, history, size, false);
  }

  /** Returns the same layers as snapshots of containerd, which take so many bytes together. */
  LayerStack asSnapshots(long bytesOfAll, boolean certain) {
    List<Long> open = chain.stream().map(id -> UNKNOWN).toList();
    return new LayerStack(Store.SNAPSHOTS, chain, open, history, bytesOfAll, certain);
  }

  /** Whether the history adds up, so that it says something. */
  boolean hasHistory() {
    return bytes >= 0 && sum(history) == bytes;
  }

  /** Returns the sum, or {@link #UNKNOWN} if it is more than any disk has. */
  static long sum(List<Long> sizes) {
    long sum = 0;
    for (long size : sizes) {
      if (size > MOST_BYTES - sum) {
        return UNKNOWN;
      }
      sum += size;
    }
    return sum;
  }

  static boolean isDigest(String text) {
    return DIGEST.matcher(text).matches();
  }

  /**
   * Returns the chain ids of layers: the first is the diff id of the first layer, each other the digest of the chain id below
   * it and its own diff id. Equal changes on different bases have different chain ids, and are stored twice.
   *
   * @param diffIds digests, as {@link #isDigest} says
   */
  static List<String> chain(List<String> diffIds) {
    List<String> chain = new ArrayList<>(diffIds.size());
    String below = "";
    for (String diffId : diffIds) {
      below = below.isEmpty() ? diffId : digest(below + " " + diffId);
      chain.add(below);
    }
    return chain;
  }

  static String digest(String text) {
    return digest(text.getBytes(StandardCharsets.UTF_8));
  }

  static String digest(byte[] bytes) {
    try {
      return PREFIX
          + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
