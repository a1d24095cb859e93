/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What an engine adapter tests itself with: {@link dev.imagegc.testkit.tck.RuntimeCompatibilityKit} holds the rules, a {@link
 * dev.imagegc.testkit.tck.RuntimeFixture} prepares the engine for them.
 *
 * <p>This package needs JUnit Jupiter 5.14 or later and AssertJ; the rest of the module needs neither.
 */
@NullMarked
package dev.imagegc.testkit.tck;

import org.jspecify.annotations.NullMarked;
