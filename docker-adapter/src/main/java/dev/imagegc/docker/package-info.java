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
 *   <li>A list fails as a whole when an image goes while it is made, with Podman and with the containerd store. Asked
 *       again, the engine answers.
 * </ul>
 */
@NullMarked
package dev.imagegc.docker;

import org.jspecify.annotations.NullMarked;
