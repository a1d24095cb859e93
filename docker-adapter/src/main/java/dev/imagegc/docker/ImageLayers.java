/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows the layers of the images that an engine lists. It asks for each image once (two requests), a few images at a time, and
 * forgets images that are not listed any more. What {@link LayerSizes} says of an image is all or nothing.
 *
 * <p>Which layers an image has depends on the store, and on the store alone; the numbers tell which one it is:
 *
 * <ul>
 *   <li>A graph driver (overlay2): if the sizes of the history add up to the listed size. Its layers are those of the chain.
 *       Where a history fits in several ways, or is missing, the sizes that the driver wrote down are read, if the engine's
 *       directory is at hand.
 *   <li>The containerd store: if the history and the blobs add up to the listed size. The snapshots of the chain and the
 *       blobs are layers, each with its own id. Blobs are told by the manifest only, which is read from containerd's
 *       directory; if that is not at hand, the layers are unknown.
 *   <li>Where nothing adds up (Podman), the layers are unknown.
 * </ul>
 */
final class ImageLayers {
  private static final Logger LOG = LoggerFactory.getLogger(ImageLayers.class);
  private static final int PARALLEL = 4;
  /** For histories that no builder writes; others take milliseconds. */
  private static final Duration LONGEST_LEARNING = Duration.ofSeconds(2);

  /** An image that keeps failing is asked for again after 1, 2, 4 lists and so on, but never after more than these. */
  private static final int MAX_LISTS_WITHOUT_ASKING = 64;

  /** What a graph driver keeps for an image beside its layers: its description and a directory of small files. */
  private static final long RECORD_BYTES = 4 * LayerStack.Store.BLOCK_BYTES;

  private static final AtomicInteger ASKER_NUMBER = new AtomicInteger();

  /** Where the engine's directory is. */
  interface Places {
    /** Returns the place if it is known already. */
    ImageFs.@Nullable Place known();

    /** Looks for the place of these images, which may cost requests. Returns null if it is not at hand. */
    ImageFs.@Nullable Place find(List<Image> images, Duration limit);
  }

  /** What is known of an image of a listed size. */
  private sealed interface State {}

  private record Known(long size, List<Layer> layers) implements State {}

  /** An image that failed so many times, and is not asked for in so many lists. */
  private record Failed(int times, int listsToWait) implements State {}

  /** An image that was asked for, but whose layers do not follow from that yet. */
  private static final class Open implements State {
    private final long size;
    private final long inspectedSize;
    private LayerStack stack;
    private LocalStore.@Nullable Content content;
    private boolean looked;

    Open(long size, ImageCalls.Content inspected, List<Long> history) {
      this.size = size;
      this.inspectedSize = inspected.size();
      this.stack = LayerStack.ofGraphDriver(inspected.diffIds(), history, size);
    }

    /** Looks at the engine's own files, for what its answers leave open. */
    void look(ImageId id, LocalStore store, LayerSizes sizes) {
      looked = true;
      content = store.content(id.text()).orElse(null);
      LocalStore.Content blobs = content;
      if (blobs == null) {
        lookForLayers(store, sizes);
      } else {
        boolean certain = blobs.ofOnePlatform() && blobs.inspected() == inspectedSize;
        stack = stack.asSnapshots(size - blobs.listed(), certain);
      }
    }

    private void lookForLayers(LocalStore store, LayerSizes sizes) {
      List<Optional<Long>> found = stack.chain().stream().map(store::layerSize).toList();
      if (found.stream().allMatch(Optional::isPresent)
          && LayerStack.sum(found.stream().map(Optional::orElseThrow).toList()) == size) {
        for (int i = 0; i < found.size(); i++) {
          sizes.learn(stack, i, found.get(i).orElseThrow());
        }
      }
    }

    /** Returns everything that is stored for the image, if all of it is known. */
    Optional<List<Layer>> layers(ImageId id, LayerSizes sizes) {
      LocalStore.Content blobs = content;
      return sizes.layers(stack).flatMap(chain -> {
        List<Layer> all = new ArrayList<>(chain);
        if (blobs == null) {
          all.add(Layer.of(ownId("image " + id.text()), RECORD_BYTES));
        } else if (!addBlobs(blobs, sizes, all)) {
          return Optional.empty();
        }
        return Optional.of(List.copyOf(all));
      });
    }

