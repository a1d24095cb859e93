/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.PullException;
import dev.imagegc.testkit.FakeNode.Call;
import java.time.Duration;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Several filesystems on one node, inodes, and what containers write. */
class FakeDiskTest {
  private final FakeNode node = FakeNode.withDisk(1000);

  // Layouts

  @Test
  void withoutALayout_onlyTheImageFilesystemIsKnown_alsoByInodes() {
    assertThat(imageFs().device()).isPresent();
    assertThat(imageFs().inodes()).isEmpty();
    assertThat(imageFs().inodesFree()).isEmpty();
    assertThat(node.fsStats().rootFs()).isEmpty();
    assertThat(node.fsStats().containerFs()).isEmpty();
    assertThatThrownBy(node::rootDisk)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("withOneDisk");
  }

  @Test
  void withOneDisk_allThreeAreTheSameDisk() {
    node.withOneDisk();
    write("c", 10);
    node.image("app").size(300).add();

    node.rootDisk().otherData(100);

    assertThat(imageFs().availableBytes()).hasValue(590);
    assertThat(rootFs().availableBytes()).hasValue(590);
    assertThat(containerFs().availableBytes()).hasValue(590);
    assertThat(imageFs().path()).isEqualTo("/fake/images");
    assertThat(rootFs().path()).isEqualTo("/fake/root");
    assertThat(containerFs().path()).isEqualTo("/fake/containers");
    assertThat(rootFs().device()).isEqualTo(imageFs().device());
    assertThat(containerFs().device()).isEqualTo(imageFs().device());
  }

  @Test
  void withDedicatedImageFs_containersWriteWhereTheImagesAre() {
    node.withDedicatedImageFs(500);
    node.image("app").size(300).add();
    write("c", 10);

    node.rootDisk().otherData(100);

    assertThat(imageFs().availableBytes()).hasValue(690);
    assertThat(containerFs().availableBytes()).hasValue(690);
    assertThat(rootFs().capacityBytes()).hasValue(500);
    assertThat(rootFs().availableBytes()).hasValue(400);
    assertThat(containerFs().device()).isEqualTo(imageFs().device());
    assertThat(rootFs().device()).isPresent().isNotEqualTo(imageFs().device());
  }

  @Test
  void withSplitImageFs_containersWriteToTheRootDisk() {
    node.withSplitImageFs(500);
    node.image("app").size(300).add();
    write("c", 10);

    node.otherData(1);
    node.rootDisk().otherData(100);

    assertThat(imageFs().availableBytes()).hasValue(699);
    assertThat(rootFs().availableBytes()).hasValue(390);
    assertThat(containerFs().availableBytes()).hasValue(390);
    assertThat(containerFs().device()).isEqualTo(rootFs().device());
    assertThat(rootFs().device()).isPresent().isNotEqualTo(imageFs().device());
    node.removeContainer("c");
    assertThat(imageFs().availableBytes()).hasValue(699);
    assertThat(rootFs().availableBytes()).hasValue(400);
  }

  @Test
  void eachMeasureIsACallOfItsOwn() {
    imageFs();
    node.fsStats().rootFs();
    node.fsStats().containerFs();

    assertThat(node.calls())
        .extracting(Call::toString)
        .containsExactly("MEASURE", "MEASURE_ROOT", "MEASURE_CONTAINERS");
  }

  // What containers write

  @Test
  void writableLayer_takesSpaceUntilTheContainerIsRemoved() {
    node.image("app").size(300).add();
    node.container("c")
        .image("app")
        .state(ContainerState.EXITED)
        .writes(50)
        .inodes(7)
        .add();
    assertThat(node.usedBytes()).isEqualTo(350);
    assertThat(node.imageDisk().usedInodes()).isEqualTo(7);

    node.removeContainer("c");

    assertThat(node.usedBytes()).isEqualTo(300);
    assertThat(node.imageDisk().usedInodes()).isZero();
  }

  @Test
  void writableLayer_thatDoesNotFit_isRefusedAndChangesNothing() {
    node.withSplitImageFs(20);

    refuses("no space left on the fake root disk for container c: 21 bytes", () -> write("c", 21));

    assertThat(node.containerIds()).isEmpty();
    write("c", 20);
    assertThat(node.rootDisk().availableBytes()).isZero();
  }

  // Inodes

  @Test
  void inodes_areTakenByLayersContainersAndOtherData_sharedLayersOnce() {
    node.imageDisk().inodes(100);
    node.image("app").layer("base", 300).inodes(20).layer("app", 100).inodes(3).add();
    node.image("web").layer("base", 300).inodes(20).size(50).inodes(4).add();
    node.container("c").inodes(5).add();
    node.imageDisk().otherInodes(8);
    assertThat(imageFs().inodes()).hasValue(100);
    assertThat(imageFs().inodesFree()).hasValue(60);
    assertThat(node.imageDisk().usedInodes()).isEqualTo(40);

    node.deleteImage("app");
    assertThat(imageFs().inodesFree()).hasValue(63);
    node.deleteImage("web");
    assertThat(imageFs().inodesFree()).hasValue(87);
    node.removeContainer("c");
    assertThat(imageFs().inodesFree()).hasValue(92);
    assertThat(node.imageDisk().inodesFree()).hasValue(92);
  }

