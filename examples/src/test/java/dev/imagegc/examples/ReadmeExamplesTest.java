/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagegc.api.DiskConditionListener;
import dev.imagegc.api.DiskSignal;
import dev.imagegc.api.FsStatsProvider;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.Image;
import dev.imagegc.api.ImageId;
import dev.imagegc.api.ImageLookup;
import dev.imagegc.api.ImagePuller;
import dev.imagegc.api.Lease;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.PressureShortfallHandler;
import dev.imagegc.api.PullProgress;
import dev.imagegc.api.RegistryCredentials;
import dev.imagegc.api.Runtime;
import dev.imagegc.api.WorkloadView;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.ImageSelector;
import dev.imagegc.core.LocalFsStatsProvider;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.container.ContainerGcPolicy;
import dev.imagegc.core.container.ContainerUnits;
import dev.imagegc.core.disk.Admission;
import dev.imagegc.core.node.NodeGc;
import dev.imagegc.core.pressure.PressurePolicy;
import dev.imagegc.core.pressure.PressureValue;
import dev.imagegc.core.pull.ImagePullManager;
import dev.imagegc.core.pull.PullPolicy;
import dev.imagegc.core.pull.PullResult;
import dev.imagegc.docker.DockerRuntime;
import dev.imagegc.testkit.FakeNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The Java code of the README: it compiles, runs where it can, and is to the letter what stands there. */
class ReadmeExamplesTest {
  private static final Path README = Path.of("../README.md");
  private static final Path THIS =
      Path.of("src/test/java/dev/imagegc/examples/ReadmeExamplesTest.java");

  /** Compiled, not run: it would collect on the engine of this machine. */
  @SuppressWarnings({"SystemOut", "unused"})
  static void embed() {
    // README
    DockerRuntime docker = DockerRuntime.builder().build();
    ImageGcManager gc = ImageGcManager.builder()
        .runtime(docker)
        .fsStats(LocalFsStatsProvider.locatedBy(docker::imageFsPath))
        .policy(LruGcPolicy.builder()
            .highPercent(85)
            .lowPercent(80)
            .keep("registry.example/base/*")
            .build())
        .listener(event -> System.out.println(event))
        .build();
    gc.start(); // detects and collects every 5 minutes, until gc.close()
    GcPlan plan = gc.plan(); // what it would do now, for every image, and why; touches nothing
    GcReport report = gc.freeSpace(2L << 30); // room for 2 GiB, whatever the usage is
    // end
  }

  @Test
  void policy_ofTheReadme_keepsAndClassifies() {
    // README
    LruGcPolicy policy = LruGcPolicy.builder()
        .owns(ImageSelector.reference("registry.example/**"), ImageSelector.label("built-by=ci"))
        .keep("registry.example/base/*")
        .protect(ImageSelector.label("keep"), "labelled by its team")
        .keepNewest("registry.example/team/*", 2) // of each repository
        .collectAfter(ImageSelector.reference("registry.example/ci/**"), Duration.ofHours(2))
        .collectWhenUnused(ImageSelector.label("scratch=yes"))
        .grace(Duration.ofMinutes(10)) // since the last use
        .build();
    // end
    FakeNode node = FakeNode.withDisk(1000);
    node.image("ci").tag("registry.example/ci/a:1").size(1).add();
    node.image("scratch")
        .label("built-by", "ci")
        .label("scratch", "yes")
        .size(1)
        .add();
    node.image("base")
        .tag("registry.example/base/os:1")
        .label("scratch", "yes")
        .size(1)
        .add();
    node.image("foreign").tag("app:1").label("scratch", "yes").size(1).add();
    node.image("team")
        .tag("registry.example/team/app:1")
        .label("scratch", "yes")
        .size(1)
        .add();
    try (ImageGcManager gc = ImageGcManager.builder()
        .runtime(node.runtime())
        .fsStats(node.fsStats())
        .clock(node.clock())
        .policy(policy)
        .build()) {
      gc.detectImages();
      node.clock().advance(Duration.ofHours(3));
      gc.garbageCollect();
      assertThat(node.imageIds()).containsExactlyInAnyOrder("base", "foreign", "team");
    }
  }

  /** An engine that can do both, as {@link DockerRuntime} can. */
  private record Engine(FakeNode node) implements ImagePuller, ImageLookup {
    @Override
    public void pull(
        String reference,
        Optional<RegistryCredentials> credentials,
        Consumer<PullProgress> progress) {
      node.puller().pull(reference, credentials, progress);
    }

    @Override
    public Optional<Image> findImage(String reference) {
      return node.lookup().findImage(reference);
    }

    @Override
    public Optional<Image> findImage(ImageId id) {
      return node.lookup().findImage(id);
    }
  }

