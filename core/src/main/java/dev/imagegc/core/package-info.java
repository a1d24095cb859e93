/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The collector and its ready-made parts.
 *
 * <p>{@link dev.imagegc.core.ImageGcManager} runs rounds: measure the disk, observe the engine, remember, plan, sweep,
 * report. {@link dev.imagegc.core.LruGcPolicy} is the kubelet's policy, {@link dev.imagegc.core.LocalFsStatsProvider} measures
 * a local path, {@link dev.imagegc.core.BudgetFsStatsProvider} stands in for a disk that cannot be measured, {@link
 * dev.imagegc.core.FileRecordStore} keeps history in a directory. Pulls have a package of their own, {@code
 * dev.imagegc.core.pull}.
 */
@NullMarked
package dev.imagegc.core;

import org.jspecify.annotations.NullMarked;
