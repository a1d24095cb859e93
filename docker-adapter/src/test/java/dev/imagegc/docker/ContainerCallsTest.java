/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.AccessDeniedException;
import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is asked of the engine to remove or stop a container, and what its answers are taken to mean. */
@Timeout(60)
class ContainerCallsTest extends DaemonTest {
  private String id;
  private RemovalResult result;

  @BeforeEach
  void seedContainer() {
    id = engine.container(engine.image("a/b:1").id, "exited");
    runtime.listImages();
    daemon.forgetCalls();
  }

  private Container container() {
    return Container.builder(id).build();
  }

  private String delete() {
    return "DELETE /containers/" + id + "?v=0";
  }

  private String lookUp() {
    return "GET /containers/" + id + "/json";
  }

  private String stop(long seconds) {
    return "POST /containers/" + id + "/stop?t=" + seconds;
  }

  private void remove() {
    result = runtime.removeContainer(container());
  }

  private void assertResult(RemovalOutcome outcome) {
    assertThat(result.outcome()).as(result.toString()).isEqualTo(outcome);
  }

  private void assertCalls(String... calls) {
    assertThat(daemon.calls()).containsExactly(calls);
  }

  // ---- removal ----

  @Test
  void endedContainer_isOneDeleteWithoutForceAndWithoutVolumes() {
    remove();

    assertResult(RemovalOutcome.REMOVED);
    assertCalls(delete());
    assertThat(engine.hasContainer(id)).isFalse();
  }

