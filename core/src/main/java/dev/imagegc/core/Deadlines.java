/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import dev.imagegc.core.internal.Durations;
import java.time.Duration;

/**
 * How long the collector waits for others before it goes on without them. Immutable.
 *
 * <p>Listing is bounded by how many images the engine listed last time, because some engines need milliseconds per image
 * (measured: 4 to 6 ms, and up to 12 ms of CPU, on Docker's containerd image store).
 */
public final class Deadlines {
  private static final Deadlines DEFAULTS = new Deadlines(new Builder());

  private final Duration firstList;
  private final Duration list;
  private final Duration listPerImage;
  private final Duration removal;
  private final Duration measure;
  private final Duration listener;
  private final Duration store;
  private final Duration close;

  private Deadlines(Builder builder) {
    this.firstList = builder.firstList;
    this.list = builder.list;
    this.listPerImage = builder.listPerImage;
    this.removal = builder.removal;
    this.measure = builder.measure;
    this.listener = builder.listener;
    this.store = builder.store;
    this.close = builder.close;
  }

  /**
   * Returns the defaults: lists 10 s + 20 ms per image (the first 120 s), a removal 180 s, a disk measure 10 s, a listener
   * 2 s, a store 10 s, close 10 s.
   *
   * @return the defaults
   */
  public static Deadlines defaults() {
    return DEFAULTS;
  }

  /**
   * Starts with the defaults.
   *
   * @return a builder; not thread-safe
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Starts with these.
   *
   * @return a builder; not thread-safe
   */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.firstList = firstList;
    builder.list = list;
    builder.listPerImage = listPerImage;
    builder.removal = removal;
    builder.measure = measure;
    builder.listener = listener;
    builder.store = store;
    builder.close = close;
    return builder;
  }

  /**
   * Returns the deadline of a list while it is not known how many images there are.
   *
   * @return above zero
   */
  public Duration firstList() {
    return firstList;
  }

  /**
   * Returns the deadline of a list.
   *
   * @param items how many were listed last time, zero or more
   * @return above zero
   */
  public Duration list(int items) {
    if (items < 0) {
      throw new IllegalArgumentException("items must be zero or more, but is " + items);
    }
    return Durations.capped(list.plus(listPerImage.multipliedBy(items)));
  }

  /**
   * Returns the deadline of one removal.
   *
   * @return above zero
   */
  public Duration removal() {
    return removal;
  }

  /**
   * Returns the deadline of one disk measurement, of each short question to the engine, and of each of the host's functions.
   *
   * @return above zero
   */
  public Duration measure() {
    return measure;
  }

  /**
   * Returns the deadline of one call to a listener.
   *
   * @return above zero
   */
  public Duration listener() {
    return listener;
  }

  /**
   * Returns the deadline of one load or save of history.
   *
   * @return above zero
   */
  public Duration store() {
    return store;
  }

  /**
   * Returns how long a collector's {@code close()} waits for a running call to end by itself.
   *
   * @return above zero
   */
  public Duration close() {
    return close;
  }

  /** Builds {@link Deadlines}. Every duration is above zero and at most 292 years. Not thread-safe. */
  public static final class Builder {
    private Duration firstList = Duration.ofMinutes(2);
    private Duration list = Duration.ofSeconds(10);
    private Duration listPerImage = Duration.ofMillis(20);
    private Duration removal = Duration.ofMinutes(3);
    private Duration measure = Duration.ofSeconds(10);
    private Duration listener = Duration.ofSeconds(2);
    private Duration store = Duration.ofSeconds(10);
    private Duration close = Duration.ofSeconds(10);

    private Builder() {}

    /**
     * Sets the deadline of a list while it is not known how many images there are.
     *
     * @param deadline the default is 120 s
     * @return this builder
     */
    public Builder firstList(Duration deadline) {
      firstList = Durations.positive("firstList", deadline);
      return this;
    }

    /**
     * Sets the deadline of a list of images or containers.
     *
     * @param deadline the fixed part; the default is 10 s
     * @param perImage what each image of the last listing adds, zero or more; the default is 20 ms. In container collection it is
     *     each container
     * @return this builder
     */
    public Builder list(Duration deadline, Duration perImage) {
      list = Durations.positive("list", deadline);
      listPerImage = Durations.notNegative("listPerImage", perImage);
      return this;
    }

    /**
     * Sets the deadline of one removal. It should be longer than what the adapter allows one request, so that after a late
     * answer it can still look up what became of the image.
     *
     * @param deadline the default is 180 s; the Docker adapter allows a request 120 s
     * @return this builder
     */
    public Builder removal(Duration deadline) {
      removal = Durations.positive("removal", deadline);
      return this;
    }

    /**
     * Sets the deadline of one disk measurement, and of each short question to the engine: to look one image up, to open or to
     * end its stream of events. It is also that of each of the host's functions in container collection and disk pressure: the
     * workloads, units, leases and thresholds that it is asked for, and its handler of shortfalls.
     *
     * @param deadline the default is 10 s
     * @return this builder
     */
    public Builder measure(Duration deadline) {
      measure = Durations.positive("measure", deadline);
      return this;
    }

    /**
     * Sets the deadline of one call to a listener.
     *
     * @param deadline the default is 2 s
     * @return this builder
     */
    public Builder listener(Duration deadline) {
      listener = Durations.positive("listener", deadline);
      return this;
    }

    /**
     * Sets the deadline of one load or save of history.
     *
     * @param deadline the default is 10 s
     * @return this builder
     */
    public Builder store(Duration deadline) {
      store = Durations.positive("store", deadline);
      return this;
    }

    /**
     * Sets how long a collector's {@code close()} waits for a running call to end by itself.
     *
     * @param deadline the default is 10 s
     * @return this builder
     */
    public Builder close(Duration deadline) {
      close = Durations.positive("close", deadline);
      return this;
    }

    /**
     * Returns the deadlines.
     *
     * @return immutable deadlines
     */
    public Deadlines build() {
      return new Deadlines(this);
    }
  }
}
