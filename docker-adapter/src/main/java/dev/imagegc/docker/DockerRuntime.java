/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageLookup;
import dev.imagegc.api.ImagePuller;
import dev.imagegc.api.ImageReference;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.RuntimeEventSource;
import dev.imagegc.api.TimedOutException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * A Docker engine, or Podman through its Docker-compatible service, with API version 1.41 or newer.
 *
 * <pre>{@code
 * try (DockerRuntime docker = DockerRuntime.builder().build()) {
 *   Path images = docker.imageFsPath();
 *   ...
 * }
 * }</pre>
 *
 * <p>Building one connects to nothing. All calls block, each within its own deadline (see {@link Builder}), end with a
 * {@link dev.imagegc.api.CancelledException} when the calling thread is interrupted (the flag stays set), and may be made
 * from several threads at once. When the engine has been away, was restarted or got a new socket, the same object works
 * again. After {@link #close()} every call throws {@link IllegalStateException}.
 *
 * <p>What the engine does in its own way:
 *
 * <ul>
 *   <li>Docker reports no pins. The usual pause images and the image of the container that this process runs in are
 *       pinned by this class; see {@link Builder#pinImages} and {@link Builder#pinOwnImage}.
 *   <li>{@link Image#sizeBytes()} is the engine's {@code Size}: with overlay2 the lengths of all files, shared layers
 *       counted in every image; with the containerd store the compressed blobs and the unpacked snapshots.
 *   <li>{@link Image#layers()} are known with Docker, to within a few filesystem blocks for each layer. The containerd store
 *       tells blobs in its own directory only, which must be at the same path here (see {@link #imageFsPath()}); with overlay2
 *       the directory is needed only for images whose history leaves sizes open. With Podman they are unknown.
 *   <li>A container list does not tell when containers ended, so {@link Container#finishedAt()} is always empty.
 *   <li>An image that is mounted into a container counts as used by it. The engine names such an image by the reference
 *       that was given, which may have moved since. Where it certainly has, because it names no image or one that is
 *       younger than the container, all untagged images count as used; a move that happened before this object first
 *       listed the container, to an older image, cannot be seen.
 *   <li>Events tell of images by a name more often than by an id, and in dialects of their own; see {@link #subscribe}. Docker
 *       drops events without a word for whoever does not read fast enough, so they are read on a thread that does nothing else.
 *   <li>A removal of an image is never forced, and untagged parents of the image are not removed with it (Podman 4 does so all the
 *       same). It needs one request for each name of the image. For an image with several names a moment remains between
 *       looking at a tag and taking it off, in which somebody may move that tag.
 *   <li>The engine's own check for use is not atomic: a container that is created in the very moment of the removal may
 *       slip through.
 * </ul>
 */
public final class DockerRuntime
    implements Runtime,
        ContainerRemover,
        RuntimeEventSource,
        ImageLookup,
        ImagePuller,
        AutoCloseable {
  /** The last quarter of a list's time is for the request that runs then, and for handing the list over. */
  private static final int QUARTERS_FOR_DETAILS = 3;

  private final EngineHttp http;
  private final EngineApi api;
  private final Timeouts timeouts;
  private final Duration pullSilence;
  private final ImageLookups lookups;
  private final Pins pins;
  private final @Nullable OwnContainer ownContainer;
  private final ImageUse use = new ImageUse();
  private final StoppedContainers stopped;
  private final Path containerdRoot;
  private final @Nullable ImageLayers layers;
  private final boolean removeAnonymousVolumes;
  private final ReentrantLock removing = new ReentrantLock(true);
  private volatile @Nullable List<Image> lastListing;
  private volatile ImageFs.@Nullable Place imageFs; // only if proven

  private DockerRuntime(Builder builder) {
    EngineSettings settings = builder.settings();
    this.timeouts = builder.timeouts();
    this.pins = builder.pins;
    this.containerdRoot = builder.containerdRoot;
    this.http = new EngineHttp(settings.host(), settings.tls(), timeouts.connect());
    this.api = new EngineApi(http, timeouts.call());
    this.pullSilence = builder.pullSilence;
    this.lookups = new ImageLookups(api);
    this.stopped = new StoppedContainers(api, builder.timers);
    this.ownContainer = builder.pinOwnImage ? new OwnContainer(api, builder.proc) : null;
    this.removeAnonymousVolumes = builder.removeAnonymousVolumes;
    this.layers = builder.layers ? new ImageLayers(api, new EnginePlaces()) : null;
  }

  /**
   * Starts a runtime for the engine that the environment names ({@code DOCKER_HOST}), or else for {@code
   * unix:///var/run/docker.sock}.
   *
   * @return a builder; not thread-safe
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * {@inheritDoc}
   *
   * <p>For each image that was not listed before, two more requests ask for its layers ({@link Image#layers()}), four images
   * at a time. What cannot be asked within three quarters of the time of the listing is asked by the next one.
   */
  @Override
  public List<Image> listImages() {
    Duration deadline = listDeadline();
    TimeLimit forLayers = forDetails(deadline);
    List<Image> images = listWithoutLayers(deadline);
    if (layers != null) {
      images = layers.addTo(images, forLayers);
      lastListing = images;
    }
    return images;
  }

  private List<Image> listWithoutLayers() {
    return listWithoutLayers(listDeadline());
  }

  private List<Image> listWithoutLayers(Duration deadline) {
    Optional<ImageId> own = ownContainer == null ? Optional.empty() : ownContainer.image();
    // Without all=1 untagged parents are missing, and with them the link from an image to its
    // grandparent.
    List<Image> images = api.read("/images/json?all=1", deadline, ImageListing::parse).stream()
        .map(image -> pinned(image, own))
        .toList();
    lastListing = images;
    ImageFs.Place place = imageFs;
    if (place != null && !place.fits(images)) {
      imageFs = null; // another engine has taken the socket over
    }
    return images;
  }

  private Image pinned(Image image, Optional<ImageId> own) {
    Optional<String> reason = own.filter(image.id()::equals)
        .map(id -> "the container that this process runs in was made from it")
        .or(() -> pins.reason(image));
    return reason.map(because -> image.toBuilder().pinned(because).build()).orElse(image);
  }

  /**
   * {@inheritDoc}
   *
   * <p>Engines list the creation of a container in whole seconds. {@link Container#createdAt()} is the end of that second, so that
   * none looks older than it is; of two of one second nobody knows which is older.
   *
   * <p>A container that Podman calls stopped costs one more request. It is {@link ContainerState#EXITED} if it has no restart
   * policy and has been listed with the same end for a minute; else it may be starting again, and is {@link
   * ContainerState#RESTARTING}.
   */
  @Override
  public List<Container> listContainers() {
    // Whoever asks may wait for as long as the number of containers allows, which may be few.
    TimeLimit forStopped = forDetails(timeouts.list());
    List<ContainerListing.Entry> entries = stopped.resolve(
        api.read("/containers/json?all=1", listDeadline(), ContainerListing::parse), forStopped);
    return use.resolve(entries, this::knownImages);
  }

  private List<Image> knownImages() {
    List<Image> known = lastListing;
    return known == null ? listWithoutLayers() : known;
  }

  private static TimeLimit forDetails(Duration deadline) {
    return TimeLimit.of(deadline.multipliedBy(QUARTERS_FOR_DETAILS).dividedBy(4));
  }

  private Duration listDeadline() {
    List<Image> known = lastListing;
    return known == null
        ? timeouts.firstList()
        : timeouts.list().plus(timeouts.listPerImage().multipliedBy(known.size()));
  }

  /**
   * {@inheritDoc}
   *
   * <p>One removal runs at a time: engines gain nothing from more, and Podman tells several concurrent requests for one
   * image that each has deleted it. A call waits for its turn for as long as a removal request may take.
   */
  @Override
  public RemovalResult removeImage(Image image) {
    Objects.requireNonNull(image, "image");
    String call = "Removing image " + image.id() + " at " + api.host();
    try {
      if (!removing.tryLock(timeouts.removal().toNanos(), TimeUnit.NANOSECONDS)) {
        throw new TimedOutException(call + ": other removals took too long.");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException(call + ": the calling thread was interrupted.", e);
    }
    try {
      return Removal.run(api, timeouts.removal(), image);
    } finally {
      removing.unlock();
    }
  }

  /**
   * {@inheritDoc}
   *
   * <p>One request, and a look-up of the container if the answer leaves open what became of it. Its named volumes stay; for those
   * without a name see {@link Builder#removeAnonymousVolumes}. Whoever asks while Docker removes the container already is
   * told {@link dev.imagegc.api.RemovalOutcome#IN_USE} at once. Podman (4.3) does not refuse to remove a container that it is about to
   * start again; while it may do so, the container {@linkplain #listContainers() is listed} as {@link
   * dev.imagegc.api.ContainerState#RESTARTING}.
   *
   * @throws IllegalArgumentException if the container's id is not a whole one, as engines list them: they would take anything
   *     else for a name, or for the beginning of another id
   */
  @Override
  public RemovalResult removeContainer(Container container) {
    return new ContainerCalls(api, container).remove(timeouts.removal(), removeAnonymousVolumes);
  }

  /**
   * {@inheritDoc}
   *
   * <p>The grace is rounded up to seconds, at most {@link Integer#MAX_VALUE} of them. The call may take that long and, beyond it,
   * the time of a removal. A container that is gone does not run. Podman (4.3) does not stop a paused container. For a moment after
   * this has returned, the list of Docker 26 may still show the container as running; a removal finds it ended.
   *
   * @throws IllegalArgumentException if the container's id is not a whole one, as engines list them, or the grace is negative
   */
  @Override
  public void stopContainer(Container container, Duration grace) {
    new ContainerCalls(api, container).stop(grace, timeouts.removal());
  }

  /**
   * {@inheritDoc}
   *
   * <p>Asks for {@code /info} first, so that the engine can be told from which moment on. Events are told on a thread of the
   * stream. Containers are told with the id of their image: which it is, is asked when they are created, and listed once for those
   * that are there; a container that is gone before it can be asked for is told with the image that its reference stands for by
   * then. Of an image that is mounted into a container no event tells.
   *
   * <p>The stream ends with an {@link dev.imagegc.api.UnreachableException} when the engine goes away, with a {@link
   * dev.imagegc.api.ProtocolException} when it says what is no event, with a {@link TimedOutException} when 10,000 events wait
   * for the listener, and with a {@link CancelledException} when this runtime is closed. What a listener throws is logged, once,
   * and the stream goes on.
   *
   * <p>Podman (4.3) tells its events up to half a second late, may also tell some from just before, tells pulls before it begins
   * them, and does not tell which image was pulled or loaded: for those the reference has to do, if it stands for an image by then.
   */
  @Override
  public Subscription subscribe(RuntimeEventListener listener) {
    return EventStream.open(api, Objects.requireNonNull(listener, "listener"));
  }

  /**
   * {@inheritDoc}
   *
   * <p>A reference with a tag and a digest stands for the digest. No name is ever taken for the beginning of an id, and none
   * without a registry for one of {@code localhost}, as Podman would.
   */
  @Override
  public Optional<Image> findImage(String reference) {
    return lookups.find(ImageLookups.understood(reference));
  }

  @Override
  public Optional<Image> findImage(ImageId id) {
    return lookups.find(Objects.requireNonNull(id, "id"));
  }

  /**
   * {@inheritDoc}
   *
   * <p>Progress is told on the calling thread; what {@code progress} throws is logged, once. Only bytes of layers whose size the
   * engine tells while it downloads them are counted. A pull may take as long as it likes while it moves; see {@link
   * Builder#pullSilence}. When it is interrupted or given up, its connection is closed, which makes the engine stop unless
   * somebody else waits for the same image.
   *
   * <p>Credentials go to the engine with this one request, over the connection that was configured: a {@code tcp://} without TLS
   * shows them to the network. The HTTP client is kept from logging them, and they are taken out of what the engine says.
   */
  @Override
  public void pull(
      String reference,
      Optional<RegistryCredentials> credentials,
      Consumer<PullProgress> progress) {
    ImageReference understood = ImageLookups.understood(reference);
    RegistryAuth auth = RegistryAuth.of(understood.registry(), credentials);
    Objects.requireNonNull(progress, "progress");
    new Pull(api, pullSilence, understood, auth, progress).run();
  }

  /**
   * Returns the directory of the filesystem that holds the engine's images, for measuring it: the engine's data
   * directory, or containerd's where the engine keeps its images in containerd.
   *
   * <p>The engine tells that path as it sees it itself. So this method also makes sure that the path here is the same
   * place: the engine's images must be there ({@code image/<driver>/imagedb} with overlay2, content blobs with the
   * containerd store, {@code overlay-images} with Podman), and so must be the engine's own id if it keeps that in a file.
   * While the engine has no image at all, the layout of the directory has to do; nothing could be collected then.
   *
   * <p>Asks for {@code /info} and, if the engine keeps no id in its directory, for a few of the images that are there; lists
   * the images only if there are none, or containerd is not the engine's own. A place that is proven is remembered, so that
   * further calls ask nothing, until a listing of images contradicts it.
   *
   * @return an existing directory
   * @throws dev.imagegc.api.UnreachableException if the engine is on another machine, or there is no such path here, or
   *     it is not this engine's
   * @throws dev.imagegc.api.AccessDeniedException if this process may not look into it
   * @throws GcException if the engine cannot be asked
   */
  public Path imageFsPath() {
    ImageFs.Place known = imageFs;
    if (known == null) {
      known = new ImageFs(api, containerdRoot).locate(this::listWithoutLayers);
      imageFs = known.proven() ? known : null;
    }
    return known.path();
  }

  /**
   * Returns a measure of the filesystem of a Podman that may be on another machine: Podman tells the numbers itself. No other engine
   * does.
   *
   * <p>Each measurement asks for libpod's {@code info}, which takes Podman 4.3 some 130 ms. The numbers are those of the directory of
   * its storage ({@code graphRoot}), for images and writable layers alike; with a separate {@code imagestore} in its configuration
   * the images are elsewhere, and these numbers are of no use. Unlike in a local measurement, space that is reserved for root
   * counts as available. Numbers that Podman does not tell are unknown, and so are inodes and the root filesystem; impossible ones
   * are a {@link dev.imagegc.api.ProtocolException}. So is an engine that is not Podman.
   *
   * @param clock tells when it was measured, for instance {@code SystemGcClock.instance()}
   * @return the measure, for as long as this runtime is not closed
   */
  public FsStatsProvider podmanFsStats(InstantSource clock) {
    return new PodmanFs(api, Objects.requireNonNull(clock, "clock"));
  }

  /**
   * Ends running calls, pulls and streams of events with {@link dev.imagegc.api.CancelledException} and closes their
   * connections. Does not wait, and does nothing if it was called before.
   */
  @Override
  public void close() {
    http.close();
  }

  /** Returns a name of this runtime for people, with the host. */
  @Override
  public String toString() {
    return "DockerRuntime[" + api.host() + "]";
  }

  /** The engine's directory, for what its answers do not tell of layers. */
  private final class EnginePlaces implements ImageLayers.Places {
    @Override
    public ImageFs.@Nullable Place known() {
      return imageFs;
    }

    @Override
    public ImageFs.@Nullable Place find(List<Image> images, Duration limit) {
      try {
        ImageFs.Place found = new ImageFs(api.within(limit), containerdRoot).locate(() -> images);
        if (!found.proven()) {
          return null;
        }
        imageFs = found;
        return found;
      } catch (CancelledException e) {
        throw e;
      } catch (GcException e) {
        return null; // what is not at hand cannot be read
      }
    }
  }

  /** An engine's address, with what is needed to talk to it. */
  private record EngineSettings(EngineHost host, @Nullable SSLContext tls) {}

  /**
   * Builds a {@link DockerRuntime}. Not thread-safe.
   *
   * <p>All durations must be positive. A call may take the time to connect and, from there to the last byte of the
   * answer, the time of its kind.
   */
  public static final class Builder {
    private static final String DEFAULT_HOST = "unix:///var/run/docker.sock";
    private static final Duration MAX_DURATION = Duration.ofDays(1);

    private Map<String, String> environment = System.getenv();
    private @Nullable String host;
    private @Nullable Path tlsDirectory;
    private Duration connectTimeout = Duration.ofSeconds(2);
    private Duration firstListTimeout = Duration.ofMinutes(2);
    private Duration listTimeout = Duration.ofSeconds(10);
    private Duration listTimeoutPerImage = Duration.ofMillis(20);
    private Duration removalTimeout = Duration.ofMinutes(2);
    private Duration callTimeout = Duration.ofSeconds(10);
    private Duration pullSilence = Duration.ofMinutes(5);
    private Pins pins = Pins.of(Pins.DEFAULT);
    private boolean pinOwnImage = true;
    private boolean layers = true;
    private boolean removeAnonymousVolumes;
    private Path proc = Path.of("/proc");
    private Function<Duration, BooleanSupplier> timers = time -> TimeLimit.of(time)::isOver;
    private Path containerdRoot = Path.of("/var/lib/containerd");

    private Builder() {}

    /**
     * Sets where the engine listens: {@code unix:///path}, an absolute path of a unix socket, {@code tcp://host:port},
     * {@code http://host:port} or {@code https://host:port}. Without a port it is 2375, or 2376 with TLS. {@code tcp://}
     * is with TLS if certificates are configured.
     *
     * <p>By default it is {@code DOCKER_HOST} of the environment, or else {@code unix:///var/run/docker.sock}. Docker's
     * contexts are not read.
     *
     * @param newHost the host; checked by {@link #build()}
     * @return this builder
     */
    public Builder host(String newHost) {
      host = Objects.requireNonNull(newHost, "newHost");
      return this;
    }

    /**
     * Sets the directory of {@code ca.pem}, {@code cert.pem} and {@code key.pem} (PKCS#8, or PKCS#1 for RSA) for TLS. The
     * engine's certificate and host name are always verified.
     *
     * <p>By default it is {@code DOCKER_CERT_PATH} of the environment, or {@code .docker} in {@code HOME} if only {@code
     * DOCKER_TLS_VERIFY} is set; otherwise {@code tcp://} is without TLS, and {@code https://} trusts what this Java
     * trusts.
     *
     * @param directory the directory; read by {@link #build()}
     * @return this builder
     */
    public Builder tls(Path directory) {
      tlsDirectory = Objects.requireNonNull(directory, "directory");
      return this;
    }

    /**
     * Sets the variables to use instead of those of this process. With an empty map no variable counts.
     *
     * @param variables the variables
     * @return this builder
     */
    public Builder environment(Map<String, String> variables) {
      environment = Map.copyOf(variables);
      return this;
    }

    /**
     * Sets how long connecting may take, TLS included; 2 s by default.
     *
     * @param limit the limit
     * @return this builder
     */
    public Builder connectTimeout(Duration limit) {
      check("connectTimeout", limit);
      connectTimeout = limit;
      return this;
    }

    /**
     * Sets how long a list of images or containers may take: {@code first} (120 s by default) until the images have been
     * listed once, and from then on {@code base} (10 s) and {@code perImage} (20 ms) for each image of the last listing.
     * A list that fails because an image
     * went meanwhile is asked for again, each time with this limit.
     * With the containerd store an image takes an engine 4 to 8 ms.
     *
     * @param first the limit before the number of images is known
     * @param base the limit for an engine without images
     * @param perImage what each image adds
     * @return this builder
     */
    public Builder listTimeout(Duration first, Duration base, Duration perImage) {
      check("listTimeout first", first);
      check("listTimeout base", base);
      check("listTimeout perImage", perImage);
      firstListTimeout = first;
      listTimeout = base;
      listTimeoutPerImage = perImage;
      return this;
    }

    /**
     * Sets how long each request of a removal may take, and a stop of a container beyond its grace; 120 s by default.
     *
     * @param limit the limit
     * @return this builder
     */
    public Builder removalTimeout(Duration limit) {
      check("removalTimeout", limit);
      removalTimeout = limit;
      return this;
    }

    /**
     * Sets how long every other call may take; 10 s by default.
     *
     * @param limit the limit
     * @return this builder
     */
    public Builder callTimeout(Duration limit) {
      check("callTimeout", limit);
      callTimeout = limit;
      return this;
    }

    /**
     * Sets how long a pull may go without a word of the engine; 5 minutes by default. Engines are silent while they ask the
     * registry, and Docker with the containerd store also while it unpacks.
     *
     * @param limit the limit
     * @return this builder
     */
    public Builder pullSilence(Duration limit) {
      check("pullSilence", limit);
      pullSilence = limit;
      return this;
    }

    /**
     * Sets the images that are pinned, replacing the defaults: the pause images of Kubernetes and its usual
     * distributions.
     *
     * @param images repositories (which mean all of their tags and digests), references, or ids of at least 12 digits; no
     *     wildcards. Short and full forms are the same: {@code nginx} is {@code docker.io/library/nginx}.
     * @return this builder
     */
    public Builder pinImages(Collection<String> images) {
      pins = Pins.of(images);
      return this;
    }

    /**
     * Sets whether the image of the container that this process runs in is pinned; true by default. Costs a request for
     * that container before the first listing, if this process seems to run in one.
     *
     * @param pin whether to pin it
     * @return this builder
     */
    public Builder pinOwnImage(boolean pin) {
      pinOwnImage = pin;
      return this;
    }

    /**
     * Sets whether {@link DockerRuntime#listImages} asks for the layers of images; true by default. Costs two requests for
     * every image that was not listed before. Without layers, what a removal frees is estimated from the sizes of whole images.
     *
     * @param ask whether to ask for them
     * @return this builder
     */
    public Builder layers(boolean ask) {
      layers = ask;
      return this;
    }

    /**
     * Sets whether {@link DockerRuntime#removeContainer} removes the volumes without a name that the engine made for the
     * container, as {@code docker rm --volumes} does; false by default. What is in them is lost with them, also a database that
     * nobody gave a name. Left alone, they stay on the disk when their container is gone.
     *
     * @param remove whether to remove them
     * @return this builder
     */
    public Builder removeAnonymousVolumes(boolean remove) {
      removeAnonymousVolumes = remove;
      return this;
    }

    Builder timers(Function<Duration, BooleanSupplier> newTimers) {
      timers = newTimers;
      return this;
    }

    Builder proc(Path path) {
      proc = path;
      return this;
    }

    Builder containerdRoot(Path path) {
      containerdRoot = path;
      return this;
    }

    /**
     * Returns the runtime. Reads the TLS files, but connects to nothing.
     *
     * @return a runtime; close it after use
     * @throws IllegalArgumentException if the host or a TLS file is not usable
     */
    public DockerRuntime build() {
      return new DockerRuntime(this);
    }

    private Timeouts timeouts() {
      return new Timeouts(
          connectTimeout,
          firstListTimeout,
          listTimeout,
          listTimeoutPerImage,
          removalTimeout,
          callTimeout);
    }

    private EngineSettings settings() {
      Path directory = tlsDirectory == null ? tlsOfEnvironment() : tlsDirectory;
      String fromEnvironment = variable("DOCKER_HOST");
      EngineHost engine;
      if (host != null) {
        engine = EngineHost.parse("host", host, directory != null);
      } else if (!fromEnvironment.isEmpty()) {
        engine = EngineHost.parse("DOCKER_HOST", fromEnvironment, directory != null);
      } else {
        engine = EngineHost.parse("host", DEFAULT_HOST, false);
      }
      return new EngineSettings(
          engine, engine.tls() && directory != null ? TlsFiles.load(directory) : null);
    }

    private @Nullable Path tlsOfEnvironment() {
      String path = variable("DOCKER_CERT_PATH");
      if (!path.isEmpty()) {
        return Path.of(path);
      }
      return variable("DOCKER_TLS_VERIFY").isEmpty() ? null : Path.of(variable("HOME"), ".docker");
    }

    private String variable(String name) {
      return environment.getOrDefault(name, "").trim();
    }

    private static void check(String field, Duration limit) {
      if (limit.isNegative() || limit.isZero() || limit.compareTo(MAX_DURATION) > 0) {
        throw new IllegalArgumentException(
            field + " must be longer than 0 and at most 24 hours, but is " + limit);
      }
    }
  }
}
