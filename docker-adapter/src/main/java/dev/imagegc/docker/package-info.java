/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The adapter for Docker, and for Podman through its Docker-compatible service: {@link
 * dev.imagegc.docker.DockerRuntime}.
 *
 * <p>What engines were seen to do, and this adapter counts on (Docker 20.10, 26.1 and 28.5, with overlay2 and with the
 * containerd image store, and Podman 4.3; API 1.41 to 1.51):
 *
 * <ul>
 *   <li>A container's {@code ImageID} is the id of an image in the same engine's list, however the container was created.
 *       Its {@code Image} is only a name.
 *   <li>Untagged parents are listed with {@code all=1} only. That costs the same for each image as the list without them.
 *   <li>By id, an engine refuses to remove an image of a container in any state, and an image with several names. With
 *       overlay2 it refuses an image on which others are built; with the containerd store and in Podman it removes that
 *       image, and what was built on it stays whole.
 *   <li>By tag, overlay2 takes the last name off an image on which others are built, and keeps the image. The containerd
 *       store does the same and answers that the image is deleted.
 *   <li>An image that is mounted into a container (API 1.48) is protected by the engine against removal by tag, not
 *       against removal by id. The collector looks at the containers immediately before.
 *   <li>On a full disk overlay2 forgets a tag and fails to write that down; a second request, by id, succeeds.
 *   <li>Podman calls a container stopped from its end until it has cleaned up after it or started it again: some 10 ms, most of
 *       the time that a restart takes, half of the time of one that ends at once again and again, and for good if the clean-up
 *       failed. It removes it all the same, without force.
 *   <li>Of several requests at once to remove one container, Docker tells more than one that it removed it: 20.10 in 24 of 100
 *       tries with 8 requests, 28 in 15. Of one image it tells one alone.
 *   <li>A list fails as a whole when an image goes while it is made, with Podman and with the containerd store. Asked
 *       again, the engine answers.
 * </ul>
 *
 * <p>What they say of layers (the same engines, on ext4):
 *
 * <ul>
 *   <li>Inspect has the diff ids ({@code RootFS.Layers}, or null if there are none), from the bottom up. The history has the
 *       size of every step, newest first. An image that was loaded without a history has none: {@code []} or null.
 *   <li>overlay2: the sizes of the history add up to {@code Size}, which counts the bytes of files and nothing else. So
 *       {@code WORKDIR}, an empty file and {@code RUN true} of BuildKit make layers of size 0, which look like {@code ENV} in
 *       the history. The classic builder makes no layer for a step that changes nothing. The size of each layer is also in
 *       {@code image/overlay2/layerdb/sha256/<chain id>/size}.
 *   <li>overlay2 takes more than it says: 8 blocks of 4 KiB for a first layer, 11 or 12 for any other, 3 to 5 for an image.
 *   <li>containerd store: the listed {@code Size} is that of the manifest, the config and the layer blobs of all platforms
 *       that are there, a blob that is named twice counted twice, and of all snapshots, in blocks of the filesystem. An index
 *       is not counted there, but is in the {@code Size} of inspect, which is of blobs only. The sizes of the history are
 *       those of the snapshots. Blobs stay after they were unpacked. Up to API 1.51 no call names them.
 *   <li>containerd store: where the classic builder has run a container ({@code RUN}, {@code WORKDIR}), a snapshot of 28 KiB
 *       lies below that layer. The listed size counts it, the history does not.
 *   <li>containerd store: an image that is loaded when all of its snapshots are there already does not hold them. They go
 *       with the image that they were made for, earlier than the layers say.
 *   <li>containerd store: a snapshot takes 2 blocks more than it says, and blobs are rounded up to blocks.
 *   <li>Podman: {@code Size} also counts what is stored about the image, 1 to 5 KB, so its histories never add up; asked for
 *       some histories, version 4.3 answers 500.
 *   <li>Every Docker frees space before it answers a DELETE: measured right afterwards, 0.1 % more than the layers promise
 *       had come back.
 *   <li>Inspect and history of an image together take Docker 1 ms with overlay2, and 8 to 16 ms with the containerd store; four
 *       at a time halves that.
 * </ul>
 *
 * <p>What they say of events (Docker 20.10, Docker 26.1 with the containerd store, Podman 4.3):
 *
 * <ul>
 *   <li>The head of {@code GET /events} comes at once, within 2 ms. Docker's source sends it a moment before the engine begins to
 *       listen; 150 tags that were set as soon as the head was there were all told, with and without {@code since}.
 *   <li>{@code since} takes nanoseconds. Docker uses it only for what it replays, at most 256 events. Podman's {@code since} is
 *       a filter of the whole stream; without it, 14 of 150 streams told something from before.
 *   <li>{@code filters} may name actions, also those that an engine does not know. Docker filters before it queues, so other events
 *       cost nothing. It queues 64 for each reader, waits 100 ms and then drops the event (from its source).
 *   <li>{@code pull} is told when the image is there, by Podman before it begins. Its actor is the reference; with Podman empty,
 *       and the name is an attribute. Podman's {@code build} has the id as its name, {@code loadfromarchive} a path.
 *   <li>{@code untag}: with overlay2 the name is the id, once for a removal that takes off a tag and a digest; with the containerd
 *       store there is one event for each, with its name. Podman tells a {@code delete} with each.
 *   <li>An import is told as {@code tag} and {@code import} with overlay2, as {@code import} with the containerd store, as {@code
 *       tag} by Podman. The classic builder tells the containers of its steps and the tag, and Docker 28 with the containerd store
 *       {@code create} of an image.
 *   <li>Podman calls {@code destroy} of a container {@code remove}, and has an {@code init} and a {@code cleanup} beside it.
 *   <li>Podman tells up to half a second late.
 *   <li>What happens at the same time, Docker may tell two streams in different orders.
 * </ul>
 *
 * <p>What they say of names and pulls (the same engines):
 *
 * <ul>
 *   <li>Inspect takes a name, an id, and the beginning of an id of any length. Asked in full, {@code docker.io/library/app:1}, it
 *       takes names only. Podman answers to {@code app:1} with {@code localhost/app:1} if there is that.
 *   <li>A name with a tag and a digest is not found by Docker 20.10 and Podman where the digest alone is not one of the image.
 *   <li>What cannot be a name is 400 with Docker, 500 ({@code normalizing name}) with Podman.
 *   <li>The {@code Size} of inspect is the one that is listed, but with the containerd store ({@code GraphDriver.Name} {@code
 *       overlayfs}).
 *   <li>A pull that is refused is 404 or 500 with Docker, and with Podman 200 with an error in the stream. Docker sends the head
 *       when the registry has answered, Podman at once.
 *   <li>Progress comes every 0.1 to 0.2 s from Docker, every second from Podman; small layers come without any.
 *   <li>Whoever closes the connection after 0.15 s of a pull of 60 MB finds no image 4 s later, with any of them; a second pull
 *       works. From Docker's source: the transfer stops when the last client that waits for it has gone.
 *   <li>Docker hands credentials only to the registry that {@code serveraddress} names (from its source, containerd store).
 * </ul>
 */
@NullMarked
package dev.imagegc.docker;

import org.jspecify.annotations.NullMarked;
