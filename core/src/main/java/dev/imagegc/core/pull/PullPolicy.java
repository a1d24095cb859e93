/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

/** When an image is fetched from its registry. The set is Kubernetes' and closed. */
public enum PullPolicy {
  /** Every time, whether or not it is there: a tag may have moved. Only what is missing is transferred. */
  ALWAYS,

  /** Only if no image has that name here. */
  IF_NOT_PRESENT,

  /** Not at all: it is there, or it is not. */
  NEVER
}
