/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How well the collector sees what happens on the node. */
public final class WatchHealth {
  private final WatchState state;
  private final Instant since;
  private final @Nullable Instant lastListedAt;
  private final @Nullable String trouble;

  private WatchHealth(
      WatchState state, Instant since, @Nullable Instant lastListedAt, @Nullable String trouble) {
    this.state = Objects.requireNonNull(state, "state");
    this.since = Objects.requireNonNull(since, "since");
    this.lastListedAt = lastListedAt;
    this.trouble = trouble;
  }

  /**
   * Returns a description.
   *
   * @param state how it hears of use
   * @param since since when, by the wall clock
   * @param lastListedAt when containers were last listed, by the wall clock, if they ever were
   * @param trouble what is wrong, for people, if something is
   * @return the description
   */
  public static WatchHealth of(
      WatchState state, Instant since, Optional<Instant> lastListedAt, Optional<String> trouble) {
    return new WatchHealth(state, since, lastListedAt.orElse(null), trouble.orElse(null));
  }

  /**
   * Returns how the collector hears of use now.
   *
   * @return the state
   */
  public WatchState state() {
    return state;
  }

  /**
   * Returns since when it is in this state.
   *
   * @return the time, by the wall clock
   */
  public Instant since() {
    return since;
  }

  /**
   * Returns when containers were last listed successfully, by a round, a detection or the watch.
   *
   * @return the time, by the wall clock, or empty if they never were
   */
  public Optional<Instant> lastListedAt() {
    return Optional.ofNullable(lastListedAt);
  }

  /**
   * Returns what is wrong just now: why there is no stream, or why containers cannot be listed.
   *
   * @return words for people, or empty if all is well
   */
  public Optional<String> trouble() {
    return Optional.ofNullable(trouble);
  }

  @Override
  public String toString() {
    return state + " since " + since + ", containers last listed "
        + (lastListedAt == null ? "never" : "at " + lastListedAt)
        + (trouble == null ? "" : ": " + trouble);
  }
}
