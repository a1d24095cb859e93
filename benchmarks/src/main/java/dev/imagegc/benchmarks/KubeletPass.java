/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * What the kubelet's image manager does, in plain Java and the plain way: a set of the ids in use, a map of records, a copy of
 * every record that is not in use, a full sort, and sizes as listed. Its log calls are left out.
 *
 * <p>Java strings remember their hash and Go's do not, which favours this side, because the same few listings come again.
 */
final class KubeletPass {
  /** Sorts before every time, as Go's zero time does. */
  private static final Instant NEVER = Instant.MIN;

  private static final Comparator<Candidate> EVICTION_ORDER = (a, b) -> {
    int order = a.lastUsed().compareTo(b.lastUsed());
    return order != 0 ? order : a.firstDetected().compareTo(b.firstDetected());
  };

  /** An image as the kubelet's runtime lists it. */
  record ListedImage(String id, List<String> tags, long sizeBytes, boolean pinned) {}

  /** A mount of a container, with the image as the pod names it and as the runtime resolved it; both are empty for others. */
  record Mount(String namedImage, String imageId) {}

  /** A container of a pod. */
  record PodContainer(String id, String imageId, List<Mount> mounts) {}

  /** A pod. */
  record Pod(List<PodContainer> containers) {}

  private record Candidate(
      String id, Instant firstDetected, Instant lastUsed, long sizeBytes, boolean pinned) {}

  private static final class Record {
    private final Instant firstDetected;
    private Instant lastUsed = NEVER;
    private long sizeBytes;
    private boolean pinned;

    private Record(Instant firstDetected) {
      this.firstDetected = firstDetected;
    }
  }

  private final boolean imageVolumes;
  private final Map<String, Record> records = new HashMap<>();
  private Supplier<List<ListedImage>> images = List::of;
  private Supplier<List<Pod>> pods = List::of;

  /**
   * Starts without records.
   *
   * @param imageVolumes whether containers may mount images
   */
  KubeletPass(boolean imageVolumes) {
    this.imageVolumes = imageVolumes;
  }

  /** Returns a kubelet that has lived through the past of a node. */
  static KubeletPass of(NodeModel model, boolean imageVolumes) {
    KubeletPass kubelet = new KubeletPass(imageVolumes);
    for (int round = 0; round < NodeModel.ROUNDS; round++) {
      int now = round;
      kubelet.images = () -> images(model, now);
      kubelet.pods = () -> pods(model, now);
      kubelet.detect();
    }
    int last = NodeModel.ROUNDS - 1;
    kubelet.images = InTurn.of(() -> images(model, last));
    kubelet.pods = InTurn.of(() -> pods(model, last));
    return kubelet;
  }

  private static List<ListedImage> images(NodeModel model, int round) {
    return IntStream.range(0, model.listedIn(round))
        .mapToObj(i -> new ListedImage(
            model.imageId(i), List.of(model.reference(i)), model.sizeBytes(i), false))
        .toList();
  }

  /** One container in each pod. */
  private static List<Pod> pods(NodeModel model, int round) {
    List<List<Integer>> uses = model.usesIn(round);
    return IntStream.range(0, uses.size())
        .mapToObj(i -> {
          List<Integer> used = uses.get(i);
          List<Mount> mounts = used.subList(1, used.size()).stream()
              .map(image -> new Mount(model.reference(image), model.imageId(image)))
              .toList();
          return new Pod(
              List.of(new PodContainer(model.containerId(i), model.imageId(used.get(0)), mounts)));
        })
        .toList();
  }

  /** Lists, finds out who is used, remembers. */
  Set<String> detect() {
    List<ListedImage> listing = images.get();
    Set<String> inUse = new HashSet<>();
    for (Pod pod : pods.get()) {
      for (PodContainer container : pod.containers()) {
        if (imageVolumes) {
          addMounted(container, listing, inUse);
        }
        inUse.add(container.imageId());
      }
    }
    Instant now = Instant.now();
    Set<String> listed = new HashSet<>();
    for (ListedImage image : listing) {
      listed.add(image.id());
      Record record = records.get(image.id());
      if (record == null) {
        record = new Record(now);
        records.put(image.id(), record);
      }
      if (inUse.contains(image.id())) {
        record.lastUsed = now;
      }
      record.sizeBytes = image.sizeBytes();
      record.pinned = image.pinned();
    }
    records.keySet().removeIf(id -> !listed.contains(id));
    return inUse;
  }

  /** The quadratic path: every mount against every image. */
  private static void addMounted(
      PodContainer container, List<ListedImage> listing, Set<String> inUse) {
    for (Mount mount : container.mounts()) {
      for (ListedImage image : listing) {
        if (mount.imageId().equals(image.id()) || mount.namedImage().equals(image.id())) {
          inUse.add(image.id());
        }
      }
    }
  }

  /** Detects, orders, and removes until enough is freed, counting listed sizes. Returns the ids that are gone. */
  List<String> freeSpace(long bytes, Duration minAge) {
    Instant freeTime = Instant.now();
    Set<String> inUse = detect();
    List<Candidate> candidates = new ArrayList<>();
    records.forEach((id, record) -> {
      if (!inUse.contains(id) && !record.pinned) {
        candidates.add(new Candidate(
            id, record.firstDetected, record.lastUsed, record.sizeBytes, record.pinned));
      }
    });
    candidates.sort(EVICTION_ORDER);

    List<String> removed = new ArrayList<>();
    long freed = 0;
    for (Candidate candidate : candidates) {
      if (freed >= bytes) {
        break;
      }
      if (!candidate.lastUsed().isBefore(freeTime)
          || Duration.between(candidate.firstDetected(), freeTime).compareTo(minAge) < 0) {
        continue;
      }
      removed.add(candidate.id()); // the call to the runtime would be here
      records.remove(candidate.id());
      freed += candidate.sizeBytes();
    }
    return removed;
  }
}
