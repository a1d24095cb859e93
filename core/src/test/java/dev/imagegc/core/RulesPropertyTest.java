/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.core;

import static dev.imagegc.core.Nodes.removed;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Reason;
import dev.imagegc.testkit.FakeNode;
import dev.imagegc.testkit.ImageSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

/** What holds for every policy and node, against what the rules mean, worked out here once more and in another way. */
class RulesPropertyTest {
  private static final List<String> REPOSITORIES = List.of("mine/a", "mine/b", "theirs/a");

  @Property(tries = 300)
  void nothingThatARuleHoldsBack_isEverAskedToGo_inAnyKindOfRound(@ForAll long seed) {
    Rules rules = new Rules(new Random(seed));
    Node node = new Node(new Random(seed + 1), 10_000);
    try (ImageGcManager gc = node.collector(rules)) {
      Set<String> held = node.images.stream()
          .filter(image -> node.isHeld(image, rules))
          .map(image -> image.id)
          .collect(toSet());
      node.fake.fillTo(95);
      switch (new Random(seed + 2).nextInt(3)) {
        case 0 -> gc.garbageCollect();
        case 1 -> gc.freeSpace(9_000);
        default -> {
          gc.deleteUnusedImages();
          assertThat(Set.copyOf(node.fake.imageIds())).isEqualTo(held); // and all others go
        }
      }
      assertThat(node.fake.removalsAsked()).noneMatch(held::contains);
    }
  }

  @Property(tries = 300)
  void whatIsDueByItsRule_orElseByMaxAge_goesBelowTheThreshold_andNothingElse(@ForAll long seed) {
    Rules rules = new Rules(new Random(seed));
    Node node = new Node(new Random(seed + 1), 1_000_000);
    try (ImageGcManager gc = node.collector(rules)) {
      GcReport report = gc.garbageCollect();
      assertThat(removed(report))
          .containsExactlyInAnyOrderElementsOf(node.images.stream()
              .filter(image -> !node.isHeld(image, rules) && node.isDue(image, rules))
              .map(image -> image.id)
              .toList());
      assertThat(report.removed())
          .allSatisfy(image -> assertThat(image.reason()).isEqualTo(Reason.MAX_AGE));
    }
  }

  @Property(tries = 300)
  void keepNewest_leavesExactlyThatManyOfEachRepository_ifNothingElseHolds(@ForAll long seed) {
    Random random = new Random(seed);
    int count = 1 + random.nextInt(4);
    FakeNode node = FakeNode.withDisk(10_000);
    Map<String, List<Integer>> built = new HashMap<>();
    for (int i = random.nextInt(15); i > 0; i--) {
      String repository = REPOSITORIES.get(random.nextInt(REPOSITORIES.size()));
      int time = 1000 * random.nextInt(5) + i; // not two are the same
      built.computeIfAbsent(repository, unused -> new ArrayList<>()).add(time);
      node.image("image-" + time)
          .tag(repository + ":" + time)
          .builtAt(Instant.EPOCH.plusSeconds(time))
          .size(1)
          .add();
    }
    Set<String> expected = new HashSet<>();
    built
        .values()
        .forEach(times -> times.stream()
            .sorted(Comparator.reverseOrder())
            .limit(count)
            .forEach(time -> expected.add("image-" + time)));
    LruGcPolicy.Builder policy = LruGcPolicy.builder()
        .minAge(Duration.ZERO)
        .keepNewest("**", count)
        .allowMatchingEverything(true);
    try (ImageGcManager gc = Nodes.collector(node, policy).build()) {
      gc.deleteUnusedImages();
      assertThat(Set.copyOf(node.imageIds())).isEqualTo(expected);
    }
  }

  @Property(tries = 300)
  void plan_isEqualForEqualNodes_whateverTheOrderOfTheListing(@ForAll long seed) {
    Node one = new Node(new Random(seed), 10_000);
    Node other = new Node(new Random(seed), 10_000);
    other.fake.faults().shuffleListings(seed);
    try (ImageGcManager a = one.collector(new Rules(new Random(seed)));
        ImageGcManager b = other.collector(new Rules(new Random(seed)))) {
      GcPlan plan = a.plan();
      assertThat(b.plan().decisions()).isEqualTo(plan.decisions());
      assertThat(b.plan().decisions()).isEqualTo(plan.decisions());
    }
  }

  /** A policy, and what is needed to know what it means. Zero and null are "none". */
  private static final class Rules {
    final Duration minAge;
    final Duration grace;
    final Duration maxAge;
    final boolean ownsMine;
    final boolean ownsLabelled;
    final boolean protectsLabelled;
    final int newestOfMine;
    final @Nullable Duration ageOfCi;
    final boolean tmpWhenUnused;

    Rules(Random random) {
      minAge = Duration.ofHours(random.nextInt(4));
      grace = Duration.ofHours(random.nextInt(6));
      maxAge = Duration.ofHours(random.nextInt(8));
      ownsMine = random.nextInt(3) == 0;
      ownsLabelled = ownsMine && random.nextBoolean();
      protectsLabelled = random.nextBoolean();
      newestOfMine = random.nextInt(3);
      ageOfCi = random.nextBoolean() ? Duration.ofHours(1 + random.nextInt(6)) : null;
      tmpWhenUnused = random.nextBoolean();
    }

