/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.time.Instant;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The numbers that Podman tells of its filesystem. */
class PodmanFsTest extends DaemonTest {
  private static final String INFO = "GET /libpod/info";
  private static final String ROOT = "\"graphRoot\":\"/srv/storage\"";
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  private FsStatsProvider measure() {
    return runtime.podmanFsStats(InstantSource.fixed(NOW));
  }

  private void tells(String store) {
    engine.always(
        INFO,
        StubDaemon.json(
            200,
            "{\"host\":{\"arch\":\"amd64\",\"store\":{}},\"store\":" + store
                + ",\"version\":{\"Version\":\"4.3.1\"}}"));
  }

  private FsStats told(String store) {
    tells(store);
    return measure().imageFs();
  }

  @Test
  void numbers_areThoseOfTheStorage() {
    FsStats stats = told("{\"configFile\":\"/etc/x\"," + ROOT
        + ",\"graphRootAllocated\":1000,\"graphRootUsed\":300,\"imageStore\":{\"number\":3}}");

    assertThat(stats.path()).isEqualTo("/srv/storage at unix://" + socket());
    assertThat(stats.measuredAt()).isEqualTo(NOW);
    assertThat(stats.capacityBytes()).hasValue(1000);
    assertThat(stats.availableBytes()).hasValue(700);
    assertThat(stats.source()).isEqualTo("Podman's info");
    assertThat(stats.inodes()).isEmpty();
    assertThat(stats.device()).isEmpty();
  }

  @Test
  void fullAndEmptyDisks_areKnownToBeThat() {
    assertThat(told("{\"graphRootAllocated\":1000,\"graphRootUsed\":1000}").availableBytes())
        .hasValue(0);
    engine.heal();
    assertThat(told("{\"graphRootAllocated\":1000,\"graphRootUsed\":0}").availableBytes())
        .hasValue(1000);
  }

  @Test
  void eachMeasurement_asksAnew() {
    FsStatsProvider measure = measure();
    tells("{\"graphRootAllocated\":1000,\"graphRootUsed\":300}");
    measure.imageFs();
    engine.heal();
    tells("{\"graphRootAllocated\":1000,\"graphRootUsed\":200}");

    assertThat(measure.imageFs().availableBytes()).hasValue(800);
  }

  @Test
  void otherFilesystems_areUnknown() {
    assertThat(measure().rootFs()).isEmpty();
    assertThat(measure().containerFs()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "{}",
        "{\"graphRootUsed\":300}",
        "{\"graphRootAllocated\":null,\"graphRootUsed\":300}",
        "{\"graphRootAllocated\":0,\"graphRootUsed\":0}"
      })
  void capacityThatIsNotTold_isUnknown(String store) {
    FsStats stats = told(store);

    assertThat(stats.path()).isEqualTo("the storage of Podman at unix://" + socket());
    assertThat(stats.capacityBytes()).isEmpty();
    assertThat(stats.availableBytes()).isEmpty();
    assertThat(stats.source()).isEqualTo("Podman's info, which does not tell graphRootAllocated");
  }

  @Test
  void usageThatIsNotTold_leavesAvailableUnknown() {
    FsStats stats = told("{" + ROOT + ",\"graphRootAllocated\":1000}");

    assertThat(stats.capacityBytes()).hasValue(1000);
    assertThat(stats.availableBytes()).isEmpty();
    assertThat(stats.source()).isEqualTo("Podman's info, which does not tell graphRootUsed");
  }

  @Test
  void answerWithoutAStore_leavesEverythingUnknown() {
    engine.always(INFO, StubDaemon.json(200, "{\"host\":{}}"));

    assertThat(measure().imageFs().capacityBytes()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"graphRootAllocated\":1000,\"graphRootUsed\":1001}",
        "{\"graphRootAllocated\":1000,\"graphRootUsed\":-1}",
        "{\"graphRootAllocated\":-1,\"graphRootUsed\":0}",
        "{\"graphRootAllocated\":-1}"
      })
  void impossibleNumbers_areAnError(String store) {
    tells(store);

    assertThatThrownBy(measure()::imageFs)
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("GET /libpod/info at unix://" + socket())
        .hasMessageContaining("impossible numbers of the storage of Podman")
        .hasMessageContaining("graphRootAllocated is ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "7",
        "{\"graphRootAllocated\":\"lots\"}",
        "{\"graphRootAllocated\":1.5,\"graphRootUsed\":1}",
        "{\"graphRootAllocated\":18446744073709551615,\"graphRootUsed\":1}",
        "{\"graphRoot\":7,\"graphRootAllocated\":1000,\"graphRootUsed\":1}"
      })
  void answerThatIsNoneOfPodman_isAnError(String store) {
    tells(store);

    assertThatThrownBy(measure()::imageFs)
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("the answer is malformed");
  }

  @Test
  void engineThatIsNotPodman_isNamed() {
    assertThatThrownBy(measure()::imageFs)
        .isInstanceOf(ProtocolException.class)
        .hasMessage("The engine at unix://" + socket() + " is not Podman: it answered "
            + "GET /libpod/info with 404. Only Podman tells how full its filesystem is.");
  }

  @Test
  void engineInTrouble_isUnreachable() {
    engine.always(INFO, StubDaemon.message(500, "no storage"));

    assertThatThrownBy(measure()::imageFs)
        .isInstanceOf(UnreachableException.class)
        .hasMessageContaining("no storage");
  }

  @Test
  void engineThatDoesNotLetUs_isDenied() {
    engine.always(INFO, StubDaemon.message(403, "not you"));

    assertThatThrownBy(measure()::imageFs)
        .isInstanceOf(AccessDeniedException.class)
        .hasMessageContaining("not you");
  }

  @Test
  void engineThatHangs_isGivenUp() {
    become(builder().callTimeout(SHORT));
    engine.always(INFO, StubDaemon.hang());

    assertThatThrownBy(measure()::imageFs).isInstanceOf(TimedOutException.class);
  }

  @Test
  void closedRuntime_measuresNothing() {
    FsStatsProvider measure = measure();
    runtime.close();

    assertThatThrownBy(measure::imageFs).isInstanceOf(IllegalStateException.class);
  }
}
