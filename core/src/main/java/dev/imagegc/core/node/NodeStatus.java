/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.node;

import dev.imagegc.api.ContainerGcReport;
import dev.imagegc.api.DiskCondition;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.GcEvent;
import dev.imagegc.api.GcException;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.NodeFs;
import dev.imagegc.api.WatchHealth;
import dev.imagegc.core.disk.DiskSpace;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How a node is, as a status display shows it: see {@link NodeGc#status()}. Immutable. */
public final class NodeStatus {
  /** One filesystem, and what is to be kept there. Immutable. */
  public static final class Filesystem {
    private final NodeFs kind;
    private final @Nullable FsStats stats;
    private final String error;
    private final @Nullable DiskSpace space;
    private final List<String> thresholds;

    Filesystem(
        NodeFs kind,
        @Nullable FsStats stats,
        String error,
        @Nullable DiskSpace space,
        List<String> thresholds) {
      this.kind = kind;
      this.stats = stats;
      this.error = error;
      this.space = space;
      this.thresholds = List.copyOf(thresholds);
    }

    /**
     * Returns what it is for.
     *
     * @return the kind
     */
    public NodeFs kind() {
      return kind;
    }

    /**
     * Returns its numbers.
     *
     * @return the measurement, or empty if it could not be measured
     */
    public Optional<FsStats> stats() {
      return Optional.ofNullable(stats);
    }

    /**
     * Returns why it could not be measured.
     *
     * @return words for people; empty if it was
     */
    public String error() {
      return error;
    }

    /**
     * Returns whether it has room, and below how much it has not.
     *
     * @return available, out or unknown, from the same measurement; empty if the disk space of this filesystem has no threshold
     */
    public Optional<DiskSpace> space() {
      return Optional.ofNullable(space);
    }

    /**
     * Returns the thresholds that it is held against.
     *
     * @return a clause for each, for people
     */
    public List<String> thresholds() {
      return thresholds;
    }

    @Override
    public String toString() {
      return kind + " " + (stats == null ? error : stats) + " " + thresholds;
    }
  }

  private final Instant at;
  private final List<Filesystem> filesystems;
  private final @Nullable GcPlan images;
  private final @Nullable GcException imagesTrouble;
  private final @Nullable ContainerGcReport containers;
  private final List<DiskCondition> conditions;
  private final WatchHealth watchHealth;
  private final int remembered;
  private final List<GcEvent> troubles;
  private final List<GcEvent> rounds;
  private final List<String> contradictions;

  NodeStatus(
      Instant at,
      List<Filesystem> filesystems,
      @Nullable GcPlan images,
      @Nullable GcException imagesTrouble,
      @Nullable ContainerGcReport containers,
      List<DiskCondition> conditions,
      WatchHealth watchHealth,
      int remembered,
      List<GcEvent> troubles,
      List<GcEvent> rounds,
      List<String> contradictions) {
    this.at = Objects.requireNonNull(at, "at");
    this.filesystems = List.copyOf(filesystems);
    this.images = images;
    this.imagesTrouble = imagesTrouble;
    this.containers = containers;
    this.conditions = List.copyOf(conditions);
    this.watchHealth = Objects.requireNonNull(watchHealth, "watchHealth");
    this.remembered = remembered;
    this.troubles = List.copyOf(troubles);
    this.rounds = List.copyOf(rounds);
    this.contradictions = List.copyOf(contradictions);
  }

  /**
   * Returns when it was so, by the wall clock.
   *
   * @return the time
   */
  public Instant at() {
    return at;
  }

  /**
   * Returns the filesystems that the disk measure knows, or that are held against a threshold. Their numbers may be 2 s
   * old.
   *
   * @return the image filesystem first
   */
  public List<Filesystem> filesystems() {
    return filesystems;
  }

  /**
   * Returns what a threshold round would do now, with a decision for every image.
   *
   * @return the plan, or empty if there is {@link #imagesTrouble()}
   */
  public Optional<GcPlan> images() {
    return Optional.ofNullable(images);
  }

  /**
   * Returns why there is no plan: trouble with the engine or the disk, or a call that has been running for too long.
   *
   * @return the trouble, or empty if there is a plan
   */
  public Optional<GcException> imagesTrouble() {
    return Optional.ofNullable(imagesTrouble);
  }

  /**
   * Returns what a pass of container collection would do now, with a decision for every container.
   *
   * @return the plan, whose outcome and cause tell of trouble; empty if containers are not collected
   */
  public Optional<ContainerGcReport> containers() {
    return Optional.ofNullable(containers);
  }

  /**
   * Returns which filesystems are under pressure, as of the last look at them.
   *
   * @return one condition for each filesystem that has pressure thresholds
   */
  public List<DiskCondition> conditions() {
    return conditions;
  }

  /**
   * Returns how the use of images is heard of between two detections.
   *
   * @return the health
   */
  public WatchHealth watchHealth() {
    return watchHealth;
  }

  /**
   * Returns of how many images history has a record.
   *
   * @return the number, 0 or more
   */
  public int remembered() {
    return remembered;
  }

  /**
   * Returns the states that have begun and not ended: history that cannot be saved, rounds that fail, and so on.
   *
   * @return the events with which they began, the oldest first
   */
  public List<GcEvent> troubles() {
    return troubles;
  }

  /**
   * Returns how the last rounds ended: of images, of containers, and under pressure.
   *
   * @return at most {@value NodeGc#ROUNDS} events, the newest first
   */
  public List<GcEvent> rounds() {
    return rounds;
  }

  /**
   * Returns the settings that contradict each other.
   *
   * @return a sentence for each, normally none
   */
  public List<String> contradictions() {
    return contradictions;
  }
}
