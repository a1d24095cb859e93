/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the containers of one role in one workload are counted as together: a pod's container of one name in Kubernetes, a
 * replica of a project's service in Compose. A container that ended and the one that replaced it are of the same unit.
 */
public final class ContainerUnit {
  private final String workload;
  private final String name;
  private final boolean sandbox;
  private final @Nullable String sandboxId;

  private ContainerUnit(String workload, String name, boolean sandbox, @Nullable String sandboxId) {
    this.workload = notBlank("workload", workload);
    this.name = notBlank("name", name);
    this.sandbox = sandbox;
    this.sandboxId = sandboxId;
  }

  private static String notBlank(String field, String value) {
    if (Objects.requireNonNull(value, field).isBlank()) {
      throw new IllegalArgumentException(field + " of a container unit must not be blank");
    }
    return value;
  }

  /**
   * Returns a unit of containers that do a workload's work.
   *
   * @param workload the workload's identity as the host knows it (a pod's UID, a project), not blank
   * @param name the container's role in it (a container name, a service), not blank
   * @return the unit
   */
  public static ContainerUnit of(String workload, String name) {
    return new ContainerUnit(workload, name, false, null);
  }

  /**
   * Returns the unit of a workload's sandboxes: containers that hold its namespaces and do no work.
   *
   * @param workload the workload's identity as the host knows it, not blank
   * @return the unit
   */
  public static ContainerUnit sandboxOf(String workload) {
    return new ContainerUnit(workload, "sandbox", true, null);
  }

  /**
   * Returns this unit, of a container that is in a sandbox.
   *
   * @param id the id of the sandbox's container
   * @return the unit
   */
  public ContainerUnit inSandbox(String id) {
    return new ContainerUnit(workload, name, sandbox, Objects.requireNonNull(id, "id"));
  }

  /**
   * Returns the workload.
   *
   * @return its identity as the host knows it
   */
  public String workload() {
    return workload;
  }

  /**
   * Returns the role in the workload.
   *
   * @return the name
   */
  public String name() {
    return name;
  }

  /**
   * Returns whether the container is a sandbox.
   *
   * @return whether it holds the namespaces of others
   */
  public boolean isSandbox() {
    return sandbox;
  }

  /**
   * Returns the sandbox that the container is in. Two containers of one unit may be in different ones.
   *
   * @return the id of the sandbox's container, or empty if it is in none or that is not known
   */
  public Optional<String> sandboxId() {
    return Optional.ofNullable(sandboxId);
  }

  /** Compares what is counted together: workload, name and whether it is a sandbox. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ContainerUnit unit
        && workload.equals(unit.workload)
        && name.equals(unit.name)
        && sandbox == unit.sandbox;
  }

  @Override
  public int hashCode() {
    return Objects.hash(workload, name, sandbox);
  }

  @Override
  public String toString() {
    return workload + "/" + name;
  }
}
