/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** What an event tells. */
public final class GcEventType extends OpenCode {
  /** A call that acts has ended; {@link GcEvent#report()} is there. */
  public static final GcEventType ROUND_FINISHED = new GcEventType("RoundFinished");

  /** One image was removed. */
  public static final GcEventType IMAGE_REMOVED = new GcEventType("ImageRemoved");

  /**
   * A state of one image: removing it does not work. It begins with the first failure and ends when the image is removed,
   * gone or in use; in between it is tried again after longer and longer pauses.
   */
  public static final GcEventType IMAGE_REMOVAL_FAILED = new GcEventType("ImageRemovalFailed");

  /** An image that stays has lost names, because a removal stopped half way. */
  public static final GcEventType REFERENCES_LOST = new GcEventType("ReferencesLost");

  /** A state: threshold rounds do not free enough. */
  public static final GcEventType FREE_DISK_SPACE_FAILED = new GcEventType("FreeDiskSpaceFailed");

  /** A state: the disk measure reports no usable capacity or available bytes, a capacity of 0 for instance. */
  public static final GcEventType INVALID_DISK_CAPACITY = new GcEventType("InvalidDiskCapacity");

  /** A state: rounds fail. */
  public static final GcEventType IMAGE_GC_FAILED = new GcEventType("ImageGCFailed");

  /** A state: the history cannot be loaded or saved. */
  public static final GcEventType STORE_FAILED = new GcEventType("StoreFailed");

  /**
   * The stored history was damaged, of a newer release or impossible; it was set aside, and every image counts as first seen
   * now.
   */
  public static final GcEventType HISTORY_LOST = new GcEventType("HistoryLost");

  /** A state: rounds by timer do not run, because other calls take longer than a round may wait for them. */
  public static final GcEventType IMAGE_GC_BUSY = new GcEventType("ImageGCBusy");

  /** A state: the disk measure reports more available than capacity; capacity is used. */
  public static final GcEventType AVAILABLE_CLAMPED = new GcEventType("AvailableClamped");

  /** A state: detections between rounds fail. */
  public static final GcEventType DETECTION_FAILED = new GcEventType("DetectionFailed");

  /** A state: the engine's stream of events is lost, and lists of containers are compared instead. */
  public static final GcEventType EVENT_STREAM_LOST = new GcEventType("EventStreamLost");

  /** A rule of the policy has matched no image since the start: probably a typing error. */
  public static final GcEventType RULE_UNMATCHED = new GcEventType("RuleUnmatched");

  /** One container was removed; {@link GcEvent#containerDecision()} is there. */
  public static final GcEventType CONTAINER_REMOVED = new GcEventType("ContainerRemoved");

  /** A state of one container: removing it does not work. It is tried again after longer and longer pauses. */
  public static final GcEventType CONTAINER_REMOVAL_FAILED =
      new GcEventType("ContainerRemovalFailed");

  /** A pass of container collection has ended; {@link GcEvent#containerReport()} is there. */
  public static final GcEventType CONTAINER_GC_FINISHED = new GcEventType("ContainerGCFinished");

  /** A state: passes of container collection fail. */
  public static final GcEventType CONTAINER_GC_FAILED = new GcEventType("ContainerGCFailed");

  /** A state: passes of container collection by timer do not run, because other calls take longer than a pass may wait for them. */
  public static final GcEventType CONTAINER_GC_BUSY = new GcEventType("ContainerGCBusy");

  /**
   * Disk pressure was acted upon: containers or images were removed, or it ended in another way than the time before. {@link
   * GcEvent#report()} is there if images were asked to go.
   */
  public static final GcEventType DISK_PRESSURE_HANDLED = new GcEventType("DiskPressureHandled");

  /** A state: a filesystem or a signal that a threshold is about cannot be measured, so the threshold is not watched. */
  public static final GcEventType SIGNAL_UNKNOWN = new GcEventType("SignalUnknown");

  /** Two settings contradict each other. */
  public static final GcEventType SETTINGS_CONTRADICT = new GcEventType("SettingsContradict");

  private GcEventType(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static GcEventType of(String code) {
    return new GcEventType(code);
  }
}
