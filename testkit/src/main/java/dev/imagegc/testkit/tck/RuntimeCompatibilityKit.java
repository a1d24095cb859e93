/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import static dev.imagegc.testkit.tck.RuntimeCapability.DIGEST_ONLY_IMAGES;
import static dev.imagegc.testkit.tck.RuntimeCapability.IMAGE_MOUNTS;
import static dev.imagegc.testkit.tck.RuntimeCapability.KEEPS_PARENTS;
import static dev.imagegc.testkit.tck.RuntimeCapability.LAYERS;
import static dev.imagegc.testkit.tck.RuntimeCapability.MOVED_NAMES;
import static dev.imagegc.testkit.tck.RuntimeCapability.PARENTS;
import static dev.imagegc.testkit.tck.RuntimeCapability.PAUSED_CONTAINERS;
import static dev.imagegc.testkit.tck.RuntimeCapability.PINNED_IMAGES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.GcException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The rules that every {@link Runtime} must keep, as tests. An adapter's test class extends this one and says how the engine is
 * prepared:
 *
 * <pre>{@code
 * class MyRuntimeTest extends RuntimeCompatibilityKit {
 *   @Override
 *   protected RuntimeFixture fixture() {
 *     return new MyEngineFixture();
 *   }
 * }
 * }</pre>
 *
 * <p>The ids of the rules are stable, and stand at the beginning of the names that the tests are reported with. A rule marked
 * with a {@link RuntimeCapability} or a {@link Fault} that the fixture does not declare is reported as aborted, with that
 * name, and never as passed.
 *
 * <table>
 *   <caption>Rules</caption>
 *   <tr><th>Rule</th><th>What it says</th><th>Only with</th></tr>
 *   <tr><td>R1.1</td><td>A list of images is not null and does not change afterwards</td><td></td></tr>
 *   <tr><td>R1.2</td><td>Every image is listed once</td><td></td></tr>
 *   <tr><td>R1.3</td><td>An image is listed at once, with all its tags</td><td></td></tr>
 *   <tr><td>R1.4</td><td>A tag that has moved is listed with its new image only</td><td></td></tr>
 *   <tr><td>R1.5</td><td>An untagged image is listed, without placeholder names</td><td></td></tr>
 *   <tr><td>R1.6</td><td>A size that is not known is not 0</td><td></td></tr>
 *   <tr><td>R1.7</td><td>An image named by digest alone is listed, with that
 *      name</td><td>DIGEST_ONLY_IMAGES</td></tr>
 *   <tr><td>R1.8</td><td>An image is listed with its parent</td><td>PARENTS</td></tr>
 *   <tr><td>R1.9</td><td>An untagged parent is listed</td><td>PARENTS</td></tr>
 *   <tr><td>R1.10</td><td>A pinned image is listed as pinned, another one is not</td><td>PINNED_IMAGES</td></tr>
 *   <tr><td>R1.11</td><td>An image is listed with its layers, equal in every list, and every layer has one
 *      size</td><td>LAYERS</td></tr>
 *   <tr><td>R1.12</td><td>An image holds layers of its parent</td><td>LAYERS, PARENTS</td></tr>
 *   <tr><td>R2.1</td><td>A list of containers is not null and does not change afterwards</td><td></td></tr>
 *   <tr><td>R2.2</td><td>A container that was created and not started holds its image</td><td></td></tr>
 *   <tr><td>R2.3</td><td>A running container holds its image</td><td></td></tr>
 *   <tr><td>R2.4</td><td>A paused container holds its image</td><td>PAUSED_CONTAINERS</td></tr>
 *   <tr><td>R2.5</td><td>A container that has ended holds its image</td><td></td></tr>
 *   <tr><td>R2.6</td><td>A container that was removed is not listed</td><td></td></tr>
 *   <tr><td>R2.7</td><td>A container holds the image it was made from, also when the tag moves</td><td></td></tr>
 *   <tr><td>R2.8</td><td>A container holds an image that is mounted into it</td><td>IMAGE_MOUNTS</td></tr>
 *   <tr><td>R3.1</td><td>A removed image is not listed any more, and the others are</td><td></td></tr>
 *   <tr><td>R3.2</td><td>A repeated removal finds the image gone</td><td></td></tr>
 *   <tr><td>R3.3</td><td>A removal of an unknown id finds it gone</td><td></td></tr>
 *   <tr><td>R3.4</td><td>An image with several tags is removed whole</td><td></td></tr>
 *   <tr><td>R3.5</td><td>An image with tags in several repositories is removed whole</td><td></td></tr>
 *   <tr><td>R3.6</td><td>An untagged image is removed</td><td></td></tr>
 *   <tr><td>R3.7</td><td>An image named by digest alone is removed</td><td>DIGEST_ONLY_IMAGES</td></tr>
 *   <tr><td>R3.8</td><td>An image of a created container is refused and keeps its names</td><td></td></tr>
 *   <tr><td>R3.9</td><td>An image of a running container is refused and keeps its names</td><td></td></tr>
 *   <tr><td>R3.10</td><td>An image of a paused container is refused and keeps its
 *      names</td><td>PAUSED_CONTAINERS</td></tr>
 *   <tr><td>R3.11</td><td>An image of an ended container is refused and keeps its names</td><td></td></tr>
 *   <tr><td>R3.12</td><td>A mounted image is refused and keeps its names</td><td>IMAGE_MOUNTS</td></tr>
 *   <tr><td>R3.13</td><td>An image with children is refused and keeps its names</td><td>KEEPS_PARENTS</td></tr>
 *   <tr><td>R3.14</td><td>A parent is removed once its children are</td><td>PARENTS</td></tr>
 *   <tr><td>R3.15</td><td>Of concurrent removals of an image at most one removes it, the others find it
 *      gone</td><td></td></tr>
 *   <tr><td>R3.16</td><td>An image that got a name since the listing goes whole, or keeps or reports every
 *      name</td><td></td></tr>
 *   <tr><td>R3.17</td><td>A removal leaves an image alone that has taken over a name since the
 *      listing</td><td>MOVED_NAMES</td></tr>
 *   <tr><td>R3.18</td><td>An image is removable once its container is removed</td><td></td></tr>
 *   <tr><td>R4.1</td><td>Every call to an unreachable engine throws
 *      UnreachableException</td><td>UNREACHABLE</td></tr>
 *   <tr><td>R4.2</td><td>Every call to a hanging engine throws TimedOutException, in bounded
 *      time</td><td>HANG</td></tr>
 *   <tr><td>R4.3</td><td>An interrupt ends a call to a hanging engine with CancelledException and stays
 *      set</td><td>HANG</td></tr>
 *   <tr><td>R4.4</td><td>A list that is malformed throws ProtocolException</td><td>MALFORMED</td></tr>
 *   <tr><td>R4.5</td><td>A removal that is answered with nonsense is neither removed nor
 *      gone</td><td>MALFORMED</td></tr>
 *   <tr><td>R4.6</td><td>A list that ends in the middle throws ProtocolException and is never cut
 *      short</td><td>TRUNCATED</td></tr>
 *   <tr><td>R4.7</td><td>After every fault the same runtime works again</td><td>any fault</td></tr>
 *   <tr><td>R5.1</td><td>Concurrent lists are whole while others add and remove</td><td></td></tr>
 *   <tr><td>R5.2</td><td>Concurrent removals of several images remove each</td><td></td></tr>
 * </table>
 *
 * <p>A new rule comes with a capability for at least one minor release. References are compared without a registry that the
 * engine puts in front.
 */