    LruGcPolicy.Builder policy() {
      LruGcPolicy.Builder policy = LruGcPolicy.builder()
          .highPercent(85)
          .lowPercent(20)
          .minAge(minAge)
          .grace(grace)
          .maxAge(maxAge);
      if (ageOfCi != null) {
        policy.collectAfter(ImageSelector.label("class=ci"), ageOfCi);
      }
      if (tmpWhenUnused) {
        policy.collectWhenUnused(ImageSelector.label("tmp"));
      }
      if (newestOfMine > 0) {
        policy.keepNewest("mine/*", newestOfMine);
      }
      if (protectsLabelled) {
        policy.protect(ImageSelector.label("keep=yes"), "labelled");
      }
      if (ownsMine) {
        policy.owns(ImageSelector.reference("mine/**"));
      }
      if (ownsLabelled) {
        policy.owns(ImageSelector.label("own"));
      }
      return policy;
    }
  }

  /** One image of a node, as the test knows it. Hours are before now. */
  private static final class Known {
    final String id;
    final List<String> repositories = new ArrayList<>();
    final Set<String> labels = new HashSet<>();
    final int builtAt;
    int seenHoursAgo;
    Optional<Integer> usedHoursAgo = Optional.empty();
    boolean inUse;

    Known(String id, int builtAt) {
      this.id = id;
      this.builtAt = builtAt;
    }
  }

  /** Images that came in different hours, of which some were used for some of them. */
  private static final class Node {
    private static final int HOURS = 8;

    final FakeNode fake;
    final List<Known> images = new ArrayList<>();
    private final Random random;

    Node(Random random, long capacity) {
      this.random = random;
      this.fake = FakeNode.withDisk(capacity);
    }

    /** Lets the hours pass with a collector that watches. */
    ImageGcManager collector(Rules rules) {
      ImageGcManager gc = Nodes.collector(fake, rules.policy()).build();
      for (int hour = HOURS; hour >= 0; hour--) {
        for (int i = random.nextInt(3); i > 0; i--) {
          add(hour);
        }
        for (Known image : images) {
          boolean uses = random.nextInt(10) == 0;
          if (uses && !image.inUse) {
            fake.run("user of " + image.id, image.id);
          } else if (!uses && image.inUse && random.nextBoolean()) {
            fake.removeContainer("user of " + image.id);
          } else {
            uses = image.inUse;
          }
          image.inUse = uses;
          if (uses) {
            image.usedHoursAgo = Optional.of(hour);
          }
        }
        gc.detectImages();
        if (hour > 0) {
          fake.clock().advance(Duration.ofHours(1));
        }
      }
      return gc;
    }

    private void add(int hour) {
      Known image = new Known("image-" + images.size(), images.size() * 7919 % 100);
      image.seenHoursAgo = hour;
      ImageSpec spec = fake.image(image.id)
          .builtAt(Instant.EPOCH.plusSeconds(image.builtAt))
          .size(10 + random.nextInt(90));
      for (String repository : REPOSITORIES) {
        if (random.nextInt(3) == 0) {
          image.repositories.add(repository);
          spec.tag(repository + ":" + images.size());
        }
      }
      for (String label : List.of("keep=yes", "keep=no", "own=", "class=ci", "tmp=1")) {
        String key = label.substring(0, label.indexOf('='));
        if (random.nextInt(4) == 0 && image.labels.stream().noneMatch(l -> l.startsWith(key))) {
          image.labels.add(label);
          spec.label(key, label.substring(key.length() + 1));
        }
      }
      spec.add();
      images.add(image);
    }

    boolean isHeld(Known image, Rules rules) {
      boolean mine = !image.repositories.isEmpty()
          && image.repositories.stream().allMatch(name -> name.startsWith("mine/"));
      boolean foreign =
          rules.ownsMine && !mine && !(rules.ownsLabelled && image.labels.contains("own="));
      boolean recent =
          image.usedHoursAgo.filter(hours -> hours < rules.grace.toHours()).isPresent();
      return image.inUse
          || foreign
          || (rules.protectsLabelled && image.labels.contains("keep=yes"))
          || isAmongTheNewest(image, rules.newestOfMine)
          || image.seenHoursAgo < rules.minAge.toHours()
          || recent;
    }

    private boolean isAmongTheNewest(Known image, int count) {
      return image.repositories.stream()
          .filter(name -> name.startsWith("mine/"))
          .anyMatch(name -> images.stream()
                  .filter(other -> other.repositories.contains(name))
                  .filter(other -> other.builtAt > image.builtAt)
                  .count()
              < count);
    }

    boolean isDue(Known image, Rules rules) {
      long unused = Stream.concat(Stream.of(image.seenHoursAgo), image.usedHoursAgo.stream())
          .mapToInt(Integer::intValue)
          .min()
          .orElseThrow();
      if (rules.ageOfCi != null && image.labels.contains("class=ci")) {
        return unused > rules.ageOfCi.toHours();
      }
      if (rules.tmpWhenUnused && image.labels.contains("tmp=1")) {
        return true;
      }
      return !rules.maxAge.isZero() && unused > rules.maxAge.toHours();
    }
  }
}
