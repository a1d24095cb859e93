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
 * @param chain the chain id of each layer
 * @param fixed the sizes that are certain beforehand, for each layer; {@link #UNKNOWN} for the others
 * @param history the sizes of the steps that the image was built in, in bytes; a step of size 0 may have made a layer or
 *     not. Empty if the history is of no use: if its sizes do not add up to {@code bytes}
 * @param bytes what the sizes of all layers add up to
 */
record LayerStack(List<String> chain, List<Long> fixed, List<Long> history, long bytes) {
  static final long UNKNOWN = -1;

  private static final String PREFIX = "sha256:";
  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");

  /** The diff id of a tar without entries, as builders write it for a step that changes no file. */
  private static final String NO_CHANGES =
      "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

  /** A stack of which nothing is certain beforehand. */
  static LayerStack of(List<String> chain, List<Long> history, long bytes) {
    return new LayerStack(chain, chain.stream().map(id -> UNKNOWN).toList(), history, bytes);
  }

  LayerStack {
    chain = List.copyOf(chain);
    fixed = List.copyOf(fixed);
    history = sum(history) == bytes ? List.copyOf(history) : List.of();
  }

  /** Whether the history adds up, so that it says something. */
  boolean hasHistory() {
    return sum(history) == bytes;
  }

  static long sum(List<Long> sizes) {
    return sizes.stream().mapToLong(Long::longValue).sum();
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

  /** Returns the sizes that a graph driver is certain to give to layers: it counts the bytes of files only. */
  static List<Long> certain(List<String> diffIds) {
    return diffIds.stream().map(id -> id.equals(NO_CHANGES) ? 0L : UNKNOWN).toList();
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
