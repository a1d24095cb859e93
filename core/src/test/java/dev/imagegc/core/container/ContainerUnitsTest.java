/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerUnit;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ContainerUnitsTest {
  private static final String UID = "io.kubernetes.pod.uid";
  private static final String NAME = "io.kubernetes.container.name";
  private static final String PROJECT = "com.docker.compose.project";
  private static final String SERVICE = "com.docker.compose.service";

  private static final String NUMBER = "com.docker.compose.container-number";
  private static final String ONE_OFF = "com.docker.compose.oneoff";

  private static Container with(Map<String, String> labels) {
    return Container.builder("c").labels(labels).build();
  }

  private static Optional<ContainerUnit> kubernetes(Map<String, String> labels) {
    return ContainerUnits.kubernetes().apply(with(labels));
  }

  private static Optional<ContainerUnit> compose(Map<String, String> labels) {
    return ContainerUnits.compose().apply(with(labels));
  }

  @Test
  void kubernetes_isThePodsUidAndTheContainersName() {
    ContainerUnit unit = kubernetes(Map.of(UID, "uid-1", NAME, "app")).orElseThrow();
    assertThat(unit).isEqualTo(ContainerUnit.of("uid-1", "app"));
    assertThat(unit.isSandbox()).isFalse();
    assertThat(unit.sandboxId()).isEmpty();
  }

  @Test
  void kubernetes_knowsTheSandboxThatAContainerIsIn() {
    ContainerUnit unit = kubernetes(
            Map.of(UID, "uid-1", NAME, "app", "io.kubernetes.sandbox.id", "s-1"))
        .orElseThrow();
    assertThat(unit.sandboxId()).hasValue("s-1");
  }

  @Test
  void kubernetes_sandboxIsKnownByItsTypeOrByItsName() {
    assertThat(kubernetes(Map.of(UID, "uid-1", "io.kubernetes.docker.type", "podsandbox")))
        .hasValue(ContainerUnit.sandboxOf("uid-1"));
    assertThat(kubernetes(Map.of(UID, "uid-1", NAME, "POD")))
        .hasValue(ContainerUnit.sandboxOf("uid-1"));
    assertThat(
            kubernetes(Map.of(UID, "uid-1", NAME, "app", "io.kubernetes.docker.type", "container")))
        .hasValue(ContainerUnit.of("uid-1", "app"));
  }

  @Test
  void kubernetes_missingOrBlankLabels_areNoUnit() {
    assertThat(kubernetes(Map.of())).isEmpty();
    assertThat(kubernetes(Map.of(UID, "uid-1"))).isEmpty();
    assertThat(kubernetes(Map.of(NAME, "app"))).isEmpty();
    assertThat(kubernetes(Map.of(NAME, "POD"))).isEmpty();
    assertThat(kubernetes(Map.of(UID, " ", NAME, "app"))).isEmpty();
    assertThat(kubernetes(Map.of(UID, "uid-1", NAME, ""))).isEmpty();
  }

  @Test
  void compose_isTheProjectAndTheService() {
    assertThat(compose(Map.of(PROJECT, "shop", SERVICE, "web", NUMBER, "1")))
        .hasValue(ContainerUnit.of("shop", "web"));
    assertThat(compose(Map.of(PROJECT, "shop", NUMBER, "1"))).isEmpty();
    assertThat(compose(Map.of(SERVICE, "web", NUMBER, "1"))).isEmpty();
    assertThat(compose(Map.of(PROJECT, "shop", SERVICE, " ", NUMBER, "1"))).isEmpty();
  }

  @Test
  void compose_containerThatSomebodyMadeOfAnImageThatComposeBuilt_isNotComposes() {
    assertThat(compose(
            Map.of(PROJECT, "shop", SERVICE, "web", "com.docker.compose.version", "2.21.0")))
        .isEmpty();
    assertThat(compose(
            Map.of(PROJECT, "shop", SERVICE, "web", "com.docker.compose.config-hash", "1f")))
        .hasValue(ContainerUnit.of("shop", "web"));
    assertThat(compose(Map.of(PROJECT, "shop", SERVICE, "web", ONE_OFF, "False")))
        .hasValue(ContainerUnit.of("shop", "web"));
  }

  @Test
  void compose_replicasOfAService_takeThePlaceOfNoOther() {
    assertThat(compose(Map.of(PROJECT, "shop", SERVICE, "web", NUMBER, "2")))
        .hasValue(ContainerUnit.of("shop", "web #2"));
  }

  @Test
  void compose_oneOffContainers_takeThePlaceOfNoneOfTheService() {
    assertThat(compose(Map.of(PROJECT, "shop", SERVICE, "web", NUMBER, "1", ONE_OFF, "True")))
        .hasValue(ContainerUnit.of("shop", "web (one-off)"));
  }

  @Test
  void firstOf_asksInOrder() {
    var both = ContainerUnits.firstOf(ContainerUnits.compose(), ContainerUnits.kubernetes());
    assertThat(both.apply(with(Map.of(UID, "uid-1", NAME, "app"))))
        .hasValue(ContainerUnit.of("uid-1", "app"));
    assertThat(both.apply(
            with(Map.of(UID, "uid-1", NAME, "app", PROJECT, "shop", SERVICE, "web", NUMBER, "1"))))
        .hasValue(ContainerUnit.of("shop", "web"));
    assertThat(both.apply(with(Map.of()))).isEmpty();
  }

  @Test
  void policy_hasTheDefaultsOfTheKubeletsFlags() {
    ContainerGcPolicy policy = ContainerGcPolicy.ofDefaults();
    assertThat(policy.minAge()).isEqualTo(Duration.ZERO);
    assertThat(policy.maxPerUnit()).isEqualTo(1);
    assertThat(policy.maxContainers()).isEqualTo(-1);
    assertThat(policy.collectsUnowned()).isFalse();
  }

  @Test
  void policy_negativeMinAge_isAnErrorThatNamesFieldValueAndRule() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ContainerGcPolicy.builder().minAge(Duration.ofSeconds(-1)))
        .withMessage("minAge must be zero or more, but is PT-1S");
  }
}