public abstract class RuntimeCompatibilityKit {
  private static final String APP = "imagegc-kit/app:1";
  private static final String APP_TOO = "imagegc-kit/app:2";
  private static final String OTHER = "imagegc-kit/other:1";
  private static final String THIRD = "imagegc-kit/third:1";
  private static final Set<RemovalOutcome> REMOVED_OR_GONE =
      Set.of(RemovalOutcome.REMOVED, RemovalOutcome.GONE);
  private static final int THREADS = 8;

  // Set before each rule.
  @SuppressWarnings("NullAway.Init")
  private RuntimeFixture fixture;

  @SuppressWarnings("NullAway.Init")
  private Runtime runtime;

  /** For subclasses. */
  protected RuntimeCompatibilityKit() {}

  /**
   * Creates the engine and the adapter for one rule.
   *
   * @return a fixture that no rule has used; the kit closes it
   * @throws Exception if that does not work
   */
  protected abstract RuntimeFixture fixture() throws Exception;

  @BeforeEach
  void openFixture() throws Exception {
    fixture = fixture();
    runtime = fixture.runtime();
  }

  @AfterEach
  void closeFixture() throws Exception {
    if (fixture != null) { // fixture() may have failed
      fixture.close();
    }
  }

  // R1: listing images

  @Test
  @DisplayName("R1.1 A list of images is not null and does not change afterwards")
  void r1_1_imageListIsASnapshot() throws Exception {
    fixture.seedImage(APP);
    List<Image> list = runtime.listImages();
    assertThat(list).as("listImages()").isNotNull().doesNotContainNull();
    List<Image> before = List.copyOf(list);

    fixture.seedImage(OTHER);
    runtime.listImages();

    assertThat(list).as("a list from before an image was added").isEqualTo(before);
  }