    private static boolean addBlobs(
        LocalStore.Content blobs, LayerSizes sizes, List<Layer> layers) {
      for (Map.Entry<String, Long> blob : blobs.sizes().entrySet()) {
        String id = ownId("blob " + blob.getKey());
        sizes.learn(id, blob.getValue(), besideBlob(blob.getValue()));
        Optional<Layer> layer = sizes.layer(id);
        if (layer.isEmpty()) {
          return false;
        }
        layers.add(layer.get());
      }
      return true;
    }

    /** A blob is one file: the rest of its last block. */
    private static long besideBlob(long size) {
      return Math.floorMod(-size, LayerStack.Store.BLOCK_BYTES);
    }

    /** An id like that of a chain, and yet none: the digest of an uncompressed blob is the chain id of its snapshot. */
    private static String ownId(String what) {
      return LayerStack.digest(what);
    }
  }

  private final ImageCalls calls;
  private final Places places;
  private final ReentrantLock asking = new ReentrantLock();
  private final Map<ImageId, State> states = new ConcurrentHashMap<>();
  private final LayerSizes sizes = new LayerSizes(); // guarded by asking
  private volatile Set<Layer> disputed = Set.of();

  ImageLayers(EngineApi api, Places places) {
    this.calls = new ImageCalls(api);
    this.places = places;
  }

  /**
   * Returns the images with their layers, as far as these are known when the time is over.
   *
   * @param images all images of the engine
   * @param limit when to stop asking
   * @throws CancelledException if the calling thread is interrupted or the runtime closed meanwhile
   */
  List<Image> addTo(List<Image> images, TimeLimit limit) {
    if (lock(limit)) {
      try {
        refresh(images, limit);
      } finally {
        asking.unlock();
      }
    }
    Set<Layer> unsure = disputed;
    return images.stream().map(image -> withLayers(image, unsure)).toList();
  }