  @Test
  void inodes_ofOneDisk_leaveTheOtherAlone() {
    node.withDedicatedImageFs(500);
    node.rootDisk().inodes(10);

    node.rootDisk().otherInodes(4);

    assertThat(rootFs().inodes()).hasValue(10);
    assertThat(rootFs().inodesFree()).hasValue(6);
    assertThat(imageFs().inodes()).isEmpty();
  }

  @Test
  void inodes_comeBackWithTheSpace_ofAnEngineThatFreesLate() {
    node.imageDisk().inodes(10);
    node.freesSpaceAfter(Duration.ofSeconds(5));
    node.image("app").size(300).inodes(4).add();
    node.runtime().removeImage(node.runtime().listImages().get(0));

    assertThat(imageFs().inodesFree()).hasValue(6);
    node.clock().advance(Duration.ofSeconds(5));

    assertThat(imageFs().inodesFree()).hasValue(10);
  }

  @Test
  void whatAContainerWrote_comesBackLate_onTheDiskWhereItIs() {
    node.withSplitImageFs(500);
    node.freesSpaceAfter(Duration.ofSeconds(5));
    node.container("c").state(ContainerState.EXITED).writes(300).add();
    ((ContainerRemover) node.runtime())
        .removeContainer(node.runtime().listContainers().get(0));

    assertThat(node.containerIds()).isEmpty();
    assertThat(node.rootDisk().usedBytes()).isEqualTo(300);
    assertThat(node.imageDisk().usedBytes()).isZero();
    node.clock().advance(Duration.ofSeconds(5));

    assertThat(node.rootDisk().usedBytes()).isZero();
  }

  @Test
  void inodes_fewerThanAreUsed_noneIsFree() {
    node.imageDisk().otherInodes(5);

    node.imageDisk().inodes(4);

    assertThat(imageFs().inodesFree()).hasValue(0);
  }

  @Test
  void inodes_thatAreNotThere_areRefused() {
    node.imageDisk().inodes(10);
    node.image("app").layer("base", 1).inodes(6).add();

    refuses("no inodes left", () -> node.image("b").size(1).inodes(5).add());
    refuses("no inodes left", () -> node.container("c").inodes(5).add());
    refuses("no inodes left", () -> node.imageDisk().otherInodes(5));
    refuses("at least 0", () -> node.imageDisk().otherInodes(-1));
    refuses("at least 0", () -> node.imageDisk().inodes(-1));
    refuses("at least 0", () -> node.image("b").size(1).inodes(-1));
    refuses("at least 0", () -> node.container("c").inodes(-1));
    refuses("at least 0", () -> node.container("c").writes(-1));
    refuses(
        "layer base is on the node with 1 bytes and 6 inodes, not 1 bytes",
        () -> node.image("b").layer("base", 1).add());
    assertThatThrownBy(() -> node.image("b").inodes(1)).isInstanceOf(IllegalStateException.class);

    assertThat(node.imageIds()).containsExactly("app");
    assertThat(node.containerIds()).isEmpty();
    assertThat(node.imageDisk().usedInodes()).isEqualTo(6);
  }

  @Test
  void pull_withoutInodesLeft_failsAndLeavesNothing() {
    node.imageDisk().inodes(10);
    node.registry().image("app").tag("app:1").size(1).inodes(11).add();

    assertThatThrownBy(() -> node.puller().pull("app:1", Optional.empty(), progress -> {}))
        .isInstanceOf(PullException.class)
        .hasMessageContaining("no inodes left");

    assertThat(node.imageDisk().usedInodes()).isZero();
    node.imageDisk().inodes(11);
    node.puller().pull("app:1", Optional.empty(), progress -> {});
    assertThat(imageFs().inodesFree()).hasValue(0);
  }

  // Sizes of the root disk

  @Test
  void rootDisk_canBeFilledAndResized() {
    node.withDedicatedImageFs(500);
    node.rootDisk().fillTo(90);
    assertThat(node.rootDisk().usedBytes()).isEqualTo(450);
    node.rootDisk().writeOtherData(-50);
    assertThat(node.rootDisk().availableBytes()).isEqualTo(100);

    node.rootDisk().capacity(300);

    assertThat(rootFs().capacityBytes()).hasValue(300);
    assertThat(rootFs().availableBytes()).hasValue(0);
    assertThat(imageFs().availableBytes()).hasValue(1000);
    refuses("at least 0", () -> node.rootDisk().capacity(-1));
    refuses("at least 0", () -> FakeNode.withDisk(1).withSplitImageFs(-1));
  }

  private void write(String container, long bytes) {
    node.container(container).writes(bytes).add();
  }

  private FsStats imageFs() {
    return node.fsStats().imageFs();
  }

  private FsStats rootFs() {
    return node.fsStats().rootFs().orElseThrow();
  }

  private FsStats containerFs() {
    return node.fsStats().containerFs().orElseThrow();
  }

  private static void refuses(String message, ThrowingCallable request) {
    assertThatIllegalArgumentException().isThrownBy(request).withMessageContaining(message);
  }
}
