/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a host tests itself with: a {@link dev.imagegc.testkit.FakeNode} whose disk, images and containers are one
 * consistent state, a {@link dev.imagegc.testkit.TestClock} in which nothing takes real time, a {@link
 * dev.imagegc.testkit.ManualScheduler} and a {@link dev.imagegc.testkit.RecordingListener}.
 *
 * <p>Everything here is thread-safe and works with any test framework; builders are not thread-safe. A call that asks
 * for something impossible, such as a container of an image that is not there, throws {@link IllegalArgumentException}.
 */
@NullMarked
package dev.imagegc.testkit;

import org.jspecify.annotations.NullMarked;