  @Test
  @DisplayName("R1.2 Every image is listed once")
  void r1_2_everyImageIsListedOnce() throws Exception {
    fixture.tag(fixture.seedImage(APP), OTHER);
    fixture.seedUntaggedImage();

    assertThat(runtime.listImages()).extracting(Image::id).doesNotHaveDuplicates();
  }

  @Test
  @DisplayName("R1.3 An image is listed at once, with all its tags")
  void r1_3_imageIsListedAtOnceWithAllItsTags() throws Exception {
    ImageId image = fixture.seedImage(APP);
    assertThat(tags(image)).containsExactly(APP);

    fixture.tag(image, APP_TOO);
    fixture.tag(image, OTHER);

    assertThat(tags(image)).containsExactlyInAnyOrder(APP, APP_TOO, OTHER);
  }

  @Test
  @DisplayName("R1.4 A tag that has moved is listed with its new image only")
  void r1_4_movedTagIsListedWithItsNewImageOnly() throws Exception {
    ImageId old = fixture.seedImage(APP);
    ImageId young = fixture.seedImage(OTHER);

    fixture.tag(young, APP);

    assertThat(tags(old)).isEmpty();
    assertThat(tags(young)).containsExactlyInAnyOrder(APP, OTHER);
  }

  @Test
  @DisplayName("R1.5 An untagged image is listed, without placeholder names")
  void r1_5_untaggedImageIsListedWithoutPlaceholders() throws Exception {
    ImageId image = fixture.seedUntaggedImage();

    assertThat(tags(image)).isEmpty();
    assertThat(runtime.listImages())
        .flatExtracting(Image::references)
        .noneMatch(reference -> reference.contains("<none>"));
  }

  @Test
  @DisplayName("R1.6 A size that is not known is not 0")
  void r1_6_unknownSizeIsNotZero() throws Exception {
    Image image = listed(fixture.seedImage(APP));

    assertThat(image.sizeBytes().orElse(1))
        .as("size of an image that is not empty")
        .isPositive();
  }

  @Test
  @DisplayName("R1.7 An image named by digest alone is listed, with that name")
  void r1_7_digestOnlyImageIsListed() throws Exception {
    require(DIGEST_ONLY_IMAGES);
    ImageId image = fixture.seedDigestOnlyImage("imagegc-kit/app");

    assertThat(listed(image).references())
        .singleElement()
        .satisfies(reference -> assertThat(reference).contains("imagegc-kit/app@sha256:"));
  }

  @Test
  @DisplayName("R1.8 An image is listed with its parent")
  void r1_8_imageIsListedWithItsParent() throws Exception {
    require(PARENTS);
    ImageId parent = fixture.seedImage(APP);
    ImageId child = fixture.seedChild(parent, OTHER);

    assertThat(listed(child).parent()).contains(listed(parent).id());
    assertThat(listed(parent).parent()).isEmpty();
  }

  @Test
  @DisplayName("R1.9 An untagged parent is listed")
  void r1_9_untaggedParentIsListed() throws Exception {
    require(PARENTS);
    ImageId parent = fixture.seedUntaggedImage();
    ImageId child = fixture.seedChild(parent, APP);

    assertThat(listed(child).parent()).contains(listed(parent).id());
  }

  @Test
  @DisplayName("R1.10 A pinned image is listed as pinned, another one is not")
  void r1_10_pinnedImageIsListedAsPinned() throws Exception {
    require(PINNED_IMAGES);
    ImageId pinned = fixture.seedPinnedImage();
    ImageId other = fixture.seedImage(OTHER);

    assertThat(listed(pinned).pinnedBecause()).isPresent();
    assertThat(listed(other).pinnedBecause()).isEmpty();
  }

