/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What hosts, engine adapters and the collector say to each other: small interfaces and immutable values, no logic.
 *
 * <p>A host reads {@link dev.imagegc.api.GcReport}, {@link dev.imagegc.api.GcPlan}, {@link
 * dev.imagegc.api.ContainerGcReport} and {@link dev.imagegc.api.GcEvent}, and takes leases from {@link
 * dev.imagegc.api.ImageLeases}. An adapter author implements {@link dev.imagegc.api.Runtime} and, where the engine can do more,
 * {@link dev.imagegc.api.RuntimeEventSource}, {@link dev.imagegc.api.ImageLookup}, {@link dev.imagegc.api.ImagePuller} and {@link
 * dev.imagegc.api.ContainerRemover}. A host with its own rules implements {@link dev.imagegc.api.GcPolicy}, {@link
 * dev.imagegc.api.FsStatsProvider} or {@link dev.imagegc.api.RecordStore}. One that runs workloads tells them as {@link
 * dev.imagegc.api.Workloads}, and hears of disk pressure as {@link dev.imagegc.api.DiskConditionListener} and {@link
 * dev.imagegc.api.PressureShortfallHandler}.
 *
 * <p>Everywhere in this package: sizes are bytes; something unknown is an empty {@code Optional}, never 0, -1 or null;
 * parameters and results are never null; all values are immutable and safe to share between threads. Sets of codes
 * that will grow ({@link dev.imagegc.api.Reason}, {@link dev.imagegc.api.Outcome} and the other {@link
 * dev.imagegc.api.OpenCode}s) are open: compare with the constants you know and treat the rest as "something else".
 */
@NullMarked
package dev.imagegc.api;

import org.jspecify.annotations.NullMarked;
