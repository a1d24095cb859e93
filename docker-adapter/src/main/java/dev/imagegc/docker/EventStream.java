/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import com.google.gson.stream.JsonReader;
import dev.imagegc.api.GcException;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.RuntimeEventSource.Subscription;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.io.IOException;
import java.io.InputStream;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One subscription to the events of an engine.
 *
 * <p>Two threads work for it. The one that reads never waits for anything but the engine: Docker keeps 64 events for a slow
 * reader, beside what fits into the socket, and then drops some without a word. The one that tells looks up the images that
 * the engine did not name, one event after the other, and calls the listener. If it falls behind too far, the stream ends,
 * so that what is lost is known to be lost. Events that wait at the end are told with what is known of them: nobody hears of the
 * end before, and to look up each would keep that from him for minutes.
 */
final class EventStream implements Subscription, EngineHttp.Tail {
  /** Some minutes of a very busy node, and a few megabytes. */
  static final int MAX_WAITING = 10_000;

  private static final Logger LOG = LoggerFactory.getLogger(EventStream.class);
  private static final AtomicInteger LAST_NUMBER = new AtomicInteger();

  private final EngineApi api;
  private final ContainerImages images;
  private final RuntimeEventListener listener;
  private final BlockingQueue<Step> steps = new LinkedBlockingQueue<>();
  private final Thread teller;
  private final Object lock = new Object();
  private EngineHttp.@Nullable Stream stream; // guarded by lock
  private boolean lookingUp; // guarded by lock
  private volatile boolean closed;
  private volatile boolean over; // nothing more is read
  private boolean complained; // of the listener; only the teller

  /** What the teller does next: tell an event, or the end. */
  private record Step(@Nullable EngineEvent event, @Nullable GcException end) {}

  private EventStream(EngineApi api, RuntimeEventListener listener) {
    this.api = api;
    this.images = new ContainerImages(api, new ImageLookups(api));
    this.listener = listener;
    this.teller = new Thread(this::tell, "imagegc-docker-events-" + LAST_NUMBER.incrementAndGet());
    this.teller.setDaemon(true);
  }

  /** Opens a stream; returns when the engine has accepted. */
  static EventStream open(EngineApi api, RuntimeEventListener listener) {
    EventStream events = new EventStream(api, listener);
    String path = path(begin(api));
    events.images
        .learn(); // what is removed later is known from here, what is created later is told
    EngineHttp.Stream stream = api.open("GET", path, Map.of(), api.callTimeout(), events);
    if (!stream.answer().isSuccess()) {
      stream.close();
      throw api.refused("GET " + path, stream.answer());
    }
    synchronized (events.lock) {
      events.stream = stream;
    }
    events.teller.start();
    return events;
  }

  /**
   * The engine's time before it is asked for events, for them to begin there: Docker sends its answer a moment before it
   * begins to listen. Not for Podman, which measures every later event by that time too, and so would tell nothing for as long
   * as its clock was set back.
   */
  private static Optional<Instant> begin(EngineApi api) {
    String[] time = new String[1];
    boolean[] podman = new boolean[1];
    api.read("/info", in -> {
      Json.object(in, (name, value) -> {
        switch (name) {
          case "SystemTime" -> time[0] = Json.string(value);
          case "BuildahVersion" -> {
            podman[0] = true;
            value.skipValue();
          }
          default -> value.skipValue();
        }
      });
      return time;
    });
    try {
      return podman[0]
          ? Optional.empty()
          : Optional.ofNullable(time[0]).map(OffsetDateTime::parse).map(OffsetDateTime::toInstant);
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  private static String path(Optional<Instant> begin) {
    String actions = "\"" + String.join("\",\"", EngineEvent.ACTIONS) + "\"";
    String filters = "{\"type\":[\"container\",\"image\"],\"event\":[" + actions + "]}";
    return "/events?filters=" + ImageCalls.query(filters)
        + begin
            .map(time ->
                String.format(Locale.ROOT, "&since=%d.%09d", time.getEpochSecond(), time.getNano()))
            .orElse("");
  }

  // ---- the thread that reads ----

  @Override
  public void read(InputStream body) throws IOException {
    try {
      readOn(body);
    } finally {
      over = true;
    }
  }

  private void readOn(InputStream body) throws IOException {
    JsonObjects objects = new JsonObjects(body);
    Optional<EngineEvent> event = objects.next(EventStream::event);
    for (; event != null && !closed; event = objects.next(EventStream::event)) {
      if (event.isPresent()) {
        if (steps.size() >= MAX_WAITING) {
          throw new TimedOutException("The events of " + api.host()
              + " come faster than they can be told: " + MAX_WAITING + " of them are waiting.");
        }
        steps.add(new Step(event.get(), null));
      }
    }
  }

  private static Optional<EngineEvent> event(JsonReader in) throws IOException {
    return EngineEvent.parse(in);
  }

  @Override
  public void ended(@Nullable GcException failure) {
    GcException cause = failure == null
        ? new UnreachableException(
            "The engine at " + api.host() + " has ended the stream of events.")
        : failure;
    steps.add(new Step(null, cause));
  }

  // ---- the thread that tells ----

  private void tell() {
    try {
      boolean goesOn = true;
      while (goesOn && !closed) {
        goesOn = tell(steps.take());
      }
    } catch (InterruptedException e) {
      // Only close() interrupts.
    }
  }

  private boolean tell(Step step) {
    EngineEvent event = step.event();
    if (event != null) {
      RuntimeEvent told = lookUp(() -> event.told(over ? images.known(event) : images.of(event)));
      if (!closed && told != null) {
        contained(() -> listener.onEvent(told));
      }
      return true;
    }
    GcException end = step.end();
    if (!closed && end != null) {
      contained(() -> listener.onEnd(end));
    }
    return false;
  }

  private interface LookUp {
    @Nullable
    RuntimeEvent get();
  }

  /** Asks the engine; only here does close() interrupt, and never the listener. */
  private @Nullable RuntimeEvent lookUp(LookUp asking) {
    synchronized (lock) {
      if (closed) {
        return null;
      }
      lookingUp = true;
    }
    try {
      return asking.get();
    } finally {
      synchronized (lock) {
        lookingUp = false;
      }
    }
  }

  private void contained(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException | Error e) {
      if (!complained) {
        complained = true;
        LOG.error("A listener of events threw; whatever else it throws is not logged", e);
      }
    } finally {
      Thread.interrupted(); // an interrupt of its own is not the end of the stream
    }
  }

  /** Closes the connection at once. A stream that is closed tells no end. */
  @Override
  public void close() {
    synchronized (lock) {
      closed = true;
      if (stream != null) {
        stream.close();
      }
      if (lookingUp) {
        teller.interrupt();
      }
    }
    steps.add(new Step(null, null)); // wakes the teller
  }
}
