/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageLookup;
import dev.imagegc.api.ImagePuller;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.RuntimeEventSource;
import dev.imagegc.api.UnreachableException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A node without a machine: its disk or disks, the images and containers on them, and a clock, in one consistent state. {@link
 * #runtime()} and {@link #fsStats()} show it to a collector; the other methods are what the rest of the world does to it, of which
 * {@link #events()} tells, and what it can pull from {@link #registry()}.
 *
 * <pre>{@code
 * FakeNode node = FakeNode.withDisk(1000);
 * node.image("app").tag("app:1").layer("base", 300).layer("app", 100).add();
 * node.image("web").tag("web:1").layer("base", 300).layer("web", 50).add();
 * node.run("c1", "web");
 * node.fillTo(90);
 * }</pre>
 *
 * <p>Layers of one name are stored once, so removing "app" above frees 100 bytes. The listing tells them. Containers hold
 * the layers of their images, also when an image is deleted by force. The engine behaves like Docker with overlay2: it
 * refuses to remove an image that a container in any state holds or that another image is built on, and deletes an untagged
 * parent with its last child. Listings are in the order in which things were added.
 *
 * <p>Images and what containers write are on one disk, and nothing is known of the node's root filesystem, unless {@link
 * #withOneDisk}, {@link #withDedicatedImageFs} or {@link #withSplitImageFs} says otherwise. A disk counts bytes, and
 * inodes once {@link FakeDisk#inodes} has given it some; what takes them says so ({@link ImageSpec#inodes}, {@link
 * ContainerSpec#inodes}, {@link FakeDisk#otherInodes}).
 *
 * <p>Ids are compared as {@link ImageId} does: without a "sha256:" prefix. Methods throw {@link IllegalArgumentException} for
 * an image or container that is not there, or that would not fit on the disk. Thread-safe.
 */
public final class FakeNode {
  /** A call that the node answers. */
  public enum Operation {
    /** {@link Runtime#listImages()}. */
    LIST_IMAGES,
    /** {@link Runtime#listContainers()}. */
    LIST_CONTAINERS,
    /** {@link Runtime#removeImage(Image)}. */
    REMOVE_IMAGE,
    /** {@link FsStatsProvider#imageFs()}. */
    MEASURE,
    /** {@link FsStatsProvider#rootFs()}. */
    MEASURE_ROOT,
    /** {@link FsStatsProvider#containerFs()}. */
    MEASURE_CONTAINERS,
    /** {@link RuntimeEventSource#subscribe(RuntimeEventListener)}. */
    SUBSCRIBE,
    /** {@link ImageLookup#findImage(String)} and {@link ImageLookup#findImage(ImageId)}. */
    LOOK_UP,
    /** {@link ImagePuller#pull}. */
    PULL,
    /** {@link ContainerRemover#removeContainer(Container)}. */
    REMOVE_CONTAINER,
    /** {@link ContainerRemover#stopContainer(Container, Duration)}. */
    STOP_CONTAINER;

    /** Whether it is answered without the engine. */
    boolean isOfADisk() {
      return this == MEASURE || this == MEASURE_ROOT || this == MEASURE_CONTAINERS;
    }
  }

  private final Object lock = new Object();
  private final NodeState state;
  private final TestClock clock;
  private final Faults faults;
  private final List<Call> calls = new ArrayList<>();
  private final FakeEvents events = new FakeEvents(this);
  private final FakeRegistry registry = new FakeRegistry(this);
  private final AbleRuntime runtime = new AbleRuntime();
  private final Runtime plainRuntime = new PlainRuntime();
  private final FsStatsProvider fsStats = new Measure();
  private final FakeDisk imageDisk = disk(NodeState::imageDisk);
  private boolean stopped;
  private volatile @Nullable Duration freesAfter;

  private FakeNode(long capacityBytes, TestClock clock) {
    this.state = new NodeState(capacityBytes, events::happened);
    this.clock = Objects.requireNonNull(clock, "clock");
    this.faults = new Faults(clock, this::healOthers);
  }

  private void healOthers() {
    registry.heal();
    events.heal();
  }

  /**
   * Creates an empty node with a clock of its own.
   *
   * @param capacityBytes the size of its disk, at least 0
   * @return the node
   */
  public static FakeNode withDisk(long capacityBytes) {
    return withDisk(capacityBytes, new TestClock());
  }

  /**
   * Creates an empty node.
   *
   * @param capacityBytes the size of its disk, at least 0
   * @param clock its clock, for instance that of another node
   * @return the node
   */
  public static FakeNode withDisk(long capacityBytes, TestClock clock) {
    return new FakeNode(capacityBytes, clock);
  }

  /**
   * Makes this a node with one disk, as most are: its root filesystem, the images and what containers write are on it.
   *
   * @return this node
   */
  public FakeNode withOneDisk() {
    synchronized (lock) {
      state.oneDisk();
    }
    return this;
  }

  /**
   * Makes this a node with a dedicated filesystem for images: the disk that it was created with holds images and what containers
   * write, and a second one is the root filesystem. This is a setting of the whole test: data on an earlier root disk is lost.
   *
   * @param rootCapacityBytes the size of the second disk, at least 0
   * @return this node
   */
  public FakeNode withDedicatedImageFs(long rootCapacityBytes) {
    synchronized (lock) {
      state.ownRootDisk(rootCapacityBytes, false);
    }
    return this;
  }

  /**
   * Makes this a node with a split filesystem for images: the disk that it was created with holds images only, and a second
   * one, the root filesystem, holds what containers write as well. This is a setting of the whole test: data on an earlier root
   * disk is lost.
   *
   * @param rootCapacityBytes the size of the second disk, at least 0
   * @return this node
   */
  public FakeNode withSplitImageFs(long rootCapacityBytes) {
    synchronized (lock) {
      state.ownRootDisk(rootCapacityBytes, true);
    }
    return this;
  }

  /**
   * Returns the node's clock.
   *
   * @return the clock
   */
  public TestClock clock() {
    return clock;
  }

  /**
   * Returns the node's container engine. It has every optional ability: it is a {@link RuntimeEventSource}, an {@link
   * ImageLookup}, an {@link ImagePuller} and a {@link ContainerRemover} as well.
   *
   * @return the engine; always the same object
   */
  public Runtime runtime() {
    return runtime;
  }

  /**
   * Returns the node's container engine as one without any optional ability.
   *
   * @return the engine; always the same object
   */
  public Runtime plainRuntime() {
    return plainRuntime;
  }

  /**
   * Returns the events of the node's container engine, and what goes wrong with them. {@link #runtime()} tells the same.
   *
   * @return the events
   */
  public FakeEvents events() {
    return events;
  }

  /**
   * Returns {@link #runtime()} as what it is as well.
   *
   * @return the look-up of images
   */
  public ImageLookup lookup() {
    return runtime;
  }

  /**
   * Returns {@link #runtime()} as what it is as well.
   *
   * @return what pulls from {@link #registry()}
   */
  public ImagePuller puller() {
    return runtime;
  }

  /**
   * Returns what can be pulled, and what goes wrong with that: nothing, until a test puts images there.
   *
   * @return the registry
   */
  public FakeRegistry registry() {
    return registry;
  }

  /**
   * Returns the measure of the node's disks. The path of the image filesystem is "/fake/images", that of the root filesystem
   * "/fake/root" and that of containers "/fake/containers"; two of them on one disk have the same device.
   *
   * @return the measure; always the same object. It knows the image filesystem only, unless the test has said what the others
   *     are
   */
  public FsStatsProvider fsStats() {
    return fsStats;
  }

  /**
   * Returns what goes wrong on this node: nothing, until a test scripts it.
   *
   * @return the script
   */
  public Faults faults() {
    return faults;
  }

  // What others do to the images

  /**
   * Starts to describe an image; {@link ImageSpec#add} puts it on the node.
   *
   * @param id its id, not blank
   * @return an image without names and layers
   */
  public ImageSpec image(String id) {
    return new ImageSpec(this::add, id);
  }

  private FakeNode add(ImageSpec spec) {
    change(() -> state.add(spec));
    return this;
  }

  /**
   * Gives an image one more tag, and takes it from the image that had it.
   *
   * @param imageId the image
   * @param reference the tag
   */
  public void tag(String imageId, String reference) {
    change(() -> state.tag(ImageId.of(imageId), reference));
  }

  /**
   * Takes a tag or a digest reference from the image that has it.
   *
   * @param reference the tag or digest reference
   */
  public void untag(String reference) {
    change(() -> state.untag(reference));
  }

  /**
   * Deletes an image as somebody else may do by force: also if it is in use or has children. Containers keep its layers.
   *
   * @param imageId the image
   */
  public void deleteImage(String imageId) {
    change(() -> state.delete(ImageId.of(imageId), null));
  }

  // What others do with containers

  /**
   * Starts to describe a container; {@link ContainerSpec#add} puts it on the node.
   *
   * @param id its id, not blank
   * @return a running container without an image
   */
  public ContainerSpec container(String id) {
    return new ContainerSpec(this, id);
  }

  FakeNode add(ContainerSpec spec) {
    change(() -> state.add(spec, clock.instant()));
    return this;
  }

  /**
   * Creates a running container.
   *
   * @param containerId its id
   * @param imageId its image
   */
  public void run(String containerId, String imageId) {
    container(containerId).image(imageId).state(ContainerState.RUNNING).add();
  }

  /**
   * Starts a container that was created only, or has ended. One that runs goes on.
   *
   * @param containerId the container
   */
  public void start(String containerId) {
    change(() -> state.start(containerId));
  }

  /**
   * Ends a container now; it goes on holding its images.
   *
   * @param containerId the container
   */
  public void exit(String containerId) {
    change(() -> state.exit(containerId, clock.instant()));
  }

  /**
   * Removes a container, whatever its state.
   *
   * @param containerId the container
   */
  public void removeContainer(String containerId) {
    change(() -> state.removeContainer(containerId));
  }

  // The engine

  /**
   * Stops the container engine: from now on every call to it fails with an {@link UnreachableException}, also those that hang
   * now, and all streams of events end. Images and containers stay, and the world may change them; the disk is still
   * measured.
   */
  public void stopEngine() {
    synchronized (lock) {
      stopped = true;
      events.end(engineIsStopped());
    }
    events.deliver();
    faults.releaseEngine();
  }

  /** Starts the container engine again. Nobody is told what happened in between. */
  public void startEngine() {
    synchronized (lock) {
      stopped = false;
    }
  }

  private static UnreachableException engineIsStopped() {
    return new UnreachableException("the engine of the fake node is stopped");
  }

  // The disk

  /**
   * Returns the disk that the node was created with.
   *
   * @return the disk with the images; always the same object
   */
  public FakeDisk imageDisk() {
    return imageDisk;
  }

  /**
   * Returns the disk with the node's root filesystem, which may be that with the images.
   *
   * @return the disk as it is laid out when the returned object is used
   * @throws IllegalStateException if nothing is known of the root filesystem
   */
  public FakeDisk rootDisk() {
    synchronized (lock) {
      rootOf(state);
    }
    return disk(FakeNode::rootOf);
  }

  private static DiskState rootOf(NodeState state) {
    return state
        .rootDisk()
        .orElseThrow(() -> new IllegalStateException(
            "nothing is known of the fake node's root filesystem: first call withOneDisk,"
                + " withDedicatedImageFs or withSplitImageFs"));
  }

  private FakeDisk disk(Function<NodeState, DiskState> which) {
    return new FakeDisk(lock, () -> {
      state.dropLingering(now());
      return which.apply(state);
    });
  }

  /**
   * Sets how much of the disk with the images other data takes up.
   *
   * @param bytes how much, at least 0
   */
  public void otherData(long bytes) {
    imageDisk.otherData(bytes);
  }

  /**
   * Writes other data to the disk with the images, or deletes it.
   *
   * @param bytes how much more other data there is; negative for less
   */
  public void writeOtherData(long bytes) {
    imageDisk.writeOtherData(bytes);
  }

  /**
   * Does what {@link FakeDisk#fillTo} does, to the disk with the images.
   *
   * @param percent the share, 0 to 100 and not less than what is used without other data
   */
  public void fillTo(int percent) {
    imageDisk.fillTo(percent);
  }

  /**
   * Changes the size of the disk with the images. It may become smaller than what is on it; nothing is available then.
   *
   * @param bytes the new size, at least 0
   */
  public void capacity(long bytes) {
    imageDisk.capacity(bytes);
  }

  /**
   * Makes the engine one that is known to free late: {@link Runtime#freesSpaceLater()} is true from now on, and the space of
   * each image and container that it removes comes back when this much time of the clock has passed.
   *
   * @param delay zero or more
   */
  public void freesSpaceAfter(Duration delay) {
    if (delay.isNegative()) {
      throw new IllegalArgumentException("delay must not be negative, but is " + delay);
    }
    freesAfter = delay;
  }

  /** Gives back the space of what was removed under {@link Faults#freeLater}. */
  public void settle() {
    synchronized (lock) {
      state.dropLingering(Instant.MAX);
    }
  }

  // What a test looks at

  /**
   * Returns how much of the disk with the images is used: every layer once, what containers have written unless that is
   * elsewhere, other data, and what {@link Faults#freeLater} holds back.
   *
   * @return bytes
   */
  public long usedBytes() {
    return imageDisk.usedBytes();
  }

  /**
   * Returns how much of the disk with the images is free, whatever the measure is made to say.
   *
   * @return bytes, at least 0
   */
  public long availableBytes() {
    return imageDisk.availableBytes();
  }

  /**
   * Returns the ids of all images.
   *
   * @return the ids in the order in which the images were added
   */
  public List<String> imageIds() {
    synchronized (lock) {
      return texts(state.imageIds());
    }
  }

  /**
   * Returns the ids of all containers.
   *
   * @return the ids in the order in which the containers were added
   */
  public List<String> containerIds() {
    synchronized (lock) {
      return state.containerIds();
    }
  }

  /**
   * Returns whether an image is on the node.
   *
   * @param imageId the image
   * @return whether it is there
   */
  public boolean hasImage(String imageId) {
    synchronized (lock) {
      return state.has(ImageId.of(imageId));
    }
  }

  /**
   * Returns the names of an image.
   *
   * @param imageId the image
   * @return its tags, then its digest references
   */
  public List<String> references(String imageId) {
    synchronized (lock) {
      return List.copyOf(state.references(ImageId.of(imageId)));
    }
  }

  /**
   * Returns all calls that have reached the node, those that failed or hang included.
   *
   * @return the calls so far, the oldest first
   */
  public List<Call> calls() {
    synchronized (lock) {
      return List.copyOf(calls);
    }
  }

  /**
   * Returns how many calls of one kind have reached the node.
   *
   * @param operation the kind
   * @return the number so far
   */
  public int calls(Operation operation) {
    return (int) calls().stream().filter(call -> call.operation() == operation).count();
  }

  /**
   * Returns the images that the engine was asked to remove, whatever came of it.
   *
   * @return an id for each such call, the oldest first
   */
  public List<String> removalsAsked() {
    return texts(calls().stream()
        .filter(call -> call.operation() == Operation.REMOVE_IMAGE)
        .flatMap(call -> call.image().stream())
        .toList());
  }

  /**
   * Returns the containers that the engine was asked to remove, whatever came of it.
   *
   * @return an id for each such call, the oldest first
   */
  public List<String> containerRemovalsAsked() {
    return calls().stream()
        .filter(call -> call.operation() == Operation.REMOVE_CONTAINER)
        .flatMap(call -> call.container().stream())
        .toList();
  }

  private static List<String> texts(List<ImageId> ids) {
    return ids.stream().map(ImageId::text).toList();
  }

  // Calls

  private void change(Runnable effect) {
    synchronized (lock) {
      effect.run();
    }
    events.deliver();
  }

  private <T> T answer(Call call, Supplier<T> effect) {
    Operation operation = call.operation();
    begin(call);
    T answer;
    synchronized (lock) {
      refuseIfStopped(operation);
      state.dropLingering(now());
      answer = effect.get();
    }
    events.deliver();
    faults.after(operation);
    return answer;
  }

  private void begin(Call call) {
    synchronized (lock) {
      calls.add(call);
      refuseIfStopped(call.operation());
    }
    faults.before(call.operation());
  }

  private void pull(
      String reference,
      Optional<RegistryCredentials> credentials,
      Consumer<PullProgress> progress) {
    ImageName.check(reference);
    Objects.requireNonNull(progress, "progress");
    begin(Call.to(Operation.PULL, reference));
    pullStep(unused -> {}); // the engine may have stopped meanwhile
    new Transfer(this, reference, registry.open(reference, credentials), progress).run();
    faults.after(Operation.PULL);
  }

  /** Does a part of a pull that nobody sees the middle of. */
  void pullStep(Consumer<NodeState> effect) {
    if (Thread.currentThread().isInterrupted()) {
      throw new CancelledException("the thread was interrupted while it pulled an image");
    }
    change(() -> {
      refuseIfStopped(Operation.PULL);
      state.dropLingering(now());
      effect.accept(state);
    });
  }

  /** Tidies up after a pull, however it ended. */
  void afterPull(Consumer<NodeState> effect) {
    change(() -> effect.accept(state));
  }

  private void refuseIfStopped(Operation operation) {
    if (stopped && !operation.isOfADisk()) {
      throw engineIsStopped();
    }
  }

  RuntimeEventSource.Subscription subscribe(Supplier<RuntimeEventSource.Subscription> effect) {
    return answer(Call.to(Operation.SUBSCRIBE), effect);
  }

  private RemovalResult remove(ImageId id) {
    return faults.removal(id).orElseGet(() -> state.remove(id, lingersUntil()));
  }

  /** When the space of what is removed now comes back; null if at once. */
  private @Nullable Instant lingersUntil() {
    if (faults.freesLater()) {
      return Instant.MAX;
    }
    Duration delay = freesAfter;
    return delay == null ? null : now().plus(delay);
  }

  /** A time that does not jump with the wall clock. */
  private Instant now() {
    return Instant.EPOCH.plusNanos(clock.nanoTime());
  }

  /** A call that has reached a {@link FakeNode}. */
  public static final class Call {
    private final Operation operation;
    private final @Nullable ImageId image;
    private final @Nullable String reference;
    private final @Nullable String container;

    private Call(
        Operation operation,
        @Nullable ImageId image,
        @Nullable String reference,
        @Nullable String container) {
      this.operation = operation;
      this.image = image;
      this.reference = reference;
      this.container = container;
    }

    private static Call to(Operation operation) {
      return new Call(operation, null, null, null);
    }

    private static Call to(Operation operation, ImageId image) {
      return new Call(operation, image, null, null);
    }

    private static Call to(Operation operation, String reference) {
      return new Call(operation, null, Objects.requireNonNull(reference, "reference"), null);
    }

    private static Call to(Operation operation, Container container) {
      return new Call(operation, null, null, container.id());
    }

    /**
     * Returns what was asked.
     *
     * @return the kind of call
     */
    public Operation operation() {
      return operation;
    }

    /**
     * Returns the image that was to be removed or looked up.
     *
     * @return its id, or empty if the call names none
     */
    public Optional<ImageId> image() {
      return Optional.ofNullable(image);
    }

    /**
     * Returns the name that was to be looked up or pulled.
     *
     * @return the name as the caller wrote it, or empty if the call has none
     */
    public Optional<String> reference() {
      return Optional.ofNullable(reference);
    }

    /**
     * Returns the container that was to be removed or stopped.
     *
     * @return its id, or empty if the call names none
     */
    public Optional<String> container() {
      return Optional.ofNullable(container);
    }

    /** Returns for instance "REMOVE_IMAGE app". */
    @Override
    public String toString() {
      return operation
          + (image == null ? "" : " " + image)
          + (reference == null ? "" : " " + reference)
          + (container == null ? "" : " " + container);
    }
  }

  private final class Measure implements FsStatsProvider {
    @Override
    public FsStats imageFs() {
      FsStats truth = answer(
          Call.to(Operation.MEASURE),
          () -> state.imageDisk().measure("/fake/images", clock.instant()));
      return faults.measure(NodeFs.IMAGEFS, truth);
    }

    @Override
    public Optional<FsStats> rootFs() {
      return answer(
              Call.to(Operation.MEASURE_ROOT),
              () -> state.rootDisk().map(disk -> disk.measure("/fake/root", clock.instant())))
          .map(truth -> faults.measure(NodeFs.NODEFS, truth));
    }

    @Override
    public Optional<FsStats> containerFs() {
      return answer(
              Call.to(Operation.MEASURE_CONTAINERS),
              () -> state
                  .rootDisk()
                  .map(
                      unused -> state.containerDisk().measure("/fake/containers", clock.instant())))
          .map(truth -> faults.measure(NodeFs.CONTAINERFS, truth));
    }
  }

  private class PlainRuntime implements Runtime {
    @Override
    public List<Image> listImages() {
      return answer(Call.to(Operation.LIST_IMAGES), () -> faults.order(state.listImages()));
    }

    @Override
    public List<Container> listContainers() {
      return answer(Call.to(Operation.LIST_CONTAINERS), () -> faults.order(state.listContainers()));
    }

    @Override
    public boolean freesSpaceLater() {
      return freesAfter != null;
    }

    @Override
    public RemovalResult removeImage(Image image) {
      return answer(Call.to(Operation.REMOVE_IMAGE, image.id()), () -> remove(image.id()));
    }
  }

  private final class AbleRuntime extends PlainRuntime
      implements RuntimeEventSource, ImageLookup, ImagePuller, ContainerRemover {
    @Override
    public Subscription subscribe(RuntimeEventListener listener) {
      return events.subscribe(listener);
    }

    @Override
    public Optional<Image> findImage(String reference) {
      ImageName.check(reference);
      return answer(Call.to(Operation.LOOK_UP, reference), () -> state.findImage(reference));
    }

    @Override
    public Optional<Image> findImage(ImageId id) {
      return answer(Call.to(Operation.LOOK_UP, id), () -> state.findImage(id));
    }

    @Override
    public void pull(
        String reference,
        Optional<RegistryCredentials> credentials,
        Consumer<PullProgress> progress) {
      FakeNode.this.pull(reference, credentials, progress);
    }

    @Override
    public RemovalResult removeContainer(Container container) {
      String id = container.id();
      return answer(
          Call.to(Operation.REMOVE_CONTAINER, container),
          () -> faults.containerRemoval(id).orElseGet(() -> state.removeDead(id, lingersUntil())));
    }

    @Override
    public void stopContainer(Container container, Duration grace) {
      answer(Call.to(Operation.STOP_CONTAINER, container), () -> {
        state.stop(container.id(), clock.instant());
        return true;
      });
    }
  }
}