  @Test
  void host_ofTheReadme_pullsLeasesRunsAndReleases() {
    FakeNode node = FakeNode.withDisk(1000);
    node.registry().image("app").tag("registry.example/app:1").size(10).add();
    try (ImageGcManager gc = ImageGcManager.builder()
        .runtime(node.runtime())
        .fsStats(node.fsStats())
        .clock(node.clock())
        .policy(LruGcPolicy.builder().minAge(Duration.ZERO).build())
        .build()) {
      List<ImageId> created = new ArrayList<>();
      pullLeaseRunRelease(new Engine(node), gc, image -> {
        gc.deleteUnusedImages(); // at the worst of times
        node.run("c" + created.size(), image.text());
        created.add(image);
        if (created.size() == 1) {
          node.image("tool").tag("registry.example/tool:1").size(10).add();
        }
      });
      gc.deleteUnusedImages();
      assertThat(node.imageIds()).containsExactlyInAnyOrder("app", "tool");
      assertThat(created).containsExactly(ImageId.of("app"), ImageId.of("tool"));
      node.removeContainer("c0");
      node.removeContainer("c1");
      gc.deleteUnusedImages();
      assertThat(node.imageIds()).isEmpty();
    }
  }

  private static <E extends ImagePuller & ImageLookup> void pullLeaseRunRelease(
      E docker, ImageGcManager gc, Consumer<ImageId> createContainer) {
    // README
    ImagePullManager pulls = ImagePullManager.builder()
        .puller(docker)
        .lookup(docker)
        .leases(gc.leases())
        .build();
    try (PullResult app = pulls.pull("registry.example/app:1", PullPolicy.IF_NOT_PRESENT)) {
      createContainer.accept(app.imageId().orElseThrow()); // leased, by name and by id
    } // released; from here on the container holds it

    try (Lease tool = gc.leases().lease("registry.example/tool:1", Duration.ofMinutes(5))) {
      ImageId id = docker.findImage(tool.subject()).orElseThrow().id();
      createContainer.accept(id); // what was leased before it was looked up stays
    }
    // end
    pulls.close();
  }

  /** Compiled, not run: its clock is the machine's. */
  @SuppressWarnings("unused")
  static void wholeNode(
      Runtime docker,
      FsStatsProvider disks,
      Set<String> podUids,
      DiskConditionListener report,
      PressureShortfallHandler stopSomething) {
    // README
    NodeGc node = NodeGc.builder()
        .runtime(docker)
        .fsStats(disks) // LocalFsStatsProvider.locatedBy(docker::imageFsPath).withInodes()
        .imagePolicy(LruGcPolicy.builder().highPercent(85).lowPercent(80).build())
        .containerPolicy(ContainerGcPolicy.builder().maxPerUnit(1).build())
        .containers(part ->
            part.units(ContainerUnits.kubernetes()).workloads(() -> WorkloadView.of(podUids)))
        .pressurePolicy(PressurePolicy.builder()
            .hard(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.parse("1Gi"))
            .minimumReclaim(DiskSignal.IMAGEFS_AVAILABLE, PressureValue.parse("500Mi"))
            .soft(DiskSignal.NODEFS_AVAILABLE, PressureValue.parse("15%"), Duration.ofMinutes(2))
            .build())
        .pressure(part -> part.conditionListener(report).shortfallHandler(stopSomething))
        .build(); // node.start() does all of it by timer, until node.close()
    Admission room = node.diskSpace().admit(2L << 30); // yes, or no or unknown and why
    // end
  }

  @Test
  void hostsTest_ofTheReadme_passes() {
    // README
    FakeNode node = FakeNode.withDisk(1000);
    node.image("app").tag("app:1").size(450).add();
    node.image("used").tag("used:1").size(450).add();
    node.run("c1", "used");
    ImageGcManager gc = ImageGcManager.builder()
        .runtime(node.runtime())
        .fsStats(node.fsStats())
        .clock(node.clock())
        .build();
    gc.detectImages();
    node.clock().advance(Duration.ofMinutes(2)); // minAge
    assertThat(gc.garbageCollect().outcome()).isEqualTo(Outcome.DONE);
    assertThat(node.imageIds()).containsExactly("used");
    // end
    gc.close();
  }

  @Test
  void javaBlocks_ofTheReadme_areTheCodeOfThisTest() throws IOException {
    List<String> readme = blocks(Files.readString(README), "```java\n(.*?)```");
    List<String> here = blocks(Files.readString(THIS), "// README\n(.*?)// end\n");
    assertThat(readme).hasSize(5).isEqualTo(here);
  }

  private static List<String> blocks(String text, String pattern) {
    List<String> blocks = new ArrayList<>();
    Matcher matcher = Pattern.compile(pattern, Pattern.DOTALL).matcher(text);
    while (matcher.find()) {
      blocks.add(
          matcher.group(1).replaceAll("\\s+", "")); // the formatter may break lines elsewhere
    }
    return blocks;
  }
}
