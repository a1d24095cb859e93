/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.disk;

/** Whether a filesystem has room. The set is closed: there is, there is not, or nobody can say. */
public enum SpaceStatus {
  /** At least as much is available as the threshold asks for. */
  AVAILABLE,

  /** Less is available than the threshold asks for. */
  OUT,

  /** It could not be measured, or the numbers make no sense. Neither full nor free. */
  UNKNOWN
}
