/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When a container that Podman calls stopped may be taken for ended. */
@Timeout(60)
class StoppedContainersTest extends DaemonTest {
  private static final String END = "2026-01-01T00:00:00Z";

  private String id;
  private long nanos;

  @BeforeEach
  void seedContainer() {
    runtime.close();
    runtime = builder().timers(this::timer).build();
    id = engine.container(engine.image("a/b:1").id, "stopped");
  }

  private BooleanSupplier timer(Duration time) {
    long end = nanos + time.toNanos();
    return () -> nanos >= end;
  }

  private ContainerState listed() {
    return runtime.listContainers().get(0).state();
  }

  private String lookUp() {
    return "GET /containers/" + id + "/json";
  }

  private void pass(Duration time) {
    nanos += time.toNanos();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "no"})
  void sameEndForAMinute_withoutARestartPolicy_hasEnded(String policy) {
    engine.ended(END, policy);

    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
    pass(Duration.ofMinutes(1).minusNanos(1));
    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
    pass(Duration.ofNanos(1));
    assertThat(listed()).isEqualTo(ContainerState.EXITED);
    pass(Duration.ofDays(1));
    assertThat(listed()).isEqualTo(ContainerState.EXITED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"always", "unless-stopped", "on-failure", "else"})
  void restartPolicy_mayStartItAgainAnyMoment(String policy) {
    engine.ended(END, policy);

    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
    pass(Duration.ofDays(1));
    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
  }

  @Test
  void anotherEnd_beginsTheMinuteAgain() {
    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
    pass(Duration.ofMinutes(1));
    engine.ended("2026-01-01T00:00:59Z", "");
    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
    pass(Duration.ofMinutes(1));
    assertThat(listed()).isEqualTo(ContainerState.EXITED);
  }

  @Test
  void listThatShowsItRunning_beginsTheMinuteAgain() {
    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
    engine.become(id, "running");
    assertThat(listed()).isEqualTo(ContainerState.RUNNING);
    pass(Duration.ofMinutes(1));
    engine.become(id, "stopped");
    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
  }

  @ParameterizedTest
  @ValueSource(strings = {"running", "exited", "initialized"})
  void oneThatIsFurtherWhenItIsAskedFor_isLeftToTheNextList(String later) {
    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
    pass(Duration.ofMinutes(1));
    engine.become(id, later);
    engine.next(
        "GET /containers/json",
        StubDaemon.json(200, "[{\"Id\":\"" + id + "\",\"ImageID\":\"a\",\"State\":\"stopped\"}]"));

    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'State':{'Status':'stopped','FinishedAt':'2026-01-01T00:00:00Z'}}",
        "{'State':{'Status':'stopped','FinishedAt':'2026-01-01T00:00:00Z'},'HostConfig':null}",
        "{'State':{'Status':'stopped','FinishedAt':'2026-01-01T00:00:00Z'},'HostConfig':{}}",
        "{'State':{'Status':'stopped'},'HostConfig':{'RestartPolicy':{'Name':''}}}",
        "{'HostConfig':{'RestartPolicy':{'Name':''}}}",
        "{}",
        "nonsense",
      })
  void answerThatDoesNotSay_isNoEnd(String answer) {
    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
    pass(Duration.ofMinutes(1));
    engine.next(lookUp(), StubDaemon.json(200, answer.replace('\'', '"')));

    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
  }

  @ParameterizedTest
  @ValueSource(ints = {404, 409, 500})
  void oneThatCannotBeAskedFor_isNoEnd(int status) {
    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
    pass(Duration.ofMinutes(1));
    engine.next(lookUp(), StubDaemon.message(status, "no such container"));

    assertThat(listed()).isEqualTo(ContainerState.RESTARTING);
  }

  @Test
  void onlyStoppedOnes_costARequest() {
    engine.container(engine.image("a/c:1").id, "restarting");
    engine.container(engine.image("a/d:1").id, "exited");
    daemon.forgetCalls();
    runtime.listContainers();

    assertThat(daemon.calls()).containsExactly("GET /containers/json?all=1", lookUp());
  }

  @Test
  @Timeout(60)
  void onesThatCannotBeAskedForInTime_mayBeRestarting_andTheOthersAreListed() {
    runtime.close();
    runtime = builder()
        .timers(this::timer)
        .listTimeout(Duration.ofMinutes(5), Duration.ofSeconds(2), Duration.ofNanos(1))
        .callTimeout(Duration.ofMinutes(5))
        .build();
    engine.container(engine.image("a/c:1").id, "stopped");
    engine.container(engine.image("a/d:1").id, "exited");
    engine.always(lookUp(), StubDaemon.hang());

    assertThat(runtime.listContainers())
        .extracting(Container::state)
        .containsExactly(
            ContainerState.RESTARTING, ContainerState.RESTARTING, ContainerState.EXITED);
    assertThat(daemon.calls()).filteredOn(call -> call.endsWith("/json")).containsExactly(lookUp());
  }
}