  @Test
  @DisplayName(
      "R1.11 An image is listed with its layers, equal in every list, and every layer has one size")
  void r1_11_imageIsListedWithItsLayers() throws Exception {
    require(LAYERS);
    ImageId image = fixture.seedImage(APP);
    ImageId other = fixture.seedImage(OTHER);

    List<Layer> layers = layers(image);
    assertThat(layers).as("layers of an image that is not empty").isNotEmpty();
    assertThat(layers.stream().mapToLong(Layer::sizeBytes).sum()).isPositive();
    assertThat(layers(image)).as("layers in the next list").isEqualTo(layers);
    assertThat(layers(other)).as("layers of an image of other content").isNotEqualTo(layers);
    Map<String, Long> sizes = new HashMap<>();
    for (Image listed : runtime.listImages()) {
      for (Layer layer : listed.layers().orElse(List.of())) {
        assertThat(sizes.merge(layer.id(), layer.sizeBytes(), (first, second) -> first))
            .as("size of layer " + layer.id())
            .isEqualTo(layer.sizeBytes());
      }
    }
  }

  @Test
  @DisplayName("R1.12 An image holds layers of its parent")
  void r1_12_imageHoldsLayersOfItsParent() throws Exception {
    require(LAYERS);
    require(PARENTS);
    ImageId parent = fixture.seedImage(APP);
    ImageId child = fixture.seedChild(parent, OTHER);

    // Not all: what the engine keeps about an image, a manifest for instance, is that image's own.
    assertThat(layers(child)).containsAnyElementsOf(layers(parent));
  }

  private List<Layer> layers(ImageId image) {
    return listed(image)
        .layers()
        .orElseThrow(() -> new AssertionError("the layers of image " + image + " are unknown"));
  }

  // R2: what is in use

  @Test
  @DisplayName("R2.1 A list of containers is not null and does not change afterwards")
  void r2_1_containerListIsASnapshot() throws Exception {
    ImageId image = fixture.seedImage(APP);
    String removed = fixture.seedContainer(image, ContainerState.EXITED);
    List<Container> list = runtime.listContainers();
    assertThat(list).as("listContainers()").isNotNull().doesNotContainNull();
    assertThat(list).extracting(Container::id).doesNotHaveDuplicates();
    List<Container> before = List.copyOf(list);

    fixture.removeContainer(removed);
    fixture.seedContainer(image, ContainerState.CREATED);
    runtime.listContainers();

    assertThat(list).as("a list from before a container was added").isEqualTo(before);
  }

  @Test
  @DisplayName("R2.2 A container that was created and not started holds its image")
  void r2_2_createdContainerHoldsItsImage() throws Exception {
    holdsItsImage(ContainerState.CREATED);
  }

  @Test
  @DisplayName("R2.3 A running container holds its image")
  void r2_3_runningContainerHoldsItsImage() throws Exception {
    holdsItsImage(ContainerState.RUNNING);
  }

  @Test
  @DisplayName("R2.4 A paused container holds its image")
  void r2_4_pausedContainerHoldsItsImage() throws Exception {
    require(PAUSED_CONTAINERS);
    holdsItsImage(ContainerState.PAUSED);
  }

  @Test
  @DisplayName("R2.5 A container that has ended holds its image")
  void r2_5_endedContainerHoldsItsImage() throws Exception {
    holdsItsImage(ContainerState.EXITED);
  }

  @Test
  @DisplayName("R2.6 A container that was removed is not listed")
  void r2_6_removedContainerIsNotListed() throws Exception {
    String container = fixture.seedContainer(fixture.seedImage(APP), ContainerState.EXITED);
    assertThat(container(container)).isPresent();

    fixture.removeContainer(container);

    assertThat(container(container)).isEmpty();
  }

  @Test
  @DisplayName("R2.7 A container holds the image it was made from, also when the tag moves")
  void r2_7_containerHoldsItsImageWhenTheTagMoves() throws Exception {
    ImageId old = fixture.seedImage(APP);
    String container = fixture.seedContainer(old, ContainerState.EXITED);

    fixture.tag(fixture.seedImage(OTHER), APP);

    assertThat(container(container).orElseThrow().images())
        .containsExactly(listed(old).id());
  }

  @Test
  @DisplayName("R2.8 A container holds an image that is mounted into it")
  void r2_8_containerHoldsMountedImage() throws Exception {
    require(IMAGE_MOUNTS);
    ImageId image = fixture.seedImage(APP);

    String container = fixture.seedMount(image);

    assertThat(container(container).orElseThrow().images())
        .contains(listed(image).id());
  }

