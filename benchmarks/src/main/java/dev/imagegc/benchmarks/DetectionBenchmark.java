/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import dev.imagegc.api.GcPlan;
import dev.imagegc.api.ImageRecord;
import dev.imagegc.core.ImageGcManager;
import dev.imagegc.core.LruGcPolicy;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What it costs the collector to take a listing over, and to decide on every image, with the engine's time left out. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class DetectionBenchmark {
  /** How many images, and as many containers. */
  @Param({"1000", "10000"})
  public int images;

  private ImageGcManager gc = manager(new CannedNode(1, 1));

  /** Makes the node and lets the collector see it once, so that records are there. */
  @Setup(Level.Trial)
  public void seeTheNodeOnce() {
    gc.close();
    gc = manager(new CannedNode(images, images));
    gc.detectImages();
  }

  /** Ends the collector. */
  @TearDown(Level.Trial)
  public void close() {
    gc.close();
  }

  /** Lists, finds out who is used, and remembers. */
  @Benchmark
  public Collection<ImageRecord> detect() {
    return gc.detectImages();
  }

  /** The same, and then orders and decides on every image. */
  @Benchmark
  public GcPlan detectAndPlan() {
    return gc.plan();
  }

  private static ImageGcManager manager(CannedNode node) {
    return ImageGcManager.builder()
        .runtime(node)
        .fsStats(node)
        .policy(LruGcPolicy.builder().minAge(Duration.ZERO).build())
        .build();
  }
}
