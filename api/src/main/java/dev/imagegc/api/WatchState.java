/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.api;

/** How the collector hears of use between two detections. */
public final class WatchState extends OpenCode {
  /** It does not: the collector was not started, or is closed. */
  public static final WatchState OFF = new WatchState("OFF");

  /** From the engine's stream of events. */
  public static final WatchState STREAMING = new WatchState("STREAMING");

  /** By comparing lists of containers: the engine has no stream, or it is lost just now. */
  public static final WatchState RELISTING = new WatchState("RELISTING");

  private WatchState(String code) {
    super(code);
  }

  /**
   * Returns the value with a code, which may be one that this release does not know.
   *
   * @param code the code, not blank
   * @return the value
   */
  public static WatchState of(String code) {
    return new WatchState(code);
  }
}
