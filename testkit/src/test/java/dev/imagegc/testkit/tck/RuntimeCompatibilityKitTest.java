/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.testkit.tck;

import static dev.imagegc.api.RemovalOutcome.FAILED;
import static dev.imagegc.api.RemovalOutcome.GONE;
import static dev.imagegc.api.RemovalOutcome.HAS_CHILDREN;
import static dev.imagegc.api.RemovalOutcome.IN_USE;
import static dev.imagegc.api.RemovalOutcome.REMOVED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.imagegc.api.CancelledException;
import dev.imagegc.api.Container;
import dev.imagegc.api.ContainerRemover;
import dev.imagegc.api.ContainerState;
import dev.imagegc.api.GcException;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.Layer;
import dev.imagegc.api.ProtocolException;
import dev.imagegc.api.PullException;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.api.RemovalResult;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.RuntimeEvent;
import dev.imagegc.api.RuntimeEventListener;
import dev.imagegc.api.RuntimeEventType;
import dev.imagegc.api.UnreachableException;
import dev.imagegc.testkit.FakeNode;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;
import org.junit.platform.testkit.engine.Events;

/** Proves that the kit fails adapters that break a rule, and by the name of that rule. */
@Timeout(300)
class RuntimeCompatibilityKitTest {
  private static final Duration ENGINE_DEADLINE = Duration.ofMillis(500);

  /** Set before each run, because the engine creates the kit itself. */
  private static Function<FakeNode, RuntimeFixture> fixtureOf;

  private final Thread tester = Thread.currentThread();

  /** The kit under test. */
  static class Kit extends RuntimeCompatibilityKit {
    @Override
    protected RuntimeFixture fixture() {
      return fixtureOf.apply(FakeNode.withDisk(1_000_000));
    }
  }

  // Nothing is broken

  @Test
  void runtimeWithDeadlines_andEveryFault_passesEveryRule() {
    Events tests =
        run(node -> new HangingFixture(node, bounded(node.runtime()), Duration.ofSeconds(30)));

    assertThat(failed(tests)).isEmpty();
    assertThat(aborted(tests)).isEmpty();
    assertThat(tests.succeeded().count()).isEqualTo(rules().size());
  }

  @Test
  void fixtureThatDeclaresNothing_abortsTheOptionalRulesAndSaysWhy() {
    Events tests = run(node -> new MinimalFixture(node, node.runtime()));

    assertThat(failed(tests)).isEmpty();
    assertThat(aborted(tests))
        .containsOnlyKeys(
            "R1.7", "R1.8", "R1.9", "R1.10", "R1.11", "R1.12", "R2.4", "R2.8", "R3.7", "R3.10",
            "R3.12", "R3.13", "R3.14", "R3.17", "R4.1", "R4.2", "R4.3", "R4.4", "R4.5", "R4.6",
            "R4.7", "R6.1", "R6.2", "R6.3", "R6.4", "R6.5", "R6.6", "R6.7", "R6.8", "R6.9", "R7.1",
            "R7.2", "R7.3", "R7.4", "R7.5", "R7.6", "R7.7", "R7.8", "R7.9", "R8.1", "R8.2", "R8.3",
            "R8.4", "R8.5", "R8.6", "R8.7", "R8.8", "R8.9", "R9.1", "R9.2", "R9.3", "R9.4", "R9.5",
            "R9.6", "R9.7", "R9.8")
        .hasEntrySatisfying("R1.8", why -> assertThat(why).contains("does not declare PARENTS"))
        .hasEntrySatisfying(
            "R4.2", why -> assertThat(why).contains("does not offer the fault HANG"))
        .hasEntrySatisfying("R4.7", why -> assertThat(why).contains("offers no faults"));
    assertThat(tests.succeeded().count() + aborted(tests).size())
        .isEqualTo(rules().size());
  }

  @Test
  void fixtureThatDeclaresMoreThanItImplements_failsAndSaysWhatIsMissing() {
    Events tests = run(node -> new MinimalFixture(node, node.runtime()) {
      @Override
      public Set<RuntimeCapability> capabilities() {
        return EnumSet.allOf(RuntimeCapability.class);
      }
    });

    assertThat(failed(tests))
        .containsExactly(
            "R1.10", "R1.12", "R1.7", "R1.8", "R1.9", "R2.8", "R3.12", "R3.13", "R3.14", "R3.7",
            "R6.9", "R7.4", "R8.1", "R8.2", "R8.3", "R8.4", "R8.5");
    assertThat(tests.failed().stream().map(RuntimeCompatibilityKitTest::reason))
        .allMatch(reason -> reason.contains("must implement the verb"))
        .anyMatch(reason -> reason.contains("IMAGE_MOUNTS"));
  }

