/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The collector of images and its ready-made parts.
 *
 * <p>{@link dev.imagegc.core.ImageGcManager} runs rounds: measure the disk, observe the engine, remember, plan, sweep,
 * report. {@link dev.imagegc.core.LruGcPolicy} is the kubelet's policy, {@link dev.imagegc.core.LocalFsStatsProvider} measures
 * a local path, {@link dev.imagegc.core.BudgetFsStatsProvider} stands in for a disk that cannot be measured, {@link
 * dev.imagegc.core.FileRecordStore} keeps history in a directory.
 *
 * <p>What builds on it has packages of its own: {@code dev.imagegc.core.pull} pulls, {@code dev.imagegc.core.container} collects
 * dead containers, {@code dev.imagegc.core.disk} says whether there is room, {@code dev.imagegc.core.pressure} acts on disk
 * pressure, and {@code dev.imagegc.core.node} puts all of them together.
 */
@NullMarked
package dev.imagegc.core;

import org.jspecify.annotations.NullMarked;
