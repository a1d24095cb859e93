/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.imagegc.api.Decision;
import dev.imagegc.api.GcEventType;
import dev.imagegc.api.GcListener;
import dev.imagegc.api.GcPlan;
import dev.imagegc.api.GcPolicy;
import dev.imagegc.api.GcReport;
import dev.imagegc.api.GcThresholds;
import dev.imagegc.api.ImageDecision;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.api.Outcome;
import dev.imagegc.api.RoundLimit;
import dev.imagegc.api.Verdict;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LocalFsStatsProvider;
import dev.imagegc.core.LruGcPolicy;
import dev.imagegc.core.RoundLimits;
import dev.imagegc.docker.DockerRuntime;
import dev.imagegc.docker.RealEngine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What was predicted against what the filesystem gave back, on real engines; see {@link RealEngine}. */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.imagegc.docker.RealEngine#all")
class ExactBytesEngineIT {
  private static final int MB = 1_000_000;
  private static final long ALL = 1L << 50;

  @Parameter
  RealEngine engine;

  private final Random random = new Random(1);
  private Path ballast;
  private DockerRuntime docker;

  @BeforeEach
  void begin() throws IOException {
    ballast = engine.mount().resolve("ballast");
    docker = DockerRuntime.builder().host("unix://" + engine.socket()).build();
    Files.deleteIfExists(ballast);
    engine.empty();
  }

  @AfterEach
  void end() throws IOException {
    docker.close();
    Files.deleteIfExists(ballast);
    engine.empty();
  }

  @Test
  void fortyImages_thatShareLayersInManyWays_freeWhatWasPredicted() throws IOException {
    makeFortyImages();
    assertThat(docker.listImages()).hasSizeGreaterThanOrEqualTo(40);
    for (int victims : new int[] {1, 5, 20}) {
      try (ImageGcManager gc = collector(policy(), RoundLimits.builder().removals(victims))) {
        long before = available();
        GcReport report = gc.freeSpace(ALL);
        long difference = available() - before;

        assertThat(report.decisions())
            .filteredOn(image -> image.decision().equals(Decision.REMOVED)
                || (engine.isPodman() && image.decision().equals(Decision.GONE)))
            .hasSize(victims); // Podman takes untagged parents along
        assertThat(report.stoppedBy()).contains(RoundLimit.REMOVALS);
        assertThat(report.freedBytes()).isCloseTo(difference, within(difference / 100));
        judge(victims + " images", predicted(report), difference, report);
      }
    }
  }

