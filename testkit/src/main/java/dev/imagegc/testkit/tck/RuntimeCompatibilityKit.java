/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import static dev.imagegc.api.RuntimeEventType.CONTAINER_CREATED;
import static dev.imagegc.api.RuntimeEventType.CONTAINER_DIED;
import static dev.imagegc.api.RuntimeEventType.CONTAINER_REMOVED;
import static dev.imagegc.api.RuntimeEventType.CONTAINER_STARTED;
import static dev.imagegc.api.RuntimeEventType.IMAGE_DELETED;
import static dev.imagegc.api.RuntimeEventType.IMAGE_PULLED;
import static dev.imagegc.api.RuntimeEventType.IMAGE_TAGGED;
import static dev.imagegc.api.RuntimeEventType.IMAGE_UNTAGGED;
import static dev.imagegc.testkit.tck.RuntimeCapability.CONTAINER_REMOVAL;
import static dev.imagegc.testkit.tck.RuntimeCapability.DIGEST_ONLY_IMAGES;
import static dev.imagegc.testkit.tck.RuntimeCapability.EVENTS;
import static dev.imagegc.testkit.tck.RuntimeCapability.IMAGE_MOUNTS;
import static dev.imagegc.testkit.tck.RuntimeCapability.KEEPS_PARENTS;
import static dev.imagegc.testkit.tck.RuntimeCapability.LAYERS;
import static dev.imagegc.testkit.tck.RuntimeCapability.LOOKUP;
import static dev.imagegc.testkit.tck.RuntimeCapability.MOVED_NAMES;
import static dev.imagegc.testkit.tck.RuntimeCapability.PARENTS;
import static dev.imagegc.testkit.tck.RuntimeCapability.PAUSED_CONTAINERS;
import static dev.imagegc.testkit.tck.RuntimeCapability.PINNED_IMAGES;
import static dev.imagegc.testkit.tck.RuntimeCapability.PULL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.GcException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageLookup;
import dev.imagegc.api.ImagePuller;
import dev.imagegc.api.Layer;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.PullException;
import dev.imagegc.api.RemovalOutcome;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventSource;
import dev.imagegc.api.RuntimeEventType;
import dev.imagegc.api.TimedOutException;
import dev.imagegc.api.UnreachableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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
 *   <tr><td>R6.1</td><td>The life of a container is told in its order, with its image</td><td>EVENTS</td></tr>
 *   <tr><td>R6.2</td><td>A new tag is told with its name and its image</td><td>EVENTS</td></tr>
 *   <tr><td>R6.3</td><td>A removed image is told to lose its names and to be deleted</td><td>EVENTS</td></tr>
 *   <tr><td>R6.4</td><td>What happens as soon as a stream is open is told</td><td>EVENTS</td></tr>
 *   <tr><td>R6.5</td><td>What happened before is not told</td><td>EVENTS</td></tr>
 *   <tr><td>R6.6</td><td>A closed stream tells nothing more, not even its end</td><td>EVENTS</td></tr>
 *   <tr><td>R6.7</td><td>Streams end once when the engine goes away, and new ones work when it is
 *      back</td><td>EVENTS, UNREACHABLE</td></tr>
 *   <tr><td>R6.8</td><td>Streams that are open at once tell the same, one thing at a time</td><td>EVENTS</td></tr>
 *   <tr><td>R6.9</td><td>A pulled image is told</td><td>EVENTS, PULL</td></tr>
 *   <tr><td>R7.1</td><td>An image is found by each of its tags, with its id and all its names</td><td>LOOKUP</td></tr>
 *   <tr><td>R7.2</td><td>An image is found by its name in full, and as it is listed</td><td>LOOKUP</td></tr>
 *   <tr><td>R7.3</td><td>A name without a tag is looked up as latest</td><td>LOOKUP</td></tr>
 *   <tr><td>R7.4</td><td>An image is found by its digest</td><td>LOOKUP, DIGEST_ONLY_IMAGES</td></tr>
 *   <tr><td>R7.5</td><td>An image is found by its id, with all its names, and an unknown id is
 *      not</td><td>LOOKUP</td></tr>
 *   <tr><td>R7.6</td><td>A name that no image has is not found, and the beginning of an id is no
 *      name</td><td>LOOKUP</td></tr>
 *   <tr><td>R7.7</td><td>A look-up tells of now: a tag that has moved, an image that was
 *      removed</td><td>LOOKUP</td></tr>
 *   <tr><td>R7.8</td><td>What is no reference is not looked up</td><td>LOOKUP</td></tr>
 *   <tr><td>R7.9</td><td>A look-up that is answered with nonsense throws
 *      ProtocolException</td><td>LOOKUP, MALFORMED</td></tr>
 *   <tr><td>R8.1</td><td>A pulled image is there with its name</td><td>PULL</td></tr>
 *   <tr><td>R8.2</td><td>A name without a tag is pulled as latest, and nothing else is</td><td>PULL</td></tr>
 *   <tr><td>R8.3</td><td>An image that is there can be pulled again</td><td>PULL</td></tr>
 *   <tr><td>R8.4</td><td>A pull of an image that the registry does not have throws
 *      PullException</td><td>PULL</td></tr>
 *   <tr><td>R8.5</td><td>Progress never goes back, and is told one report at a time</td><td>PULL</td></tr>
 *   <tr><td>R8.6</td><td>What is no reference is not pulled</td><td>PULL</td></tr>
 *   <tr><td>R8.7</td><td>A pull by an unreachable engine throws
 *      UnreachableException</td><td>PULL, UNREACHABLE</td></tr>
 *   <tr><td>R8.8</td><td>A pull by a hanging engine throws TimedOutException, in bounded
 *      time</td><td>PULL, HANG</td></tr>
 *   <tr><td>R8.9</td><td>An interrupt ends a pull with CancelledException and stays
 *      set</td><td>PULL, HANG</td></tr>
 *   <tr><td>R9.1</td><td>A container that has ended or was never started is removed, and nothing
 *      else is</td><td>CONTAINER_REMOVAL</td></tr>
 *   <tr><td>R9.2</td><td>A repeated removal of a container, and one of an unknown id, finds it
 *      gone</td><td>CONTAINER_REMOVAL</td></tr>
 *   <tr><td>R9.3</td><td>A running container is refused and runs on, also if it was listed as
 *      ended</td><td>CONTAINER_REMOVAL</td></tr>
 *   <tr><td>R9.4</td><td>A container that was stopped has ended and is not removed by
 *      that</td><td>CONTAINER_REMOVAL</td></tr>
 *   <tr><td>R9.5</td><td>Stopping a container that does not run, or is gone, does
 *      nothing</td><td>CONTAINER_REMOVAL</td></tr>
 *   <tr><td>R9.6</td><td>A paused container is refused and stays
 *      paused</td><td>CONTAINER_REMOVAL, PAUSED_CONTAINERS</td></tr>
 *   <tr><td>R9.7</td><td>Of concurrent removals of a container none fails: it is removed, gone or
 *      going</td><td>CONTAINER_REMOVAL</td></tr>
 *   <tr><td>R9.8</td><td>A removal of a container that is answered with nonsense is neither removed nor
 *      gone</td><td>CONTAINER_REMOVAL, MALFORMED</td></tr>
 * </table>
 *
 * <p>R4.1 to R4.3 hold for opening a stream, looking an image up, and removing and stopping a container as well, with EVENTS,
 * LOOKUP and CONTAINER_REMOVAL. An event may name an image
 * by its id, which is then the one of the listing, or by a name alone. Rules that wait for an event wait for at most {@link
 * RuntimeFixture#eventPatience}.
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
  private static final List<RuntimeEventType> LIFE_OF_A_CONTAINER =
      List.of(CONTAINER_CREATED, CONTAINER_STARTED, CONTAINER_DIED, CONTAINER_REMOVED);
  private static final List<String> NO_REFERENCES = List.of("", " ", "two words");
  private static final Set<String> LISTS = Set.of("listImages", "listContainers");
  private static final Set<String> LOOK_UPS = Set.of("findImage by name", "findImage by id");
  private static final Duration SLOWNESS = Duration.ofMillis(20);
  private static final int THREADS = 8;

  // Set before each rule.
  @SuppressWarnings("NullAway.Init")
  private RuntimeFixture fixture;

  @SuppressWarnings("NullAway.Init")
  private Runtime runtime;

  private final List<RuntimeEventSource.Subscription> streams = new CopyOnWriteArrayList<>();

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
    streams.forEach(RuntimeEventSource.Subscription::close);
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
    interruptEnds(faults, calls(listed(fixture.seedImage(APP))));
  }

  private static void interruptEnds(FaultInjector faults, Map<String, ThrowingCallable> calls)
      throws Exception {
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
    return outcomeOrUnknown(() -> runtime.removeImage(image));
  }

  private static RemovalOutcome outcomeOrUnknown(Supplier<RemovalResult> removal) {
    try {
      return removal.get().outcome();
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
    calls.keySet().retainAll(LISTS);
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

  private Map<String, ThrowingCallable> calls(Image image) throws Exception {
    Map<String, ThrowingCallable> calls = new LinkedHashMap<>();
    calls.put("listImages", runtime::listImages);
    calls.put("listContainers", runtime::listContainers);
    calls.put("removeImage", () -> runtime.removeImage(image));
    if (fixture.capabilities().contains(EVENTS)) {
      calls.put("subscribe", () -> subscribe());
    }
    if (fixture.capabilities().contains(LOOKUP)) {
      calls.put("findImage by name", () -> lookup().findImage(APP));
      calls.put("findImage by id", () -> lookup().findImage(image.id()));
    }
    if (fixture.capabilities().contains(CONTAINER_REMOVAL)) {
      Container ended = seed(image.id(), ContainerState.EXITED);
      calls.put("removeContainer", () -> remover().removeContainer(ended));
      calls.put("stopContainer", () -> remover().stopContainer(ended, Duration.ZERO));
    }
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

  // R6: events

  @Test
  @DisplayName("R6.1 The life of a container is told in its order, with its image")
  void r6_1_lifeOfAContainerIsTold() throws Exception {
    require(EVENTS);
    ImageId image = listed(fixture.seedImage(APP)).id();
    EventLog log = subscribe();

    String container = fixture.seedContainer(image, ContainerState.RUNNING);
    fixture.removeContainer(container);

    log.await("the removal of the container", tells(CONTAINER_REMOVED, container));
    List<RuntimeEvent> life =
        log.seen().stream().filter(tells(LIFE_OF_A_CONTAINER, container)).toList();
    assertThat(life.stream().map(RuntimeEvent::type).distinct())
        .as("what was told of the container: %s", life)
        .containsExactlyElementsOf(LIFE_OF_A_CONTAINER);
    assertThat(life)
        .allSatisfy(event -> assertThat(event).matches(names(image, APP), "names its image"));
  }

  @Test
  @DisplayName("R6.2 A new tag is told with its name and its image")
  void r6_2_newTagIsTold() throws Exception {
    require(EVENTS);
    ImageId image = listed(fixture.seedImage(APP)).id();
    EventLog log = subscribe();

    fixture.tag(image, OTHER);

    RuntimeEvent event = log.await(
        "the tag " + OTHER, told -> told.type().equals(IMAGE_TAGGED) && hasName(told, OTHER));
    assertThat(event.image().orElse(image)).isEqualTo(image);
  }

  @Test
  @DisplayName("R6.3 A removed image is told to lose its names and to be deleted")
  void r6_3_removalOfAnImageIsTold() throws Exception {
    require(EVENTS);
    Image image = listed(fixture.seedImage(APP));
    fixture.tag(image.id(), OTHER);
    Image named = listed(image.id());
    EventLog log = subscribe();

    runtime.removeImage(named);

    Predicate<RuntimeEvent> ofIt = names(image.id(), APP, OTHER);
    log.await("a lost name", told -> told.type().equals(IMAGE_UNTAGGED) && ofIt.test(told));
    log.await("the deletion", told -> told.type().equals(IMAGE_DELETED) && ofIt.test(told));
  }

  @Test
  @DisplayName("R6.4 What happens as soon as a stream is open is told")
  void r6_4_nothingIsLostOnceTheStreamIsOpen() throws Exception {
    require(EVENTS);
    ImageId image = fixture.seedImage(APP);
    for (int i = 0; i < 5; i++) {
      EventLog log = subscribe();
      String container = fixture.seedContainer(image, ContainerState.CREATED);

      log.await("the new container", tells(CONTAINER_CREATED, container));
    }
  }

  @Test
  @DisplayName("R6.5 What happened before is not told")
  void r6_5_whatHappenedBeforeIsNotTold() throws Exception {
    require(EVENTS);
    ImageId image = fixture.seedImage(APP);
    String before = fixture.seedContainer(image, ContainerState.EXITED);
    EventLog log = subscribe();

    String after = fixture.seedContainer(image, ContainerState.CREATED);

    log.await("the new container", tells(CONTAINER_CREATED, after));
    assertThat(log.seen()).noneMatch(event -> event.container().equals(Optional.of(before)));
  }

  @Test
  @DisplayName("R6.6 A closed stream tells nothing more, not even its end")
  void r6_6_closedStreamIsSilent() throws Exception {
    require(EVENTS);
    ImageId image = fixture.seedImage(APP);
    EventLog closed = new EventLog(fixture.eventPatience());
    RuntimeEventSource.Subscription stream = events().subscribe(closed);
    EventLog open = subscribe();
    stream.close();
    stream.close();

    String container = fixture.seedContainer(image, ContainerState.CREATED);

    open.await("the new container", tells(CONTAINER_CREATED, container));
    assertThat(closed.seen()).noneMatch(tells(CONTAINER_CREATED, container));
    assertThat(closed.hasEnded()).as("end of a stream that was closed").isFalse();
  }

  @Test
  @DisplayName("R6.7 Streams end once when the engine goes away, and new ones work when it is back")
  void r6_7_streamsEndWithTheEngine() throws Exception {
    require(EVENTS);
    FaultInjector faults = require(Fault.UNREACHABLE);
    ImageId image = fixture.seedImage(APP);
    EventLog old = subscribe();
    faults.inject(Fault.UNREACHABLE);
    try {
      old.awaitEnd();
    } finally {
      faults.recover();
    }
    EventLog young = subscribe();

    String container = fixture.seedContainer(image, ContainerState.CREATED);

    young.await("the new container", tells(CONTAINER_CREATED, container));
    assertThat(old.breaches()).isEmpty();
  }

  @Test
  @DisplayName("R6.8 Streams that are open at once tell the same, one thing at a time")
  void r6_8_streamsTellTheSame() throws Exception {
    require(EVENTS);
    ImageId image = fixture.seedImage(APP);
    EventLog one = subscribe(SLOWNESS);
    EventLog other = subscribe(SLOWNESS);

    List<String> containers =
        concurrently(THREADS, i -> fixture.seedContainer(image, ContainerState.CREATED));

    // Not in the same order: what happens at once has none.
    awaitCreationOf(containers, one);
    awaitCreationOf(containers, other);
    assertThat(one.breaches()).isEmpty();
    assertThat(other.breaches()).isEmpty();
  }

  private static void awaitCreationOf(List<String> containers, EventLog log)
      throws InterruptedException {
    Set<String> missing = new LinkedHashSet<>(containers);
    while (!missing.isEmpty()) {
      RuntimeEvent created = log.await(
          "the creation of " + missing,
          told -> told.type().equals(CONTAINER_CREATED)
              && told.container().filter(missing::contains).isPresent());
      missing.remove(created.container().orElseThrow());
    }
  }

  @Test
  @DisplayName("R6.9 A pulled image is told")
  void r6_9_pulledImageIsTold() throws Exception {
    require(EVENTS);
    require(PULL);
    String reference = fixture.pullable();
    EventLog log = subscribe();

    pull(reference);

    ImageId image = pulled(reference).id();
    Predicate<RuntimeEvent> ofIt = names(image, reference);
    log.await("the pull", told -> told.type().equals(IMAGE_PULLED) && ofIt.test(told));
  }

  private RuntimeEventSource events() {
    return ability(RuntimeEventSource.class);
  }

  private EventLog subscribe() {
    return subscribe(Duration.ZERO);
  }

  private EventLog subscribe(Duration slowness) {
    EventLog log = new EventLog(fixture.eventPatience(), slowness);
    streams.add(events().subscribe(log));
    return log;
  }

  private static Predicate<RuntimeEvent> tells(RuntimeEventType type, String container) {
    return tells(List.of(type), container);
  }

  private static Predicate<RuntimeEvent> tells(List<RuntimeEventType> types, String container) {
    return event ->
        types.contains(event.type()) && event.container().equals(Optional.of(container));
  }

  /** Whether an event tells the id of an image, or if it tells none, one of its names. */
  private static Predicate<RuntimeEvent> names(ImageId image, String... references) {
    return event -> event.image().isPresent()
        ? event.image().get().equals(image)
        : Stream.of(references).anyMatch(reference -> hasName(event, reference));
  }

  private static boolean hasName(RuntimeEvent event, String reference) {
    return event
        .reference()
        .filter(name -> withoutRegistry(name).equals(withoutRegistry(reference)))
        .isPresent();
  }

  // R7: look-up

  @Test
  @DisplayName("R7.1 An image is found by each of its tags, with its id and all its names")
  void r7_1_imageIsFoundByItsTags() throws Exception {
    require(LOOKUP);
    ImageId image = fixture.seedImage(APP);
    fixture.tag(image, OTHER);

    for (String reference : List.of(APP, OTHER)) {
      Image found = found(reference);
      assertThat(found.id()).isEqualTo(listed(image).id());
      assertThat(tags(found)).containsExactlyInAnyOrder(APP, OTHER);
    }
  }

  @Test
  @DisplayName("R7.2 An image is found by its name in full, and as it is listed")
  void r7_2_imageIsFoundByItsNameInFull() throws Exception {
    require(LOOKUP);
    Image image = listed(fixture.seedImage(APP));

    for (String reference : image.references()) {
      assertThat(found(reference).id()).isEqualTo(image.id());
      if (reference.equals(APP)) {
        assertThat(found("docker.io/" + APP).id()).isEqualTo(image.id());
      }
    }
  }

  @Test
  @DisplayName("R7.3 A name without a tag is looked up as latest")
  void r7_3_defaultTagIsLookedUp() throws Exception {
    require(LOOKUP);
    fixture.seedImage(APP);
    assertThat(lookup().findImage(repository(APP))).isEmpty();

    ImageId latest = fixture.seedImage(repository(APP) + ":latest");

    assertThat(found(repository(APP)).id()).isEqualTo(listed(latest).id());
  }

  @Test
  @DisplayName("R7.4 An image is found by its digest")
  void r7_4_imageIsFoundByItsDigest() throws Exception {
    require(LOOKUP);
    require(DIGEST_ONLY_IMAGES);
    Image image = listed(fixture.seedDigestOnlyImage("imagegc-kit/app"));

    assertThat(found(image.references().get(0)).id()).isEqualTo(image.id());
  }

  @Test
  @DisplayName("R7.5 An image is found by its id, with all its names, and an unknown id is not")
  void r7_5_imageIsFoundByItsId() throws Exception {
    require(LOOKUP);
    ImageId named = listed(fixture.seedImage(APP)).id();
    ImageId nameless = listed(fixture.seedUntaggedImage()).id();

    assertThat(tags(found(named))).containsExactly(APP);
    assertThat(tags(found(nameless))).isEmpty();
    assertThat(lookup().findImage(similarId(named))).isEmpty();
  }

  @Test
  @DisplayName("R7.6 A name that no image has is not found, and the beginning of an id is no name")
  void r7_6_otherNamesAreNotFound() throws Exception {
    require(LOOKUP);
    ImageId image = listed(fixture.seedImage(APP)).id();

    for (String reference : List.of(APP_TOO, OTHER, image.shortText())) {
      assertThat(lookup().findImage(reference)).as("image %s", reference).isEmpty();
    }
  }

  @Test
  @DisplayName("R7.7 A look-up tells of now: a tag that has moved, an image that was removed")
  void r7_7_lookUpTellsOfNow() throws Exception {
    require(LOOKUP);
    ImageId old = listed(fixture.seedImage(APP)).id();
    assertThat(found(APP).id()).isEqualTo(old);
    ImageId young = fixture.seedImage(OTHER);

    fixture.tag(young, APP);
    assertThat(found(APP).id()).isEqualTo(listed(young).id());
    assertThat(tags(found(old))).isEmpty();
    removesWhole(young);

    assertThat(lookup().findImage(APP)).isEmpty();
    assertThat(lookup().findImage(young)).isEmpty();
  }

  @Test
  @DisplayName("R7.8 What is no reference is not looked up")
  void r7_8_whatIsNoReferenceIsNotLookedUp() {
    require(LOOKUP);
    for (String text : NO_REFERENCES) {
      assertThatThrownBy(() -> lookup().findImage(text))
          .as("look-up of '%s'", text)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  @DisplayName("R7.9 A look-up that is answered with nonsense throws ProtocolException")
  void r7_9_malformedLookUp() throws Exception {
    require(LOOKUP);
    Map<String, ThrowingCallable> calls = calls(listed(fixture.seedImage(APP)));
    calls.keySet().retainAll(LOOK_UPS);
    throwsDuring(Fault.MALFORMED, ProtocolException.class, calls);
  }

  private ImageLookup lookup() {
    return ability(ImageLookup.class);
  }

  private Image found(String reference) {
    return lookup()
        .findImage(reference)
        .orElseThrow(() -> new AssertionError("image " + reference + " is not found"));
  }

  private Image found(ImageId id) {
    return lookup()
        .findImage(id)
        .orElseThrow(() -> new AssertionError("image " + id + " is not found"));
  }

  private static String repository(String reference) {
    return reference.substring(0, reference.lastIndexOf(':'));
  }

  // R8: pulling

  @Test
  @DisplayName("R8.1 A pulled image is there with its name")
  void r8_1_pulledImageIsThere() throws Exception {
    require(PULL);
    String reference = fixture.pullable();

    pull(reference);

    Image image = pulled(reference);
    if (fixture.capabilities().contains(LOOKUP)) {
      assertThat(found(reference).id()).isEqualTo(image.id());
    }
  }

  @Test
  @DisplayName("R8.2 A name without a tag is pulled as latest, and nothing else is")
  void r8_2_defaultTagIsPulled() throws Exception {
    require(PULL);
    String reference = fixture.pullable();

    pull(repository(reference));

    String repository = withoutRegistry(repository(reference));
    assertThat(runtime.listImages().stream()
            .flatMap(image -> tags(image).stream())
            .filter(tag -> repository(tag).equals(repository))
            .distinct())
        .containsExactly(withoutRegistry(reference));
  }

  @Test
  @DisplayName("R8.3 An image that is there can be pulled again")
  void r8_3_imageIsPulledAgain() throws Exception {
    require(PULL);
    String reference = fixture.pullable();
    pull(reference);
    ImageId first = pulled(reference).id();

    pull(reference);

    assertThat(pulled(reference).id()).isEqualTo(first);
  }

  @Test
  @DisplayName("R8.4 A pull of an image that the registry does not have throws PullException")
  void r8_4_unknownImageIsRefused() throws Exception {
    require(PULL);
    String unknown = repository(fixture.pullable()) + ":no-such-tag";

    assertThatThrownBy(() -> pull(unknown)).isInstanceOf(PullException.class);

    assertThat(runtime.listImages())
        .flatExtracting(RuntimeCompatibilityKit::tags)
        .doesNotContain(withoutRegistry(unknown));
  }

  @Test
  @DisplayName("R8.5 Progress never goes back, and is told one report at a time")
  void r8_5_progressGoesForward() throws Exception {
    require(PULL);
    ProgressLog log = new ProgressLog();

    puller().pull(fixture.pullable(), Optional.empty(), log);

    assertThat(log.breaches()).isEmpty();
  }

  @Test
  @DisplayName("R8.6 What is no reference is not pulled")
  void r8_6_whatIsNoReferenceIsNotPulled() {
    require(PULL);
    for (String text : NO_REFERENCES) {
      assertThatThrownBy(() -> pull(text))
          .as("pull of '%s'", text)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  @DisplayName("R8.7 A pull by an unreachable engine throws UnreachableException")
  void r8_7_pullByUnreachableEngine() throws Exception {
    pullThrowsDuring(Fault.UNREACHABLE, UnreachableException.class);
  }

  @Test
  @DisplayName("R8.8 A pull by a hanging engine throws TimedOutException, in bounded time")
  void r8_8_pullByHangingEngine() throws Exception {
    pullThrowsDuring(Fault.HANG, TimedOutException.class);
  }

  @Test
  @DisplayName("R8.9 An interrupt ends a pull with CancelledException and stays set")
  void r8_9_interruptedPull() throws Exception {
    require(PULL);
    FaultInjector faults = require(Fault.HANG);
    String reference = fixture.pullable();
    interruptEnds(faults, Map.of("pull", () -> pull(reference)));
  }

  private void pullThrowsDuring(Fault fault, Class<? extends GcException> expected)
      throws Exception {
    require(PULL);
    require(fault);
    String reference = fixture.pullable();
    // An adapter may have to greet the engine first, but it is the pull that the fault is for.
    runtime.listImages();
    throwsDuring(fault, expected, Map.of("pull", () -> pull(reference)));
    pull(reference); // the same runtime works again
    pulled(reference);
  }

  private ImagePuller puller() {
    return ability(ImagePuller.class);
  }

  private void pull(String reference) {
    puller().pull(reference, Optional.empty(), progress -> {});
  }

  private Image pulled(String reference) {
    return runtime.listImages().stream()
        .filter(image -> tags(image).contains(withoutRegistry(reference)))
        .findFirst()
        .orElseThrow(
            () -> new AssertionError("image " + reference + " was pulled and is not there"));
  }

  // R9: removing containers

  @Test
  @DisplayName(
      "R9.1 A container that has ended or was never started is removed, and nothing else is")
  void r9_1_endedContainerIsRemoved() throws Exception {
    require(CONTAINER_REMOVAL);
    ImageId image = fixture.seedImage(APP);
    Container ended = seed(image, ContainerState.EXITED);
    Container created = seed(image, ContainerState.CREATED);
    Container stays = seed(image, ContainerState.EXITED);

    removes(ended);
    assertThat(container(created.id())).as("another container").isPresent();
    removes(created);

    assertThat(container(stays.id())).as("another container").isPresent();
    assertThat(tags(image)).as("names of the image").containsExactly(APP);
    removes(stays);
    removesWhole(image);
  }

  @Test
  @DisplayName("R9.2 A repeated removal of a container, and one of an unknown id, finds it gone")
  void r9_2_repeatedRemovalOfAContainerFindsItGone() throws Exception {
    require(CONTAINER_REMOVAL);
    Container container = seed(fixture.seedImage(APP), ContainerState.EXITED);
    removes(container);

    assertThat(remover().removeContainer(container).outcome())
        .as("outcome of a repeated removal")
        .isEqualTo(RemovalOutcome.GONE);
    assertThat(remover()
            .removeContainer(Container.builder(similarId(container.id())).build())
            .outcome())
        .as("outcome of removing a container that there never was")
        .isEqualTo(RemovalOutcome.GONE);
  }

  @Test
  @DisplayName("R9.3 A running container is refused and runs on, also if it was listed as ended")
  void r9_3_runningContainerIsRefused() throws Exception {
    require(CONTAINER_REMOVAL);
    Container running = seed(fixture.seedImage(APP), ContainerState.RUNNING);

    isRefused(running);
    Container.Builder listedBefore = Container.builder(running.id()).state(ContainerState.EXITED);
    running.images().forEach(listedBefore::image);
    isRefused(listedBefore.build());

    assertThat(container(running.id()).map(Container::state)).contains(ContainerState.RUNNING);
  }

  @Test
  @DisplayName("R9.4 A container that was stopped has ended and is not removed by that")
  void r9_4_stoppedContainerHasEnded() throws Exception {
    require(CONTAINER_REMOVAL);
    ImageId image = fixture.seedImage(APP);
    Container stopped = seed(image, ContainerState.RUNNING);
    Container other = seed(image, ContainerState.RUNNING);

    remover().stopContainer(stopped, Duration.ZERO);

    assertThat(container(stopped.id())).as("container that was stopped").isPresent();
    removes(stopped); // what runs would be refused; a list may be a moment behind
    assertThat(container(other.id()).map(Container::state))
        .as("state of another container")
        .contains(ContainerState.RUNNING);
    isRefused(other);
  }

  @Test
  @DisplayName("R9.5 Stopping a container that does not run, or is gone, does nothing")
  void r9_5_stoppingWhatDoesNotRunDoesNothing() throws Exception {
    require(CONTAINER_REMOVAL);
    ImageId image = fixture.seedImage(APP);
    Container ended = seed(image, ContainerState.EXITED);
    Container created = seed(image, ContainerState.CREATED);

    remover().stopContainer(ended, Duration.ZERO);
    remover().stopContainer(created, Duration.ZERO);

    assertThat(container(ended.id()).map(Container::state)).contains(ContainerState.EXITED);
    assertThat(container(created.id()).map(Container::state)).contains(ContainerState.CREATED);
    removes(ended);
    remover().stopContainer(ended, Duration.ZERO);
    assertThat(container(ended.id())).as("container that is gone").isEmpty();
  }

  @Test
  @DisplayName("R9.6 A paused container is refused and stays paused")
  void r9_6_pausedContainerIsRefused() throws Exception {
    require(CONTAINER_REMOVAL);
    require(PAUSED_CONTAINERS);
    Container paused = seed(fixture.seedImage(APP), ContainerState.PAUSED);

    isRefused(paused);

    assertThat(container(paused.id()).map(Container::state)).contains(ContainerState.PAUSED);
  }

  @Test
  @DisplayName(
      "R9.7 Of concurrent removals of a container none fails: it is removed, gone or going")
  void r9_7_concurrentRemovalsOfAContainer() throws Exception {
    require(CONTAINER_REMOVAL);
    Container container = seed(fixture.seedImage(APP), ContainerState.EXITED);

    List<RemovalResult> results = concurrently(THREADS, i -> remover().removeContainer(container));

    // Of several, Docker may tell more than one that it did it.
    assertThat(results)
        .extracting(RemovalResult::outcome)
        .contains(RemovalOutcome.REMOVED)
        .isSubsetOf(RemovalOutcome.REMOVED, RemovalOutcome.GONE, RemovalOutcome.IN_USE);
    assertThat(container(container.id())).as("container that was removed").isEmpty();
  }

  @Test
  @DisplayName(
      "R9.8 A removal of a container that is answered with nonsense is neither removed nor gone")
  void r9_8_malformedRemovalOfAContainer() throws Exception {
    require(CONTAINER_REMOVAL);
    FaultInjector faults = require(Fault.MALFORMED);
    Container container = seed(fixture.seedImage(APP), ContainerState.EXITED);
    faults.inject(Fault.MALFORMED);
    try {
      RemovalOutcome outcome = assertTimeoutPreemptively(
          faults.patience(), () -> outcomeOrUnknown(() -> remover().removeContainer(container)));
      assertThat(outcome).isNotIn(REMOVED_OR_GONE);
    } finally {
      faults.recover();
    }
  }

  private ContainerRemover remover() {
    return ability(ContainerRemover.class);
  }

  /** Puts a container on the engine, and returns it as it is listed. */
  private Container seed(ImageId image, ContainerState state) throws Exception {
    String id = fixture.seedContainer(image, state);
    return container(id)
        .orElseThrow(() -> new AssertionError("container " + id + " is not listed"));
  }

  private void removes(Container container) {
    RemovalResult result = remover().removeContainer(container);

    assertThat(result.outcome())
        .as("outcome of removing a container that does not run: %s", result)
        .isEqualTo(RemovalOutcome.REMOVED);
    assertThat(container(container.id())).as("container that was removed").isEmpty();
  }

  private void isRefused(Container container) {
    RemovalResult result = remover().removeContainer(container);

    assertThat(result.outcome())
        .as("outcome of removing a container that runs or is paused: %s", result)
        .isEqualTo(RemovalOutcome.IN_USE);
    assertThat(container(container.id())).as("container that was refused").isPresent();
  }

  // What the rules are made from

  private <T> T ability(Class<T> type) {
    assertThat(runtime).as("a runtime with the declared abilities").isInstanceOf(type);
    return type.cast(runtime);
  }

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
    return tags(listed(id));
  }

  private static List<String> tags(Image image) {
    return image.references().stream()
        .filter(reference -> !reference.contains("@"))
        .map(RuntimeCompatibilityKit::withoutRegistry)
        .toList();
  }

  private static String withoutRegistry(String reference) {
    return reference.substring(Math.max(0, reference.indexOf("imagegc-kit/")));
  }

  /** Returns an id of the same kind that no image has. */
  private static ImageId similarId(ImageId id) {
    return ImageId.of(similarId(id.text()));
  }

  private static String similarId(String id) {
    char last = id.charAt(id.length() - 1);
    return id.substring(0, id.length() - 1) + (last == '0' ? '1' : '0');
  }
}
