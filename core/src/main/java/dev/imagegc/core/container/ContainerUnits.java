/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.container;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerUnit;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Ready-made answers to which unit a container belongs to, by its labels. A label that is blank counts as missing. */
public final class ContainerUnits {
  private static final String POD_UID = "io.kubernetes.pod.uid";
  private static final String CONTAINER_NAME = "io.kubernetes.container.name";
  private static final String SANDBOX_ID = "io.kubernetes.sandbox.id";
  private static final String TYPE = "io.kubernetes.docker.type";
  private static final String TYPE_SANDBOX = "podsandbox";
  private static final String NAME_OF_SANDBOXES = "POD";
  private static final String COMPOSE_PROJECT = "com.docker.compose.project";
  private static final String COMPOSE_SERVICE = "com.docker.compose.service";
  private static final String COMPOSE_NUMBER = "com.docker.compose.container-number";
  private static final String COMPOSE_HASH = "com.docker.compose.config-hash";
  private static final String COMPOSE_ONE_OFF = "com.docker.compose.oneoff";

  private ContainerUnits() {}

  /**
   * Returns the units of Kubernetes: the workload is the pod's UID ({@code io.kubernetes.pod.uid}), the name the container's in its
   * pod ({@code io.kubernetes.container.name}). A container is a sandbox if its {@code io.kubernetes.docker.type} is {@code
   * podsandbox} or its name is {@code POD}; others are in the one that {@code io.kubernetes.sandbox.id} names.
   *
   * @return the function
   */
  public static Function<Container, Optional<ContainerUnit>> kubernetes() {
    return ContainerUnits::ofKubernetes;
  }

  /**
   * Returns the units of Compose: the workload is the project ({@code com.docker.compose.project}), the name its service ({@code
   * com.docker.compose.service}). Each replica of a service that was scaled is a unit, as {@code docker compose start} starts them
   * all again; Compose replaces one by another of the same number ({@code com.docker.compose.container-number}). One-off containers
   * ({@code docker compose run}) of a service are one unit: they take the place of no replica.
   *
   * <p>A container without a label that Compose puts on containers alone ({@code com.docker.compose.container-number}, {@code
   * .config-hash} or {@code .oneoff}) is not Compose's: images that Compose has built have the labels of the project and the
   * service too, and give them to every container that anybody makes of them.
   *
   * @return the function
   */
  public static Function<Container, Optional<ContainerUnit>> compose() {
    return ContainerUnits::ofCompose;
  }

  private static Optional<ContainerUnit> ofCompose(Container container) {
    if (Stream.of(COMPOSE_NUMBER, COMPOSE_HASH, COMPOSE_ONE_OFF)
        .allMatch(key -> label(container, key).isEmpty())) {
      return Optional.empty();
    }
    return label(container, COMPOSE_PROJECT)
        .flatMap(project -> label(container, COMPOSE_SERVICE)
            .map(service -> ContainerUnit.of(project, service + replica(container))));
  }

  /** What tells the units of one service apart; no name of a service has a blank. */
  private static String replica(Container container) {
    if (label(container, COMPOSE_ONE_OFF).filter("true"::equalsIgnoreCase).isPresent()) {
      return " (one-off)";
    }
    return label(container, COMPOSE_NUMBER)
        .filter(number -> !number.equals("1"))
        .map(number -> " #" + number)
        .orElse("");
  }

  /**
   * Returns the answer of the first of several functions that knows a unit.
   *
   * @param functions the functions, in the order in which they are asked
   * @return the function
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // the array is only read
  public static Function<Container, Optional<ContainerUnit>> firstOf(
      Function<Container, Optional<ContainerUnit>>... functions) {
    List<Function<Container, Optional<ContainerUnit>>> all = List.of(functions);
    return container ->
        all.stream().flatMap(function -> function.apply(container).stream()).findFirst();
  }

  private static Optional<ContainerUnit> ofKubernetes(Container container) {
    Optional<String> pod = label(container, POD_UID);
    Optional<String> name = label(container, CONTAINER_NAME);
    if (label(container, TYPE).filter(TYPE_SANDBOX::equals).isPresent()
        || name.filter(NAME_OF_SANDBOXES::equals).isPresent()) {
      return pod.map(ContainerUnit::sandboxOf);
    }
    Optional<String> sandbox = label(container, SANDBOX_ID);
    return pod.flatMap(uid -> name.map(role -> ContainerUnit.of(uid, role)))
        .map(unit -> sandbox.map(unit::inSandbox).orElse(unit));
  }

  private static Optional<String> label(Container container, String key) {
    return Optional.ofNullable(container.labels().get(key)).filter(Predicate.not(String::isBlank));
  }
}