  private boolean lock(TimeLimit limit) {
    try {
      return asking.tryLock(limit.left().toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private static CancelledException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new CancelledException("Asking for layers: the calling thread was interrupted.", e);
  }

  private Image withLayers(Image image, Set<Layer> unsure) {
    return states.get(image.id()) instanceof Known known
            && known.size() == size(image)
            && (unsure.isEmpty() || Collections.disjoint(unsure, known.layers()))
        ? image.toBuilder().layers(known.layers()).build()
        : image;
  }

  private static long size(Image image) {
    return image.sizeBytes().orElse(LayerStack.UNKNOWN);
  }

  private void refresh(List<Image> images, TimeLimit limit) {
    forgetOthers(images);
    List<Image> toAsk = images.stream()
        .filter(image -> image.sizeBytes().isPresent() && isToBeAsked(image.id()))
        .toList();
    Map<ImageId, Open> answers = toAsk.isEmpty() ? Map.of() : ask(toAsk, limit);
    states.putAll(answers);
    ImageFs.Place place = places.known();
    if (!answers.isEmpty() || (place != null && !unlooked().isEmpty())) {
      solve(images, place, limit);
    }
  }

  private void forgetOthers(List<Image> images) {
    Set<ImageId> listed = new HashSet<>();
    boolean gone = false;
    for (Image image : images) {
      listed.add(image.id());
      gone |= hasChanged(image) && states.remove(image.id()) != null;
    }
    gone |= states.keySet().retainAll(listed);
    if (gone) {
      sizes.retain(states.values().stream()
          .filter(Known.class::isInstance)
          .map(state -> ((Known) state).layers())
          .toList());
      learnFromAnswers(); // what contradicted them may be gone
      disputed = sizes.disputed();
    }
  }

  /** With the containerd store an image may get more platforms. */
  private boolean hasChanged(Image image) {
    State state = states.get(image.id());
    return (state instanceof Known known && known.size() != size(image))
        || (state instanceof Open open && open.size != size(image));
  }

  private boolean isToBeAsked(ImageId id) {
    State state = states.get(id);
    if (state instanceof Failed failed && failed.listsToWait() > 0) {
      states.put(id, new Failed(failed.times(), failed.listsToWait() - 1));
      return false;
    }
    return state == null || state instanceof Failed;
  }

  // ---- asking ----

  private Map<ImageId, Open> ask(List<Image> images, TimeLimit limit) {
    Map<ImageId, Open> answers = new ConcurrentHashMap<>();
    AtomicInteger next = new AtomicInteger();
    Callable<Boolean> asker = () -> {
      for (int i = next.getAndIncrement(); i < images.size(); i = next.getAndIncrement()) {
        ask(images.get(i), limit, answers);
      }
      return true;
    };
    int threads = Math.min(PARALLEL, images.size());
    ExecutorService askers = Executors.newFixedThreadPool(threads, ImageLayers::asker);
    try {
      for (Future<Boolean> done : askers.invokeAll(Collections.nCopies(threads, asker))) {
        done.get();
      }
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    } finally {
      askers.shutdownNow();
    }
    return answers;
  }

  private static Thread asker(Runnable task) {
    Thread thread = new Thread(task, "imagegc-layers-" + ASKER_NUMBER.incrementAndGet());
    thread.setDaemon(true);
    return thread;
  }

  /** An image for which there is no time left is new in the next list too. */
  private void ask(Image image, TimeLimit limit, Map<ImageId, Open> answers) {
    if (limit.isOver()) {
      return;
    }
    try {
      Optional<Open> answer = ask(image, limit);
      answer.ifPresentOrElse(
          open -> answers.put(image.id(), open), () -> failed(image, "the engine has no answer"));
    } catch (CancelledException e) {
      throw e;
    } catch (GcException e) {
      failed(image, e.toString());
    }
  }

  private Optional<Open> ask(Image image, TimeLimit limit) {
    return calls
        .content(image.id(), limit.left())
        .flatMap(content -> calls
            .history(image.id(), limit.left())
            .map(history -> new Open(size(image), content, history)));
  }

  private void failed(Image image, String why) {
    int times = states.get(image.id()) instanceof Failed failed ? failed.times() : 0;
    int wait = times < Integer.numberOfTrailingZeros(MAX_LISTS_WITHOUT_ASKING)
        ? (1 << times) - 1
        : MAX_LISTS_WITHOUT_ASKING;
    states.put(image.id(), new Failed(times + 1, wait));
    LOG.debug("The layers of image {} are unknown: {}", image.id(), why);
  }

  // ---- understanding ----

  private void solve(List<Image> images, ImageFs.@Nullable Place known, TimeLimit limit) {
    learnFromAnswers();
    if (!unlooked().isEmpty()) {
      ImageFs.Place place =
          known == null && !limit.isOver() ? places.find(images, limit.left()) : known;
      if (place != null) {
        look(new LocalStore(place), limit);
        learnFromAnswers();
      }
    }
    disputed = sizes.disputed();
  }

  private void learnFromAnswers() {
    Map<ImageId, Open> open = open();
    TimeLimit limit = TimeLimit.of(LONGEST_LEARNING);
    sizes.learn(open.values().stream().map(state -> state.stack).toList(), limit::isOver);
    open.forEach((id, state) ->
        state.layers(id, sizes).ifPresent(layers -> states.put(id, new Known(state.size, layers))));
  }

  private void look(LocalStore store, TimeLimit limit) {
    unlooked().forEach((id, state) -> {
      if (!limit.isOver()) {
        state.look(id, store, sizes);
      }
    });
  }

  private Map<ImageId, Open> open() {
    Map<ImageId, Open> open = new HashMap<>();
    states.forEach((id, state) -> {
      if (state instanceof Open opened) {
        open.put(id, opened);
      }
    });
    return open;
  }

  private Map<ImageId, Open> unlooked() {
    Map<ImageId, Open> open = open();
    open.values().removeIf(state -> state.looked);
    return open;
  }
}
