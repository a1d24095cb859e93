/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

/** A way in which an engine fails as a whole. More may be added in later releases. */
public enum Fault {
  /** The engine cannot be reached: connections are refused, say. */
  UNREACHABLE,
  /** The engine takes calls and never answers them. */
  HANG,
  /** The engine answers everything with something that is not an answer of a container engine. */
  MALFORMED,
  /** The engine's answers end in the middle. */
  TRUNCATED
}
