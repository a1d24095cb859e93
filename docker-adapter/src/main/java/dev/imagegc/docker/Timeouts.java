/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.docker;

import java.time.Duration;

/**
 * How long each kind of call may take: to connect, and then from there to the last byte of the answer.
 *
 * @param connect to open a connection, TLS handshake included
 * @param firstList a list of images or containers before the number of images is known
 * @param list a list of images or containers on an empty engine
 * @param listPerImage what each image of the last listing adds to {@code list}
 * @param removal each request of a removal, and a stop of a container beyond its grace
 * @param call every other call
 */
record Timeouts(
    Duration connect,
    Duration firstList,
    Duration list,
    Duration listPerImage,
    Duration removal,
    Duration call) {}
