/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.api.NodeFs.CONTAINERFS;
import static dev.imagegc.api.NodeFs.IMAGEFS;
import static dev.imagegc.api.NodeFs.NODEFS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.FsStats;
import dev.imagegc.api.NodeFs;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The kubelet's table of what it reclaims, and how the layout is found. */
class FsLayoutTest {
  private static final List<FsLayout> ALL = List.of(
      FsLayout.ONE_DISK,
      FsLayout.DEDICATED_IMAGEFS,
      FsLayout.SPLIT,
      FsLayout.DEDICATED_CONTAINERFS,
      FsLayout.THREE_DISKS);

  private static Set<NodeFs> images(FsLayout layout) {
    return Arrays.stream(NodeFs.values()).filter(layout::imagesOn).collect(Collectors.toSet());
  }

  private static Set<NodeFs> containers(FsLayout layout) {
    return Arrays.stream(NodeFs.values()).filter(layout::containersOn).collect(Collectors.toSet());
  }

  private static Optional<FsStats> on(String device) {
    return Optional.of(
        FsStats.builder("/" + device, Instant.EPOCH).device(device).build());
  }

  private static Optional<FsStats> onUnknown() {
    return Optional.of(FsStats.builder("/unknown", Instant.EPOCH).build());
  }

  private static FsLayout found(
      Optional<FsStats> image, Optional<FsStats> root, Optional<FsStats> containers) {
    return FsLayout.of(image.orElseThrow(), root, containers);
  }

  // What helps where

  @Example
  void oneDisk_everythingHelpsEverywhere() {
    assertThat(images(FsLayout.ONE_DISK)).containsExactlyInAnyOrder(NODEFS, IMAGEFS, CONTAINERFS);
    assertThat(containers(FsLayout.ONE_DISK))
        .containsExactlyInAnyOrder(NODEFS, IMAGEFS, CONTAINERFS);
  }

  @Example
  void dedicatedImagefs_nothingHelpsTheNode() {
    assertThat(images(FsLayout.DEDICATED_IMAGEFS)).containsExactlyInAnyOrder(IMAGEFS, CONTAINERFS);
    assertThat(containers(FsLayout.DEDICATED_IMAGEFS))
        .containsExactlyInAnyOrder(IMAGEFS, CONTAINERFS);
  }

  @Example
  void split_imagesHelpTheirOwnDiskOnly_andContainersTheNode() {
    assertThat(images(FsLayout.SPLIT)).containsExactlyInAnyOrder(IMAGEFS);
    assertThat(containers(FsLayout.SPLIT)).containsExactlyInAnyOrder(NODEFS, CONTAINERFS);
  }

  @Example
  void dedicatedContainerfs_containersHelpTheirOwnDiskOnly_andImagesTheNode() {
    assertThat(images(FsLayout.DEDICATED_CONTAINERFS)).containsExactlyInAnyOrder(IMAGEFS, NODEFS);
    assertThat(containers(FsLayout.DEDICATED_CONTAINERFS)).containsExactlyInAnyOrder(CONTAINERFS);
  }

  @Example
  void threeDisks_eachHelpsItsOwn() {
    assertThat(images(FsLayout.THREE_DISKS)).containsExactlyInAnyOrder(IMAGEFS);
    assertThat(containers(FsLayout.THREE_DISKS)).containsExactlyInAnyOrder(CONTAINERFS);
  }

  @Example
  void filesystems_areTheSameAsTheLayoutSays() {
    assertThat(FsLayout.SPLIT.isSame(NODEFS, CONTAINERFS)).isTrue();
    assertThat(FsLayout.SPLIT.isSame(IMAGEFS, NODEFS)).isFalse();
    assertThat(FsLayout.THREE_DISKS.isSame(NODEFS, CONTAINERFS)).isFalse();
    assertThat(ALL).allMatch(layout -> layout.isSame(NODEFS, NODEFS));
  }

  // Finding it

  @Example
  void devices_tellTheLayout() {
    assertThat(found(on("a"), on("a"), Optional.empty())).isSameAs(FsLayout.ONE_DISK);
    assertThat(found(on("a"), on("a"), on("a"))).isSameAs(FsLayout.ONE_DISK);
    assertThat(found(on("a"), on("b"), Optional.empty())).isSameAs(FsLayout.DEDICATED_IMAGEFS);
    assertThat(found(on("a"), on("b"), on("a"))).isSameAs(FsLayout.DEDICATED_IMAGEFS);
    assertThat(found(on("a"), on("b"), on("b"))).isSameAs(FsLayout.SPLIT);
    assertThat(found(on("a"), on("a"), on("b"))).isSameAs(FsLayout.DEDICATED_CONTAINERFS);
    assertThat(found(on("a"), on("b"), on("c"))).isSameAs(FsLayout.THREE_DISKS);
  }

  @Example
  void unknownDevice_isAnotherOne_evenThanAnUnknownOne() {
    assertThat(found(onUnknown(), onUnknown(), Optional.empty()))
        .isSameAs(FsLayout.DEDICATED_IMAGEFS);
    assertThat(found(onUnknown(), onUnknown(), onUnknown())).isSameAs(FsLayout.THREE_DISKS);
    assertThat(found(onUnknown(), on("a"), on("a"))).isSameAs(FsLayout.SPLIT);
    assertThat(found(on("a"), on("a"), onUnknown())).isSameAs(FsLayout.DEDICATED_CONTAINERFS);
  }

  @Example
  void absentRoot_isAnotherFilesystem() {
    assertThat(found(on("a"), Optional.empty(), Optional.empty()))
        .isSameAs(FsLayout.DEDICATED_IMAGEFS);
    assertThat(found(on("a"), Optional.empty(), on("b"))).isSameAs(FsLayout.THREE_DISKS);
  }

  @Property
  void found_saysThatTwoAreTheSame_exactlyIfTheirDevicesAreKnownAndEqual(
      @ForAll("filesystems") Optional<FsStats> root,
      @ForAll("filesystems") Optional<FsStats> image,
      @ForAll("filesystems") Optional<FsStats> containers) {
    FsStats imageFs = image.or(FsLayoutTest::onUnknown).orElseThrow();
    FsLayout layout = FsLayout.of(imageFs, root, containers);

    Optional<String> imageDevice = imageFs.device();
    Optional<String> rootDevice = root.flatMap(FsStats::device);
    Optional<String> containerDevice =
        containers.isEmpty() ? imageDevice : containers.get().device();
    assertThat(layout.isSame(IMAGEFS, NODEFS))
        .isEqualTo(imageDevice.isPresent() && imageDevice.equals(rootDevice));
    assertThat(layout.isSame(NODEFS, CONTAINERFS))
        .isEqualTo(rootDevice.isPresent() && rootDevice.equals(containerDevice));
    assertThat(layout.isSame(IMAGEFS, CONTAINERFS))
        .isEqualTo(containers.isEmpty()
            || (imageDevice.isPresent() && imageDevice.equals(containerDevice)));
  }

  @Provide
  Arbitrary<Optional<FsStats>> filesystems() {
    return Arbitraries.of(Optional.empty(), onUnknown(), on("a"), on("b"), on("c"));
  }

  @Example
  void words_nameTheLayout() {
    assertThat(ALL)
        .extracting(FsLayout::toString)
        .containsExactly(
            "one disk", "dedicated imagefs", "split", "dedicated containerfs", "three disks");
  }
}