  private void holdsItsImage(ContainerState state) throws Exception {
    ImageId image = fixture.seedImage(APP);

    String id = fixture.seedContainer(image, state);

    Container container =
        container(id).orElseThrow(() -> new AssertionError("the container is not listed"));
    assertThat(container.state()).isEqualTo(state);
    assertThat(container.images()).containsExactly(listed(image).id());
  }

  // R3: removing images

  @Test
  @DisplayName("R3.1 A removed image is not listed any more, and the others are")
  void r3_1_removedImageIsNotListed() throws Exception {
    ImageId image = fixture.seedImage(APP);
    ImageId other = fixture.seedImage(OTHER);

    removesWhole(image);

    assertThat(tags(other)).containsExactly(OTHER);
  }

  @Test
  @DisplayName("R3.2 A repeated removal finds the image gone")
  void r3_2_repeatedRemovalFindsItGone() throws Exception {
    Image image = listed(fixture.seedImage(APP));
    runtime.removeImage(image);

    assertThat(runtime.removeImage(image).outcome()).isEqualTo(RemovalOutcome.GONE);
  }

  @Test
  @DisplayName("R3.3 A removal of an unknown id finds it gone")
  void r3_3_unknownIdIsGone() throws Exception {
    ImageId known = fixture.seedImage(APP);
    Image unknown = Image.builder(similarId(known)).build();

    assertThat(runtime.removeImage(unknown).outcome()).isEqualTo(RemovalOutcome.GONE);

    assertThat(tags(known)).containsExactly(APP);
  }

  @Test
  @DisplayName("R3.4 An image with several tags is removed whole")
  void r3_4_severalTagsAreRemovedWhole() throws Exception {
    ImageId image = fixture.seedImage(APP);
    fixture.tag(image, APP_TOO);

    removesWhole(image);
  }

  @Test
  @DisplayName("R3.5 An image with tags in several repositories is removed whole")
  void r3_5_severalRepositoriesAreRemovedWhole() throws Exception {
    ImageId image = fixture.seedImage(APP);
    fixture.tag(image, APP_TOO);
    fixture.tag(image, OTHER);

    removesWhole(image);
  }

  @Test
  @DisplayName("R3.6 An untagged image is removed")
  void r3_6_untaggedImageIsRemoved() throws Exception {
    removesWhole(fixture.seedUntaggedImage());
  }

  @Test
  @DisplayName("R3.7 An image named by digest alone is removed")
  void r3_7_digestOnlyImageIsRemoved() throws Exception {
    require(DIGEST_ONLY_IMAGES);
    removesWhole(fixture.seedDigestOnlyImage("imagegc-kit/app"));
  }

  @Test
  @DisplayName("R3.8 An image of a created container is refused and keeps its names")
  void r3_8_imageOfCreatedContainerIsRefused() throws Exception {
    refusesInUse(ContainerState.CREATED);
  }

  @Test
  @DisplayName("R3.9 An image of a running container is refused and keeps its names")
  void r3_9_imageOfRunningContainerIsRefused() throws Exception {
    refusesInUse(ContainerState.RUNNING);
  }

  @Test
  @DisplayName("R3.10 An image of a paused container is refused and keeps its names")
  void r3_10_imageOfPausedContainerIsRefused() throws Exception {
    require(PAUSED_CONTAINERS);
    refusesInUse(ContainerState.PAUSED);
  }

  @Test
  @DisplayName("R3.11 An image of an ended container is refused and keeps its names")
  void r3_11_imageOfEndedContainerIsRefused() throws Exception {
    refusesInUse(ContainerState.EXITED);
  }

  @Test
  @DisplayName("R3.12 A mounted image is refused and keeps its names")
  void r3_12_mountedImageIsRefused() throws Exception {
    require(IMAGE_MOUNTS);
    ImageId image = fixture.seedImage(APP);
    fixture.tag(image, OTHER);
    fixture.seedMount(image);

    refuses(image, RemovalOutcome.IN_USE);
  }

  @Test
  @DisplayName("R3.13 An image with children is refused and keeps its names")
  void r3_13_imageWithChildrenIsRefused() throws Exception {
    require(PARENTS);
    require(KEEPS_PARENTS);
    ImageId oneName = fixture.seedImage(APP);
    fixture.seedChild(oneName, "imagegc-kit/child:1");
    ImageId twoNames = fixture.seedImage(OTHER);
    fixture.tag(twoNames, THIRD);
    fixture.seedChild(twoNames, "imagegc-kit/child:2");

    refuses(oneName, RemovalOutcome.HAS_CHILDREN);
    refuses(twoNames, RemovalOutcome.HAS_CHILDREN);
  }

