/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.BusyException;
import dev.imagegc.api.GcClock;
import dev.imagegc.api.ImageLeases;
import dev.imagegc.api.ImageLookup;
import dev.imagegc.api.ImagePuller;
import dev.imagegc.api.PullOutcome;
import dev.imagegc.api.RegistryCredentialsProvider;
import dev.imagegc.core.SystemGcClock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Gets images onto the node, and holds each for the host until it is used: no collector that honours the same {@link
 * ImageLeases} takes it in between.
 *
 * <p>Requests for one reference at the same time share one transfer; each has a result and a lease of its own. Transfers run
 * one at a time or a few, and begin no faster than a rate. A reference whose transfer failed is left alone for a while, longer
 * after each failure. Every wait is bounded and reported. Trouble with the engine, the registry or the credentials is in the
 * {@link PullResult}, never thrown.
 *
 * <p>What hangs (the engine, the leases, the credentials) costs the caller its deadline and nothing else: it is interrupted and
 * left alone, on daemon threads. A transfer that does not end when it is interrupted keeps its slot until it does.
 *
 * <p>Thread-safe. The host closes what it handed in itself, after {@link #close()}.
 *
 * <pre>{@code
 * try (PullResult pulled = pulls.pull("registry.example/app:1", PullPolicy.IF_NOT_PRESENT)) {
 *   if (pulled.imageId().isPresent()) {
 *     createContainer(pulled.imageId().get()); // the image cannot go before the block ends
 *   }
 * }
 * }</pre>
 */
public final class ImagePullManager implements AutoCloseable {
  private static final Duration CLOSING = Duration.ofSeconds(10);

  private final Settings settings;
  private final Calls calls;
  private final Transfers transfers;
  private final Object lock = new Object();
  private final Set<Request> requests = new HashSet<>(); // guarded by lock, as is what follows
  private boolean closed;

  private ImagePullManager(Builder builder, Settings settings) {
    this.settings = settings;
    this.calls = new Calls(settings.maxRequests());
    this.transfers = new Transfers(
        new Transfer.Tools(
            settings,
            new Slots(builder.parallel),
            new RateLimit(builder.bucket(), settings.clock(), builder.maxRateWait),
            calls),
        new PullBackOff(builder.firstBackOff, builder.longestBackOff));
  }

  /**
   * Starts with the defaults; a puller, a look-up and leases must be given.
   *
   * @return a builder; not thread-safe
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Begins to get an image. Never waits.
   *
   * @param reference a tag or digest reference; {@code app} means {@code docker.io/library/app:latest}, as engines read it
   * @param policy when to pull
   * @return the request
   * @throws IllegalArgumentException if it is no reference; an id is none
   * @throws IllegalStateException if this is closed
   */
  public ImagePull start(String reference, PullPolicy policy) {
    Objects.requireNonNull(policy, "policy");
    Request request = new Request(
        reference, FullName.of(reference), policy, settings, calls, transfers, this::forget);
    if (admit(request)) {
      run(request);
    } else {
      request.refuse(new BusyException("not asking for " + request.reference() + ": "
          + settings.maxRequests() + " requests are under way, and no more are allowed"));
    }
    return new ImagePull(request, settings.clock());
  }

  /**
   * Gets an image, and waits for it. If the waiting thread is interrupted, the request is cancelled and the flag stays set.
   *
   * @param reference a tag or digest reference; {@code app} means {@code docker.io/library/app:latest}, as engines read it
   * @param policy when to pull
   * @return what came of it; to be closed once the image is used
   * @throws IllegalArgumentException if it is no reference; an id is none
   * @throws IllegalStateException if this is closed
   */
  public PullResult pull(String reference, PullPolicy policy) {
    return start(reference, policy).awaitOrCancel();
  }

  /**
   * Cancels all requests, and waits for them to end for at most 10 s; they wait for nobody. A transfer that does not mind being
   * interrupted is not waited for. Images that were handed out stay leased. Calls of {@link #start} and {@link #pull} after it
   * throw {@code IllegalStateException}. Closing twice does nothing.
   */
  @Override
  public void close() {
    List<Request> open;
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      open = List.copyOf(requests);
    }
    open.forEach(Request::cancel);
    try {
      settings
          .clock()
          .await(
              CompletableFuture.allOf(
                  open.stream().map(Request::result).toArray(CompletableFuture<?>[]::new)),
              CLOSING);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // then there is no time to wait
    }
    calls.close();
  }

  private boolean admit(Request request) {
    synchronized (lock) {
      if (closed) {
        throw new IllegalStateException("this ImagePullManager is closed");
      }
      return requests.size() < settings.maxRequests() && requests.add(request);
    }
  }

  private void run(Request request) {
    boolean running = false;
    try {
      calls.run(request);
      running = true;
    } finally {
      if (!running) { // closed meanwhile, or no thread to be had
        forget(request);
      }
    }
  }

  private void forget(Request request) {
    synchronized (lock) {
      requests.remove(request);
    }
  }

  /** Builds an {@link ImagePullManager}. Durations are at most 100 years. Not thread-safe. */
  public static final class Builder {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double LONGEST_REFILL = Duration.ofDays(36_500).toSeconds();

    private @Nullable ImagePuller puller;
    private @Nullable ImageLookup lookup;
    private @Nullable ImageLeases leases;
    private RegistryCredentialsProvider credentials = RegistryCredentialsProvider.none();
    private GcClock clock = SystemGcClock.instance();
    private int parallel = 1;
    private int maxRequests = 256;
    private double perSecond = 5;
    private int burst = 10;
    private Duration maxRateWait = Duration.ofMinutes(1);
    private Duration maxSlotWait = Duration.ofMinutes(10);
    private Duration maxRemovalWait = Duration.ofMinutes(3);
    private Duration transferDeadline = Duration.ofMinutes(30);
    private Duration lookupDeadline = Duration.ofMinutes(1);
    private Duration firstBackOff = Duration.ofSeconds(10);
    private Duration longestBackOff = Duration.ofMinutes(5);
    private Duration grace = Duration.ofMinutes(5);

    private Builder() {}

    /**
     * Sets who pulls. Required.
     *
     * @param newPuller the engine; the host closes it
     * @return this builder
     */
    public Builder puller(ImagePuller newPuller) {
      puller = Objects.requireNonNull(newPuller, "puller");
      return this;
    }

    /**
     * Sets who says which image a reference stands for. Required.
     *
     * @param newLookup the engine that also pulls; the host closes it
     * @return this builder
     */
    public Builder lookup(ImageLookup newLookup) {
      lookup = Objects.requireNonNull(newLookup, "lookup");
      return this;
    }

    /**
     * Sets where images are leased: where the collector looks. Required.
     *
     * @param newLeases those of the collector of this node
     * @return this builder
     */
    public Builder leases(ImageLeases newLeases) {
      leases = Objects.requireNonNull(newLeases, "leases");
      return this;
    }

    /**
     * Sets who knows the credentials of registries.
     *
     * @param provider asked once for every transfer; by default all pulls are anonymous
     * @return this builder
     */
    public Builder credentials(RegistryCredentialsProvider provider) {
      credentials = Objects.requireNonNull(provider, "credentials");
      return this;
    }

    /**
     * Sets the clock.
     *
     * @param newClock the clock; the machine's by default
     * @return this builder
     */
    public Builder clock(GcClock newClock) {
      clock = Objects.requireNonNull(newClock, "clock");
      return this;
    }

    /**
     * Sets how many transfers run at a time.
     *
     * @param most at least 1, which is the default
     * @return this builder
     */
    public Builder parallel(int most) {
      parallel = atLeastOne("parallel", most);
      return this;
    }

    /**
     * Sets how many requests may be under way at a time, those that wait included; each takes a thread or two. One more is
     * answered with {@link PullOutcome#BUSY} at once.
     *
     * @param most at least 1; 256 by default
     * @return this builder
     */
    public Builder maxRequests(int most) {
      maxRequests = atLeastOne("maxRequests", most);
      return this;
    }

    /**
     * Sets how fast transfers may begin: in no t seconds more than {@code burst + pullsPerSecond * t}. Only what is really
     * transferred counts.
     *
     * @param pullsPerSecond above zero, or 0 for no limit; 5 by default
     * @param burst how many at once, at least 1; 10 by default
     * @return this builder
     */
    public Builder rate(double pullsPerSecond, int burst) {
      if (!(pullsPerSecond >= 0) || pullsPerSecond > NANOS_PER_SECOND) {
        throw new IllegalArgumentException(
            "pullsPerSecond must be from 0 to 1000000000, but is " + pullsPerSecond);
      }
      atLeastOne("burst", burst);
      if (pullsPerSecond > 0 && burst / pullsPerSecond > LONGEST_REFILL) {
        throw new IllegalArgumentException(
            "burst / pullsPerSecond must be at most 100 years, but is " + burst + " / "
                + pullsPerSecond + " s");
      }
      perSecond = pullsPerSecond;
      this.burst = burst;
      return this;
    }

    /**
     * Sets how long a transfer waits for the rate. If it would have to wait longer, it is {@link PullOutcome#RATE_LIMITED} at
     * once.
     *
     * @param longest zero or more; zero does not wait; 1 minute by default
     * @return this builder
     */
    public Builder maxRateWait(Duration longest) {
      maxRateWait = Times.notNegative("maxRateWait", longest);
      return this;
    }

    /**
     * Sets how long a transfer waits for others to end before it is {@link PullOutcome#BUSY}.
     *
     * @param longest zero or more; zero does not wait; 10 minutes by default
     * @return this builder
     */
    public Builder maxSlotWait(Duration longest) {
      maxSlotWait = Times.notNegative("maxSlotWait", longest);
      return this;
    }

    /**
     * Sets how long a request waits for a removal of the very image to end before it is {@link PullOutcome#BUSY}.
     *
     * @param longest zero or more; zero does not wait; 3 minutes by default
     * @return this builder
     */
    public Builder maxRemovalWait(Duration longest) {
      maxRemovalWait = Times.notNegative("maxRemovalWait", longest);
      return this;
    }

    /**
     * Sets how long one transfer may take, with the asking for credentials, before it is broken off: {@link
     * PullOutcome#TIMED_OUT}.
     *
     * @param longest at least 1 ms; 30 minutes by default
     * @return this builder
     */
    public Builder transferDeadline(Duration longest) {
      transferDeadline = Times.atLeastMillisecond("transferDeadline", longest);
      return this;
    }

    /**
     * Sets how long the engine may take to look an image up.
     *
     * @param longest at least 1 ms; 1 minute by default
     * @return this builder
     */
    public Builder lookupDeadline(Duration longest) {
      lookupDeadline = Times.atLeastMillisecond("lookupDeadline", longest);
      return this;
    }

    /**
     * Sets for how long a reference is left alone after a transfer that failed or timed out. The time doubles with each
     * failure; a success ends it.
     *
     * @param first after the first failure, at least 1 ms; 10 s by default
     * @param longest the longest time, not below {@code first}; 5 minutes by default
     * @return this builder
     */
    public Builder backOff(Duration first, Duration longest) {
      Times.atLeastMillisecond("backOff first", first);
      Times.atLeastMillisecond("backOff longest", longest);
      if (longest.compareTo(first) < 0) {
        throw new IllegalArgumentException(
            "backOff longest must not be below first, but " + longest + " is below " + first);
      }
      firstBackOff = first;
      longestBackOff = longest;
      return this;
    }

    /**
     * Sets for how long an image that was got stays leased for a host that neither closes the result nor renews its lease. While a
     * request is under way, its leases are renewed in a third of this time.
     *
     * @param ttl at least 1 s; 5 minutes by default
     * @return this builder
     */
    public Builder grace(Duration ttl) {
      grace = Times.atLeastSecond("grace", ttl);
      return this;
    }

    /**
     * Returns the pulls.
     *
     * @return a new manager
     * @throws IllegalStateException if a puller, a look-up or leases are missing
     */
    public ImagePullManager build() {
      return new ImagePullManager(
          this,
          new Settings(
              required("puller", puller),
              required("lookup", lookup),
              required("leases", leases),
              credentials,
              clock,
              maxRequests,
              maxSlotWait,
              maxRemovalWait,
              transferDeadline,
              lookupDeadline,
              grace));
    }

    private @Nullable TokenBucket bucket() {
      return perSecond == 0 ? null : new TokenBucket(perSecond, burst);
    }

    private static <T> T required(String field, @Nullable T value) {
      if (value == null) {
        throw new IllegalStateException(field + " must be set");
      }
      return value;
    }

    private static int atLeastOne(String field, int value) {
      if (value < 1) {
        throw new IllegalArgumentException(field + " must be at least 1, but is " + value);
      }
      return value;
    }
  }
}
