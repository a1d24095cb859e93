/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import static dev.imagegc.api.GcEventType.IMAGE_REMOVED;
import static dev.imagegc.api.GcEventType.ROUND_FINISHED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcEventType;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RecordingListenerTest {
  private final RecordingListener listener = new RecordingListener();
  private final GcEvent removed = event(IMAGE_REMOVED);
  private final GcEvent finished = event(ROUND_FINISHED);

  @Test
  void events_areKeptInOrder() {
    listener.onEvent(removed);
    listener.onEvent(finished);
    listener.onEvent(removed);

    assertThat(listener.events()).containsExactly(removed, finished, removed);
    assertThat(listener.events(ROUND_FINISHED)).containsExactly(finished);
    assertThat(listener.types()).containsExactly(IMAGE_REMOVED, ROUND_FINISHED, IMAGE_REMOVED);
  }

  @Test
  void events_areSnapshots() {
    var before = listener.events();

    listener.onEvent(removed);

    assertThat(before).isEmpty();
  }

  @Test
  void failWith_throwsAndRemembers_untilHealed() {
    RuntimeException failure = new IllegalStateException("boom");
    listener.failWith(failure);
    assertThatThrownBy(() -> listener.onEvent(removed)).isSameAs(failure);
    assertThatThrownBy(() -> listener.onEvent(finished)).isSameAs(failure);

    listener.heal();
    listener.onEvent(removed);

    assertThat(listener.events()).containsExactly(removed, finished, removed);
  }

  @Test
  void await_eventThatWasThereAlready_returnsEachOnce() {
    GcEvent second = event(ROUND_FINISHED);
    listener.onEvent(finished);
    listener.onEvent(removed);
    listener.onEvent(second);

    assertThat(listener.await(ROUND_FINISHED)).isSameAs(finished);
    assertThat(listener.await(ROUND_FINISHED)).isSameAs(second);
  }

  @Test
  void await_eventFromAnotherThread_waitsForIt() {
    CompletableFuture<Void> other = CompletableFuture.runAsync(() -> listener.onEvent(finished));

    assertThat(listener.await(ROUND_FINISHED)).isSameAs(finished);
    other.join();
  }

  @Test
  void await_interrupted_fails() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> listener.await(ROUND_FINISHED)).isInstanceOf(AssertionError.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void clear_forgetsEventsAndWhatWasNotAwaited() {
    listener.onEvent(finished);
    listener.clear();
    GcEvent next = event(ROUND_FINISHED);

    listener.onEvent(next);

    assertThat(listener.events()).containsExactly(next);
    assertThat(listener.await(ROUND_FINISHED)).isSameAs(next);
  }

  private static GcEvent event(GcEventType type) {
    return GcEvent.builder(type, GcEvent.Phase.HAPPENED, Instant.EPOCH, "something")
        .build();
  }
}