  @Test
  @DisplayName("R3.14 A parent is removed once its children are")
  void r3_14_parentIsRemovedOnceItsChildrenAre() throws Exception {
    require(PARENTS);
    ImageId parent = fixture.seedImage(APP);
    ImageId child = fixture.seedChild(parent, OTHER);

    removesWhole(child);
    removesWhole(parent);
  }

  @Test
  @DisplayName(
      "R3.15 Of concurrent removals of an image at most one removes it, the others find it gone")
  void r3_15_concurrentRemovalsOfOneImage() throws Exception {
    Image image = listed(fixture.seedImage(APP));

    List<RemovalOutcome> outcomes = new ArrayList<>();
    for (RemovalResult result : concurrently(THREADS, i -> runtime.removeImage(image))) {
      outcomes.add(result.outcome());
    }

    assertThat(outcomes).containsOnly(RemovalOutcome.REMOVED, RemovalOutcome.GONE);
    assertThat(outcomes.stream().filter(RemovalOutcome.REMOVED::equals))
        .hasSizeLessThanOrEqualTo(1);
    assertThat(find(image.id())).isEmpty();
  }

  @Test
  @DisplayName(
      "R3.16 An image that got a name since the listing goes whole, or keeps or reports every name")
  void r3_16_nameAddedSinceTheListing() throws Exception {
    Image outdated = listed(fixture.seedImage(APP));
    fixture.tag(outdated.id(), OTHER);

    RemovalResult result = runtime.removeImage(outdated);

    if (REMOVED_OR_GONE.contains(result.outcome())) {
      assertThat(find(outdated.id())).as("image after %s", result).isEmpty();
    } else {
      List<String> kept = new ArrayList<>(tags(outdated.id()));
      result.lostReferences().forEach(lost -> kept.add(withoutRegistry(lost)));
      assertThat(kept)
          .as("names kept or reported, after %s", result)
          .containsExactlyInAnyOrder(APP, OTHER);
    }
  }

  @Test
  @DisplayName("R3.17 A removal leaves an image alone that has taken over a name since the listing")
  void r3_17_nameMovedSinceTheListing() throws Exception {
    require(MOVED_NAMES);
    Image outdated = listed(fixture.seedImage(APP));
    ImageId young = fixture.seedUntaggedImage();
    fixture.tag(young, APP);

    runtime.removeImage(outdated);

    assertThat(tags(young)).containsExactly(APP);
  }

  @Test
  @DisplayName("R3.18 An image is removable once its container is removed")
  void r3_18_imageIsRemovableOnceItsContainerIsRemoved() throws Exception {
    ImageId image = fixture.seedImage(APP);
    String container = fixture.seedContainer(image, ContainerState.EXITED);
    refuses(image, RemovalOutcome.IN_USE);

    fixture.removeContainer(container);

    removesWhole(image);
  }

  private void removesWhole(ImageId image) {
    RemovalResult result = runtime.removeImage(listed(image));

    assertThat(result.outcome())
        .as("outcome of removing an unused image: %s", result)
        .isEqualTo(RemovalOutcome.REMOVED);
    assertThat(result.lostReferences()).isEmpty();
    assertThat(find(image)).as("image that was removed").isEmpty();
  }

  private void refusesInUse(ContainerState state) throws Exception {
    ImageId oneName = fixture.seedImage(APP);
    ImageId twoNames = fixture.seedImage(OTHER);
    fixture.tag(twoNames, THIRD);
    ImageId noName = fixture.seedUntaggedImage();
    for (ImageId image : List.of(oneName, twoNames, noName)) {
      fixture.seedContainer(image, state);

      refuses(image, RemovalOutcome.IN_USE);
    }
  }

  private void refuses(ImageId image, RemovalOutcome expected) {
    List<String> before = tags(image);

    RemovalResult result = runtime.removeImage(listed(image));

    assertThat(result.outcome())
        .as("outcome of removing an image that must stay: %s", result)
        .isEqualTo(expected);
    assertThat(result.lostReferences()).isEmpty();
    assertThat(tags(image))
        .as("names of an image that stays")
        .containsExactlyInAnyOrderElementsOf(before);
  }

  // R4: an engine that fails

