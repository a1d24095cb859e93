/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.Container;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.GcException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageLookup;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.RuntimeEventSource;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.core.internal.BoundedCalls;
import dev.imagegc.core.internal.Durations;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The host's {@link Runtime} with a deadline on every call. Thread-safe. */
final class Engine {
  private static final Logger LOG = LoggerFactory.getLogger(ImageGcManager.class);

  private record LastList(int images, Duration took, long endNanos) {}

  private final Runtime runtime;
  private final BoundedCalls calls;
  private final Deadlines deadlines;
  private final GcClock clock;
  private volatile @Nullable LastList last;
  private volatile @Nullable Instant lastContainerList;
  private volatile boolean late; // the last image list timed out

  Engine(Runtime runtime, Deadlines deadlines, GcClock clock) {
    this.runtime = runtime;
    this.calls = new BoundedCalls("the engine", clock, ProtocolException::new);
    this.deadlines = deadlines;
    this.clock = clock;
  }

  /** Lists images and then containers: an image pulled in between is not considered, a container is seen. */
  NodeView observe() {
    List<Image> images = listImages();
    return new NodeView(images, listContainers());
  }

  List<Image> listImages() {
    long start = clock.nanoTime();
    List<Image> images;
    try {
      images = calls.call("list images", listDeadline(), () -> List.copyOf(runtime.listImages()));
    } catch (TimedOutException e) {
      late = true; // there may be many more images than last time
      throw e;
    }
    late = false;
    long end = clock.nanoTime();
    last = new LastList(images.size(), Duration.ofNanos(end - start), end);
    return images;
  }

  /** Asks who uses an image, right now; null if nobody does. */
  @Nullable
  Container userOf(ImageId image) {
    return NodeView.userOf(image, listContainers());
  }

  /** Whether space comes back after a removal has returned. */
  boolean freesSpaceLater() {
    return calls.call(
        "say whether it frees space later", deadlines.measure(), runtime::freesSpaceLater);
  }

  List<Container> listContainers() {
    List<Container> containers =
        calls.call("list containers", listDeadline(), () -> List.copyOf(runtime.listContainers()));
    lastContainerList = clock.instant();
    return containers;
  }

  /** When containers were last listed, by the wall clock. */
  Optional<Instant> lastContainerList() {
    return Optional.ofNullable(lastContainerList);
  }

  /** The names that an image has right now; empty if it is gone, or the engine cannot look a single image up. */
  Optional<List<String>> namesOf(ImageId image) {
    return runtime instanceof ImageLookup lookup
        ? calls
            .call("look an image up", deadlines.measure(), () -> lookup.findImage(image))
            .map(Image::references)
        : Optional.empty();
  }

  /** Opens a stream of events, which hears of it itself, also if that takes too long; false if the engine has none. */
  boolean subscribe(EventFeed.Stream stream) {
    if (!(runtime instanceof RuntimeEventSource source)) {
      return false;
    }
    return calls.call("tell its events", deadlines.measure(), () -> {
      stream.opened(source.subscribe(stream));
      return true;
    });
  }

  /** Ends a stream of events, as far as the engine lets it. */
  void unsubscribe(RuntimeEventSource.Subscription subscription) {
    try {
      calls.callEvenIfInterrupted("end its events", deadlines.measure(), () -> {
        subscription.close();
        return true;
      });
    } catch (GcException e) {
      LOG.debug("An event stream could not be ended", e);
    }
  }

  private Duration listDeadline() {
    LastList known = last;
    if (known == null) {
      return deadlines.firstList();
    }
    Duration usual = deadlines.list(known.images());
    return late ? Durations.longer(usual, deadlines.firstList()) : usual;
  }

  RemovalResult remove(Image image) {
    return calls.call(
        "remove image " + Planner.name(image),
        deadlines.removal(),
        () -> runtime.removeImage(image));
  }

  /** Whether the last image list took so long, or is so recent, that a timer should not ask for another one yet. */
  boolean needsRest(int timesItsDuration) {
    LastList known = last;
    return known != null
        && clock.nanoTime() - known.endNanos()
            < known.took().multipliedBy(timesItsDuration).toNanos();
  }

  void close() {
    calls.close();
  }
}