  @Test
  void anonymousVolumes_goWithItIfTheHostWantsThat() {
    runtime.close();
    runtime = builder().removeAnonymousVolumes(true).build();

    remove();

    assertResult(RemovalOutcome.REMOVED);
    assertCalls("DELETE /containers/" + id + "?v=1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "No such container: x",
        "no container with name or ID \\\"x\\\" found: no such container",
        "container x does not exist in database: no such container"
      })
  void containerThatIsGone_isGoneWithoutALookUp(String words) {
    engine.next("DELETE", StubDaemon.json(404, "{\"message\":\"" + words + "\"}"));

    remove();

    assertResult(RemovalOutcome.GONE);
    assertCalls(delete());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "409 | You cannot remove a running container x. Stop the container before attempting removal",
        "409 | You cannot remove a paused container x. Unpause and then stop the container",
        "409 | You cannot remove a restarting container x. Stop the container before",
        "409 | cannot remove container '/x': container is running: stop the container before",
        "409 | cannot remove container '/x': container is paused and must be unpaused first",
        "409 | cannot remove container '/x': container is restarting: stop the container before",
        "500 | cannot remove container x as it is running - running or paused containers cannot be",
        "500 | cannot remove container x as it is paused - running or paused containers cannot be",
        "409 | cannot remove container x as it is stopping - running or paused containers cannot be",
      })
  void refusalOfALivingContainer_isInUseAlsoIfItHasEndedSince(int status, String words) {
    engine.next("DELETE", StubDaemon.message(status, words));

    remove();

    assertResult(RemovalOutcome.IN_USE);
    assertThat(result.detail()).isEqualTo(words);
    assertCalls(delete());
  }

  @ParameterizedTest
  @CsvSource({
    "409, running, IN_USE",
    "409, paused, IN_USE",
    "409, restarting, IN_USE",
    "409, removing, IN_USE",
    "500, stopping, IN_USE",
    "500, running, IN_USE",
    "500, removing, IN_USE",
    "409, exited, FAILED",
    "500, exited, FAILED",
    "500, stopped, FAILED",
    "500, created, FAILED",
    "500, dead, FAILED",
    "400, exited, FAILED",
    "301, exited, FAILED",
    "500, something, FAILED",
  })
  void refusalInOtherWords_meansWhatTheContainersStateSays(
      int status, String state, String outcome) {
    engine.become(id, state);
    engine.next("DELETE", StubDaemon.message(status, "device or resource busy"));

    remove();

    assertResult(RemovalOutcome.of(outcome));
    assertThat(result.detail()).isEqualTo("device or resource busy");
    assertCalls(delete(), lookUp());
  }

  @Test
  void nameThatReadsLikeAState_isNotTakenForOne() {
    engine.next(
        "DELETE",
        StubDaemon.message(500, "cannot remove container \"/running\": driver failed to unmount"));

    remove();

    assertResult(RemovalOutcome.FAILED);
  }

  @Test
  void removalByAnother_isInUseWhileItIsThereAndGoneThen() {
    StubDaemon.Reply inProgress =
        StubDaemon.message(409, "removal of container " + id + " is already in progress");
    engine.next("DELETE", inProgress);

    remove();
    assertResult(RemovalOutcome.IN_USE); // the state need not say it yet
    assertCalls(delete(), lookUp());

    engine.removeContainer(id);
    engine.next("DELETE", inProgress);

    remove();
    assertResult(RemovalOutcome.GONE);
  }

  @Test
  void errorOfARemovalThatWorkedAllTheSame_isGoneWithTheEnginesWords() {
    engine.next("DELETE", connection -> {
      engine.removeContainer(id);
      StubDaemon.message(500, "driver failed").send(connection);
    });

    remove();

    assertResult(RemovalOutcome.GONE);
    assertThat(result.detail()).isEqualTo("driver failed");
  }

  @Test
  void errorWithoutWords_saysTheStatus() {
    engine.next("DELETE", StubDaemon.empty(502));

    remove();

    assertResult(RemovalOutcome.FAILED);
    assertThat(result.detail()).isEqualTo("the engine answered 502");
  }

  @Test
  void otherSuccess_isRemovedOnlyIfTheContainerIsGone() {
    engine.next("DELETE", StubDaemon.json(200, "<html>It works!</html>"));

    remove();
    assertResult(RemovalOutcome.UNKNOWN);
    assertCalls(delete(), lookUp());

    engine.next("DELETE", connection -> {
      engine.removeContainer(id);
      StubDaemon.json(200, "[]").send(connection);
    });

    remove();
    assertResult(RemovalOutcome.REMOVED);
  }

  @Test
  void notFoundByWhatStandsBetween_isNotGone() {
    engine.next("DELETE", StubDaemon.message(404, "page not found"));

    remove();
    assertResult(RemovalOutcome.FAILED);
    assertThat(result.detail()).isEqualTo("page not found");

    engine.always("", StubDaemon.message(404, "page not found"));
    assertThatThrownBy(this::remove).isInstanceOf(ProtocolException.class);
  }

  @Test
  void lookUpThatIsNonsense_isAProtocolError() {
    engine.next("DELETE", StubDaemon.message(500, "busy"));
    engine.always("GET", StubDaemon.json(200, "{\"State\":{}}"));

    assertThatThrownBy(this::remove)
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("State.Status");
  }

  @Test
  void containerThatCanNeitherBeRemovedNorLookedUp_isUnknown_andTheEngineIsNotTakenForAway() {
    String broken = "RWLayer of container " + id + " is unexpectedly nil";
    engine.next("DELETE", StubDaemon.message(500, broken));
    engine.always("GET", StubDaemon.message(500, broken));

    remove();

    assertResult(RemovalOutcome.UNKNOWN);
    assertThat(result.detail()).startsWith(broken + "; and it cannot be looked up: GET ");
    engine.next("POST", StubDaemon.message(500, "cannot stop"));
    assertThatThrownBy(() -> runtime.stopContainer(container(), Duration.ZERO))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("500: cannot stop; and GET ")
        .hasMessageContaining(broken);
  }

  @Test
  void timeout_whenTheContainerIsGone_isGone() {
    become(builder().removalTimeout(SHORT));
    engine.removeContainer(id);
    engine.next("DELETE", StubDaemon.hang());

    remove();

    assertResult(RemovalOutcome.GONE);
    assertThat(result.detail()).contains("no answer came");
    assertCalls(delete(), lookUp());
  }

  @Test
  void timeout_whenTheContainerIsThere_isUnknown() {
    become(builder().removalTimeout(SHORT));
    engine.next("DELETE", StubDaemon.hang());

    remove();

    assertResult(RemovalOutcome.UNKNOWN);
    assertThat(result.detail()).contains("DELETE");
  }

  @Test
  void lostConnection_isLookedUpAndNotRepeated() {
    engine.next("DELETE", StubDaemon.closed());

    remove();

    assertResult(RemovalOutcome.UNKNOWN);
    assertThat(daemon.calls()).containsExactly(delete(), lookUp());
  }

  @Test
  void timeout_whenTheLookUpFailsToo_isTimedOut() {
    become(builder().removalTimeout(SHORT));
    engine.next("DELETE", StubDaemon.hang());
    engine.next("GET /containers/" + id, StubDaemon.closed());

    assertThatThrownBy(this::remove)
        .isInstanceOf(TimedOutException.class)
        .hasMessageContaining("DELETE");
  }

  @Test
  void refusedAccess_isThrown() {
    engine.always("DELETE", StubDaemon.message(403, "not for you"));

    assertThatThrownBy(this::remove).isInstanceOf(AccessDeniedException.class);
  }

  @Test
  void engineThatIsAway_isUnreachable() {
    daemon.close();

    assertThatThrownBy(this::remove).isInstanceOf(UnreachableException.class);
    assertThatThrownBy(() -> runtime.stopContainer(container(), Duration.ZERO))
        .isInstanceOf(UnreachableException.class);
  }

  @Test
  void interrupt_endsTheCallAndStaysSet() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    engine.next("DELETE", connection -> {
      asked.countDown();
      connection.hang();
    });
    FutureTask<Boolean> call = new FutureTask<>(() -> {
      assertThatThrownBy(this::remove).isInstanceOf(CancelledException.class);
      return Thread.currentThread().isInterrupted();
    });
    Thread thread = new Thread(call);
    thread.start();
    asked.await();

    thread.interrupt();

    assertThat(call.get()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"web", "abc", "..", "../images/x", "x?force=1", "a b", "ABCDEF", "%2e%2e"})
  void whatIsNoWholeId_isNeverSent(String text) {
    Container container = Container.builder(text).build();

    assertThatThrownBy(() -> runtime.removeContainer(container))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + text + "'")
        .hasMessageContaining("64 hexadecimal digits");
    assertThatThrownBy(() -> runtime.stopContainer(container, Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
    assertCalls();
  }

  @Test
  void closedRuntime_refuses() {
    runtime.close();

    assertThatThrownBy(this::remove).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> runtime.stopContainer(container(), Duration.ZERO))
        .isInstanceOf(IllegalStateException.class);
  }

  // ---- stop ----

  @ParameterizedTest
  @CsvSource({
    "PT0S, 0",
    "PT0.000000001S, 1",
    "PT1S, 1",
    "PT29.5S, 30",
    "PT2147483646.5S, 2147483647",
    "PT2562047788015215H30M7.999999999S, 2147483647",
  })
  void stop_givesTheGraceInWholeSeconds(Duration grace, long seconds) {
    engine.become(id, "running");

    runtime.stopContainer(container(), grace);

    assertCalls(stop(seconds));
    runtime.removeContainer(container());
    assertThat(engine.hasContainer(id)).isFalse();
  }

  @Test
  void negativeGrace_isRefused() {
    assertThatThrownBy(() -> runtime.stopContainer(container(), Duration.ofNanos(-1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("zero or more")
        .hasMessageContaining("PT-0.000000001S");
    assertCalls();
  }

  @Test
  void stopOfAContainerThatDoesNotRun_orIsGone_isDoneWithOneCall() {
    runtime.stopContainer(container(), Duration.ZERO);
    engine.removeContainer(id);
    runtime.stopContainer(container(), Duration.ZERO);

    assertCalls(stop(0), stop(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"running", "paused", "restarting", "removing", "stopping", "unknown"})
  void stopThatIsRefused_whileItRunsOrThatIsNotKnown_isThrown(String state) {
    engine.become(id, state);
    engine.next("POST", StubDaemon.message(500, "refusing to clean up"));

    assertThatThrownBy(() -> runtime.stopContainer(container(), Duration.ZERO))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining(stop(0))
        .hasMessageContaining("500: refusing to clean up");
    assertCalls(stop(0), lookUp());
  }

  @ParameterizedTest
  @ValueSource(strings = {"created", "exited", "dead"})
  void stopThatFails_ofAContainerThatHasEnded_isDone(String state) {
    engine.become(id, state);
    engine.next("POST", StubDaemon.message(500, "is not running"));

    runtime.stopContainer(container(), Duration.ZERO);

    assertCalls(stop(0), lookUp());
  }

  @Test
  void stopThatFails_ofAContainerThatIsGone_isDone() {
    engine.next("POST", connection -> {
      engine.removeContainer(id);
      StubDaemon.message(500, "cannot kill").send(connection);
    });

    runtime.stopContainer(container(), Duration.ZERO);

    assertCalls(stop(0), lookUp());
  }

  @Test
  void stopAnsweredWithNonsense_isLookedUp() {
    engine.become(id, "running");
    engine.next("POST", StubDaemon.json(200, "<html>It works!</html>"));

    assertThatThrownBy(() -> runtime.stopContainer(container(), Duration.ZERO))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("is RUNNING");
  }

  @Test
  void stop_mayTakeTheGraceAndTheTimeOfARemoval() {
    become(builder().removalTimeout(SHORT));
    engine.become(id, "running");
    engine.next("POST", connection -> {
      connection.pause(600); // longer than a removal
      StubDaemon.empty(204).send(connection);
    });
    runtime.stopContainer(container(), LONG);

    engine.next("POST", StubDaemon.hang());
    assertThatThrownBy(() -> runtime.stopContainer(container(), Duration.ZERO))
        .isInstanceOf(TimedOutException.class)
        .hasMessageContaining("within 200 ms");
  }
}
