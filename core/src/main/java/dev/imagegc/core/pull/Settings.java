/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core.pull;

import dev.imagegc.api.GcClock;
import dev.imagegc.api.ImageLeases;
import dev.imagegc.api.ImageLookup;
import dev.imagegc.api.ImagePuller;
import dev.imagegc.api.RegistryCredentialsProvider;
import java.time.Duration;

/** What the host has chosen; {@link ImagePullManager.Builder} says what each means. */
record Settings(
    ImagePuller puller,
    ImageLookup lookup,
    ImageLeases leases,
    RegistryCredentialsProvider credentials,
    GcClock clock,
    int maxRequests,
    Duration maxSlotWait,
    Duration maxRemovalWait,
    Duration transferDeadline,
    Duration lookupDeadline,
    Duration grace) {}