  @Test
  void engineThatPutsARegistryInFrontOfNames_passes() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return map(
                super.listImages(),
                image -> withReferences(
                    image, image.references().stream().map(name -> "localhost/" + name)));
          }

          @Override
          public Optional<Image> findImage(String reference) {
            return super.findImage(reference.replace("localhost/", ""));
          }
        }))
        .isEmpty();
  }

  @Test
  void classComment_listsEveryRuleByItsName() throws Exception {
    String source = Files.readString(
        Path.of("src/main/java/dev/imagegc/testkit/tck/RuntimeCompatibilityKit.java"));
    Map<String, String> documented = new TreeMap<>();
    Matcher row = Pattern.compile("<tr><td>(R[\\d.]+)</td><td>([^<]+)</td>").matcher(source);
    while (row.find()) {
      documented.put(row.group(1), row.group(2).replaceAll("\\s*\\n \\*\\s*", " "));
    }

    assertThat(documented).isNotEmpty().isEqualTo(rules());
  }

  // R1 is broken

  @Test
  void nullListOfImages_fails() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return null;
          }
        }))
        .contains("R1.1", "R1.2", "R1.3");
  }

  @Test
  void listThatChangesLater_failsR1_1() {
    List<Image> shared = new ArrayList<>();
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public synchronized List<Image> listImages() {
            List<Image> now = super.listImages();
            if (Thread.currentThread() == tester) {
              shared.clear();
              shared.addAll(now);
              return shared;
            }
            return now;
          }
        }))
        .containsExactly("R1.1");
  }

  @Test
  void duplicates_failR1_2() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            List<Image> twice = new ArrayList<>(super.listImages());
            twice.addAll(super.listImages());
            return twice;
          }
        }))
        .containsExactly("R1.2");
  }

  @Test
  void partialListOfImages_failsWhatListsThem() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return super.listImages().stream().limit(1).toList();
          }
        }))
        .contains("R1.4", "R5.1", "R5.2");
  }

  @Test
  void untaggedImagesHidden_failsR1_5() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return super.listImages().stream()
                .filter(image -> !image.references().isEmpty())
                .toList();
          }
        }))
        .contains("R1.4", "R1.5", "R1.9", "R3.6")
        .doesNotContain("R1.3", "R3.1");
  }

  @Test
  void onlyTheFirstTag_failsR1_3() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return map(
                super.listImages(),
                image -> withReferences(image, image.references().stream().limit(1)));
          }
        }))
        .containsExactly("R1.3", "R1.4");
  }

  @Test
  void placeholderNames_failR1_5() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return map(
                super.listImages(),
                image -> image.references().isEmpty()
                    ? withReferences(image, Stream.of("<none>:<none>"))
                    : image);
          }
        }))
        .containsExactly("R1.4", "R1.5");
  }

  @Test
  void zeroForAnUnknownSize_failsR1_6() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return map(
                super.listImages(), image -> image.toBuilder().sizeBytes(0).build());
          }
        }))
        .containsExactly("R1.6");
  }

  @Test
  void digestsHidden_failsR1_7AndR7_4() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return map(
                super.listImages(),
                image -> withReferences(
                    image, image.references().stream().filter(name -> !name.contains("@"))));
          }
        }))
        .containsExactly("R1.7", "R7.4");
  }

  @Test
  void layersOfTwoSizes_failR1_11() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          private long count;

          @Override
          public List<Image> listImages() {
            return map(
                super.listImages(),
                image -> image.toBuilder()
                    .layers(
                        List.of(Layer.of(image.id().text(), 1), Layer.of("shared", ++count % 2)))
                    .build());
          }
        }))
        .contains("R1.11");
  }

  @Test
  void layersOfTheParentMissing_failsR1_12() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return map(
                super.listImages(),
                image -> image.toBuilder()
                    .layers(List.of(Layer.of(image.id().text(), 1)))
                    .build());
          }
        }))
        .containsExactly("R1.12");
  }

  @Test
  void layersHidden_failsR1_11AndR1_12() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return map(super.listImages(), image -> {
              Image.Builder copy = Image.builder(image.id());
              image.references().forEach(copy::reference);
              image.sizeBytes().ifPresent(copy::sizeBytes);
              image.parent().ifPresent(copy::parent);
              image.pinnedBecause().ifPresent(copy::pinned);
              return copy.build();
            });
          }
        }))
        .containsExactly("R1.11", "R1.12");
  }

  @Test
  void parentsAndPinsHidden_failsR1_8AndR1_9AndR1_10() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return map(
                super.listImages(),
                image ->
                    withReferences(Image.builder(image.id()).build(), image.references().stream()));
          }
        }))
        .containsExactly("R1.10", "R1.11", "R1.12", "R1.8", "R1.9"); // and the layers with them
  }

  // R2 is broken

  @Test
  void nullListOfContainers_fails() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Container> listContainers() {
            return null;
          }
        }))
        .contains("R2.1", "R2.2", "R2.3");
  }

  @Test
  void onlyRunningContainers_failsR2() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Container> listContainers() {
            return super.listContainers().stream()
                .filter(container -> container.state().equals(ContainerState.RUNNING))
                .toList();
          }
        }))
        .contains("R2.2", "R2.4", "R2.5", "R2.6", "R2.7")
        .doesNotContain("R2.3");
  }

  @Test
  void exitedContainersForgotten_failsR2_5() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Container> listContainers() {
            return super.listContainers().stream()
                .filter(container -> !container.state().equals(ContainerState.EXITED))
                .toList();
          }
        }))
        .contains("R2.5", "R2.6", "R2.7")
        .doesNotContain("R2.2", "R2.3", "R2.4");
  }

  @Test
  void removedContainersRemembered_failsR2_6AndWhatRemovesThem() {
    assertThat(failures(node -> {
          Map<String, Container> everSeen = new ConcurrentHashMap<>();
          return new ForwardingRuntime(node.runtime()) {
            @Override
            public List<Container> listContainers() {
              super.listContainers().forEach(container -> everSeen.put(container.id(), container));
              return List.copyOf(everSeen.values());
            }
          };
        }))
        .contains("R2.6")
        .doesNotContain("R2.2", "R2.3", "R2.4", "R2.5", "R2.7");
  }

  @Test
  void imageFoundByTheTagOfTheContainer_failsR2_7() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Container> listContainers() {
            ImageId tagged = super.listImages().stream()
                .filter(image -> image.references().contains("imagegc-kit/app:1"))
                .map(Image::id)
                .findFirst()
                .orElseThrow();
            return map(
                super.listContainers(),
                container -> container.images().size() == 1
                    ? Container.builder(container.id())
                        .state(container.state())
                        .image(tagged)
                        .build()
                    : container);
          }
        }))
        .contains("R2.7")
        .doesNotContain("R2.2", "R2.3", "R2.4", "R2.5");
  }

  @Test
  void mountsForgotten_failsR2_8() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Container> listContainers() {
            return map(
                super.listContainers(),
                container -> container.images().size() == 1
                    ? container
                    : Container.builder(container.id()).state(container.state()).build());
          }
        }))
        .containsExactly("R2.8");
  }

  // R3 is broken

  @Test
  void repeatedRemovalFails_failsR3_2() {
    assertThat(failures(removing((node, image) -> {
          RemovalResult result = node.runtime().removeImage(image);
          return result.outcome().equals(GONE) ? RemovalResult.of(FAILED, "no such image") : result;
        })))
        .containsExactly("R3.15", "R3.2", "R3.3");
  }

  @Test
  void removalClaimedAndNotDone_failsR3_1() {
    assertThat(failures(removing((node, image) -> RemovalResult.of(REMOVED))))
        .contains("R3.1", "R3.2", "R3.3", "R3.6", "R3.7", "R3.15", "R3.16", "R5.1", "R5.2");
  }

  @Test
  void onlyTheFirstTagRemoved_failsR3_4() {
    assertThat(failures(removing((node, image) -> {
          if (image.references().size() < 2 || held(node, image)) {
            return node.runtime().removeImage(image);
          }
          node.untag(image.references().get(0));
          return RemovalResult.of(REMOVED);
        })))
        .containsExactly("R3.13", "R3.4", "R3.5", "R6.3", "R7.7");
  }

  @Test
  void inUseImagesRemovedByForce_failsR3() {
    assertThat(failures(removing((node, image) -> {
          if (!node.hasImage(image.id().text())) {
            return RemovalResult.of(GONE);
          }
          node.deleteImage(image.id().text());
          return RemovalResult.of(REMOVED);
        })))
        .contains("R3.8", "R3.9", "R3.10", "R3.11", "R3.12", "R3.13", "R3.18");
  }

  @Test
  void namesOfAnInUseImageLost_failsR3() {
    assertThat(failures(removing((node, image) -> {
          RemovalResult result = node.runtime().removeImage(image);
          if (result.outcome().equals(IN_USE)) {
            image.references().stream().skip(1).forEach(node::untag);
          }
          return result;
        })))
        .containsExactly("R3.10", "R3.11", "R3.12", "R3.8", "R3.9");
  }

  @Test
  void namesOfAnInUseImageLostAndReported_stillFailsR3() {
    assertThat(failures(removing((node, image) -> {
          RemovalResult result = node.runtime().removeImage(image);
          return result.outcome().equals(IN_USE)
              ? result.withLostReferences(List.of("a:1"))
              : result;
        })))
        .containsExactly("R3.10", "R3.11", "R3.12", "R3.18", "R3.8", "R3.9");
  }

  @Test
  void namesOfAParentLost_failsR3_13() {
    assertThat(failures(removing((node, image) -> {
          RemovalResult result = node.runtime().removeImage(image);
          if (result.outcome().equals(HAS_CHILDREN)) {
            image.references().forEach(node::untag);
          }
          return result;
        })))
        .containsExactly("R3.13");
  }

  @Test
  void parentsLetGo_failsR3_13_unlessTheFixtureSaysSo() {
    Function<FakeNode, Runtime> letsParentsGo = removing((node, image) -> {
      RemovalResult result = node.runtime().removeImage(image);
      if (result.outcome().equals(HAS_CHILDREN)) {
        node.deleteImage(image.id().text());
        return RemovalResult.of(REMOVED);
      }
      return result;
    });

    assertThat(failures(letsParentsGo)).containsExactly("R3.13");
    assertThat(failed(run(node -> new ForwardingFixture(node, letsParentsGo.apply(node)) {
          @Override
          public Set<RuntimeCapability> capabilities() {
            return EnumSet.complementOf(EnumSet.of(RuntimeCapability.KEEPS_PARENTS));
          }
        })))
        .isEmpty();
  }

  @Test
  void everyConcurrentRemovalClaimsSuccess_failsR3_15() {
    assertThat(failures(removing((node, image) -> {
          RemovalResult result = node.runtime().removeImage(image);
          boolean concurrent = Thread.currentThread() != tester;
          return concurrent && result.outcome().equals(GONE) ? RemovalResult.of(REMOVED) : result;
        })))
        .containsExactly("R3.15");
  }

  @Test
  void namesRemovedOneByOneAndNotPutBack_failsR3_16() {
    assertThat(failures(removing((node, image) -> {
          if (!node.hasImage(image.id().text())
              || held(node, image)
              || node.references(image.id().text()).equals(image.references())) {
            return node.runtime().removeImage(image);
          }
          image.references().forEach(node::untag);
          return RemovalResult.of(FAILED, "only untagged");
        })))
        .contains("R3.16");
  }

  @Test
  void namesRemovedFromWhoeverHasThem_failsR3_17() {
    assertThat(failures(removing((node, image) -> {
          RemovalResult result = node.runtime().removeImage(image);
          if (result.outcome().equals(REMOVED)) {
            List<String> taken = node.imageIds().stream()
                .flatMap(id -> node.references(id).stream())
                .filter(image.references()::contains)
                .toList();
            taken.forEach(node::untag);
          }
          return result;
        })))
        .containsExactly("R3.17");
  }

  // R4 is broken

  @Test
  void failuresSwallowedAsEmptyLists_failsR4() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            return orElse(super::listImages, List.of());
          }

          @Override
          public List<Container> listContainers() {
            return orElse(super::listContainers, List.of());
          }
        }))
        .containsExactly("R4.1", "R4.4", "R4.6", "R4.7");
  }

  @Test
  void containerListSwallowed_failsR4() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Container> listContainers() {
            return orElse(super::listContainers, List.of());
          }
        }))
        .containsExactly("R4.1", "R4.4", "R4.6");
  }

  @Test
  void nonsenseTakenForARemoval_failsR4_5() {
    assertThat(failures(removing((node, image) -> {
          try {
            return node.runtime().removeImage(image);
          } catch (ProtocolException e) {
            return RemovalResult.of(GONE);
          }
        })))
        .containsExactly("R4.5");
  }

  @Test
  void wrongException_failsR4() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            try {
              return super.listImages();
            } catch (GcException e) {
              throw new IllegalStateException(e);
            }
          }
        }))
        .containsExactly("R4.1", "R4.4", "R4.6", "R4.7");
  }

  @Test
  void noDeadlines_failsR4_2AndR8_8() {
    assertThat(failed(run(node -> new HangingFixture(node, node.runtime(), Duration.ofSeconds(2)))))
        .containsExactly("R4.2", "R4.7", "R8.8");
  }

  @Test
  void interruptFlagLost_failsR4_3() {
    assertThat(failuresWhenHanging(runtime -> new ForwardingRuntime(runtime) {
          @Override
          public List<Image> listImages() {
            try {
              return super.listImages();
            } finally {
              Thread.interrupted();
            }
          }
        }))
        .containsExactly("R4.3");
  }

  @Test
  void interruptTakenForSomethingElse_failsR4_3() {
    assertThat(failuresWhenHanging(runtime -> new ForwardingRuntime(runtime) {
          @Override
          public List<Container> listContainers() {
            try {
              return super.listContainers();
            } catch (CancelledException e) {
              throw new UnreachableException("connection closed", e);
            }
          }
        }))
        .containsExactly("R4.3");
  }

  @Test
  void stateSpoiltByAFailure_failsR4_7() {
    assertThat(failures(node -> {
          AtomicBoolean spoilt = new AtomicBoolean();
          return new ForwardingRuntime(node.runtime()) {
            @Override
            public List<Image> listImages() {
              if (spoilt.get()) {
                throw new UnreachableException("spoilt");
              }
              try {
                return super.listImages();
              } catch (UnreachableException e) {
                spoilt.set(true);
                throw e;
              }
            }
          };
        }))
        .containsExactly("R4.7");
  }

  // R5 is broken

  @Test
  void listsOfOtherThreadsAreNotWhole_failsR5_1() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public List<Image> listImages() {
            List<Image> all = super.listImages();
            return Thread.currentThread() == tester ? all : List.of();
          }
        }))
        .containsExactly("R5.1");
  }

  // R6 is broken

  @Test
  void runtimeWithoutTheDeclaredAbilities_failsTheirRules() {
    assertThat(failures(FakeNode::plainRuntime))
        .contains("R6.1", "R6.9", "R7.1", "R7.9", "R8.1", "R8.6")
        .doesNotContain("R1.1", "R2.1", "R3.1", "R5.1");
  }

  @Test
  void eventsOfContainersLost_failsR6() {
    assertThat(failures(telling((event, listener) -> {
          if (event.container().isEmpty()) {
            listener.onEvent(event);
          }
        })))
        .containsExactly("R6.1", "R6.4", "R6.5", "R6.6", "R6.7", "R6.8");
  }

  @Test
  void eventsOfImagesLost_failsR6() {
    assertThat(failures(telling((event, listener) -> {
          if (event.container().isPresent()) {
            listener.onEvent(event);
          }
        })))
        .containsExactly("R6.2", "R6.3", "R6.9");
  }

  @Test
  void endOfAContainerLost_failsR6_1() {
    assertThat(failures(without(RuntimeEventType.CONTAINER_DIED))).containsExactly("R6.1");
  }

  @Test
  void deletionOrLostNameNotTold_failsR6_3() {
    assertThat(failures(without(RuntimeEventType.IMAGE_DELETED))).containsExactly("R6.3");
    assertThat(failures(without(RuntimeEventType.IMAGE_UNTAGGED))).containsExactly("R6.3");
  }

  @Test
  void eventsInAnotherOrder_failsR6_1() {
    assertThat(failures(telling((event, listener) -> {
          if (event.type().equals(RuntimeEventType.CONTAINER_REMOVED)) {
            listener.onEvent(event);
            listener.onEvent(retyped(event, RuntimeEventType.CONTAINER_DIED));
          } else if (!event.type().equals(RuntimeEventType.CONTAINER_DIED)) {
            listener.onEvent(event);
          }
        })))
        .containsExactly("R6.1");
  }

  @Test
  void eventsTwice_pass() {
    assertThat(failures(telling((event, listener) -> {
          listener.onEvent(event);
          listener.onEvent(event);
        })))
        .isEmpty();
  }

  @Test
  void idsThatAreNotThoseOfTheListing_failR6() {
    assertThat(failures(telling((event, listener) ->
            listener.onEvent(ofImage(event, ImageId.of("sha256:" + "f".repeat(64)))))))
        .containsExactly("R6.1", "R6.2", "R6.3", "R6.9");
  }

  @Test
  void namesInPlaceOfIds_pass_butNothingAtAllFails() {
    assertThat(failures(telling((event, listener) -> listener.onEvent(ofImage(event, null)))))
        .isEmpty();
    assertThat(failures(telling((event, listener) -> {
          RuntimeEvent.Builder bare = RuntimeEvent.builder(event.type());
          event.container().ifPresent(bare::container);
          listener.onEvent(bare.build());
        })))
        .containsExactly("R6.1", "R6.2", "R6.3", "R6.9");
  }

  @Test
  void streamThatOpensLate_failsR6() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public Subscription subscribe(RuntimeEventListener listener) {
            AtomicInteger told = new AtomicInteger();
            return super.subscribe(filtering(listener, event -> told.incrementAndGet() > 1));
          }
        }))
        .contains("R6.1", "R6.4")
        .doesNotContain("R7.1", "R8.1");
  }

  @Test
  void streamThatTellsOfThePast_failsR6_5() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public Subscription subscribe(RuntimeEventListener listener) {
            for (Container container : node.runtime().listContainers()) {
              listener.onEvent(RuntimeEvent.builder(RuntimeEventType.CONTAINER_CREATED)
                  .container(container.id())
                  .build());
            }
            return super.subscribe(listener);
          }
        }))
        .containsExactly("R6.5");
  }

  @Test
  void streamThatCannotBeClosed_failsR6_6() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public Subscription subscribe(RuntimeEventListener listener) {
            super.subscribe(listener);
            return () -> {};
          }
        }))
        .containsExactly("R6.6");
  }

  @Test
  void closeThatTellsTheEnd_failsR6_6() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public Subscription subscribe(RuntimeEventListener listener) {
            Subscription stream = super.subscribe(listener);
            return () -> {
              stream.close();
              listener.onEnd(new UnreachableException("closed"));
            };
          }
        }))
        .containsExactly("R6.6");
  }

  @Test
  void endNotTold_orTwice_orBeforeAnotherEvent_failsR6_7() {
    assertThat(failures(ending((listener, cause) -> {}))).containsExactly("R6.7");
    assertThat(failures(ending((listener, cause) -> {
          listener.onEnd(cause);
          listener.onEnd(cause);
        })))
        .containsExactly("R6.7");
    assertThat(failures(ending((listener, cause) -> {
          listener.onEnd(cause);
          listener.onEvent(RuntimeEvent.builder(RuntimeEventType.IMAGE_PULLED).build());
        })))
        .containsExactly("R6.7");
  }

  @Test
  void noStreamAfterAnEnd_failsR6_7() {
    assertThat(failures(node -> {
          AtomicBoolean spoilt = new AtomicBoolean();
          return new ForwardingRuntime(node.runtime()) {
            @Override
            public Subscription subscribe(RuntimeEventListener listener) {
              if (spoilt.get()) {
                throw new UnreachableException("spoilt");
              }
              return super.subscribe(hearing(listener::onEvent, cause -> {
                spoilt.set(true);
                listener.onEnd(cause);
              }));
            }
          };
        }))
        .containsExactly("R6.7");
  }

  @Test
  void onlyOneStreamIsTold_failsR6_6AndR6_8() {
    assertThat(failures(node -> {
          AtomicReference<RuntimeEventListener> first = new AtomicReference<>();
          return new ForwardingRuntime(node.runtime()) {
            @Override
            public Subscription subscribe(RuntimeEventListener listener) {
              boolean only = first.compareAndSet(null, listener);
              Subscription stream = super.subscribe(filtering(listener, event -> only));
              return () -> {
                stream.close();
                first.compareAndSet(listener, null);
              };
            }
          };
        }))
        .contains("R6.6", "R6.8")
        .doesNotContain("R6.1", "R6.2", "R6.3");
  }

  @Test
  void twoEventsAtOnce_failR6_8() {
    assertThat(failures(telling((event, listener) -> {
          Thread other = new Thread(() -> listener.onEvent(event));
          other.start();
          listener.onEvent(event);
          joinUninterruptibly(other);
        })))
        .contains("R6.8");
  }

  // R7 is broken

  @Test
  void lookUpWithOneNameOnly_failsR7_1() {
    assertThat(failures(lookingUp((node, reference) -> node.lookup()
            .findImage(reference)
            .map(image -> withReferences(image, image.references().stream().limit(1))))))
        .containsExactly("R7.1");
  }

  @Test
  void namesComparedAsTheyAreWritten_failsR7_2AndR7_3() {
    assertThat(failures(lookingUp((node, reference) -> node.lookup()
            .findImage(reference)
            .filter(image -> image.references().contains(reference)))))
        .containsExactly("R7.2", "R7.3");
  }

  @Test
  void anyTagTakenForTheDefaultOne_failsR7_3() {
    assertThat(failures(lookingUp((node, reference) -> {
          Optional<Image> found = node.lookup().findImage(reference);
          return found.isPresent() || reference.contains(":") || reference.isBlank()
              ? found
              : node.runtime().listImages().stream()
                  .filter(image -> image.references().toString().contains(reference + ":"))
                  .findFirst();
        })))
        .containsExactly("R7.3");
  }

  @Test
  void digestsNotFound_failsR7_4() {
    assertThat(failures(lookingUp((node, reference) ->
            reference.contains("@") ? Optional.empty() : node.lookup().findImage(reference))))
        .containsExactly("R7.4");
  }

  @Test
  void idsNotFound_orInvented_failR7() {
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public Optional<Image> findImage(ImageId id) {
            return super.findImage(id).filter(image -> !image.references().isEmpty());
          }
        }))
        .containsExactly("R7.5", "R7.7");
    assertThat(failures(node -> new ForwardingRuntime(node.runtime()) {
          @Override
          public Optional<Image> findImage(ImageId id) {
            return super.findImage(id).or(() -> Optional.of(Image.builder(id).build()));
          }
        }))
        .containsExactly("R7.5", "R7.7");
  }

  @Test
  void beginningOfAnIdTakenForAName_failsR7_6() {
    assertThat(failures(lookingUp((node, reference) -> node.lookup()
            .findImage(reference)
            .or(() -> node.runtime().listImages().stream()
                .filter(image -> image.id().shortText().equals(reference))
                .findFirst()))))
        .containsExactly("R7.6");
  }

  @Test
  void lookUpsRemembered_failsR7_7() {
    assertThat(failures(node -> {
          Map<String, Optional<Image>> remembered = new ConcurrentHashMap<>();
          return new ForwardingRuntime(node.runtime()) {
            @Override
            public Optional<Image> findImage(String reference) {
              Optional<Image> found = super.findImage(reference);
              return found.isEmpty() && !remembered.containsKey(reference)
                  ? found
                  : remembered.computeIfAbsent(reference, unused -> found);
            }
          };
        }))
        .contains("R7.7");
  }

  @Test
  void anythingTakenForAReference_failsR7_8() {
    assertThat(failures(lookingUp((node, reference) -> {
          try {
            return node.lookup().findImage(reference);
          } catch (IllegalArgumentException e) {
            return Optional.empty();
          }
        })))
        .containsExactly("R7.8");
  }

  @Test
  void failuresTakenForNotFound_failsR7_9AndR4_1() {
    assertThat(failures(lookingUp((node, reference) ->
            orElse(() -> node.lookup().findImage(reference), Optional.empty()))))
        .containsExactly("R4.1", "R7.9");
  }

  // R8 is broken

  @Test
  void pullThatDoesNothing_failsR8() {
    assertThat(failures(pulling((node, reference, progress) -> {})))
        .containsExactly("R6.9", "R8.1", "R8.2", "R8.3", "R8.4", "R8.6", "R8.7");
  }

  @Test
  void everyTagPulled_failsR8_2() {
    assertThat(failures(pulling((node, reference, progress) -> {
          if (reference.indexOf(':') < 0 && reference.contains("pulled")) {
            node.puller().pull(reference + ":1", Optional.empty(), progress);
          }
          node.puller().pull(reference, Optional.empty(), progress);
        })))
        .containsExactly("R8.2");
  }

  @Test
  void secondPullRefused_failsR8_3() {
    assertThat(failures(pulling((node, reference, progress) -> {
          if (!reference.isBlank() && node.imageIds().size() > 0) {
            throw new PullException("it is there");
          }
          node.puller().pull(reference, Optional.empty(), progress);
        })))
        .contains("R8.3");
  }

  @Test
  void refusalSwallowed_orOfAnotherKind_failsR8_4() {
    assertThat(failures(pulling((node, reference, progress) -> {
          try {
            node.puller().pull(reference, Optional.empty(), progress);
          } catch (PullException e) {
            progress.accept(PullProgress.of(0, OptionalLong.empty(), "error"));
          }
        })))
        .containsExactly("R8.4");
    assertThat(failures(pulling((node, reference, progress) -> {
          try {
            node.puller().pull(reference, Optional.empty(), progress);
          } catch (PullException e) {
            throw new ProtocolException("404");
          }
        })))
        .containsExactly("R8.4");
  }

  @Test
  void progressThatGoesBack_orBeyondItsTotal_failsR8_5() {
    assertThat(failures(pulling((node, reference, progress) -> {
          node.puller().pull(reference, Optional.empty(), progress);
          progress.accept(PullProgress.of(0, OptionalLong.empty(), "next layer"));
        })))
        .containsExactly("R8.5");
    assertThat(failures(pulling((node, reference, progress) -> {
          progress.accept(PullProgress.of(2, OptionalLong.of(1), ""));
          node.puller().pull(reference, Optional.empty(), unheard -> {});
        })))
        .containsExactly("R8.5");
  }

  @Test
  void anythingPulled_failsR8_6() {
    assertThat(failures(pulling((node, reference, progress) -> {
          try {
            node.puller().pull(reference, Optional.empty(), progress);
          } catch (IllegalArgumentException e) {
            throw new PullException("no reference");
          }
        })))
        .containsExactly("R8.6");
  }

  @Test
  void unreachableTakenForARefusal_failsR8_7() {
    assertThat(failures(pulling((node, reference, progress) -> {
          try {
            node.puller().pull(reference, Optional.empty(), progress);
          } catch (UnreachableException e) {
            throw new PullException("no engine", e);
          }
        })))
        .containsExactly("R8.7");
  }

  @Test
  void pullWithoutDeadline_failsR8_8() {
    assertThat(failed(run(node -> new HangingFixture(
            node,
            new ForwardingRuntime(bounded(node.runtime())) {
              @Override
              public void pull(
                  String reference,
                  Optional<RegistryCredentials> credentials,
                  Consumer<PullProgress> progress) {
                node.puller().pull(reference, credentials, progress);
              }
            },
            Duration.ofSeconds(2)))))
        .containsExactly("R8.8");
  }

  @Test
  void interruptFlagOfAPullLost_failsR8_9() {
    assertThat(failuresWhenHanging(runtime -> new ForwardingRuntime(runtime) {
          @Override
          public void pull(
              String reference,
              Optional<RegistryCredentials> credentials,
              Consumer<PullProgress> progress) {
            try {
              super.pull(reference, credentials, progress);
            } finally {
              Thread.interrupted();
            }
          }
        }))
        .containsExactly("R8.9");
  }

  // R9 is broken

  @Test
  void containerSaidToBeRemoved_failsWhatRemovesOne() {
    assertThat(failures(removingContainers((node, container) -> RemovalResult.of(REMOVED))))
        .contains("R9.1", "R9.2", "R9.3", "R9.4", "R9.6", "R9.7");
  }

  @Test
  void imageRemovedWithItsContainer_failsR9_1() {
    assertThat(failures(removingContainers((node, container) -> {
          RemovalResult result = remover(node).removeContainer(container);
          node.runtime().listImages().stream()
              .filter(image -> container.images().contains(image.id()))
              .forEach(node.runtime()::removeImage);
          return result;
        })))
        .containsExactly("R9.1");
  }

  @Test
  void otherContainersRemovedAsWell_failR9_1() {
    assertThat(failures(removingContainers((node, container) -> {
          RemovalResult result = remover(node).removeContainer(container);
          node.runtime().listContainers().forEach(remover(node)::removeContainer);
          return result;
        })))
        .contains("R9.1");
  }

  @Test
  void createdContainersRefused_failR9_1() {
    assertThat(failures(
            removingContainers((node, container) -> container.state().equals(ContainerState.CREATED)
                ? RemovalResult.of(IN_USE)
                : remover(node).removeContainer(container))))
        .containsExactly("R9.1");
  }

  @Test
  void goneContainerThrown_failsR9_2AndR9_7() {
    assertThat(failures(removingContainers((node, container) -> {
          RemovalResult result = remover(node).removeContainer(container);
          if (result.outcome().equals(GONE)) {
            throw new ProtocolException("404");
          }
          return result;
        })))
        .containsExactly("R9.2", "R9.7");
  }

  @Test
  void goneContainerTakenForRemoved_failsR9_2() {
    assertThat(failures(removingContainers((node, container) -> {
          RemovalResult result = remover(node).removeContainer(container);
          return result.outcome().equals(GONE) ? RemovalResult.of(REMOVED) : result;
        })))
        .containsExactly("R9.2");
  }

  @Test
  void runningContainerRemovedByForce_failsR9_3AndR9_6() {
    assertThat(failures(removingContainers((node, container) -> {
          remover(node).stopContainer(container, Duration.ZERO);
          return remover(node).removeContainer(container);
        })))
        .containsExactly("R9.3", "R9.4", "R9.6");
  }

  @Test
  void listedStateTrusted_failsR9_3() {
    assertThat(failures(removingContainers((node, container) -> {
          if (container.state().equals(ContainerState.EXITED)) {
            remover(node).stopContainer(container, Duration.ZERO);
          }
          return remover(node).removeContainer(container);
        })))
        .containsExactly("R9.3");
  }

  @Test
  void refusalTakenForAFailure_failsR9_3AndR9_6() {
    assertThat(failures(removingContainers((node, container) -> {
          RemovalResult result = remover(node).removeContainer(container);
          return result.outcome().equals(IN_USE) ? RemovalResult.of(FAILED) : result;
        })))
        .containsExactly("R9.3", "R9.4", "R9.6");
  }

  @Test
  void pausedContainerEnded_failsR9_6() {
    assertThat(failures(removingContainers((node, container) -> {
          RemovalResult result = remover(node).removeContainer(container);
          if (container.state().equals(ContainerState.PAUSED)) {
            remover(node).stopContainer(container, Duration.ZERO);
          }
          return result;
        })))
        .containsExactly("R9.6");
  }

  @Test
  void stopThatDoesNothing_failsR4_1AndR9_4() {
    assertThat(failures(stoppingContainers((node, container) -> {})))
        .containsExactly("R4.1", "R9.4");
  }

  @Test
  void stopThatRemoves_failsR9_4AndR9_5() {
    assertThat(failures(stoppingContainers((node, container) -> {
          remover(node).stopContainer(container, Duration.ZERO);
          remover(node).removeContainer(container);
        })))
        .containsExactly("R9.4", "R9.5");
  }

  @Test
  void stopOfEveryContainer_failsR9_4() {
    assertThat(failures(stoppingContainers((node, container) -> node.runtime()
            .listContainers()
            .forEach(each -> remover(node).stopContainer(each, Duration.ZERO)))))
        .containsExactly("R9.4");
  }

  @Test
  void stopOfAContainerThatIsGoneThrown_failsR9_5() {
    assertThat(failures(stoppingContainers((node, container) -> {
          if (node.runtime().listContainers().stream()
              .noneMatch(listed -> listed.id().equals(container.id()))) {
            throw new ProtocolException("404");
          }
          remover(node).stopContainer(container, Duration.ZERO);
        })))
        .containsExactly("R9.5");
  }

  @Test
  void nonsenseTakenForGone_failsR9_8() {
    assertThat(failures(removingContainers((node, container) -> {
          try {
            return remover(node).removeContainer(container);
          } catch (ProtocolException e) {
            return RemovalResult.of(GONE);
          }
        })))
        .containsExactly("R9.8");
  }

  @Test
  void containerCallWithoutDeadline_failsR4_2() {
    assertThat(failed(run(node -> new HangingFixture(
            node,
            new ForwardingRuntime(bounded(node.runtime())) {
              @Override
              public void stopContainer(Container container, Duration grace) {
                remover(node).stopContainer(container, grace);
              }
            },
            Duration.ofSeconds(2)))))
        .containsExactly("R4.2");
  }

  @Test
  void streamOrLookUpWithoutDeadline_failsR4_2() {
    assertThat(failed(run(node -> new HangingFixture(
            node,
            new ForwardingRuntime(bounded(node.runtime())) {
              @Override
              public Subscription subscribe(RuntimeEventListener listener) {
                return node.events().subscribe(listener);
              }
            },
            Duration.ofSeconds(2)))))
        .containsExactly("R4.2");
    assertThat(failed(run(node -> new HangingFixture(
            node,
            new ForwardingRuntime(bounded(node.runtime())) {
              @Override
              public Optional<Image> findImage(ImageId id) {
                return node.lookup().findImage(id);
              }
            },
            Duration.ofSeconds(2)))))
        .containsExactly("R4.2");
  }

  // Tools

  private static void joinUninterruptibly(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Function<FakeNode, Runtime> telling(
      BiConsumer<RuntimeEvent, RuntimeEventListener> event) {
    return node -> new ForwardingRuntime(node.runtime()) {
      @Override
      public Subscription subscribe(RuntimeEventListener listener) {
        return super.subscribe(hearing(told -> event.accept(told, listener), listener::onEnd));
      }
    };
  }

  private static Function<FakeNode, Runtime> ending(
      BiConsumer<RuntimeEventListener, GcException> end) {
    return node -> new ForwardingRuntime(node.runtime()) {
      @Override
      public Subscription subscribe(RuntimeEventListener listener) {
        return super.subscribe(hearing(listener::onEvent, cause -> end.accept(listener, cause)));
      }
    };
  }

  private static Function<FakeNode, Runtime> without(RuntimeEventType type) {
    return telling((event, listener) -> {
      if (!event.type().equals(type)) {
        listener.onEvent(event);
      }
    });
  }

  private static RuntimeEventListener filtering(
      RuntimeEventListener listener, Predicate<RuntimeEvent> which) {
    return hearing(
        event -> {
          if (which.test(event)) {
            listener.onEvent(event);
          }
        },
        listener::onEnd);
  }

  private static RuntimeEventListener hearing(
      Consumer<RuntimeEvent> onEvent, Consumer<GcException> onEnd) {
    return new RuntimeEventListener() {
      @Override
      public void onEvent(RuntimeEvent event) {
        onEvent.accept(event);
      }

      @Override
      public void onEnd(GcException cause) {
        onEnd.accept(cause);
      }
    };
  }

  private static RuntimeEvent retyped(RuntimeEvent event, RuntimeEventType type) {
    RuntimeEvent.Builder copy = RuntimeEvent.builder(type);
    event.image().ifPresent(copy::image);
    event.reference().ifPresent(copy::reference);
    event.container().ifPresent(copy::container);
    return copy.build();
  }

  private static RuntimeEvent ofImage(RuntimeEvent event, @Nullable ImageId image) {
    RuntimeEvent.Builder copy = RuntimeEvent.builder(event.type());
    if (image != null) {
      copy.image(image);
    }
    event.reference().ifPresent(copy::reference);
    event.container().ifPresent(copy::container);
    return copy.build();
  }

  private interface LookUp {
    Optional<Image> find(FakeNode node, String reference);
  }

  private static Function<FakeNode, Runtime> lookingUp(LookUp lookUp) {
    return node -> new ForwardingRuntime(node.runtime()) {
      @Override
      public Optional<Image> findImage(String reference) {
        return lookUp.find(node, reference);
      }
    };
  }

  private interface Pull {
    void pull(FakeNode node, String reference, Consumer<PullProgress> progress);
  }

  private static Function<FakeNode, Runtime> pulling(Pull pull) {
    return node -> new ForwardingRuntime(node.runtime()) {
      @Override
      public void pull(
          String reference,
          Optional<RegistryCredentials> credentials,
          Consumer<PullProgress> progress) {
        pull.pull(node, reference, progress);
      }
    };
  }

  private interface Removal {
    RemovalResult remove(FakeNode node, Image image);
  }

  private static Function<FakeNode, Runtime> removing(Removal removal) {
    return node -> new ForwardingRuntime(node.runtime()) {
      @Override
      public synchronized RemovalResult removeImage(Image image) { // broken, but not by races
        return removal.remove(node, image);
      }
    };
  }

  private interface ContainerRemoval {
    RemovalResult remove(FakeNode node, Container container);
  }

  private static Function<FakeNode, Runtime> removingContainers(ContainerRemoval removal) {
    return node -> new ForwardingRuntime(node.runtime()) {
      @Override
      public synchronized RemovalResult removeContainer(Container container) {
        return removal.remove(node, container);
      }
    };
  }

  private static Function<FakeNode, Runtime> stoppingContainers(
      BiConsumer<FakeNode, Container> stop) {
    return node -> new ForwardingRuntime(node.runtime()) {
      @Override
      public void stopContainer(Container container, Duration grace) {
        stop.accept(node, container);
      }
    };
  }

  private static ContainerRemover remover(FakeNode node) {
    return (ContainerRemover) node.runtime();
  }

  private static boolean held(FakeNode node, Image image) {
    return node.runtime().listContainers().stream()
        .anyMatch(container -> container.images().contains(image.id()));
  }

  private static <T> List<T> map(List<T> list, UnaryOperator<T> change) {
    return list.stream().map(change).toList();
  }

  private static Image withReferences(Image image, Stream<String> references) {
    Image.Builder copy = Image.builder(image.id()).labels(image.labels());
    image.sizeBytes().ifPresent(copy::sizeBytes);
    image.parent().ifPresent(copy::parent);
    image.pinnedBecause().ifPresent(copy::pinned);
    image.layers().ifPresent(copy::layers);
    references.forEach(copy::reference);
    return copy.build();
  }

  private interface Call<T> {
    T call();
  }

  private static <T> T orElse(Call<T> call, T otherwise) {
    try {
      return call.call();
    } catch (GcException e) {
      return otherwise;
    }
  }

  private static Runtime bounded(Runtime runtime) {
    return new BoundedRuntime(runtime, ENGINE_DEADLINE);
  }

  private static List<String> failures(Function<FakeNode, Runtime> broken) {
    return failed(run(node -> new ForwardingFixture(node, broken.apply(node))));
  }

  private static List<String> failuresWhenHanging(UnaryOperator<Runtime> broken) {
    return failed(run(node ->
        new HangingFixture(node, broken.apply(bounded(node.runtime())), Duration.ofSeconds(30))));
  }

  private static Events run(Function<FakeNode, RuntimeFixture> fixture) {
    fixtureOf = fixture;
    return EngineTestKit.engine("junit-jupiter")
        .selectors(selectClass(Kit.class))
        .execute()
        .testEvents();
  }

  private static List<String> failed(Events tests) {
    return tests.failed().stream()
        .map(RuntimeCompatibilityKitTest::rule)
        .sorted()
        .toList();
  }

  private static Map<String, String> aborted(Events tests) {
    Map<String, String> reasons = new TreeMap<>();
    tests.aborted().stream().forEach(event -> reasons.put(rule(event), reason(event)));
    return reasons;
  }

  private static String rule(Event event) {
    return event.getTestDescriptor().getDisplayName().split(" ", 2)[0];
  }

  private static String reason(Event event) {
    return event
        .getRequiredPayload(TestExecutionResult.class)
        .getThrowable()
        .map(Throwable::getMessage)
        .orElse("");
  }

  private static Map<String, String> rules() {
    Map<String, String> names = new TreeMap<>();
    for (Method method : RuntimeCompatibilityKit.class.getDeclaredMethods()) {
      DisplayName name = method.getAnnotation(DisplayName.class);
      if (name != null) {
        String[] idAndText = name.value().split(" ", 2);
        names.put(idAndText[0], idAndText[1]);
      }
    }
    return names;
  }
}
