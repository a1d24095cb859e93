/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.api.Container;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.TimedOutException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The host's {@link Runtime} with a deadline on every call. Thread-safe. */
final class Engine {
  private final Runtime runtime;
  private final BoundedCalls calls;
  private final Deadlines deadlines;
  private final GcClock clock;
  private volatile int lastCount = -1;
  private volatile boolean lastListWasLate;
  private volatile Duration lastDuration = Duration.ZERO;
  private volatile long lastEnd;

  Engine(Runtime runtime, Deadlines deadlines, GcClock clock) {
    this.runtime = runtime;
    this.calls = new BoundedCalls("the engine", clock, ProtocolException::new);
    this.deadlines = deadlines;
    this.clock = clock;
  }

  /** Lists images and then containers: an image pulled in between is not considered, a container is seen. */
  NodeView observe() {
    List<Image> images = listImages();
    return NodeView.of(images, listContainers());
  }

  List<Image> listImages() {
    long start = clock.nanoTime();
    List<Image> images;
    try {
      images = calls.call("list images", listDeadline(), () -> List.copyOf(runtime.listImages()));
    } catch (TimedOutException e) {
      lastListWasLate = true; // there may be many more images than last time
      throw e;
    }
    lastListWasLate = false;
    lastEnd = clock.nanoTime();
    lastDuration = Duration.ofNanos(lastEnd - start);
    lastCount = images.size();
    return images;
  }

  /** Asks who uses what, right now. */
  Map<ImageId, Container> users() {
    return NodeView.usersOf(listContainers());
  }

  private List<Container> listContainers() {
    return calls.call(
        "list containers", listDeadline(), () -> List.copyOf(runtime.listContainers()));
  }

  private Duration listDeadline() {
    Duration usual = deadlines.list(lastCount);
    Duration first = deadlines.list(-1);
    return lastListWasLate && usual.compareTo(first) < 0 ? first : usual;
  }

  RemovalResult remove(Image image) {
    return calls.call(
        "remove image " + Planner.name(image),
        deadlines.removal(),
        () -> runtime.removeImage(image));
  }

  /** Whether the last image list took so long, or is so recent, that a timer should not ask for another one yet. */
  boolean needsRest(int timesItsDuration) {
    return lastCount >= 0
        && clock.nanoTime() - lastEnd
            < lastDuration.multipliedBy(timesItsDuration).toNanos();
  }

  void close() {
    calls.close();
  }
}
