/* SPDX-License-Identifier: Apache-2.0 */
package dev.imagegc.benchmarks;

import dev.imagegc.api.ImageRecord;
import dev.imagegc.core.ImageGcManager;
import java.util.Collection;
import java.util.Set;
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

/** A detection that finds nothing new, with the engine's time left out: take a fresh listing over, find out who is used. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(
    value = 1,
    jvmArgs = {"-Xms2g", "-Xmx2g"})
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 3, time = 1)
public class DetectionBenchmark {
  /** The collector, and a node it knows. */
  @State(Scope.Benchmark)
  public static class Ours {
    /** How many images, and as many containers. */
    @Param("10000")
    public int images;

    /** Whether each container has a second image mounted. */
    @Param({"false", "true"})
    public boolean mounts;

    @SuppressWarnings("NullAway.Init")
    private ImageGcManager gc;

    /** Makes the node and its past. */
    @Setup(Level.Trial)
    public void liveThroughThePast() {
      gc = CannedNode.collectorOf(new NodeModel(images, images, mounts));
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
    @Param("10000")
    public int images;

    /** Whether each container has a second image mounted, and the kubelet looks for that. */
    @Param({"false", "true"})
    public boolean mounts;

    @SuppressWarnings("NullAway.Init")
    private KubeletPass kubelet;

    /** Makes the node and its past. */
    @Setup(Level.Trial)
    public void liveThroughThePast() {
      kubelet = KubeletPass.of(new NodeModel(images, images, mounts), mounts);
    }
  }

  /** The collector; the call also returns what is remembered. */
  @Benchmark
  public Collection<ImageRecord> ours(Ours state) {
    return state.gc.detectImages();
  }

  /** The baseline. */
  @Benchmark
  public Set<String> kubelet(Kubelet state) {
    return state.kubelet.detect();
  }
}