  @Test
  @DisplayName("R4.1 Every call to an unreachable engine throws UnreachableException")
  void r4_1_unreachable() throws Exception {
    everyCallThrows(Fault.UNREACHABLE, UnreachableException.class);
  }

  @Test
  @DisplayName("R4.2 Every call to a hanging engine throws TimedOutException, in bounded time")
  void r4_2_hanging() throws Exception {
    everyCallThrows(Fault.HANG, TimedOutException.class);
  }

  @Test
  @DisplayName(
      "R4.3 An interrupt ends a call to a hanging engine with CancelledException and stays set")
  void r4_3_interrupt() throws Exception {
    FaultInjector faults = require(Fault.HANG);
    Map<String, ThrowingCallable> calls = calls(listed(fixture.seedImage(APP)));
    faults.inject(Fault.HANG);
    try {
      for (Map.Entry<String, ThrowingCallable> call : calls.entrySet()) {
        FutureTask<Boolean> ending = new FutureTask<>(() -> {
          assertThatThrownBy(call.getValue())
              .as(call.getKey())
              .isInstanceOf(CancelledException.class);
          return Thread.currentThread().isInterrupted();
        });
        assertTimeoutPreemptively(
            faults.patience(), () -> interruptUntilItEnds(new Thread(ending)));
        assertThat(ending.get()).as("interrupt flag after %s", call.getKey()).isTrue();
      }
    } finally {
      faults.recover();
    }
  }

  /** Again and again, because only the adapter knows when the call has reached the engine. */
  private static void interruptUntilItEnds(Thread thread) throws InterruptedException {
    thread.setDaemon(true);
    thread.start();
    while (thread.isAlive()) {
      thread.join(50);
      thread.interrupt();
    }
  }

  @Test
  @DisplayName("R4.4 A list that is malformed throws ProtocolException")
  void r4_4_malformedLists() throws Exception {
    listsThrowProtocolException(Fault.MALFORMED);
  }

  @Test
  @DisplayName("R4.5 A removal that is answered with nonsense is neither removed nor gone")
  void r4_5_malformedRemoval() throws Exception {
    FaultInjector faults = require(Fault.MALFORMED);
    Image image = listed(fixture.seedImage(APP));
    faults.inject(Fault.MALFORMED);
    try {
      RemovalOutcome outcome =
          assertTimeoutPreemptively(faults.patience(), () -> outcomeOrUnknown(image));
      assertThat(outcome).isNotIn(REMOVED_OR_GONE);
    } finally {
      faults.recover();
    }
  }

  private RemovalOutcome outcomeOrUnknown(Image image) {
    try {
      return runtime.removeImage(image).outcome();
    } catch (GcException e) {
      return RemovalOutcome.UNKNOWN;
    }
  }

  @Test
  @DisplayName(
      "R4.6 A list that ends in the middle throws ProtocolException and is never cut short")
  void r4_6_truncatedLists() throws Exception {
    listsThrowProtocolException(Fault.TRUNCATED);
  }

  @Test
  @DisplayName("R4.7 After every fault the same runtime works again")
  void r4_7_recovery() throws Exception {
    assumeTrue(fixture.faults().isPresent(), "the fixture offers no faults");
    FaultInjector faults = fixture.faults().orElseThrow();
    ImageId image = fixture.seedImage(APP);
    String container = fixture.seedContainer(image, ContainerState.EXITED);
    for (Fault fault : faults.faults()) {
      faults.inject(fault);
      try {
        assertTimeoutPreemptively(
            faults.patience(),
            () -> assertThatThrownBy(runtime::listImages)
                .as("list of images with fault %s", fault)
                .isInstanceOf(GcException.class));
      } finally {
        faults.recover();
      }
      assertThat(tags(image)).as("names after fault %s", fault).containsExactly(APP);
      assertThat(container(container)).as("container after fault %s", fault).isPresent();
    }
    fixture.removeContainer(container);
    removesWhole(image);
  }

  private void everyCallThrows(Fault fault, Class<? extends GcException> expected)
      throws Exception {
    throwsDuring(fault, expected, calls(listed(fixture.seedImage(APP))));
  }

  private void listsThrowProtocolException(Fault fault) throws Exception {
    ImageId image = fixture.seedImage(APP);
    fixture.seedContainer(image, ContainerState.EXITED);
    Map<String, ThrowingCallable> calls = calls(listed(image));
    calls.remove("removeImage");
    throwsDuring(fault, ProtocolException.class, calls);
  }

