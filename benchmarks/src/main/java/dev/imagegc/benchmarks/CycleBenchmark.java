/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import dev.imagegc.api.GcPlan;
import dev.imagegc.core.ImageGcManager;
import java.time.Duration;
import java.util.List;
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

/**
 * A whole cycle for one victim, with the engine's time left out: take a fresh listing over, find out who is used, order,
 * account, plan.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(
    value = 1,
    jvmArgs = {"-Xms2g", "-Xmx2g"})
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 3, time = 1)
public class CycleBenchmark {
  /** The collector, and a node it knows. */
  @State(Scope.Benchmark)
  public static class Ours {
    /** How many images, and as many containers. */
    @Param({"1000", "10000", "100000"})
    public int images;

    @SuppressWarnings("NullAway.Init")
    private ImageGcManager gc;

    /** Makes the node and its past. */
    @Setup(Level.Trial)
    public void liveThroughThePast() {
      gc = CannedNode.collectorOf(new NodeModel(images, images, false));
    }

    /** Ends the collector. */
    @TearDown(Level.Trial)
    public void close() {
      gc.close();
    }
  }

  /** The kubelet, and a node it knows. */
  @State(Scope.Benchmark)
  public static class Kubelet {
    /** How many images, and as many containers. */
    @Param({"1000", "10000", "100000"})
    public int images;

    @SuppressWarnings("NullAway.Init")
    private KubeletPass kubelet;

    /** Makes the node and its past. */
    @Setup(Level.Trial)
    public void liveThroughThePast() {
      kubelet = KubeletPass.of(new NodeModel(images, images, false), false);
    }
  }

  /** The collector; its plan has a decision for every image. */
  @Benchmark
  public GcPlan ours(Ours state) {
    return state.gc.plan();
  }

  /** The baseline; it removes its victim by word only and sees it again in the next listing. */
  @Benchmark
  public List<String> kubelet(Kubelet state) {
    return state.kubelet.freeSpace(1, Duration.ZERO);
  }
}
