/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit;

import static dev.imagegc.api.RemovalOutcome.GONE;
import static dev.imagegc.api.RemovalOutcome.HAS_CHILDREN;
import static dev.imagegc.api.RemovalOutcome.IN_USE;
import static dev.imagegc.api.RemovalOutcome.REMOVED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.tuple;

import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.FsStats;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.testkit.FakeNode.Call;
import dev.imagegc.testkit.FakeNode.Operation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FakeNodeTest {
  private final FakeNode node = FakeNode.withDisk(1000);

  // Disk

  @Test
  void measure_emptyNode_everythingIsAvailable() {
    FsStats stats = node.fsStats().imageFs();

    assertThat(stats.path()).isEqualTo("/fake/images");
    assertThat(stats.measuredAt()).isEqualTo(node.clock().instant());
    assertThat(stats.capacityBytes()).hasValue(1000);
    assertThat(stats.availableBytes()).hasValue(1000);
    assertThat(node.fsStats().rootFs()).isEmpty();
  }

  @Test
  void usedBytes_countsSharedLayersOnce() {
    node.image("app").layer("base", 300).layer("app", 100).add();
    node.image("web").layer("base", 300).layer("web", 50).add();
    node.otherData(7);

    assertThat(node.usedBytes()).isEqualTo(457);
    assertThat(node.availableBytes()).isEqualTo(543);
    assertThat(node.fsStats().imageFs().availableBytes()).hasValue(543);
  }

  @Test
  void listing_tellsEveryLayer_thoseOfTheParentIncluded() {
    node.image("base").layer("base", 300).add();
    node.image("app").parent("base").layer("app", 100).add();

    assertThat(image("app").layers().orElseThrow())
        .extracting(Layer::id, Layer::sizeBytes)
        .containsExactly(tuple("base", 300L), tuple("app", 100L));
    assertThat(image("app").sizeBytes()).hasValue(400);
  }

  @Test
  void listing_ofUnknownLayers_stillTellsTheSize() {
    node.image("app").layer("base", 300).unknownLayers().add();

    assertThat(image("app").layers()).isEmpty();
    assertThat(image("app").sizeBytes()).hasValue(300);
    assertThat(node.usedBytes()).isEqualTo(300);
  }

  @Test
  void layerThatIsToldWrongly_takesWhatItReallyTakes_alsoInAChild() {
    node.image("base").layer("small files", 300, 20).add();
    node.image("app").parent("base").layer("app", 5).add();

    assertThat(node.usedBytes()).isEqualTo(305);
    assertThat(image("app").sizeBytes()).hasValue(25);
    assertThat(image("app").layers().orElseThrow().get(0).sizeBytes()).isEqualTo(20);
    refuses("at least 0", () -> node.image("b").layer("b", 1, -1));
  }

  @Test
  void engineThatFreesLate_givesTheSpaceBackAfterTheDelay_andSaysThatItIsOne() {
    node.image("a").size(300).add();
    assertThat(node.runtime().freesSpaceLater()).isFalse();
    node.freesSpaceAfter(Duration.ofSeconds(5));
    assertThat(node.runtime().freesSpaceLater()).isTrue();

    assertThat(remove("a")).isEqualTo(REMOVED);

    node.clock().advance(Duration.ofMillis(4_999));
    assertThat(node.availableBytes()).isEqualTo(700);
    node.clock().jumpWall(Duration.ofDays(-1));
    assertThat(node.fsStats().imageFs().availableBytes()).hasValue(700);
    node.clock().advance(Duration.ofMillis(1));
    assertThat(node.availableBytes()).isEqualTo(1000);
    refuses("negative", () -> node.freesSpaceAfter(Duration.ofSeconds(-1)));
  }

  @Test
  void remove_freesExactlyTheLayersThatNobodyElseHolds() {
    node.image("app").layer("base", 300).layer("app", 100).add();
    node.image("web").layer("base", 300).layer("web", 50).add();

    assertThat(remove("app")).isEqualTo(REMOVED);
    assertThat(node.usedBytes()).isEqualTo(350);
    assertThat(remove("web")).isEqualTo(REMOVED);
    assertThat(node.usedBytes()).isZero();
  }

  @Test
  void deleteImage_inUse_containerHoldsTheLayersUntilItIsRemoved() {
    node.image("app").layer("base", 300).add();
    node.run("c", "app");

    node.deleteImage("app");
    assertThat(node.imageIds()).isEmpty();
    assertThat(node.usedBytes()).isEqualTo(300);
    assertThat(containers().get(0).images()).containsExactly(ImageId.of("app"));
    node.removeContainer("c");

    assertThat(node.usedBytes()).isZero();
  }

  @Test
  void writeOtherData_addsAndTakesAway() {
    node.writeOtherData(100);
    node.writeOtherData(-40);

    assertThat(node.usedBytes()).isEqualTo(60);
  }

  @ParameterizedTest
  @CsvSource({
    "1000,85,850",
    "1001,80,801",
    "7,50,4",
    "1000,30,300",
    "1000,100,1000",
    "9223372036854775807,90,8301034833169298227"
  })
  void fillTo_usesTheShareOfTheCapacityRoundedUp(long capacity, int percent, long used) {
    FakeNode filled = FakeNode.withDisk(capacity);
    filled.image("app").size(2).add();

    filled.fillTo(percent);

    assertThat(filled.usedBytes()).isEqualTo(used);
  }

  @Test
  void fillTo_calledAgainWithLess_deletesOtherData() {
    node.fillTo(90);

    node.fillTo(20);

    assertThat(node.usedBytes()).isEqualTo(200);
  }

  @Test
  void capacity_belowWhatIsUsed_nothingIsAvailable() {
    node.image("app").size(500).add();

    node.capacity(400);
    assertThat(node.fsStats().imageFs().availableBytes()).hasValue(0);
    node.capacity(0);

    assertThat(node.fsStats().imageFs().capacityBytes()).hasValue(0);
    assertThat(node.usedBytes()).isEqualTo(500);
  }

  @Test
  void whatDoesNotFit_isRefusedAndChangesNothing() {
    node.image("app").layer("base", 900).add();

    refuses("no space left", () -> node.image("big").size(101).add());
    refuses("no space left", () -> node.otherData(101));
    refuses("no space left", () -> node.writeOtherData(101));
    refuses("at least 0", () -> node.writeOtherData(-1));
    refuses("at least 0", () -> node.fillTo(80)); // images alone are 90 %
    refuses("0 to 100", () -> node.fillTo(101));
    refuses("at least 0", () -> node.capacity(-1));
    node.image("shares").layer("base", 900).layer("rest", 100).add();

    assertThat(node.imageIds()).containsExactly("app", "shares");
    assertThat(node.usedBytes()).isEqualTo(1000);
  }

  // Images

  @Test
  void listImages_tellsEverything() {
    Instant built = Instant.parse("2020-02-02T00:00:00Z");
    node.image("base").size(300).add();
    node.image("app")
        .parent("base")
        .digest("app@sha256:12")
        .tag("app:1")
        .tag("other:2")
        .layer("app", 100)
        .builtAt(built)
        .pinned("because")
        .label("k", "v")
        .add();

    assertThat(node.runtime().listImages())
        .containsExactly(
            Image.builder(ImageId.of("base"))
                .sizeBytes(300)
                .layers(List.of(Layer.of("private layer of base", 300)))
                .build(),
            Image.builder(ImageId.of("app"))
                .layers(List.of(Layer.of("private layer of base", 300), Layer.of("app", 100)))
                .reference("app:1")
                .reference("other:2")
                .reference("app@sha256:12")
                .sizeBytes(400)
                .parent(ImageId.of("base"))
                .builtAt(built)
                .pinned("because")
                .labels(Map.of("k", "v"))
                .build());
    assertThat(node.references("app")).containsExactly("app:1", "other:2", "app@sha256:12");
  }

  @Test
  void listImages_isASnapshot() {
    List<Image> before = node.runtime().listImages();

    node.image("app").add();

    assertThat(before).isEmpty();
  }

  @Test
  void listedSize_canDifferFromTheDiskOrBeUnknown() {
    node.image("lies").size(100).listedSize(7).add();
    node.image("silent").size(100).unknownSize().add();

    assertThat(node.runtime().listImages().get(0).sizeBytes()).hasValue(7);
    assertThat(node.runtime().listImages().get(1).sizeBytes()).isEmpty();
    assertThat(node.usedBytes()).isEqualTo(200);
  }

  @Test
  void parent_childHasItsLayers() {
    node.image("base").size(300).add();
    node.image("app").parent("base").size(100).add();
    assertThat(node.usedBytes()).isEqualTo(400);

    node.deleteImage("base");

    assertThat(node.usedBytes()).isEqualTo(400);
  }

  @Test
  void tag_movesFromTheImageThatHadIt() {
    node.image("old").tag("app:1").tag("app:latest").add();
    node.image("new").tag("app:latest").add();
    assertThat(node.references("old")).containsExactly("app:1");
    assertThat(node.references("new")).containsExactly("app:latest");

    node.tag("new", "app:1");

    assertThat(node.references("old")).isEmpty();
    assertThat(node.references("new")).containsExactly("app:latest", "app:1");
  }

  @Test
  void untag_takesTagsAndDigests() {
    node.image("app").tag("app:1").digest("app@sha256:12").add();

    node.untag("app:1");
    node.untag("app@sha256:12");

    assertThat(node.references("app")).isEmpty();
    assertThat(node.hasImage("app")).isTrue();
  }

  @Test
  void ids_areComparedWithoutThePrefix() {
    node.image("sha256:12").size(10).add();
    node.run("c", "12");

    refuses("on the node already", () -> node.image("12").add());
    assertThat(node.hasImage("12")).isTrue();
    assertThat(remove("12")).isEqualTo(IN_USE);
    node.removeContainer("c");
    assertThat(remove("12")).isEqualTo(REMOVED);
    assertThat(node.imageIds()).isEmpty();
  }

  // Removal

  @Test
  void remove_severalNames_goesWithAllOfThem() {
    node.image("app")
        .tag("app:1")
        .tag("other:1")
        .digest("app@sha256:12")
        .size(10)
        .add();

    assertThat(remove("app")).isEqualTo(REMOVED);

    assertThat(node.hasImage("app")).isFalse();
    refuses("no image", () -> node.untag("other:1"));
  }

  @Test
  void remove_unknownOrRepeated_isGone() {
    node.image("app").add();

    assertThat(remove("other")).isEqualTo(GONE);
    assertThat(remove("app")).isEqualTo(REMOVED);
    assertThat(remove("app")).isEqualTo(GONE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"CREATED", "RUNNING", "PAUSED", "EXITED", "UNKNOWN"})
  void remove_containerInAnyState_isInUseAndKeepsItsNames(String state) {
    node.image("app").tag("app:1").tag("app:2").add();
    node.container("c").image("app").state(ContainerState.of(state)).add();

    assertThat(remove("app")).isEqualTo(IN_USE);

    assertThat(node.references("app")).containsExactly("app:1", "app:2");
  }

  @Test
  void remove_mounted_isInUse() {
    node.image("app").add();
    node.image("data").add();
    node.container("c").image("app").mount("data").add();

    assertThat(remove("data")).isEqualTo(IN_USE);
  }

  @Test
  void remove_withChildren_isRefusedUntilTheyAreGone() {
    node.image("base").tag("base:1").size(10).add();
    node.image("app").tag("app:1").parent("base").add();

    assertThat(remove("base")).isEqualTo(HAS_CHILDREN);
    assertThat(node.references("base")).containsExactly("base:1");
    remove("app");

    assertThat(remove("base")).isEqualTo(REMOVED);
  }

  @Test
  void remove_lastChild_takesUntaggedParentsWithIt() {
    node.image("grandparent").size(10).add();
    node.image("parent").parent("grandparent").size(10).add();
    node.image("child1").parent("parent").tag("a:1").size(10).add();
    node.image("child2").parent("parent").tag("a:2").size(10).add();

    remove("child1");
    assertThat(node.imageIds()).containsExactly("grandparent", "parent", "child2");
    remove("child2");

    assertThat(node.imageIds()).isEmpty();
    assertThat(node.usedBytes()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"tagged", "by digest", "in use"})
  void remove_lastChild_leavesParentsThatSomebodyWants(String parent) {
    node.image("tagged").tag("base:1").add();
    node.image("by digest").digest("base@sha256:12").add();
    node.image("in use").add();
    node.run("c", "in use");
    node.image("child").parent(parent).add();

    remove("child");

    assertThat(node.hasImage(parent)).isTrue();
  }

  @Test
  void deleteImage_withChildren_leavesThemWithAParentThatIsNotListed() {
    node.image("base").add();
    node.image("app").parent("base").add();

    node.deleteImage("base");

    assertThat(node.runtime().listImages())
        .singleElement()
        .satisfies(image -> assertThat(image.parent()).contains(ImageId.of("base")));
    assertThat(remove("app")).isEqualTo(REMOVED);
  }

  // Containers

  @Test
  void listContainers_tellsEverything() {
    Instant start = node.clock().instant();
    node.image("app").add();
    node.image("data").add();
    node.container("c1").image("app").mount("data").label("k", "v").add();
    node.clock().advance(Duration.ofMinutes(1));
    node.exit("c1");

    Container container = containers().get(0);

    assertThat(container.id()).isEqualTo("c1");
    assertThat(container.images()).containsExactlyInAnyOrder(ImageId.of("app"), ImageId.of("data"));
    assertThat(container.state()).isEqualTo(ContainerState.EXITED);
    assertThat(container.createdAt()).contains(start);
    assertThat(container.finishedAt()).contains(start.plusSeconds(60));
    assertThat(container.labels()).containsExactly(Map.entry("k", "v"));
  }

  @Test
  void containerTimes_canBeSetOrNotTold() {
    node.image("app").add();
    node.container("set")
        .image("app")
        .createdAt(Instant.EPOCH)
        .finishedAt(Instant.EPOCH.plusSeconds(1))
        .add();
    node.container("exited").image("app").state(ContainerState.EXITED).add();
    node.container("silent")
        .image("app")
        .state(ContainerState.EXITED)
        .withoutTimes()
        .add();
    node.run("running", "app");

    assertThat(containers())
        .extracting(container -> container.finishedAt().orElse(null))
        .containsExactly(Instant.EPOCH.plusSeconds(1), node.clock().instant(), null, null);
    assertThat(containers())
        .extracting(container -> container.createdAt().orElse(null))
        .containsExactly(
            Instant.EPOCH, node.clock().instant(), null, node.clock().instant());
  }

  @Test
  void removeContainer_endsTheUse() {
    node.image("app").add();
    node.run("c", "app");

    node.removeContainer("c");

    assertThat(containers()).isEmpty();
    assertThat(remove("app")).isEqualTo(REMOVED);
  }

  // What a test looks at

  // Look-up

  @ParameterizedTest
  @ValueSource(strings = {"app", "app:latest", "docker.io/app", "docker.io/library/app:latest"})
  void findImage_byAnyWayToWriteItsName(String reference) {
    node.image("app").tag("app:latest").tag("app:1").label("a", "b").size(5).add();

    assertThat(node.lookup().findImage(reference)).contains(image("app"));
  }

  @Test
  void findImage_byNamesThatWereGivenInOtherWays() {
    node.image("short").tag("app").add();
    node.image("full").tag("docker.io/library/web:1").add();
    node.image("own").tag("localhost:5000/own/app").digest("own/app:1@sha256:1").add();

    assertThat(found("app:latest")).containsExactly("short");
    assertThat(found("web:1")).containsExactly("full");
    assertThat(found("localhost:5000/own/app:latest")).containsExactly("own");
    assertThat(found("own/app@sha256:1")).containsExactly("own");
    assertThat(found("docker.io/own/app:2@sha256:1")).containsExactly("own");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ap", "app:2", "app", "abcdef", "library/web:1", "app@sha256:1", "quay.io/app:1"})
  void findImage_byWhatIsNotItsName_isEmpty(String reference) {
    node.image("abcdef").tag("app:1").digest("web@sha256:1").add();

    assertThat(node.lookup().findImage(reference)).isEmpty();
  }

  @Test
  void findImage_followsTheName() {
    node.image("old").tag("app:1").add();
    node.image("young").tag("docker.io/library/app:1").add();
    assertThat(found("app:1")).containsExactly("young");
    assertThat(node.references("old")).isEmpty();

    node.tag("old", "app:1");
    assertThat(found("app:1")).containsExactly("old");
    node.untag("docker.io/library/app:1");
    assertThat(found("app:1")).isEmpty();
    node.tag("old", "app:1");
    node.deleteImage("old");

    assertThat(found("app:1")).isEmpty();
  }

  @Test
  void findImage_byId() {
    node.image("sha256:abc").tag("app:1").add();

    assertThat(node.lookup().findImage(ImageId.of("abc"))).contains(image("sha256:abc"));
    assertThat(node.lookup().findImage(ImageId.of("ab"))).isEmpty();
  }

  @Test
  void findImage_isLogged_andIsNoRemoval() {
    node.lookup().findImage("app:1");
    node.lookup().findImage(ImageId.of("app"));

    assertThat(node.calls())
        .extracting(Call::toString)
        .containsExactly("LOOK_UP app:1", "LOOK_UP app");
    assertThat(node.calls().get(0).reference()).contains("app:1");
    assertThat(node.removalsAsked()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "two words", ":1", "@sha256:1"})
  void findImage_byWhatIsNoName_isRefused(String reference) {
    assertThatIllegalArgumentException().isThrownBy(() -> node.lookup().findImage(reference));
  }

  @Test
  void namesOnTheNode_mayBeAnything_toTestWhoReadsThem() {
    node.image("app").tag("two words\n").tag("@").tag(":").digest("@@").add();

    node.untag("@@");
    node.untag("@");
    node.deleteImage("app");

    assertThat(node.imageIds()).isEmpty();
  }

  private List<String> found(String reference) {
    return node.lookup().findImage(reference).stream()
        .map(each -> each.id().text())
        .toList();
  }

  // The rest

  @Test
  void calls_areLoggedInOrder() {
    node.image("app").add();
    node.fsStats().imageFs();
    node.runtime().listImages();
    node.runtime().listContainers();
    remove("app");
    remove("gone");

    assertThat(node.calls())
        .extracting(Call::toString)
        .containsExactly(
            "MEASURE", "LIST_IMAGES", "LIST_CONTAINERS", "REMOVE_IMAGE app", "REMOVE_IMAGE gone");
    assertThat(node.calls(Operation.REMOVE_IMAGE)).isEqualTo(2);
    assertThat(node.removalsAsked()).containsExactly("app", "gone");
    assertThat(node.calls().get(3).image()).contains(ImageId.of("app"));
  }

  @Test
  void withDisk_sharedClock_isTheNodesClock() {
    TestClock clock = new TestClock();

    assertThat(FakeNode.withDisk(1, clock).clock()).isSameAs(clock);
  }

  @Test
  void impossibleRequests_areRefused() {
    node.image("app").tag("app:1").layer("base", 10).add();
    node.run("c", "app");

    refuses("image app is on the node already", () -> node.image("app").add());
    refuses(
        "layer base is on the node with 10 bytes",
        () -> node.image("b").layer("base", 11).add());
    refuses("at least 0", () -> node.image("b").size(-1));
    refuses("at least 0", () -> node.image("b").listedSize(-1));
    refuses("blank", () -> node.image("b").tag(" "));
    refuses("blank", () -> node.image(" "));
    refuses("blank", () -> node.container(" "));
    refuses("image x is not on the node", () -> node.image("b").parent("x").add());
    refuses("container c is on the node already", () -> node.run("c", "app"));
    refuses("image x is not on the node", () -> node.run("d", "x"));
    refuses("container x is not on the node", () -> node.exit("x"));
    refuses("container x is not on the node", () -> node.removeContainer("x"));
    refuses("image x is not on the node", () -> node.tag("x", "app:2"));
    refuses("reference x:1", () -> node.untag("x:1"));
    refuses("image x is not on the node", () -> node.deleteImage("x"));
    refuses("image x is not on the node", () -> node.references("x"));
    assertThat(node.imageIds()).containsExactly("app");
  }

  private static void refuses(String message, ThrowingCallable request) {
    assertThatIllegalArgumentException().isThrownBy(request).withMessageContaining(message);
  }

  private List<Container> containers() {
    return node.runtime().listContainers();
  }

  private Image image(String id) {
    return node.runtime().listImages().stream()
        .filter(image -> image.id().text().equals(id))
        .findFirst()
        .orElseThrow();
  }

  private RemovalOutcome remove(String id) {
    return node.runtime().removeImage(Image.builder(ImageId.of(id)).build()).outcome();
  }

  @Test
  void removeContainer_refusesOneThatLives_untilItIsStopped_andGivesItsImageUp() {
    FakeNode node = FakeNode.withDisk(1000);
    ContainerRemover remover = (ContainerRemover) node.runtime();
    node.image("app").size(100).add();
    for (ContainerState alive : List.of(
        ContainerState.RUNNING,
        ContainerState.PAUSED,
        ContainerState.RESTARTING,
        ContainerState.REMOVING,
        ContainerState.UNKNOWN)) {
      node.container("c").image("app").name("web").state(alive).add();
      Container listed = node.runtime().listContainers().get(0);
      assertThat(listed.name()).contains("web");
      assertThat(remover.removeContainer(listed).outcome()).isEqualTo(RemovalOutcome.IN_USE);

      remover.stopContainer(listed, Duration.ZERO);

      assertThat(node.runtime().listContainers().get(0).state()).isEqualTo(ContainerState.EXITED);
      assertThat(remover.removeContainer(listed).outcome()).isEqualTo(RemovalOutcome.REMOVED);
      assertThat(remover.removeContainer(listed).outcome()).isEqualTo(RemovalOutcome.GONE);
    }
    node.deleteImage("app");
    assertThat(node.usedBytes()).isZero();
  }
}