  private void throwsDuring(
      Fault fault, Class<? extends GcException> expected, Map<String, ThrowingCallable> calls)
      throws Exception {
    FaultInjector faults = require(fault);
    faults.inject(fault);
    try {
      calls.forEach((name, call) -> assertTimeoutPreemptively(
          faults.patience(), () -> assertThatThrownBy(call).as(name).isInstanceOf(expected), name));
    } finally {
      faults.recover();
    }
  }

  private Map<String, ThrowingCallable> calls(Image image) {
    Map<String, ThrowingCallable> calls = new LinkedHashMap<>();
    calls.put("listImages", runtime::listImages);
    calls.put("listContainers", runtime::listContainers);
    calls.put("removeImage", () -> runtime.removeImage(image));
    return calls;
  }

  // R5: several threads

  @Test
  @DisplayName("R5.1 Concurrent lists are whole while others add and remove")
  void r5_1_concurrentListsAreWhole() throws Exception {
    ImageId stays = fixture.seedImage(APP);
    String container = fixture.seedContainer(stays, ContainerState.EXITED);
    List<Image> victims = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      victims.add(listed(fixture.seedImage("imagegc-kit/victim:" + i)));
    }

    concurrently(2 * THREADS, i -> {
      if (i % 2 == 0) {
        return runtime.removeImage(victims.get(i / 2));
      }
      assertThat(tags(stays)).containsExactly(APP);
      assertThat(container(container)).isPresent();
      return i;
    });

    assertThat(runtime.listImages())
        .extracting(Image::id)
        .doesNotContainAnyElementsOf(ids(victims));
  }

  @Test
  @DisplayName("R5.2 Concurrent removals of several images remove each")
  void r5_2_concurrentRemovalsOfSeveralImages() throws Exception {
    List<Image> images = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      images.add(listed(fixture.seedImage("imagegc-kit/victim:" + i)));
    }

    List<RemovalResult> results = concurrently(THREADS, i -> runtime.removeImage(images.get(i)));

    assertThat(results).extracting(RemovalResult::outcome).containsOnly(RemovalOutcome.REMOVED);
    assertThat(runtime.listImages()).extracting(Image::id).doesNotContainAnyElementsOf(ids(images));
  }

  private static List<ImageId> ids(List<Image> images) {
    return images.stream().map(Image::id).toList();
  }

  private interface IndexedCall<T> {
    T call(int index) throws Exception;
  }

  private static <T> List<T> concurrently(int threads, IndexedCall<T> call) throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      List<Callable<T>> calls = IntStream.range(0, threads)
          .<Callable<T>>mapToObj(i -> () -> call.call(i))
          .toList();
      List<T> results = new ArrayList<>();
      for (Future<T> result : executor.invokeAll(calls)) {
        results.add(result.get());
      }
      return results;
    } finally {
      executor.shutdownNow();
    }
  }

  // What the rules are made from

  private void require(RuntimeCapability capability) {
    assumeTrue(
        fixture.capabilities().contains(capability),
        () -> "the fixture does not declare " + capability);
  }

  private FaultInjector require(Fault fault) {
    Optional<FaultInjector> faults =
        fixture.faults().filter(injector -> injector.faults().contains(fault));
    assumeTrue(faults.isPresent(), () -> "the fixture does not offer the fault " + fault);
    return faults.orElseThrow();
  }

  private Optional<Image> find(ImageId id) {
    return runtime.listImages().stream().filter(image -> image.id().equals(id)).findFirst();
  }

  private Image listed(ImageId id) {
    return find(id).orElseThrow(() -> new AssertionError("image " + id + " is not listed"));
  }

  private Optional<Container> container(String id) {
    return runtime.listContainers().stream()
        .filter(container -> container.id().equals(id))
        .findFirst();
  }

  /** Returns the tags of an image as the kit wrote them. */
  private List<String> tags(ImageId id) {
    return listed(id).references().stream()
        .filter(reference -> !reference.contains("@"))
        .map(RuntimeCompatibilityKit::withoutRegistry)
        .toList();
  }

  private static String withoutRegistry(String reference) {
    return reference.substring(Math.max(0, reference.indexOf("imagegc-kit/")));
  }

  /** Returns an id of the same kind that no image has. */
  private static ImageId similarId(ImageId id) {
    String text = id.text();
    char last = text.charAt(text.length() - 1);
    return ImageId.of(text.substring(0, text.length() - 1) + (last == '0' ? '1' : '0'));
  }
}
