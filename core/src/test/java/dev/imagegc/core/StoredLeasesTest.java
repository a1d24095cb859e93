/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcListener;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.RecordSnapshot;
import dev.imagegc.testkit.ManualScheduler;
import dev.imagegc.testkit.TestClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Leases over a restart: what remained of one never grows, and shrinks only by time that is proven. */
@Timeout(60)
class StoredLeasesTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration TTL = MINUTE.multipliedBy(10);

  private final TestClock clock = new TestClock();
  private final MemoryStore store = new MemoryStore();

  @Test
  void lease_afterARestartInTheSameBoot_hasWhatRemainsOfIt_whateverWasDoneToTheWallClock() {
    saveLeases();
    clock.jumpWall(Duration.ofDays(-3));
    clock.advance(MINUTE);
    assertThat(loaded(false))
        .containsExactly(
            RecordSnapshot.LeaseEntry.of(ImageId.of("a"), in(TTL.minus(MINUTE))),
            RecordSnapshot.LeaseEntry.of("app:1", in(TTL.plus(MINUTE))));
  }

  @Test
  void lease_afterAReboot_hasWhatRemainedWhenItWasSaved() {
    saveLeases();
    clock.reboot(Duration.ofDays(1));
    assertThat(loaded(false))
        .extracting(RecordSnapshot.LeaseEntry::expiresAt)
        .containsExactly(in(TTL), in(TTL.plus(MINUTE.multipliedBy(2))));
  }

  @Test
  void lease_afterAReboot_withATrustedWallClock_hasEndedMeanwhile() {
    saveLeases();
    clock.reboot(TTL);
    assertThat(loaded(true))
        .containsExactly(RecordSnapshot.LeaseEntry.of("app:1", in(MINUTE.multipliedBy(2))));
  }

  @Test
  void leases_areSavedWithTheSnapshot_evenIfNothingElseIsKnown() {
    saveLeases();
    assertThat(store.saved.entries()).isEmpty();
    assertThat(store.saved.leases()).hasSize(2);
  }

  private void saveLeases() {
    History history = history(
        false,
        new History.Leases(
            () -> List.of(
                RecordSnapshot.LeaseEntry.of(ImageId.of("a"), in(TTL)),
                RecordSnapshot.LeaseEntry.of("app:1", in(TTL.plus(MINUTE.multipliedBy(2))))),
            stored -> {}));
    history.load();
    history.changed();
    history.close();
  }

  private List<RecordSnapshot.LeaseEntry> loaded(boolean trustWallClock) {
    List<RecordSnapshot.LeaseEntry> loaded = new ArrayList<>();
    History history = history(trustWallClock, new History.Leases(List::of, loaded::addAll));
    history.load();
    history.close();
    return loaded;
  }

  /** A time on the line of a collector that starts now. */
  private Instant in(Duration duration) {
    return clock.instant().plus(duration);
  }

  private History history(boolean trustWallClock, History.Leases leases) {
    Deadlines deadlines = Deadlines.defaults();
    return new History(
        new History.Settings(Optional.of(store), Duration.ofSeconds(30), trustWallClock, deadlines),
        clock,
        new Timeline(clock),
        new RecordBook(),
        leases,
        new Events(GcListener.noop(), deadlines, clock),
        new Schedule(new ManualScheduler(clock), Duration.ZERO, new Random()));
  }
}