  @Test
  void thresholdRound_onSharedLayers_removesThePlannedImagesAndEndsAtLow() throws IOException {
    makeFortyImages();
    long capacity = Files.getFileStore(engine.mount()).getTotalSpace();
    long missing = 20L * MB;
    fill(available() - capacity / 5 + missing);
    LruGcPolicy policy = LruGcPolicy.builder()
        .highPercent(81)
        .lowPercent(80)
        .minAge(Duration.ZERO)
        .build();
    try (ImageGcManager gc = collector(policy, RoundLimits.builder())) {
      GcPlan plan = gc.plan();
      long before = available();
      GcReport report = gc.garbageCollect();
      long difference = available() - before;

      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.usagePercentAfter().orElseThrow()).isLessThanOrEqualTo(80);
      if (!engine.hasContainerdStore() && !engine.isPodman()) {
        assertThat(ids(report.removed())).isEqualTo(ids(plan.victims()));
      }
      judge("a threshold round", predicted(report), difference, report);
    }
  }

  @Test
  void manySmallFiles_takeMoreOfTheDiskThanTheirLengths_andTheLoopCorrectsIt() throws IOException {
    Map<String, byte[]> files = new HashMap<>();
    for (int i = 0; i < 5_000; i++) {
      files.put("small-" + i, new byte[100]);
    }
    engine.importImage("exact/small:1", files); // lengths of 0.5 MB, blocks of 20 MB
    engine.importImage("exact/large:1", 20 * MB);
    try (ImageGcManager gc = collector(smallFirst(), RoundLimits.builder())) {
      GcReport report = gc.freeSpace(15L * MB);
      assertThat(report.outcome()).isEqualTo(Outcome.DONE);
      assertThat(report.removed()).hasSize(1);
      // The containerd store tells blocks; Podman's sizes are neither blocks nor lengths.
      if (!engine.hasContainerdStore() && !engine.isPodman()) {
        assertThat(report.predictedBytes().orElseThrow()).isGreaterThan(20L * MB); // of both
        ImageDecision small = report.removed().get(0);
        assertThat(small.measuredBytes().orElseThrow())
            .isGreaterThan(10 * small.creditedBytes().orElseThrow());
      }
      assertThat(engine.hasImage("exact/large:1")).isTrue();
    }
  }

  @Test
  void writerInTheMiddleOfARound_leavesFreedBytesRight() throws IOException {
    for (int i = 0; i < 4; i++) {
      engine.importImage("exact/image:" + i, 10 * MB);
    }
    AtomicBoolean written = new AtomicBoolean();
    GcListener writer = event -> {
      if (event.type().equals(GcEventType.IMAGE_REMOVED) && written.compareAndSet(false, true)) {
        write(50 * MB);
      }
    };
    try (ImageGcManager gc = builder(policy()).listener(writer).build()) {
      long before = available();
      GcReport report = gc.deleteUnusedImages();
      long difference = available() - before;

      assertThat(report.removed()).hasSize(4);
      assertThat(report.freedBytes() - difference).isCloseTo(50L * MB, within(MB / 2L));
      assertThat(report.filesystemDifferenceBytes().orElseThrow())
          .isCloseTo(difference, within(MB / 2L));
    }
  }

  /**
   * Makes 40 images with layers of at least 1 MB: a stack, versions of one app on a shared base, versions with shared
   * layers in the middle and steps that add no layer, images under several names, unrelated ones, and untagged ones.
   */
  private void makeFortyImages() {
    engine.importImage("exact/base:1", 3 * MB);
    engine.importImage("exact/base:2", 2 * MB);
    String below = "exact/base:1";
    for (int i = 0; i < 8; i++) {
      below = copy("exact/stack:" + i, below, i + 1);
    }
    for (int i = 0; i < 12; i++) {
      copy("exact/app:" + i, "exact/base:2", 2);
    }
    copy("exact/middle:1", "exact/base:2", 3);
    for (int i = 0; i < 8; i++) {
      engine.build(
          "exact/settings:" + i,
          "FROM exact/middle:1\nENV A=" + i + "\nCOPY file /file\nLABEL version=" + i + "\nCMD [\"/"
              + i + "\"]\n",
          Map.of("file", bytes(MB + i)));
    }
    for (int i = 0; i < 6; i++) {
      engine.importImage("exact/alone:" + i, (1 + i % 3) * MB);
      engine.tag("exact/alone:" + i, "exact/other-name", String.valueOf(i));
    }
    engine.importImage("exact/dangling:1", 2 * MB);
    engine.takeAway("exact/dangling:1");
    copy("exact/on-top:1", "exact/alone:1", 2);
    copy("exact/on-top:2", "exact/alone:1", 1);
  }

  private String copy(String tag, String base, int megabytes) {
    engine.build(
        tag,
        "FROM " + base + "\nCOPY file /" + tag.replace('/', '-').replace(':', '-') + "\n",
        Map.of("file", bytes(megabytes * MB)));
    return tag;
  }

  private byte[] bytes(int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    return bytes;
  }

  /** Within 1 % where layers are known exactly; printed everywhere. */
  private void judge(String what, long predicted, long difference, GcReport report) {
    double error = 100.0 * (predicted - difference) / difference;
    System.out.printf(
        Locale.ROOT,
        "%s: %s: predicted %d, came back %d bytes, error %.3f %% (%s)%n",
        engine,
        what,
        predicted,
        difference,
        error,
        report.accounting());
    if (!engine.hasContainerdStore() && !engine.isPodman()) {
      assertThat(report.accounting()).hasToString("LAYERS");
      assertThat(error).isBetween(-1.0, 1.0);
    }
  }

  private static long predicted(GcReport report) {
    return report.removed().stream()
        .mapToLong(image -> image.creditedBytes().orElseThrow())
        .sum();
  }

  private static List<String> ids(List<ImageDecision> images) {
    return images.stream().map(image -> image.image().id().text()).toList();
  }

  private static LruGcPolicy policy() {
    return LruGcPolicy.builder().minAge(Duration.ZERO).build();
  }

  private static GcPolicy smallFirst() {
    LruGcPolicy rest = policy();
    return new GcPolicy() {
      @Override
      public GcThresholds thresholds() {
        return rest.thresholds();
      }

      @Override
      public Verdict verdict(ImageRecord image) {
        return rest.verdict(image);
      }

      @Override
      public Comparator<ImageRecord> evictionOrder() {
        return Comparator.comparing(image -> image.image().sizeBytes().orElse(0));
      }
    };
  }

  private ImageGcManager collector(GcPolicy policy, RoundLimits.Builder limits) {
    return builder(policy).limits(limits.build()).build();
  }

  private ImageGcManager.Builder builder(GcPolicy policy) {
    return ImageGcManager.builder()
        .runtime(docker)
        .fsStats(LocalFsStatsProvider.locatedBy(docker::imageFsPath))
        .policy(policy);
  }

  // The filesystem, measured and filled without the library

  private long available() throws IOException {
    return Files.getFileStore(engine.mount()).getUsableSpace();
  }

  private void fill(long bytes) throws IOException {
    try {
      Process fallocate =
          new ProcessBuilder("fallocate", "-l", String.valueOf(bytes), ballast.toString()).start();
      assertThat(fallocate.waitFor()).as("exit code of fallocate").isZero();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void write(int bytes) {
    try {
      Files.write(ballast, bytes(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
