/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.collector;
import static dev.imagegc.core.Nodes.reason;
import static dev.imagegc.core.Nodes.removed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.ImageGoingException;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageLeases;
import dev.imagegc.api.Lease;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.Reason;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class LeasesTest {
  private static final Duration TTL = Duration.ofMinutes(5);
  private static final String DIGEST = "sha256:" + "ab".repeat(32);

  private final FakeNode node = FakeNode.withDisk(1000);
  private final ImageGcManager gc = collector(node).build();
  private final ImageLeases leases = gc.leases();

  @AfterEach
  void close() {
    gc.close();
  }

  @Test
  void leasedImage_staysInEveryKindOfRound_untilTheLeaseIsClosed() {
    node.image("a").tag("a:1").size(300).add();
    node.otherData(650);
    Lease lease = leases.lease("a:1", TTL);
    assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.LEASED);
    for (GcReport report :
        List.of(gc.garbageCollect(), gc.freeSpace(100), gc.deleteUnusedImages())) {
      assertThat(reason(report, "a")).as(report.operation().code()).isEqualTo(Reason.LEASED);
    }
    assertThat(node.removalsAsked()).isEmpty();
    lease.close();
    assertThat(removed(gc.garbageCollect())).containsExactly("a");
  }

  @Test
  void leasedImage_staysWhenMaxAgeMakesItDue() {
    try (ImageGcManager aging = collector(
            node, LruGcPolicy.builder().minAge(Duration.ZERO).maxAge(Duration.ofHours(1)))
        .build()) {
      node.image("a").tag("a:1").size(300).add();
      aging.detectImages();
      node.clock().advance(Duration.ofHours(2));
      try (Lease lease = aging.leases().lease("a:1", TTL)) {
        assertThat(reason(aging.garbageCollect(), "a")).isEqualTo(Reason.LEASED);
        assertThat(lease.isActive()).isTrue();
      }
      node.clock().advance(Duration.ofMinutes(10));
      assertThat(removed(aging.garbageCollect())).containsExactly("a");
    }
  }

  @Test
  void lease_endsWithItsTime_andNotBefore() {
    node.image("a").tag("a:1").size(300).add();
    Lease lease = leases.lease("a:1", TTL);
    node.clock().advance(TTL.minusNanos(1));
    assertThat(lease.remaining()).isEqualTo(Duration.ofNanos(1));
    assertThat(removed(gc.deleteUnusedImages())).isEmpty();
    node.clock().advance(Duration.ofNanos(1));
    assertThat(lease.isActive()).isFalse();
    assertThat(removed(gc.deleteUnusedImages())).containsExactly("a");
  }

  @ParameterizedTest
  @ValueSource(ints = {-10, 10})
  void wallClockThatJumps_endsNoLeaseAndProlongsNone(int minutes) {
    Lease lease = leases.lease("a:1", TTL);
    node.clock().jumpWall(Duration.ofMinutes(minutes));
    assertThat(lease.remaining()).isEqualTo(TTL);
    node.clock().advance(TTL);
    assertThat(lease.isActive()).isFalse();
  }

  @Test
  void renewedLease_holdsFromThenOn_butNotWhenItIsOver() {
    Lease lease = leases.lease("a:1", TTL);
    node.clock().advance(TTL.minusSeconds(1));
    assertThat(lease.renew(TTL)).isTrue();
    node.clock().advance(TTL.minusSeconds(1));
    assertThat(lease.isActive()).isTrue();
    assertThat(lease.renew(Duration.ofSeconds(1)))
        .as("shorter than what remained")
        .isTrue();
    node.clock().advance(Duration.ofSeconds(1));
    assertThat(lease.renew(TTL)).isFalse();
    assertThat(lease.isActive()).isFalse();
  }

  @Test
  void severalLeasesOnOneImage_holdItUntilTheLastIsClosed() {
    node.image("a").tag("a:1").size(300).add();
    Lease first = leases.lease("a:1", TTL);
    Lease second = leases.lease(ImageId.of("a"), TTL);
    first.close();
    first.close();
    assertThat(removed(gc.deleteUnusedImages())).isEmpty();
    second.close();
    assertThat(removed(gc.deleteUnusedImages())).containsExactly("a");
  }

  @ParameterizedTest
  @CsvSource({
    "app, app:latest",
    "app, docker.io/library/app:latest",
    "app:1, docker.io/library/app:1",
    "docker.io/library/app:1, app:1",
    "docker.io/app:1, app:1",
    "team/app:1, docker.io/team/app:1",
    "docker.io/team/app:1, team/app:1",
    "index.docker.io/team/app:1, team/app:1",
    "app:1, localhost/app:1",
    "registry.example:5000/app:1, registry.example:5000/app:1",
  })
  void lease_coversTheNameInEverySpellingOfEngines(String leased, String listed) {
    node.image("a").tag(listed).size(300).add();
    try (Lease lease = leases.lease(leased, TTL)) {
      assertThat(reason(gc.deleteUnusedImages(), "a")).as(lease.subject()).isEqualTo(Reason.LEASED);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "app:1, app:2",
    "app, app:1",
    "app:1, team/app:1",
    "app:1, registry.example/app:1",
    "registry.example/app:1, app:1",
    "app:1, registry.example/library/app:1",
  })
  void lease_doesNotCoverAnotherName(String leased, String listed) {
    node.image("a").tag(listed).size(300).add();
    try (Lease lease = leases.lease(leased, TTL)) {
      assertThat(removed(gc.deleteUnusedImages())).as(lease.subject()).containsExactly("a");
    }
  }

  @Test
  void lease_byDigest_coversTheImageThatHasIt_whateverTheTagBesideIt() {
    node.image("a").tag("app:2").digest("app@" + DIGEST).size(300).add();
    try (Lease lease = leases.lease("app:1@" + DIGEST, TTL)) {
      assertThat(reason(gc.deleteUnusedImages(), "a")).as(lease.subject()).isEqualTo(Reason.LEASED);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "sha256:"})
  void lease_byAWholeIdAsText_coversTheImage(String prefix) {
    String id = "cd".repeat(32);
    node.image(id).tag("app:2").size(300).add();
    try (Lease lease = leases.lease(prefix + id, TTL)) {
      assertThat(reason(gc.deleteUnusedImages(), id)).as(lease.subject()).isEqualTo(Reason.LEASED);
    }
  }

  @Test
  void lease_ofAnImageThatIsNotThereYet_holdsItWhenItCame() {
    try (Lease lease = leases.lease("app:1", TTL)) {
      gc.deleteUnusedImages();
      node.image("new").tag("app:1").size(300).add();
      assertThat(reason(gc.deleteUnusedImages(), "new"))
          .as(lease.subject())
          .isEqualTo(Reason.LEASED);
    }
  }

  @Test
  void lease_takenAfterThePlan_keepsTheImage_andTheRoundGoesOn() {
    node.image("a").tag("a:1").size(300).add();
    node.image("b").tag("b:1").size(300).add();
    node.faults().beforeNext(Operation.LIST_CONTAINERS, () -> leases.lease("b:1", TTL));
    node.faults().afterEach(Operation.REMOVE_IMAGE, () -> leases.lease("b:1", TTL));
    GcReport report = gc.deleteUnusedImages();
    assertThat(removed(report)).containsExactly("a");
    assertThat(reason(report, "b")).isEqualTo(Reason.LEASED);
    assertThat(node.removalsAsked()).containsExactly("a");
  }

  @Test
  void lease_ofAnImageThatIsBeingRemoved_isRefusedAtOnce_untilItIsGone() {
    node.image("a").tag("a:1").size(300).add();
    List<Throwable> refused = new ArrayList<>();
    node.faults().beforeNext(Operation.REMOVE_IMAGE, () -> {
      refused.add(refusal(() -> leases.lease("a:1", TTL)));
      refused.add(refusal(() -> leases.lease(ImageId.of("a"), TTL)));
    });
    gc.deleteUnusedImages();
    assertThat(refused)
        .hasSize(2)
        .allSatisfy(e -> assertThat(e)
            .isInstanceOf(ImageGoingException.class)
            .hasMessageContaining("image a:1 is just being removed"));
    assertThat(leases.lease("a:1", TTL).isActive()).isTrue();
  }

  @Test
  void use_isLookedUpOnlyWhenNoLeaseCanBeTakenAnyMore() {
    // Whoever leases, creates a container and closes the lease is seen by one of the two looks.
    node.image("a").tag("a:1").size(300).add();
    List<Throwable> refused = new ArrayList<>();
    AtomicReference<Integer> lists = new AtomicReference<>(0);
    node.faults().beforeEach(Operation.LIST_CONTAINERS, () -> {
      if (lists.getAndUpdate(n -> n + 1) == 1) { // the look before the removal
        refused.add(refusal(() -> leases.lease("a:1", TTL)));
      }
    });
    gc.deleteUnusedImages();
    assertThat(refused)
        .hasSize(1)
        .allSatisfy(e -> assertThat(e).isInstanceOf(ImageGoingException.class));
  }

  @Test
  void lease_mayWaitForTheRemovalToEnd() {
    node.image("a").tag("a:1").size(300).add();
    AtomicReference<CompletableFuture<Lease>> waiting = new AtomicReference<>();
    node.faults().beforeNext(Operation.REMOVE_IMAGE, () -> {
      waiting.set(CompletableFuture.supplyAsync(() -> leases.lease("a:1", TTL, TTL)));
      node.clock().awaitWaiters(2); // the round, and the lease
    });
    gc.deleteUnusedImages();
    assertThat(waiting.get().join().isActive()).isTrue();
    assertThat(node.hasImage("a")).isFalse();
  }

  @Test
  void lease_waitsNoLongerThanItMay() {
    node.image("a").tag("a:1").size(300).add();
    AtomicReference<Throwable> refused = new AtomicReference<>();
    node.faults().beforeNext(Operation.REMOVE_IMAGE, () -> {
      CompletableFuture<Void> late = CompletableFuture.runAsync(
          () -> refused.set(refusal(() -> leases.lease("a:1", TTL, Duration.ofSeconds(3)))));
      node.clock().awaitWaiters(2);
      node.clock().advance(Duration.ofSeconds(3));
      late.join();
    });
    gc.deleteUnusedImages();
    assertThat(refused.get()).isInstanceOf(ImageGoingException.class);
  }

  @Test
  void lease_whoseWaitIsInterrupted_isNotGranted_andKeepsTheFlag() {
    node.image("a").tag("a:1").size(300).add();
    AtomicReference<Throwable> refused = new AtomicReference<>();
    node.faults().beforeNext(Operation.REMOVE_IMAGE, () -> {
      CompletableFuture<Boolean> flag = CompletableFuture.supplyAsync(() -> {
        Thread.currentThread().interrupt();
        refused.set(refusal(() -> leases.lease("a:1", TTL, TTL)));
        return Thread.interrupted();
      });
      assertThat(flag.join()).isTrue();
    });
    gc.deleteUnusedImages();
    assertThat(refused.get()).isInstanceOf(CancelledException.class);
  }

  @Test
  void removalWithoutAClearAnswer_refusesLeasesWhileTheEngineMayBeAtIt() {
    node.image("a").tag("a:1").size(300).add();
    node.faults().failNextRemoval("a", RemovalResult.of(RemovalOutcome.UNKNOWN));
    gc.deleteUnusedImages();
    gc.detectImages(); // it is there still, which proves nothing
    node.clock().advance(Duration.ofMinutes(3).minusNanos(1)); // a removal's deadline
    assertThat(refusal(() -> leases.lease("a:1", TTL)))
        .isInstanceOf(ImageGoingException.class)
        .hasMessageContaining("has not said yet");
    node.clock().advance(Duration.ofNanos(1));
    assertThat(leases.lease("a:1", TTL).isActive()).isTrue();
  }

  @Test
  void removalWithoutAClearAnswer_isNotSettledByALaterOneThatComesToNothing() {
    node.image("a").tag("a:1").size(300).add();
    node.faults().failNextRemoval("a", RemovalResult.of(RemovalOutcome.UNKNOWN));
    gc.deleteUnusedImages();
    node.clock().advance(Duration.ofMinutes(1)); // the back-off
    node.faults().failNextRemoval("a", RemovalResult.of(RemovalOutcome.FAILED, "busy"));
    gc.deleteUnusedImages();
    assertThat(node.removalsAsked()).hasSize(2);
    assertThat(refusal(() -> leases.lease("a:1", TTL))).isInstanceOf(ImageGoingException.class);
    node.clock().advance(Duration.ofMinutes(2));
    assertThat(leases.lease("a:1", TTL).isActive()).isTrue();
  }

  @Test
  void removalWithoutAClearAnswer_isSettledByALaterOneThatTakesTheImage() {
    node.image("a").tag("a:1").size(300).add();
    node.faults().failNextRemoval("a", RemovalResult.of(RemovalOutcome.UNKNOWN));
    gc.deleteUnusedImages();
    node.clock().advance(Duration.ofMinutes(1));
    assertThat(removed(gc.deleteUnusedImages())).containsExactly("a");
    assertThat(leases.lease("a:1", TTL).isActive()).isTrue();
  }

  @Test
  void removalWithoutAClearAnswer_isOverWhenAListingDoesNotHaveTheImage() {
    node.image("a").tag("a:1").size(300).add();
    node.faults().failNextRemoval("a", RemovalResult.of(RemovalOutcome.UNKNOWN));
    gc.deleteUnusedImages();
    node.deleteImage("a");
    gc.detectImages();
    assertThat(leases.lease("a:1", TTL).isActive()).isTrue();
  }

  @Test
  void imageWithoutAName_thatCameWhileANameIsLeased_staysForAMinute_becauseItMayBeWhatIsPulled() {
    Lease lease = leases.lease("app:1", TTL);
    node.image("a").size(300).add();
    assertThat(reason(gc.plan(), "a")).isEqualTo(Reason.LEASED);
    node.clock().advance(Duration.ofMinutes(1).minusNanos(1));
    assertThat(reason(gc.deleteUnusedImages(), "a")).isEqualTo(Reason.LEASED);
    node.clock().advance(Duration.ofNanos(1));
    assertThat(removed(gc.deleteUnusedImages())).containsExactly("a");
    assertThat(lease.isActive()).isTrue();
  }

  @Test
  void imageWithoutAName_staysForALeaseThatWasTakenAfterThePlan_too() {
    node.image("a").size(300).add();
    node.faults().afterNext(Operation.LIST_CONTAINERS, () -> leases.lease("app:1", TTL));
    assertThat(reason(gc.deleteUnusedImages(), "a")).isEqualTo(Reason.LEASED);
  }

  @Test
  void imageWithoutAName_goesAtOnce_ifOnlyIdsAreLeased() {
    leases.lease(ImageId.of("b"), TTL);
    node.image("a").size(300).add();
    assertThat(removed(gc.deleteUnusedImages())).containsExactly("a");
  }

  @Test
  void lease_byTheStartOfAnId_coversTheImage_andTheNameThatItMayBe() {
    String id = "abcdef123456" + "0".repeat(52);
    node.image(id).tag("app:2").size(300).add();
    node.image("b").tag("abcdef123456:latest").size(300).add();
    leases.lease("sha256:abcdef123456", TTL);
    assertThat(reason(gc.plan(), id)).isEqualTo(Reason.LEASED);
    leases.lease("abcdef123456", TTL);
    GcReport report = gc.deleteUnusedImages();
    assertThat(reason(report, id)).isEqualTo(Reason.LEASED);
    assertThat(reason(report, "b")).isEqualTo(Reason.LEASED);
  }

  @Test
  void removalThatFails_orIsGivenUp_leavesTheImageToBeLeased() {
    node.image("a").tag("a:1").size(300).add();
    node.faults().failNextRemoval("a", RemovalResult.of(RemovalOutcome.FAILED, "busy"));
    assertThat(gc.deleteUnusedImages().outcome()).isEqualTo(Outcome.DONE);
    leases.lease("a:1", TTL).close();
    node.image("b").tag("b:1").size(300).add();
    AtomicReference<Integer> lists = new AtomicReference<>(0);
    node.faults().beforeEach(Operation.LIST_CONTAINERS, () -> {
      if (lists.getAndUpdate(n -> n + 1) == 1) {
        throw new UnreachableException("away");
      }
    });
    assertThat(gc.deleteUnusedImages().outcome()).isEqualTo(Outcome.FAILED);
    leases.lease("b:1", TTL).close();
  }

  @Test
  void parentOfALeasedImage_stays() {
    node.image("base").tag("base:1").size(300).add();
    node.image("child").parent("base").tag("child:1").layer("more", 10).add();
    try (Lease lease = leases.lease("child:1", TTL)) {
      GcReport report = gc.deleteUnusedImages();
      assertThat(reason(report, "base")).as(lease.subject()).isEqualTo(Reason.HAS_CHILDREN);
      assertThat(node.removalsAsked()).isEmpty();
    }
  }

  @Test
  void leasesAreNamedInTheExplanationOfAFullDisk() {
    node.image("a").tag("a:1").size(300).add();
    node.otherData(650);
    try (Lease lease = leases.lease("a:1", TTL)) {
      GcReport report = gc.garbageCollect();
      assertThat(report.outcome()).as(lease.subject()).isEqualTo(Outcome.SHORT);
      assertThat(report.held()).anySatisfy(held -> {
        assertThat(held.reason()).isEqualTo(Reason.LEASED);
        assertThat(held.bytes()).hasValue(300);
      });
      assertThat(report.explanation()).contains("leased");
    }
  }

  @Test
  void nonsense_isRefusedWithItsNameAndRule() {
    assertThatThrownBy(() -> leases.lease("Not A Name", TTL))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Not A Name");
    assertThatThrownBy(() -> leases.lease("a:1", Duration.ZERO))
        .hasMessage("ttl must be above zero, but is PT0S");
    assertThatThrownBy(() -> leases.lease("a:1", TTL, Duration.ofSeconds(-1)))
        .hasMessage("maxWait must be zero or more, but is PT-1S");
    assertThatThrownBy(() -> leases.lease("a:1", TTL).renew(Duration.ZERO))
        .hasMessage("ttl must be above zero, but is PT0S");
  }

  private static Throwable refusal(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      return e;
    }
    throw new AssertionError("it was not refused");
  }
}
