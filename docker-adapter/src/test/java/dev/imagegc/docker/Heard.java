/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcException;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.RuntimeEventType;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A listener that keeps what it hears. */
final class Heard implements RuntimeEventListener {
  private final BlockingQueue<Object> heard = new LinkedBlockingQueue<>();
  private volatile Thread thread;

  @Override
  public void onEvent(RuntimeEvent event) {
    thread = Thread.currentThread();
    heard.add(event);
  }

  @Override
  public void onEnd(GcException cause) {
    thread = Thread.currentThread();
    heard.add(cause);
  }

  /** The thread that told the last event. */
  Thread thread() {
    return thread;
  }

  /** Waits for the next event. */
  RuntimeEvent event() {
    Object next = next();
    assertThat(next).isInstanceOf(RuntimeEvent.class);
    return (RuntimeEvent) next;
  }

  /** Waits for the first event that is such; those before it are forgotten. */
  RuntimeEvent event(RuntimeEventType type, Predicate<RuntimeEvent> such) {
    RuntimeEvent event = event();
    while (!event.type().equals(type) || !such.test(event)) {
      event = event();
    }
    return event;
  }

  /** Waits for the end, which must come next. */
  GcException end() {
    Object next = next();
    assertThat(next).isInstanceOf(GcException.class);
    return (GcException) next;
  }

  private Object next() {
    try {
      Object next = heard.poll(30, TimeUnit.SECONDS);
      assertThat(next).as("an event or the end within 30 s").isNotNull();
      return next;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  boolean isEmpty() {
    return heard.isEmpty();
  }
}
